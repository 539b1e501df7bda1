"""How large each parameter's gradient is, or how much the parameter changes, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, plain, short
from rnnviz.figures.losses import GROUP
from rnnviz.figures.thinning import MOST_POINTS, largest

ROW, LOW_ROW, MOST = 22, 14, 460  # pixels: a row, at least; the rows together, if they fit
FEWEST = 24  # columns
NAME = 26  # characters of a parameter's name
MOST_CELLS = 9000  # 48 kB on the way to the browser
MOST_WRITTEN = 2500  # cells whose values are sent as text as well, for the hover text
DECADES = 6  # of the colours, down from the largest value


@dataclass(frozen=True, eq=False)
class Norms:
    """``values`` (P, columns) as they are, NaN where there is none; column k is of epochs
    ``first + k·size`` up to ``first + (k + 1)·size - 1``, the largest of them. ``range``: (low, high) powers
    of ten of the colours.
    """

    what: str
    names: tuple[str, ...]
    values: NDArray[np.float32]
    first: int
    size: int
    range: tuple[float, float]


def norms(what: str, values: ArrayLike, names: Sequence[object], *, first: int = 1, width: int = 1) -> Norms:
    """The record of (E, P) norms, a column a parameter, in at most 600 buckets. Row k is the largest of the
    ``width`` epochs from ``first + k·width`` on, so a series may come in buckets already.

    Raises `ValueError` for another shape.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ValueError(f"{what} has shape {array.shape}: expected (epochs, {len(names)})")
    most = max(FEWEST, min(MOST_POINTS, MOST_CELLS // max(1, len(names))))
    thinned, size = largest(array, most)
    above = thinned[thinned > 0]
    high = float(np.log10(above.max())) if above.size else 0.0
    low = max(high - DECADES, float(np.log10(above.min()))) if above.size else -1.0
    kept = np.ascontiguousarray(thinned.T, np.float32)
    return Norms(what, tuple(map(str, names)), kept, first, size * width, (min(low, high - 1), high))


def norms_summary(record: Norms) -> str:
    """The text alternative: the largest and the smallest of the newest epoch."""
    if not record.values.size:
        return f"{record.what}: no epoch has been trained yet."
    newest = record.values[:, -1]
    told = [(f"{name} {value:.3g}", value) for name, value in zip(record.names, newest, strict=True)]
    finite = sorted((pair for pair in told if np.isfinite(pair[1])), key=lambda pair: -pair[1])
    ends = [finite[0][0], *([finite[-1][0]] if len(finite) > 1 else [])] if finite else ["not a number"]
    last = record.first + record.size * record.values.shape[1] - 1
    return f"{record.what} of {len(told)} parameters up to epoch {last}; now from {' down to '.join(ends)}."


def norms_figure(record: Norms, *, height: int | None = None) -> go.Figure:
    """A row a parameter, coloured by the power of ten; 0 and what is no number are left empty.

    The figure belongs to the cursor group `rnnviz.figures.losses.GROUP`, as the losses do.
    """
    if not record.values.size:
        return empty(f"{record.what}: no epoch has been trained yet.")
    rows, columns = record.values.shape
    low, high = record.range
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(record.values > 0, np.log10(record.values), np.nan).astype(np.float32)
    whole = range(math.ceil(low), math.floor(high) + 1)
    ticks = whole[:: -(-len(whole) // 5)]  # at least one: the range is a decade or more
    start, size = record.first, record.size
    spread = f"epochs %{{x}} ± {size / 2:g}, the largest" if size > 1 else "epoch %{x}"
    written = rows * columns <= MOST_WRITTEN
    heat: dict[str, Any] = {
        "type": "heatmap",
        "name": plain(record.what),
        "z": powers,
        "x0": start + (size - 1) / 2,
        "dx": size,
        "coloraxis": "coloraxis",
        "ygap": 1,
        "hoverongaps": False,
        "hovertemplate": f"%{{y}}<br>{plain(record.what)} {'%{text}' if written else '10^%{z:.2f}'}<br>"
        f"{spread}<extra></extra>",
    }
    if written:
        heat["text"] = [[f"{value:.3g}" for value in row] for row in record.values]
    bar = {
        **{"thickness": 8, "outlinewidth": 0, "x": 1.01, "tickvals": list(ticks)},
        "ticktext": [f"10<sup>{p}</sup>".replace("-", "−") for p in ticks],
    }
    end = start + size * columns - 0.5
    layout = {
        "height": height or max(LOW_ROW * rows, min(MOST, ROW * rows)) + 70,
        "margin": {"l": 40, "r": 60, "t": 26, "b": 40},
        "uirevision": f"{rows}",
        "coloraxis": theme.coloraxis("unit")
        | {"cmin": low, "cmax": high, "showscale": True, "colorbar": bar},
        "xaxis": {
            "title": {"text": "epoch"},
            "range": [start - 0.5, end],
            "showgrid": False,
            "zeroline": False,
            **({"dtick": 1} if end < 13 else {}),
        },
        # Not among the labels that the browser cuts to ten characters: all names would begin alike.
        "yaxis": {
            **{"tickmode": "array", "tickvals": list(range(rows))},
            "ticktext": [short(name, NAME) for name in record.names],
            **{"range": [rows - 0.5, -0.5], "ticks": "", "tickfont": {"size": 11}},
            **{"showgrid": False, "zeroline": False},
        },
        "meta": {"cursor": {"group": GROUP, "line": True, "axes": [["x", "y", False]]}},
    }
    return figure([heat], layout)
