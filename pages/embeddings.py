"""Embeddings: how does a word become a vector that learns?"""

from functools import partial

import streamlit as st

from rnnviz.screens import embeddings as page
from rnnviz.ui.embeddings import canvas, controls
from rnnviz.ui.link import arrive
from rnnviz.ui.page import canvas as fragment

read = partial(arrive, page.FIELDS, page.screen, "embeddings")
current, values = read()

with st.sidebar:
    controls.show(current, values)

fragment(controls.CANVAS, (current, values), partial(read, alone=True), canvas.show)
