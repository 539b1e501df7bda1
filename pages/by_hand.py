"""By hand: is there any magic in nn.RNN?"""

from functools import partial

import streamlit as st

from rnnviz.screens import by_hand as page
from rnnviz.ui.by_hand import canvas, controls
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

read = partial(arrive, page.FIELDS, page.screen, "by-hand")
current, values = read()
canvas.prepare(current, values)

with st.sidebar:
    controls.controls(current, values)

fragment(KEYS.canvas, (current, values), partial(read, alone=True), canvas.show)
