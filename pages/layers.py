"""Layers & shapes: what goes in, what comes out, and where does each number live?"""

import streamlit as st

from rnnviz.presets import EXAMPLES
from rnnviz.screens import layers as page
from rnnviz.ui import pickers
from rnnviz.ui.layers import canvas, controls
from rnnviz.ui.link import arrive
from rnnviz.ui.page import question

current, values = arrive(page.FIELDS, page.screen, "layers")

with st.sidebar:
    controls.show(current, values)

question("What goes in, what comes out, and where does each number live?")
pickers.presets(
    {row: e.title for row, e in EXAMPLES.items()},
    page.active_preset(current),
    "layers_preset",
    lambda row: pickers.assign(page.preset_values(EXAMPLES[row])),
)


arrived = [(current, values)]


@st.fragment
def view() -> None:
    # Where only the fragment runs, because one of its own controls was moved, the page is read again.
    canvas.show(*(arrived.pop() if arrived else arrive(page.FIELDS, page.screen, "layers")))


view()
