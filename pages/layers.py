"""Layers & shapes: what goes in, what comes out, and where does each number live?"""

import streamlit as st

from rnnviz.presets import EXAMPLES
from rnnviz.screens import layers as page
from rnnviz.ui import pickers
from rnnviz.ui.link import arrive
from rnnviz.ui.page import question

FIELD = pickers.by_key(page.FIELDS)

current, values = arrive(page.FIELDS, page.screen, "layers")

with st.sidebar:
    pickers.choice(FIELD["l_kind"])
    for key in ("l_in", "l_hidden", "l_layers", "l_len", "l_batch"):
        pickers.number(FIELD[key])
    pickers.switch(FIELD["l_bi"])
    pickers.switch(FIELD["l_bf"])
    pickers.number(FIELD["l_seed"])

question("What goes in, what comes out, and where does each number live?")
pickers.presets(
    {row: e.title for row, e in EXAMPLES.items()},
    page.active_preset(current),
    "layers_preset",
    lambda row: pickers.assign(page.preset_values(EXAMPLES[row])),
)
st.write(current)
