"""The sidebar of *Attention*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.runs import usable_device
from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import BY_KEY, FILE, OWN
from rnnviz.training.config import WITH_MOMENTUM
from rnnviz.ui import pickers
from rnnviz.ui.attention import own
from rnnviz.ui.attention.reading import PAGE
from rnnviz.ui.attention.redraw import SIDEBAR, beside, moved
from rnnviz.ui.lab.desk import latest, set_rate
from rnnviz.ui.link import markdown
from rnnviz.ui.page import unfold

FIELD = BY_KEY
HALF = 121
PAIRS = ("a_symbols", "a_short", "a_long", "a_shift", "a_train", "a_held")
MODEL = ("a_enc", "a_dec", "a_bi", "a_emb", "a_dhid", "a_layers", "a_dlay", "a_drop")
TEACHING = (
    *("a_teach", "a_tend", "a_tover", "a_trev", "a_mask", "a_pack", "a_batch", "a_shuffle"),
    *("a_opt", "a_mom", "a_wd", "a_clip", "a_until", "a_loss", "a_device"),
)


def show(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    """The pairs, the source, the few numbers that matter most; the rest is folded away."""
    st.session_state[SIDEBAR] = beside(current, values)
    mine = values["a_task"] in (OWN, FILE)
    with st.container(horizontal=True, gap="xsmall"):
        pickers.select(FIELD["a_task"], width=HALF)
        pickers.select(FIELD["a_score"], width=HALF)
    _source(current, values)
    with st.container(horizontal=True, gap="xsmall"):
        pickers.number(FIELD["a_hidden"], width=HALF, on_change=moved)
        pickers.number(FIELD["a_lr"], width=HALF, step=0.001, on_change=_rate)
        pickers.number(FIELD["a_seed"], width=HALF, on_change=moved)
        if values["a_until"] == "epochs":
            pickers.number(FIELD["a_epochs"], width=HALF, on_change=moved)
        if values["a_until"] == "loss below":
            pickers.number(FIELD["a_loss"], width=HALF, step=0.01, on_change=moved)
    if mine:
        own.show(current, values)
    else:
        unfold("Pairs", "a_open_pairs", _set(values, PAIRS), lambda: _pairs(values))
    unfold("Model", "a_open_model", _set(values, MODEL), lambda: _model(current, values))
    unfold("Teaching", "a_open_teaching", _set(values, TEACHING), lambda: _teaching(current, values))


def _set(values: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    return any(values[key] != FIELD[key].default for key in keys)


def _rate() -> None:
    """A new learning rate leaves the run as it is, and goes on from there."""
    set_rate(latest(PAGE), float(st.session_state["a_lr"]))
    moved()


def _source(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    field = FIELD["a_source"]
    asked = current.config.held or current.config.pairs
    st.text_input(
        field.label,
        max_chars=field.max_chars,
        placeholder="the pair below",
        key=field.key,
        help=field.help,
        on_change=moved,
        bind="query-params",
    )
    if current.trouble:
        st.warning(markdown(current.trouble))
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        pickers.number(FIELD["a_pair"], high=len(asked) - 1, width=HALF, on_change=_another)
        pickers.switch(FIELD["a_feed"], on_change=moved)


def _another() -> None:
    """Another pair of the data is read, in place of what was typed."""
    st.session_state["a_source"] = ""
    moved()


def _pairs(values: Mapping[str, Any]) -> None:
    task = values["a_task"]
    with st.container(horizontal=True, gap="xsmall"):
        keys = ["a_train", "a_held"]
        if task != "dates":
            keys = ["a_short", "a_long", *keys]
        if task not in ("dates", "numbers"):
            keys = ["a_symbols", *keys]
        if task == "shift":
            keys = ["a_shift", *keys]
        for key in keys:
            pickers.number(FIELD[key], width=HALF, on_change=moved)


def _model(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    pickers.choice(FIELD["a_enc"], on_change=moved)
    pickers.choice(FIELD["a_dec"], on_change=moved)
    pickers.switch(FIELD["a_bi"], on_change=moved)
    with st.container(horizontal=True, gap="xsmall"):
        fitted = values["a_score"] in ("dot", "scaled_dot")
        for key in ("a_emb", "a_dhid", "a_layers", "a_dlay"):
            if not (fitted and key == "a_dhid"):
                pickers.number(FIELD[key], width=HALF, on_change=moved)
        if values["a_score"] == "multihead":
            pickers.number(FIELD["a_heads"], width=HALF, on_change=moved)
        pickers.number(FIELD["a_drop"], width=HALF, on_change=moved)
        if values["a_task"] in (OWN, FILE):
            pickers.number(FIELD["a_vocab"], width=HALF, on_change=moved)
    if fitted:
        st.caption(
            f"s · h needs equal sizes: the decoder's size is {current.config.width}, the encoder's width."
        )


def _teaching(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        pickers.number(FIELD["a_teach"], width=HALF, on_change=moved)
        pickers.number(FIELD["a_tover"], width=HALF, on_change=moved)
        if values["a_tover"]:
            pickers.number(FIELD["a_tend"], width=HALF, on_change=moved)
        pickers.number(FIELD["a_batch"], width=HALF, on_change=moved)
        pickers.switch(FIELD["a_trev"], on_change=moved)
        if current.attends:
            pickers.switch(FIELD["a_mask"], on_change=moved)
        pickers.switch(FIELD["a_pack"], on_change=moved)
        pickers.switch(FIELD["a_shuffle"], on_change=moved)
    with st.container(horizontal=True, gap="xsmall"):
        pickers.select(FIELD["a_opt"], width=HALF)
        if values["a_opt"] in WITH_MOMENTUM:
            pickers.number(FIELD["a_mom"], width=HALF, on_change=moved)
        pickers.number(FIELD["a_wd"], width=HALF, step=0.001, on_change=moved)
        pickers.number(FIELD["a_clip"], width=HALF, step=0.5, on_change=moved)
    pickers.choice(FIELD["a_until"])
    if usable_device("cuda") == "cuda":
        pickers.choice(FIELD["a_device"])
    elif values["a_device"] == "cuda":
        st.caption("This machine has no CUDA: the run is computed on the CPU.")
