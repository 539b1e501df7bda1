"""The canvas of *Tagger*: presets, and the live part that goes on while a run trains."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.export_training import training_notebook, training_script
from rnnviz.link import query
from rnnviz.screens import tagger as page
from rnnviz.ui import pickers
from rnnviz.ui.lab import series
from rnnviz.ui.lab.desk import config_of, journal
from rnnviz.ui.lab.news import tick
from rnnviz.ui.page import Footer, footer, frame, hand_out, notice, question
from rnnviz.ui.tagger import live, redraw
from rnnviz.ui.tagger.reading import LIVE, PAGE, read, seat


def show(current: page.TaggerScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("How does a network learn to give each word its tag?")
    row = page.active_preset(current)
    pickers.presets(
        {row: example.title for row, example in page.EXAMPLES.items()},
        row,
        "tagger_preset",
        lambda row: pickers.assign(page.preset_values(page.EXAMPLES[row])),
    )
    if row is not None:
        st.markdown(f"**{row}** {page.EXAMPLES[row].fact}")
    frame(PAGE, *redraw.frame(current, values))
    places = live.frame(current, values)
    first = [(current, values)]

    @st.fragment(key=LIVE, run_every=tick(PAGE, live.busy(current)))
    def going() -> None:
        screen, chosen = first.pop() if first else read()
        live.show(screen, chosen, places)
        hand_out(handout(screen, chosen))

    with places.top:
        going()
    notice("tagger")
    footer(handout(current, values))


def handout(current: page.TaggerScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives: the script of the run in view, with all that was changed on the way."""
    here = seat(current)
    run = here.run

    def done() -> int:
        return max(run.look().epoch, 1)

    return Footer(
        page="tagger",
        query=query(page.FIELDS, values),
        script=lambda: training_script(config_of(run), done(), journal(run)),
        notebook=lambda: training_notebook(config_of(run), done(), journal(run)),
        data=lambda: series.table(run).to_csv(index=False),
        columns="epoch, loss, accuracy",
        promise=series.PROMISE,
        prints="every loss of this run",
    )
