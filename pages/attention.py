"""Attention: where does a decoder look while it writes?"""

import streamlit as st

from rnnviz.ui.attention import canvas, controls, reading
from rnnviz.ui.page import canvas as fragment

reading.enter()
current, values = reading.read(alone=False)

with st.sidebar:
    controls.show(current, values)

fragment(reading.CANVAS, (current, values), reading.read, canvas.show)
