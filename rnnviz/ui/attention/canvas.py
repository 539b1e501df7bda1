"""The canvas of *Attention*: presets, and the live part that goes on while a run trains or is read out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.export_training import training_notebook, training_script
from rnnviz.link import query
from rnnviz.screens import attention as page
from rnnviz.screens.attention_examples import EXAMPLES, active_preset, preset_values
from rnnviz.screens.attention_fields import FIELDS
from rnnviz.ui import pickers
from rnnviz.ui.attention import curves, live, redraw
from rnnviz.ui.attention.reading import LIVE, PAGE, read, seat
from rnnviz.ui.lab.desk import config_of, journal
from rnnviz.ui.lab.transport import tick
from rnnviz.ui.page import Footer, footer, frame, hand_out, notice, question


def show(current: page.AttentionScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("Where does a decoder look while it writes?")
    row = active_preset(current, values)
    pickers.presets(
        {row: example.title for row, example in EXAMPLES.items()},
        row,
        "attention_preset",
        lambda row: pickers.assign(preset_values(EXAMPLES[row])),
    )
    if row is not None:
        st.markdown(f"**{EXAMPLES[row].name}**: {EXAMPLES[row].fact}")
    frame(PAGE, *redraw.frame(current, values))
    places = live.frame(current, values)
    first = [(current, values)]

    @st.fragment(key=LIVE, run_every=tick(PAGE, live.busy(current)))
    def going() -> None:
        screen, chosen = first.pop() if first else read()
        live.show(screen, chosen, places)
        hand_out(handout(screen, chosen))

    going()
    notice(PAGE)
    footer(handout(current, values))


def handout(current: page.AttentionScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives: the script of the run in view, with all that was changed on the way."""
    run = seat(current).run

    def done() -> int:
        return max(run.look().epoch, 1)

    return Footer(
        page=PAGE,
        query=query(FIELDS, values),
        script=lambda: training_script(config_of(run), done(), journal(run)),
        notebook=lambda: training_notebook(config_of(run), done(), journal(run)),
        data=lambda: curves.table(run).to_csv(index=False),
        columns=", ".join(("epoch", *curves.SERIES)),
    )
