"""Layers & shapes: what goes in, what comes out, and where does each number live?"""

from functools import partial

import streamlit as st

from rnnviz.screens import layers as page
from rnnviz.ui.layers import canvas, controls
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

read = partial(arrive, page.FIELDS, page.screen, "layers")
current, values = read()

with st.sidebar:
    controls.show(current, values)

fragment(controls.CANVAS, (current, values), partial(read, alone=True), canvas.show)
