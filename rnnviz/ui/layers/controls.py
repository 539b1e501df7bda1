"""The sidebar: few controls at first, the rest in *More*."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.runs import usable_device
from rnnviz.screens.layers import FIELDS, MORE, LayersScreen, changed
from rnnviz.ui import pickers

FIELD = pickers.by_key(FIELDS)


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """All controls of the layer and of what it is fed."""
    pickers.choice(FIELD["l_kind"])
    for pair in (("l_in", "l_hidden"), ("l_layers", "l_seed"), ("l_len", "l_batch")):
        for column, key in zip(st.columns(2, gap="xsmall"), pair, strict=True):
            with column:
                pickers.number(FIELD[key])
    pickers.switch(FIELD["l_bi"])
    pickers.switch(FIELD["l_bf"])
    count = changed(values, MORE)
    # Drawn while closed, too: a bound widget that is not drawn drops out of the address (Streamlit 1.67).
    with st.expander(f"More ({count} set)" if count else "More", key="layers_more"):
        _more(current, values)


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
