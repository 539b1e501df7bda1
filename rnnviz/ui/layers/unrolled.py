"""The unrolled network, and where each row of h_n is found in output."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.figures.unrolled import unrolled, unrolled_figure, unrolled_summary
from rnnviz.runs import run
from rnnviz.screens.layers import FIELDS, LayersScreen
from rnnviz.traps import Located, ends, locate
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart

MOST = 6  # sequences whose last steps are listed
ROW = pickers.by_key(FIELDS)["l_row"]


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """The grid of cells; one row of h_n is followed to its slice of output."""
    rows = current.config.num_layers * current.config.directions
    row = values[ROW.key]
    found = _locate(current, row)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=140):
            pickers.number(ROW, high=rows - 1)
        with st.container(width="stretch"):
            st.markdown(_said(current, found))
    record = unrolled(current, row, found.code)
    chart(
        unrolled_figure(record),
        key="l_unrolled",
        name="Unrolled network",
        summary=unrolled_summary(record, found.difference),
        on_click=_chosen,
    )


def _chosen(point: Point) -> None:
    # Cells and both ends carry their row of h_n; an input or an output belongs to none.
    if len(point.custom) > 1 and isinstance(point.custom[0], float):
        st.session_state[ROW.key] = int(point.custom[0])


def _locate(current: LayersScreen, row: int) -> Located:
    if current.too_large:
        return locate(current, row)
    result = run(current)
    return locate(current, row, result.output, result.h_n)


def _said(current: LayersScreen, found: Located) -> str:
    state = found.state
    if state.direction or current.lengths is None:
        when = f"step {state.step}"
    else:
        steps = [f"n={n}: step {end}" for n, end in enumerate(ends(current)[:MOST])]
        some = ", ".join(steps) + (", …" if current.batch > MOST else "")
        when = f"each sequence's last step ({some})"
    start = f"**`h_n[{state.row}]`** leaves **{state.cell}** after {when}"
    drawn = (
        ""
        if current.lengths is None
        else f" The picture shows a sequence of full length L = {current.length}."
    )
    return start + _place(current, found) + drawn


def _place(current: LayersScreen, found: Located) -> str:
    if found.code is None:
        return ". It is **nowhere in `output`**: only the top layer is given out."
    if found.difference is None:
        return f" and equals `{found.code}`. Not measured here: {current.too_large}."
    return f" and equals **`{found.code}`**: max |difference| **{found.difference:.3g}** in this run."
