"""Step through: what happens inside the cell at this step?"""

import streamlit as st

from rnnviz.screens import step as page
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment
from rnnviz.ui.step import canvas, controls, redraw
from rnnviz.ui.step.keys import KEYS

current, values = arrive(page.FIELDS, page.screen, "step")

with st.sidebar:
    controls.controls(current, values)

fragment(KEYS.canvas, (current, values), redraw.read, canvas.show)
