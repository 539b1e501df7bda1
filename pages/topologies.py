"""Topologies: where does the input enter, and where does the answer leave?"""

from functools import partial

import streamlit as st

from rnnviz.screens import topologies as page
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment
from rnnviz.ui.topologies import canvas, controls
from rnnviz.ui.topologies.keys import KEYS

read = partial(arrive, page.FIELDS, page.screen, "topologies")
current, values = read()

with st.sidebar:
    controls.controls(current, values)

fragment(KEYS.canvas, (current, values), partial(read, alone=True), canvas.show)
