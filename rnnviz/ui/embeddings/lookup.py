"""View *Lookup*: rows of the table looked up, and the same rows as one-hot times weight."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.embeddings import lookup as core
from rnnviz.embeddings.clicks import with_row
from rnnviz.embeddings.inputs import Table
from rnnviz.embeddings.spoken import apart, lookup_line
from rnnviz.figures.embeddings import Arrays, Labels, lookup_figure, lookup_maps, table_figure
from rnnviz.screens import embeddings as page
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart, cursor
from rnnviz.ui.embeddings import refused
from rnnviz.ui.link import markdown
from rnnviz.ui.transport import Line, jump, position, tick, transport

PAGE = "e"
FIELD = pickers.by_key(page.FIELDS)


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """The transport along the positions, the picture, what ran, and the marked position's lookup."""
    table = current.table
    found = core.lookup(table)
    if found.refusal is not None:
        refused.show(found.refusal)
        chart(
            _table(table),
            key="e_table",
            name="The table",
            summary=f"{table.config.call()}: {len(found.weight)} rows of numbers.",
        )
        return
    line = Line(PAGE, FIELD["e_pos"], table.positions)

    @st.fragment(key="embeddings_lookup", run_every=tick(PAGE))
    def body() -> None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            transport(line)
        _looked_up(table, line)

    body()


def _looked_up(table: Table, line: Line) -> None:
    at, found = position(line), core.lookup(table)
    said = lookup_line(table, at)
    chart(
        _picture(table, at),
        key="e_lookup",
        name="Embedding lookup",
        summary=f"{table.config.call()} turns {table.positions} indices into {found.shape}. {said}",
        on_click=lambda point: _click(table, line, at, point),
    )
    cursor("embeddings", at)  # no chart belongs to it: it keeps the keys alive after a click
    n, length, dim = found.shape
    st.caption(
        f"`{table.config.call()}` · output = `embedding(input)`, ({n}, {length}) → ({n}, {length}, {dim}) · "
        f"product = `one_hot @ weight` · max |difference| **{apart(found.difference)}**",
        help="The lookup copies rows; the product multiplies and adds. With a single 1 in each one-hot row "
        "both give the same numbers, but the product costs V multiplications for each of them.",
    )
    adds = "adds its word to the marked sentence" if table.names else "puts it at the marked position"
    st.markdown(f"{markdown(said)} Click on a position to mark it; a click on a row of *weight* {adds}.")


def _click(table: Table, line: Line, at: int, point: Point) -> None:
    if not isinstance(point.y, float):
        return
    row = int(point.y)
    if point.curve != 1:
        if 0 <= row < table.positions:
            jump(line, row)
        return
    if 0 <= row < table.config.num_embeddings:
        pickers.assign(with_row(table, at, row))
        st.rerun()  # the whole page: the sidebar holds the input


@lru_cache(maxsize=64)
def _picture(table: Table, at: int) -> go.Figure:
    found = core.lookup(table)
    assert found.output is not None and found.product is not None
    names = tuple(map(table.row_name, range(table.config.num_embeddings)))
    read = tuple(i for line in table.indices for i in line)
    tokens = tuple(table.names[i] if table.names else str(i) for i in read)
    arrays = Arrays(found.one_hot, found.weight, found.output, found.product, found.shape)
    return lookup_figure(lookup_maps(arrays, Labels(tokens, names), at))


@lru_cache(maxsize=16)
def _table(table: Table) -> go.Figure:
    names = tuple(map(table.row_name, range(table.config.num_embeddings)))
    return table_figure(core.lookup(table).weight, names)
