"""Embeddings: how does a word become a vector that learns?"""

import streamlit as st

from rnnviz.screens import embeddings as page
from rnnviz.ui.embeddings import canvas, controls
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

current, values = arrive(page.FIELDS, page.screen, "embeddings")

with st.sidebar:
    controls.show(current, values)

fragment(controls.CANVAS, (current, values), controls.read, canvas.show)
