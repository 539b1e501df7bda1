"""The picture of *Topologies*: the five shapes, the active one large, or what sharing weights saves."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from torch import nn

from rnnviz.export import notebook
from rnnviz.figures.topologies import picture_figure, picture_summary
from rnnviz.figures.topologies_places import picture
from rnnviz.figures.topologies_strip import clicked, strip_figure
from rnnviz.link import query
from rnnviz.screens import topologies as page
from rnnviz.topologies.config import TITLES, TopologyConfig
from rnnviz.topologies.export import look_csv, sharing_csv, sharing_script, topology_script
from rnnviz.topologies.kits import fresh, shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.record import Look
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.link import markdown
from rnnviz.ui.page import Footer, footer, notice, question
from rnnviz.ui.topologies import detail, markup, sharing


def show(current: page.TopologiesScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("Where does the input enter, and where does the answer leave?")
    row = page.active_preset(values)
    pickers.presets(
        {row: example.title for row, example in page.EXAMPLES.items()},
        row,
        "topologies_preset",
        lambda row: pickers.assign(page.EXAMPLES[row].values),
    )
    parts = (sharing_script, sharing_csv) if current.shares else (topology_script, _csv)
    if current.shares:
        sharing.show(current.sharing)
    else:
        five(current, values)
    notice("topologies")
    script = partial(parts[0], current)
    footer(
        Footer(
            page="topologies",
            query=query(page.FIELDS, values),
            script=script,
            notebook=lambda: notebook(script(), "Topologies"),
            data=lambda: parts[1](current),
            columns="layer, L, weights" if current.shares else "quantity, step, part, label, value",
        )
    )


def five(current: page.TopologiesScreen, values: dict[str, Any]) -> None:
    """The five side by side, and the active one on the input."""
    chart(
        strip(current.config.name),
        key="p_strip",
        name="The five shapes",
        summary=f"{', '.join(TITLES.values())}. Drawn large: {current.config.title}.",
        on_click=_choose,
    )
    found = run(current)
    st.html(markup.headline(found, page.FACTS[current.config.name]))
    if found.note:
        st.warning(markdown(found.note))
    figure, summary = large(current)
    chart(figure, key="p_picture", name=current.config.title, summary=summary)
    detail.show(current, values, found)


def _choose(point: Point) -> None:
    name = clicked(point.x)
    if name is not None and TITLES[name] != st.session_state.get("p_shape"):
        pickers.assign({"p_shape": TITLES[name]})
        st.rerun()  # the whole page: the sidebar shows that shape's input


def model_of(config: TopologyConfig, weights: str) -> nn.Module:
    """The model with its trained weights, or as it was before training."""
    return shipped(config)[0] if weights == "trained" else _fresh(config)


@lru_cache(maxsize=8)
def _fresh(config: TopologyConfig) -> nn.Module:
    return fresh(config)


@lru_cache(maxsize=64)
def run(current: page.TopologiesScreen) -> Look:
    """The model's run on the screen's input."""
    return look(current.config, model_of(current.config, current.weights), current.given)


@lru_cache(maxsize=64)
def large(current: page.TopologiesScreen) -> tuple[go.Figure, str]:
    """The picture of the active shape and its text alternative."""
    record = picture(run(current))
    return picture_figure(record), picture_summary(record)


@lru_cache(maxsize=8)
def strip(name: str) -> go.Figure:
    return strip_figure(name)


def _csv(current: page.TopologiesScreen) -> str:
    return look_csv(run(current))
