"""Tagger: how does a network learn to give each word its tag?"""

import streamlit as st

from rnnviz.ui.page import canvas as fragment
from rnnviz.ui.tagger import canvas, controls, reading

reading.enter()
current, values = reading.read(alone=False)

with st.sidebar:
    controls.show(current, values)

fragment(reading.CANVAS, (current, values), reading.read, canvas.show)
