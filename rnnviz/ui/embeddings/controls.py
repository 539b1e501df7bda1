"""The sidebar of *Embeddings*: the controls of the view that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.embeddings.inputs import LOSSES as SUMS
from rnnviz.screens import embeddings as page
from rnnviz.ui import pickers
from rnnviz.ui.embeddings import upload
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived
from rnnviz.ui.page import canvas as fragment

FIELD = pickers.by_key(page.FIELDS)
CANVAS = "embeddings_canvas"
PADDING = "embeddings_padding"
ALONE = pickers.only(CANVAS)
ROWS = pickers.only(PADDING, CANVAS)  # for what decides which rows there are to choose from
LOSSES = dict(zip(SUMS, ("sum", "sum of squares"), strict=True))


def read() -> Arrived:
    """The page's screen and values, for a fragment that runs alone."""
    return arrive(page.FIELDS, page.screen, "embeddings", alone=True)


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """Every control that the view in sight reads."""
    _SHOWN[current.view](current, values)


def _table(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    pickers.choice(FIELD["e_source"])
    if values["e_source"] == "Words":
        pickers.area(FIELD["e_text"], height=88, on_change=ROWS)
    else:
        pickers.area(FIELD["e_indices"], height=88, on_change=ALONE)
        pickers.slider(FIELD["e_rows"], on_change=ROWS)
    pickers.slider(FIELD["e_dim"], on_change=ALONE)
    fragment(PADDING, (current, values), read, _padding)
    pickers.number(FIELD["e_seed"], on_change=ALONE)


def _padding(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    _row_of_padding("e_padded", "e_pad", values, current.table.config.num_embeddings)
    if values["e_padded"]:
        pickers.switch(FIELD["e_ones"], on_change=ALONE)


def _bag_padding(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    _row_of_padding("e_bag_padded", "e_bag_pad", values, values["e_rows"])


def _row_of_padding(switch: str, row: str, values: dict[str, Any], rows: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pickers.switch(FIELD[switch], on_change=ROWS)
        if values[switch]:
            pickers.number(FIELD[row], high=rows - 1, width=130, on_change=ALONE)


def _training(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    for key in ("e_freeze", "e_freq", "e_sparse"):
        pickers.switch(FIELD[key], on_change=ALONE)
    pickers.slider(FIELD["e_norm"], on_change=ALONE)
    pickers.slider(FIELD["e_lr"], on_change=ALONE)
    pickers.choice(FIELD["e_loss"], names=LOSSES, on_change=ALONE)
    _table(current, values)


def _bags(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    pickers.area(FIELD["e_items"], height=72, on_change=ALONE)
    pickers.line(FIELD["e_offsets"], on_change=ALONE)
    pickers.choice(FIELD["e_mode"], on_change=ALONE)
    pickers.line(FIELD["e_weights"], on_change=ALONE)
    fragment(PADDING, (current, values), read, _bag_padding)
    pickers.slider(FIELD["e_rows"], on_change=ROWS)
    pickers.slider(FIELD["e_dim"], on_change=ALONE)
    pickers.switch(FIELD["e_last"], on_change=ALONE)
    pickers.number(FIELD["e_seed"], on_change=ALONE)


def _pretrained(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    pickers.choice(FIELD["e_vectors"])
    if values["e_vectors"] == "My file":
        upload.show()
    pickers.line(FIELD["e_ask"], on_change=ALONE)
    pickers.slider(FIELD["e_near"], on_change=ALONE)
    pickers.line(FIELD["e_words"], on_change=ALONE)
    pickers.switch(FIELD["e_frozen"], on_change=ALONE)
    pickers.number(FIELD["e_seed"], on_change=ALONE)


_SHOWN: dict[str, Callable[[page.EmbeddingsScreen, dict[str, Any]], None]] = {
    "Lookup": _table,
    "One-hot": _table,
    "Gradient": _training,
    "Bags": _bags,
    "Pretrained": _pretrained,
}
