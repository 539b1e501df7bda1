"""View *Bags*: EmbeddingBag over a flat list with offsets, always beside the two-step computation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.embeddings.bags import bag_of, run_bags
from rnnviz.embeddings.clicks import with_start
from rnnviz.embeddings.inputs import Bags
from rnnviz.embeddings.spoken import apart, bag_lines
from rnnviz.figures.bags import BagMaps, bags_figure
from rnnviz.screens import embeddings as page
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.embeddings import refused


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """The picture, what ran, and what is worth a sentence."""
    bags = current.bags
    found = run_bags(bags)
    if found.refusal is not None:
        refused.show(found.refusal)
    lines = bag_lines(bags)
    chart(
        _picture(bags),
        key="e_bags",
        name="Bags",
        summary=f"{bags.config.call()} over {len(bags.flat)} indices. {' '.join(lines)}",
        on_click=lambda point: _click(bags, point),
    )
    if found.output is not None:
        st.caption(
            f"`{bags.config.call()}` · output {found.output.shape} · in two steps = `nn.Embedding`, then "
            f"{bags.config.mode} · max |difference| **{apart(found.difference)}**",
            help="Both add the same rows, perhaps in another order, which float32 shows at 1e-07.",
        )
    said = list(lines)
    if len(bags.items) == 1:
        said.append("Click on a number of *input*: a bag starts there, or no longer starts there.")
    st.markdown("\n".join(f"- {line}" for line in said))


def _click(bags: Bags, point: Point) -> None:
    position = point.custom[0] if point.custom else point.x
    if isinstance(position, float) and (changed := with_start(bags, int(position))) is not None:
        st.session_state["e_offsets"] = changed
        st.rerun()  # the whole page: the sidebar holds the offsets


@lru_cache(maxsize=64)
def _picture(bags: Bags) -> go.Figure:
    found = run_bags(bags)
    fits = bags.weights is not None and len(bags.weights) == len(bags.flat)
    return bags_figure(
        BagMaps(
            found.items,
            tuple(map(int, bag_of(found))),
            found.spans,
            found.left_out,
            bags.weights if fits else None,
            found.vectors,
            found.output,
            found.two_step,
        )
    )
