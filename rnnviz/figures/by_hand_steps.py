"""The value of one operation, and the norm of a state over a long sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, plain, signed_limit

Array = NDArray[np.floating[Any]]

MOST_ROWS, MOST_COLUMNS = 32, 64
MOST_WRITTEN = 10
"""Rows and columns up to which the numbers stand in the cells."""


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor as a matrix (rows, columns), what its axes are, and how much of it is not drawn."""

    values: NDArray[np.float32]
    shown: str
    left_out: str


def operation_value(values: Array, n: int) -> Value:
    """The record of an operation's result: a vector as one row, of three axes the ``n``-th sheet of the
    first.
    """
    shown = ""
    if values.ndim == 3:
        sheet = min(n, len(values) - 1)
        shown = f"[{sheet}] of {values.shape}"
        values = values[sheet]
    matrix = np.atleast_2d(values)
    cut = np.ascontiguousarray(matrix[:MOST_ROWS, :MOST_COLUMNS], np.float32)
    left_out = (
        "" if cut.shape == matrix.shape else f"the first {cut.shape[0]} × {cut.shape[1]} of {matrix.shape}"
    )
    return Value(cut, shown, left_out)


def operation_figure(record: Value) -> go.Figure:
    """The matrix as a map, with its numbers in the cells where there is room."""
    rows, columns = record.values.shape
    height = int(min(300, max(90, 50 + 30 * rows)))
    written = rows <= MOST_WRITTEN and columns <= MOST_WRITTEN
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "tickangle": 0}
    limit = signed_limit(record.values)
    bar = {"thickness": 8, "outlinewidth": 0, "tickvals": [-limit, 0, limit], "tickformat": ".2~g", "xpad": 4}
    layout = {
        "height": height,
        "margin": {"l": 34, "r": 60, "t": 6, "b": 26},
        "coloraxis": theme.coloraxis("signed", limit, showscale=True, colorbar=bar),
        "xaxis": axis | {"range": [-0.5, columns - 0.5], "dtick": _tick(columns)},
        "yaxis": axis | {"range": [rows - 0.5, -0.5], "dtick": _tick(rows)},
        "uirevision": f"{rows}.{columns}",
    }
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": record.values,
        "coloraxis": "coloraxis",
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "[%{y}, %{x}] = %{z:.6g}<extra></extra>",
    }
    if written:
        trace |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 11}}
    return figure([trace], layout)


def _tick(count: int) -> int:
    return next((s for s in (1, 2, 4, 8, 16) if count / s <= 10), 16)


@dataclass(frozen=True, eq=False)
class Growth:
    """Norms (L,) by name, the spectral radius, and the curve that falls or grows with it alone."""

    curves: Mapping[str, NDArray[np.float64]]
    radius: float
    guide: NDArray[np.float64] | None


def growth(curves: Mapping[str, Array], radius: float, *, guided: bool) -> Growth:
    """The record of the norms; the guide is radiusᵗ from the first norm of "memory"."""
    first = np.asarray(curves["memory"], dtype=np.float64)
    guide = first[0] * radius ** np.arange(len(first), dtype=np.float64) if guided else None
    return Growth({k: np.asarray(v, dtype=np.float64) for k, v in curves.items()}, radius, guide)


def growth_figure(record: Growth) -> go.Figure:
    """The norms on a log axis; a norm of 0 has no place on it and is left out, which its name says."""
    data = [_norms(name, norms) for name, norms in record.curves.items()]
    if record.guide is not None:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{record.radius:.3g}<sup>t</sup>",
                "y": record.guide,
                "line": {"dash": "dot", "color": theme.MUTED, "width": 1.5},
                "hoverinfo": "skip",
            }
        )
    steps = len(record.curves["memory"])
    layout = {
        "height": 320,
        "margin": {"l": 64, "r": 12, "t": 34, "b": 40},
        "xaxis": {"title": {"text": "step t"}, "range": [-0.02 * steps, steps - 1]},  # a point at 0 is whole
        "yaxis": {"type": "log", "title": {"text": "‖h<sub>t</sub>‖"}, "exponentformat": "power"},
        "uirevision": str(steps),
    }
    return figure(data, layout)


def _norms(name: str, norms: NDArray[np.float64]) -> dict[str, Any]:
    drawn = {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        "y": np.where(norms > 0, norms, np.nan),
        "hovertemplate": f"step %{{x}}: %{{y:.3g}}<extra>{plain(name)}</extra>",
    }
    if np.count_nonzero(norms) > 1:
        return drawn
    # A single point where the lines begin: large, and over them.
    return drawn | {
        "mode": "markers",
        "name": f"{plain(name)}: 0 after step 0",
        "marker": {"size": 11},
        "zorder": 1,
    }


def growth_summary(record: Growth) -> str:
    """The text alternative: the norms at the last step."""
    last = ", ".join(f"{name} {norms[-1]:.3g}" for name, norms in record.curves.items())
    steps = len(record.curves["memory"])
    return f"Norm of the state after {steps} steps with spectral radius {record.radius:.3g}: {last}."
