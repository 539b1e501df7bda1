"""The canvas of *Attention*: presets, and the live part that goes on while a run trains or is read out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.screens import attention as page
from rnnviz.screens.attention_examples import EXAMPLES, active_preset, preset_values
from rnnviz.ui import pickers
from rnnviz.ui.attention import live, redraw
from rnnviz.ui.attention.handing import handout
from rnnviz.ui.attention.reading import LIVE, PAGE, QUIET, read
from rnnviz.ui.lab.news import tick
from rnnviz.ui.page import canvas as fragment
from rnnviz.ui.page import footer, frame, notice, question


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

    going()
    fragment(QUIET, (current, values), read, redraw.note)
    notice(PAGE)
    footer(handout(current, values))
