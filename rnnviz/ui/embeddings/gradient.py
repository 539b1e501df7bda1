"""View *Gradient*: one real step of training, and what each switch of the table does to it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.embeddings.inputs import Training
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.spoken import learned_lines
from rnnviz.figures.embeddings_training import Tables, step_figure, step_maps
from rnnviz.screens import embeddings as page
from rnnviz.ui.chart import chart
from rnnviz.ui.embeddings import refused


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """The tables of the step, then what happened, in sentences."""
    training = current.training
    found = learn(training)
    if found.refusal is not None:
        refused.show(found.refusal)
    lines = learned_lines(training)
    chart(
        _picture(training),
        key="e_step",
        name="One step of training",
        summary=" ".join(lines).replace("`", "").replace("**", ""),
    )
    config, loss = training.table.config, f"loss = {training.loss}"
    value = "" if math.isnan(found.loss) else f" = {found.loss:.4f}"  # a refused call has none
    st.caption(
        f"`{config.call()}` · `{loss}`{value} · `loss.backward()` · "
        f"`torch.optim.SGD(lr={training.lr:g}).step()`"
    )
    st.markdown("\n".join(f"- {line}" for line in lines))


@lru_cache(maxsize=64)
def _picture(training: Training) -> go.Figure:
    found, table = learn(training), training.table
    config = table.config
    names = [table.row_name(row) for row in range(table.config.num_embeddings)]
    tables = Tables(found.before, found.forward, found.grad, found.after)
    return step_figure(
        step_maps(tables, names, found.counts.tolist(), sparse=config.sparse, padding=config.padding_idx)
    )
