"""View *One-hot*: size, sparsity and similarity of one-hot vectors and of embeddings."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.embeddings.compare import Compared, compare
from rnnviz.embeddings.inputs import Table
from rnnviz.figures.embeddings_words import Alike, alike_figure
from rnnviz.screens import embeddings as page
from rnnviz.ui import pickers
from rnnviz.ui.chart import chart
from rnnviz.ui.link import markdown

FIELD = pickers.by_key(page.FIELDS)


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """Two matrices of cosines, then the sizes as a table."""
    pickers.choice(FIELD["e_similar"], collapsed=True)
    found = compare(current.table, current.similar == page.SIMILAR[1])
    chart(
        _picture(current.table, current.similar),
        key="e_alike",
        name="Similarity of tokens",
        summary=f"Cosines of {len(found.names)} tokens: one-hot vectors give the identity. {found.closest}",
    )
    if found.missing:
        st.caption(f"Not in the sample vectors, so left out: {markdown(', '.join(found.missing))}")
    st.markdown(_sizes(found))


@lru_cache(maxsize=32)
def _picture(table: Table, similar: str) -> go.Figure:
    found = compare(table, similar == page.SIMILAR[1])
    return alike_figure(Alike(found.names, found.one_hot, found.vectors, found.title))


def _sizes(found: Compared) -> str:
    rows = [f"{markdown(found.closest)}\n", "| | " + " | ".join(found.heads) + " |", "|:--|--:|--:|"]
    return "\n".join([*rows, *(f"| {' | '.join(line)} |" for line in found.sizes)])
