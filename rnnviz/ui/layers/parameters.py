"""View *Parameters*: every weight and bias of the layer, and the numbers of one of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from rnnviz import shapes
from rnnviz.config import LayerConfig
from rnnviz.figures.parameters import HEIGHT, parameter_heatmap, parameter_picture
from rnnviz.runs import parameter_values
from rnnviz.screens.layers import FIELDS, LayersScreen
from rnnviz.ui import pickers
from rnnviz.ui.chart import chart

FIELD = pickers.by_key(FIELDS)
BYTES = {"float32": 4, "float64": 8}
TABLE = "layers_parameter_table"
LEAST = 380  # pixels: of less than that, gate names and scale leave the numbers a strip


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """The picture of the chosen parameter beside the table of all of them."""
    config = current.config
    names = [p.name for p in shapes.parameters(config)]
    count = shapes.parameter_count(config)
    st.markdown(
        f"**{count:,}** numbers in {len(names)} tensors · "
        f"**{count * BYTES[current.dtype]:,}** bytes as {current.dtype} · "
        f"**{shapes.multiply_adds(config):,}** multiply-adds for one step of one sequence"
    )
    beside = st.grid(2, gap="small", min_column_width=LEAST)  # one below the other on a narrow page
    with beside, st.container():
        st.selectbox(
            FIELD["l_param"].label, names, key="l_param", label_visibility="collapsed", bind="query-params"
        )
        _picture(current, names.index(values["l_param"]))
    with beside:
        st.dataframe(
            _table(config),
            hide_index=True,
            height=min(HEIGHT + 50, 36 + 28 * len(names)),
            key=TABLE,
            on_select=lambda: _choose(names),
            selection_mode="single-row",
            row_height=28,
            column_config={
                "numbers": st.column_config.NumberColumn(format="localized", width=60),
                "name": st.column_config.TextColumn(width=145),
                "shape": st.column_config.TextColumn(width=80),
            },
        )


def _choose(names: list[str]) -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    if rows and isinstance(rows[0], int) and 0 <= rows[0] < len(names):
        st.session_state["l_param"] = names[rows[0]]


def _picture(current: LayersScreen, index: int) -> None:
    config = current.config
    if refused := shapes.too_large(config, 1, 1):  # whatever L and N are: nothing is run here
        parameter = shapes.parameters(config)[index]
        stacked = " | ".join(parameter.blocks)
        st.info(f"{parameter.name} is {parameter.shape}, in blocks {stacked}. It is not drawn: {refused}.")
        return
    figure, thinned, spoken = _figure(config, current.seed, current.dtype, index)
    chart(figure, key="layers_parameter", name=shapes.parameters(config)[index].name, summary=spoken)
    if thinned:
        st.caption(thinned)


@lru_cache(maxsize=32)
def _figure(config: LayerConfig, seed: int, dtype: str, index: int) -> tuple[go.Figure, str, str]:
    parameter = shapes.parameters(config)[index]
    record = parameter_picture(parameter, parameter_values(config, seed, dtype)[parameter.name], config)
    blocks = ", ".join(block.label for block in record.blocks)
    spoken = f"{parameter.name} {parameter.shape}, blocks from the top: {blocks}. {record.thinned}"
    return parameter_heatmap(record), record.thinned, spoken


def _times(parameter: shapes.Parameter) -> str:
    before = "h(t+1)" if parameter.direction else "h(t−1)"  # the backward reader comes from the right
    return (parameter.columns or "added").replace("h of the step before", before)


@lru_cache(maxsize=32)
def _table(config: LayerConfig) -> pd.DataFrame:
    found = shapes.parameters(config)
    return pd.DataFrame(
        {
            "name": [p.name for p in found],
            "shape": [str(p.shape) for p in found],
            "numbers": [p.count for p in found],
            "times": [_times(p) for p in found],
        }
    )
