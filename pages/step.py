"""Step through: what happens inside the cell at this step?"""

from functools import partial

import streamlit as st

from rnnviz.screens import step as page
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment
from rnnviz.ui.step import canvas, controls
from rnnviz.ui.step.keys import KEYS

read = partial(arrive, page.FIELDS, page.screen, "step")
current, values = read()

with st.sidebar:
    controls.controls(current, values)

fragment(KEYS.canvas, (current, values), partial(read, alone=True), canvas.show)
