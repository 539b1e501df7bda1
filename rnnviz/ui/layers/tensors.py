"""View *Tensors*: what goes in and what comes out, as boxes, as code, as a table, and as numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.figures.same import Same, same_slices
from rnnviz.figures.slices import Slice, slice_heatmap, tensor_slice
from rnnviz.figures.tensors import boxes, tensor_boxes
from rnnviz.runs import run
from rnnviz.screens.layers import FIELDS, TENSORS, LayersScreen
from rnnviz.shapes import TensorShape, multiply_adds, tensors
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.layers import markup

FIELD = pickers.by_key(FIELDS)
MOST_WORK = 500_000_000
"""Multiply-adds of a run that is made for the marks alone, some 50 ms. Views that show numbers make any."""


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """Boxes first; the numbers of one tensor when one is chosen."""
    shapes = _shapes(current)
    chosen = values["l_tensor"]
    if chosen not in shapes and chosen != "none":  # c_n was chosen, and the layer is an LSTM no longer
        st.session_state["l_tensor"] = chosen = "none"
    st.html(markup.code(current, shapes))
    chart(
        _boxes(current, chosen),
        key="layers_tensors",
        name="Tensors of the layer",
        summary=_spoken(current, shapes),
        on_click=_choose,
    )
    _legend(current)
    st.html(markup.table(current, shapes))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pickers.choice(FIELD["l_tensor"], [name for name in TENSORS if name == "none" or name in shapes])
        if chosen in shapes and current.batched and current.batch > 1:
            pickers.slider(FIELD["l_item"], high=min(current.batch - 1, 255))
    if chosen in shapes:
        _numbers(current, chosen, values["l_item"])


def _choose(point: Point) -> None:
    if point.custom and point.custom[0] in TENSORS:
        st.session_state["l_tensor"] = point.custom[0]


def _numbers(current: LayersScreen, name: str, item: int) -> None:
    if current.too_large:
        st.caption("There are no numbers to show: this layer is not run here.")
        return
    if name in ("h_0", "c_0") and not current.given_state:
        st.caption(
            f"{name} is left out of the call, so every one of its numbers is 0. *More* gives it numbers."
        )
        return
    found = _slice(current, name, item)
    chart(
        slice_heatmap(found),
        key="layers_numbers",
        name=f"Numbers of {name}",
        summary=f"{found.title}, from {found.lowest:.4f} to {found.highest:.4f}. {found.cropped}",
    )
    if found.cropped:
        st.caption(found.cropped)


def _shapes(current: LayersScreen) -> dict[str, TensorShape]:
    return tensors(current.config, current.length, current.batch if current.batched else None)


@lru_cache(maxsize=64)
def _boxes(current: LayersScreen, chosen: str) -> go.Figure:
    record = boxes(
        current.config,
        _shapes(current),
        given_state=current.given_state,
        chosen=chosen,
        same=_same(current),
        packed=current.lengths is not None,
    )
    return tensor_boxes(record)


def _unmeasured(current: LayersScreen) -> bool:
    """Whether no run is made only to mark what is equal in it."""
    work = multiply_adds(current.config) * current.length * current.batch
    return current.too_large is not None or work > MOST_WORK


@lru_cache(maxsize=64)
def _same(current: LayersScreen) -> tuple[Same, ...]:
    if _unmeasured(current):
        return ()
    ran = run(current)
    return same_slices(current, ran.output, ran.h_n)


def _legend(current: LayersScreen) -> None:
    if found := _same(current):
        st.html(markup.same(found))
    elif not current.too_large:
        st.caption("*Unrolled* and *Traps* measure which slices of output and h_n are equal.")


def _slice(current: LayersScreen, name: str, item: int) -> Slice:
    ran = run(current)
    arrays = {
        "input": ran.x,
        "h_0": ran.h_0,
        "c_0": ran.c_0,
        "output": ran.output,
        "h_n": ran.h_n,
        "c_n": ran.c_n,
    }
    array = arrays[name]
    assert array is not None  # only an LSTM has c_0 and c_n, and only its shapes name them
    return tensor_slice(_shapes(current)[name], array, current.config, item if current.batched else None)


def _spoken(current: LayersScreen, shapes: dict[str, TensorShape]) -> str:
    parts = [f"{name} ({', '.join(d.formula for d in t.dims)}) is {t.shape}" for name, t in shapes.items()]
    same = "".join(f" {one.words}." for one in _same(current))
    return f"{current.config.call()}: {'; '.join(parts)}.{same}"
