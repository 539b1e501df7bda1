"""What sharing weights saves (row A10): the same weights at each step, and the counts as L grows."""

from __future__ import annotations

from functools import lru_cache

import plotly.graph_objects as go
import streamlit as st

from rnnviz.figures.sharing import (
    SHOWN,
    Growth,
    growth_figure,
    growth_summary,
    sharing_figure,
    sharing_summary,
    wirings,
)
from rnnviz.topologies.config import SharingConfig
from rnnviz.topologies.sharing import counted, crossing, curves, layers, lengths
from rnnviz.ui.chart import chart
from rnnviz.ui.markup import table


def show(config: SharingConfig) -> None:
    """The wiring, the curves, and the exact counts."""
    figure, summary = _wiring(min(config.length, SHOWN), config.kernel_size)
    chart(figure, key="p_wiring", name="Which line carries which weights", summary=summary)
    more = f" The first {SHOWN} steps are drawn." if config.length > SHOWN else ""
    st.caption(
        "Green: inputs, blue: outputs, a step each. Lines of one colour in a layer carry the same block of "
        f"weights, except that the fully connected layer has more blocks than there are colours.{more}"
    )
    figure, summary = _growth(config)
    chart(figure, key="p_growth", name="Weights as the sequence grows", summary=summary)
    found = counted(config)
    rows = [(layer.name, f"{found[layer.name]:,}", layer.call, layer.formula) for layer in layers(config)]
    heads = ("layer", f"at L = {config.length:,}", "module", "weights and biases")
    st.html(table("Counts of weights", heads, rows))
    st.caption(" ".join(_crossings(config)))


@lru_cache(maxsize=32)
def _wiring(length: int, kernel: int) -> tuple[go.Figure, str]:
    record = wirings(length, kernel)
    return sharing_figure(record), sharing_summary(record)


@lru_cache(maxsize=32)
def _growth(config: SharingConfig) -> tuple[go.Figure, str]:
    record = Growth(lengths(), curves(config), config.length, counted(config))
    return growth_figure(record), growth_summary(record)


@lru_cache(maxsize=32)
def _crossings(config: SharingConfig) -> tuple[str, ...]:
    """From which L on the fully connected layer needs more than each recurrent one."""
    said = []
    for name in ("RNN", "GRU", "LSTM"):
        length = crossing(config, name)
        said.append(f"nn.{name}: from L = {length}" if length else f"nn.{name}: not up to L = 1000")
    return (
        "The fully connected layer needs more weights than",
        *(f"{text}," for text in said[:-1]),
        f"{said[-1]}.",
    )
