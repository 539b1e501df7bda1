"""Under the picture of a topology: every output's probabilities, the plane of the points, the training."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, labels, short, tokens_axis
from rnnviz.topologies.record import Look

LABEL = 13  # pixels of a row whose name fits beside it
_AXIS: dict[str, Any] = {"tickfont": {"size": 12}}


def _title(text: str) -> dict[str, Any]:
    return {"title": {"text": text, "font": {"size": 13}}}


def outputs_figure(look: Look) -> go.Figure:
    """The probabilities: a row a class, a column an output, named after what is read and what is written."""
    columns = [look.columns[i] for i in look.outputs]
    p = look.probabilities[list(look.outputs)].T
    texts = [f"{column.enters} → {column.wrote}" for column in columns]
    rows = len(look.classes)
    height, top, bottom = max(190, min(430, 15 * rows + 80)), 6, 40
    layout = {
        "height": height,
        "margin": {"l": 60, "r": 8, "t": top, "b": bottom},
        "coloraxis": theme.coloraxis("unit", 1.0, showscale=True),
        "uirevision": f"{look.config.name}{len(columns)}",
        # The browser would leave out names at 20 pixels a row, of which these, 11 high, need fewer.
        "meta": {} if height - top - bottom >= LABEL * rows else {"labels": {"y": labels(look.classes)}},
        "xaxis": tokens_axis([short(text, 24) for text in texts])
        | {"ticktext": [short(text, 24) for text in texts]}
        | _title("what is read → the likeliest output"),
        "yaxis": {
            "range": [rows - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(rows)),
            "ticktext": [short(name, 14) for name in look.classes],
            "tickfont": {"size": 11},
            "showgrid": False,
            "zeroline": False,
        },
    }
    trace: dict[str, Any] = {
        "type": "heatmap",
        "name": "p",
        "z": p,
        "coloraxis": "coloraxis",
        "xgap": 2,
        "hovertemplate": "%{x}: p(%{y}) = %{z:.4f}<extra></extra>",
    }
    return figure([trace], layout)


def plane_figure(inside: NDArray[Any], reach: float, point: tuple[float, float], radius: float) -> go.Figure:
    """p(inside) over the plane from -reach to reach, (rows from below, columns); the point, the circle that
    is to be learnt, and the square from which the training's points came.
    """
    size = 2 * reach / (inside.shape[0] - 1)
    circle = {
        "type": "circle",
        **{"x0": -radius, "x1": radius, "y0": -radius, "y1": radius},
        "line": {"color": theme.TEXT, "width": 1.5, "dash": "dot"},
    }
    square = {
        "type": "rect",
        **{"x0": -2, "x1": 2, "y0": -2, "y1": 2},
        "line": {"color": theme.LINE, "width": 1.5},
    }
    axis = {**_AXIS, "range": [-reach, reach], "zeroline": False, "showgrid": False, "constrain": "domain"}
    layout = {
        "height": 380,
        "margin": {"l": 40, "r": 8, "t": 6, "b": 40},
        "coloraxis": theme.coloraxis("unit", 1.0, showscale=True),
        "showlegend": False,
        "uirevision": "plane",
        "xaxis": axis | _title("first number"),
        "yaxis": axis | _title("second number") | {"scaleanchor": "x"},
        "shapes": [square, circle],
    }
    plane = {
        "type": "heatmap",
        "name": "p(inside)",
        "z": inside,
        **{"x0": -reach, "dx": size, "y0": -reach, "dy": size},
        "coloraxis": "coloraxis",
        "hovertemplate": "(%{x:.2f}, %{y:.2f}): p(inside) = %{z:.3f}<extra></extra>",
    }
    mark = {
        "type": "scatter",
        "mode": "markers",
        "name": "the point",
        "x": [point[0]],
        "y": [point[1]],
        "marker": {
            "size": 13,
            "symbol": "x",
            "color": theme.ACCENT,
            "line": {"color": theme.BACKGROUND, "width": 1},
        },
        "hovertemplate": "the point (%{x:.2f}, %{y:.2f})<extra></extra>",
    }
    return figure([plane, mark], layout)


def training_figure(curve: tuple[float, ...], steps: int) -> go.Figure:
    """The loss of the training: each number the mean over neighbouring steps."""
    size = -(-steps // len(curve))
    x = [min((i + 0.5) * size, steps) for i in range(len(curve))]
    layout = {
        "height": 250,
        "margin": {"l": 60, "r": 12, "t": 6, "b": 40},
        "showlegend": False,
        "uirevision": "training",
        "xaxis": _AXIS | _title("optimiser steps"),
        "yaxis": _AXIS | _title("loss") | {"type": "log", "dtick": 1, "tickformat": "~g"},
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "loss",
        "x": x,
        "y": list(curve),
        "line": {"color": theme.ACCENT, "width": 2},
        "hovertemplate": "around step %{x:.0f}: loss %{y:.4f}<extra></extra>",
    }
    return figure([line], layout)
