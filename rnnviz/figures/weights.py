"""One parameter of a model as a heatmap of its numbers, with the one that is to be set framed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, labels, plain, short, signed_limit

MOST_CELLS = 8000  # 43 kB on the way to the browser
CELL, LOWEST, HIGHEST = 14, 90, 420
MOST_TICKS = 24


@dataclass(frozen=True, eq=False)
class Weights:
    """The rows ``first`` and on of a parameter, as many as are drawn; a bias is one column."""

    name: str
    values: NDArray[np.float32]
    rows: tuple[str, ...]
    first: int
    total: int
    place: tuple[int, int]


def weights(name: str, values: NDArray[Any], rows: Sequence[object], place: tuple[int, int]) -> Weights:
    """The record of a parameter (R, C) or (R); of more rows than can be sent, those around ``place``."""
    array = np.asarray(values, dtype=np.float32)
    array = array[:, None] if array.ndim == 1 else array
    most = max(1, MOST_CELLS // array.shape[1])
    first = max(0, min(place[0] - most // 2, len(array) - most))
    shown = array[first : first + most]
    return Weights(name, shown, tuple(labels(rows[first : first + most])), first, len(array), place)


def weights_summary(record: Weights) -> str:
    """The text alternative."""
    low, high = float(record.values.min()), float(record.values.max())
    cut = (
        ""
        if len(record.values) == record.total
        else f" {len(record.values)} of {record.total} rows are drawn."
    )
    return (
        f"{record.name}: {record.total} × {record.values.shape[1]} numbers from {low:.3f} to {high:.3f}.{cut}"
    )


def weights_figure(record: Weights) -> go.Figure:
    """The heatmap: a point's x is the column and y the row, of the whole parameter."""
    count, columns = record.values.shape
    inside = max(LOWEST, min(HIGHEST, CELL * count))
    stride = max(1, -(-count // MOST_TICKS))
    at = list(range(record.first, record.first + count, stride))
    cut = "" if count == record.total else f", rows {record.first} to {record.first + count - 1}"
    limit = signed_limit(record.values)
    row, column = record.place
    layout: dict[str, Any] = {
        "height": inside + 66,
        "margin": {"l": 80, "r": 70, "t": 34, "b": 32},
        "uirevision": f"{record.name}:{record.first}",
        "xaxis": {
            "range": [-0.5, columns - 0.5],
            "dtick": max(1, columns // 16),
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {
            "range": [record.first + count - 0.5, record.first - 0.5],
            "tickmode": "array",
            "tickvals": at,
            "ticktext": [short(record.rows[i - record.first]) for i in at],
            "showgrid": False,
            "zeroline": False,
        },
        "coloraxis": theme.coloraxis("signed", limit),
        "shapes": [
            {
                **{"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5},
                "line": {"color": theme.TEXT, "width": 2},
            }
        ],
        "annotations": [
            {
                "text": f"{plain(record.name)}  ({record.total} × {columns}{cut})",
                **{"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"},
                "showarrow": False,
            }
        ],
    }
    data = {
        "type": "heatmap",
        "name": plain(record.name),
        "z": record.values,
        "y0": record.first,
        "dy": 1,
        "x0": 0,
        "dx": 1,
        "coloraxis": "coloraxis",
        "xgap": 1 if columns <= 64 else 0,
        "ygap": 1 if count <= 64 else 0,
        "hovertemplate": "row %{y}, column %{x}: %{z:.4f}<extra></extra>",
    }
    return figure([data], layout)
