"""Layers & shapes: what goes in, what comes out, and where does each number live?"""

import streamlit as st

from rnnviz.screens import layers as page
from rnnviz.ui.layers import canvas, controls, redraw
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

current, values = arrive(page.FIELDS, page.screen, "layers")

with st.sidebar:
    controls.show(current, values)

fragment(redraw.CANVAS, (current, values), redraw.read, canvas.show)
