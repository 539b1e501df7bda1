"""The sidebar of *Characters*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.runs import usable_device
from rnnviz.screens import characters as page
from rnnviz.training.config import WITH_MOMENTUM
from rnnviz.ui import pickers
from rnnviz.ui.characters.reading import PAGE
from rnnviz.ui.characters.redraw import SIDEBAR, beside, moved
from rnnviz.ui.lab.desk import latest, set_rate
from rnnviz.ui.link import markdown
from rnnviz.ui.page import unfold

FIELD = pickers.by_key(page.FIELDS)
HALF = 121
MORE = ("c_red", "c_mom", "c_wd", "c_clip", "c_device")


def show(current: page.CharsScreen, values: Mapping[str, Any]) -> None:
    """The strings; and the model and its training where it stands alone."""
    st.session_state[SIDEBAR] = beside(current, values)
    pickers.choice(FIELD["c_mode"])
    for column, key in zip(st.columns(2, gap="xsmall"), ("c_source", "c_target"), strict=True):
        with column:
            pickers.line(FIELD[key], on_change=moved)
    if current.problem:
        st.warning(f"{markdown(current.problem)}. hello and ohlol are used until this is mended.")
    if current.side:
        pickers.number(FIELD["c_seed"], on_change=moved)
        st.caption(
            "D3, D4 and D5 as in the notebooks, on these strings with this seed. *One run* has a control for "
            "everything else."
        )
        _device(current)
        return
    _model(current, values)
    with st.container(horizontal=True, gap="xsmall"):
        pickers.select(FIELD["c_opt"], width=HALF)
        pickers.number(FIELD["c_lr"], width=HALF, step=0.01, on_change=_rate)
        pickers.number(FIELD["c_seed"], width=HALF, on_change=moved)
        if values["c_until"] == "epochs":
            pickers.number(FIELD["c_epochs"], width=HALF, on_change=moved)
        if values["c_until"] == "loss below":
            pickers.number(FIELD["c_loss"], width=HALF, step=0.01, on_change=moved)
    pickers.choice(FIELD["c_until"])
    more = any(values[key] != FIELD[key].default for key in MORE)
    unfold("More", "c_open_more", more, lambda: _more(current, values))


def _model(current: page.CharsScreen, values: Mapping[str, Any]) -> None:
    pickers.choice(FIELD["c_layer"])
    pickers.choice(FIELD["c_kind"], on_change=moved)
    pickers.choice(FIELD["c_input"])
    pickers.switch(FIELD["c_readout"])
    with st.container(horizontal=True, gap="xsmall"):
        if values["c_input"] == "embedding":
            pickers.number(FIELD["c_emb"], width=HALF, on_change=moved)
        if values["c_readout"]:
            pickers.number(FIELD["c_hidden"], width=HALF, on_change=moved)
        if values["c_layer"] == "layer":
            pickers.number(FIELD["c_layers"], width=HALF, on_change=moved)
    if not values["c_readout"]:
        st.caption(f"hidden_size is {current.config.hidden}, a unit for each character.")


def _rate() -> None:
    """A new learning rate leaves the run as it is, and goes on from there."""
    set_rate(latest(PAGE), float(st.session_state["c_lr"]))
    moved()


def _more(current: page.CharsScreen, values: Mapping[str, Any]) -> None:
    pickers.choice(FIELD["c_red"], on_change=moved)
    if values["c_opt"] in WITH_MOMENTUM:
        pickers.number(FIELD["c_mom"], on_change=moved)
    pickers.number(FIELD["c_wd"], step=0.001, on_change=moved)
    pickers.number(FIELD["c_clip"], step=0.5, on_change=moved)
    _device(current)


def _device(current: page.CharsScreen) -> None:
    if usable_device("cuda") == "cuda":
        pickers.choice(FIELD["c_device"])
    elif current.config.device == "cuda":
        st.caption("This machine has no CUDA: the run is computed on the CPU.")
