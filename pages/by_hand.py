"""By hand: is there any magic in nn.RNN?"""

import streamlit as st

from rnnviz.screens import by_hand as page
from rnnviz.ui.by_hand import canvas, controls, pictures, redraw
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

current, values = arrive(page.FIELDS, page.screen, "by-hand")
pictures.prepare(current, values)

with st.sidebar:
    fragment(KEYS.sidebar, (current, values), redraw.read, controls.controls)

fragment(KEYS.canvas, (current, values), redraw.read, canvas.show)
