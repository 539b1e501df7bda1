"""Under the picture of *Topologies*: every output, the training, the model as code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.figures.topologies_detail import outputs_figure, plane_figure, training_figure
from rnnviz.screens import topologies as page
from rnnviz.topologies.export import model_source
from rnnviz.topologies.kits import Report, shipped
from rnnviz.topologies.plane import RADIUS, REACH, inside
from rnnviz.topologies.record import Look
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.topologies import canvas, markup
from rnnviz.ui.topologies.keys import KEYS

FIELD = pickers.by_key(page.FIELDS)


def show(current: page.TopologiesScreen, values: Mapping[str, Any], found: Look) -> None:
    """The choice of a detail, and the detail."""
    pickers.choice(FIELD["p_detail"], collapsed=True, on_change=pickers.only(KEYS.canvas))
    chosen = values["p_detail"]
    if chosen == page.DETAILS[1]:
        training(current)
    elif chosen == page.DETAILS[2]:
        st.code(model_source(current.config.name), language="python", height=420)
    elif current.config.name == "one-to-one":
        plane(current)
    else:
        chart(
            outputs_figure(found),
            key="p_outputs",
            name="Probabilities at every output",
            summary=f"{len(found.classes)} classes, outputs: {len(found.outputs)}. {found.says}.",
        )


def training(current: page.TopologiesScreen) -> None:
    """The loss of the training and how the model does, before and after it."""
    report = shipped(current.config)[1]
    row = st.container(horizontal=True)  # one under the other where there is no room for both
    with row.container(width=290):
        chart(
            _curve(report),
            key="p_training",
            name="Loss of the training",
            summary=f"From {report.curve[0]:.3f} to {report.curve[-1]:.4f} in {report.steps:,} steps.",
        )
    with row.container(width=510):
        st.html(markup.scores(report.before, report.scores))
        decay = f", weight decay {current.config.decay:g}" if current.config.decay else ""
        st.caption(
            f"{report.parameters:,} weights, {report.steps:,} steps of 64 items, AdamW{decay}, seed "
            f"{current.config.seed}. Anybody can train it again: `python -m tools.train_topologies "
            f"{current.config.name}`"
        )


@lru_cache(maxsize=8)
def _curve(report: Report) -> go.Figure:
    return training_figure(report.curve, report.steps)


def plane(current: page.TopologiesScreen) -> None:
    """The answer at every point of the plane; a click asks for one."""
    figure = _plane(current)
    chart(
        figure,
        key="p_plane",
        name="The answer at every point",
        summary=f"Probability of inside over the plane; the point asked is {current.given}.",
        on_click=_ask,
    )
    st.caption(
        "Dotted: the circle to be learnt. Square: where the training's points lay. Click to ask for a point."
    )


def _ask(point: Point) -> None:
    if isinstance(point.x, float) and isinstance(point.y, float):
        pickers.assign(
            {
                key: min(max(round(value, 2), FIELD[key].low or 0.0), FIELD[key].high or 0.0)
                for key, value in (("p_x", point.x), ("p_y", point.y))
            }
        )
        st.rerun()  # the whole page: the sliders stand outside


@lru_cache(maxsize=32)
def _plane(current: page.TopologiesScreen) -> go.Figure:
    assert isinstance(current.given, tuple)
    net = canvas.model_of(current.config, current.weights)
    return plane_figure(inside(net), REACH, current.given, RADIUS)
