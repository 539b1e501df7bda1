"""The sidebar: few controls at first, the rest in *More*."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.runs import usable_device
from rnnviz.screens.layers import FIELDS, MORE, LayersScreen, changed
from rnnviz.ui import pickers
from rnnviz.ui.layers.redraw import moved
from rnnviz.ui.page import unfold

HALF = 121  # pixels: the least that leaves a number its buttons
FIELD = pickers.by_key(FIELDS)


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """All controls of the layer and of what it is fed."""
    pickers.choice(FIELD["l_kind"])
    # What is folded into More depends on these, so while it is drawn the sidebar runs as well.
    count = changed(values, MORE)
    change: pickers.Change = "rerun" if count or st.session_state.get("layers_more") else moved
    with st.container(horizontal=True, gap="xsmall"):  # two in a row, with fewer messages than columns
        for key in ("l_in", "l_hidden", "l_layers", "l_seed", "l_len", "l_batch"):
            pickers.number(FIELD[key], width=HALF, on_change=change)
    pickers.switch(FIELD["l_bi"], on_change=change)
    pickers.switch(FIELD["l_bf"], on_change=change)
    unfold("More", "layers_more", count > 0, lambda: _more(current, values))
    if count:  # not in the label: an expander whose label changes is another one, and closed
        st.caption(f"{count} set in *More*")


def _more(current: LayersScreen, values: dict[str, Any]) -> None:
    kind, layers = current.config.kind, current.config.num_layers
    pickers.switch(FIELD["l_state"])
    pickers.switch(FIELD["l_unbatched"])
    pickers.switch(FIELD["l_bias"])
    if kind == "RNN":
        pickers.choice(FIELD["l_nonlin"])
    if kind == "LSTM":
        pickers.number(FIELD["l_proj"], high=current.config.hidden_size - 1)
    if layers > 1:
        pickers.number(FIELD["l_dropout"])
        if values["l_dropout"]:
            st.caption("Nothing is dropped here: dropout acts in training only, and this page evaluates.")
    if current.batched:
        pickers.switch(FIELD["l_padded"])
        if current.lengths is not None:
            pickers.line(FIELD["l_lengths"])
    pickers.choice(FIELD["l_dtype"])
    if usable_device("cuda") == "cuda":
        pickers.choice(FIELD["l_device"])
