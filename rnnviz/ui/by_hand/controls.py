"""The sidebar of *By hand*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import by_hand as page
from rnnviz.ui import pickers
from rnnviz.ui.by_hand import redraw
from rnnviz.ui.by_hand.redraw import moved
from rnnviz.ui.page import unfold

FIELD = pickers.by_key(page.FIELDS)


def controls(current: page.ByHandScreen, values: Mapping[str, Any]) -> None:
    """Every control of the page's configuration."""
    st.session_state["b_side"] = redraw.side(current, values)
    pickers.select(FIELD["b_exp"], on_change=moved)
    if current.recurrent:
        pickers.choice(FIELD["b_kind"], on_change=moved)
    if current.experiment == page.EXPERIMENTS[0]:
        pickers.choice(FIELD["b_way"], on_change=moved)
    with st.grid(2, min_column_width=100):
        for key in ("b_batch", "b_len", "b_in", "b_hidden"):
            pickers.number(FIELD[key], on_change=moved)
        if current.experiment == "From matmul":
            pickers.number(FIELD["b_out"], on_change=moved)
        if current.experiment in page.EXPERIMENTS[5:]:
            pickers.number(FIELD["b_layers"], on_change=moved)
        pickers.number(FIELD["b_seed"], on_change=moved)
    unfold("More", redraw.MORE, redraw.more(values), lambda: _more(current))


def _more(current: page.ByHandScreen) -> None:
    if current.batch > 1:
        pickers.number(FIELD["b_n"], high=current.batch - 1, on_change=moved)
    if current.experiment not in page.EXPERIMENTS[1:3]:
        pickers.switch(FIELD["b_bias"], on_change=moved)
    pickers.choice(FIELD["b_dtype"], on_change=moved)
