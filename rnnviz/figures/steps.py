"""One quantity over the steps: a line a unit, a path in the plane, the text coloured, and a run beside its
original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, labels, plain, short, signed_limit, tokens_axis
from rnnviz.figures.heatmap import StepMaps, step_maps
from rnnviz.gates import QUANTITIES

HEIGHT = 400
LEAST_DIFFERENCE = 1e-4  # below it lies rounding: two runs that agree to 4 digits must look equal
PER_LINE = 14  # tokens in a line of coloured text


@dataclass(frozen=True, eq=False)
class Lines:
    """One quantity, (L, units), with its tokens and the unit that stands out."""

    letter: str
    values: NDArray[np.float32]
    tokens: tuple[str, ...]
    unit: int


def lines_figure(lines: Lines) -> go.Figure:
    """A line for each unit over the steps, the chosen one in the quantity's colour."""
    quantity, length = QUANTITIES[lines.letter], len(lines.tokens)
    steps = np.arange(length, dtype=np.float32)
    order = [*(u for u in range(lines.values.shape[1]) if u != lines.unit), lines.unit]
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers" if unit == lines.unit else "lines",
            "name": f"unit {unit}",
            "x": steps,
            "y": lines.values[:, unit],
            "line": {
                "color": quantity.colour if unit == lines.unit else theme.LINE,
                "width": 3 if unit == lines.unit else 1.2,
            },
            "customdata": np.full(length, unit, np.float32),
            "hovertemplate": f"{quantity.symbol}[{unit}] = %{{y:.4f}}<br>step %{{x}}<extra></extra>",
        }
        for unit in order
    ]
    limit = quantity.limit or signed_limit(lines.values)
    low, high = (0.0, 1.0) if quantity.scale == "unit" else (-limit, limit)
    pad = 0.05 * (high - low)
    layout = {
        "height": HEIGHT,
        "showlegend": False,
        "title": {"text": f"<b>{quantity.symbol}</b>  {plain(quantity.name)}: unit {lines.unit} in colour"},
        "uirevision": f"{lines.letter}{lines.values.shape}",
        "xaxis": tokens_axis(lines.tokens),
        "yaxis": {"range": [low - pad, high + pad], "zeroline": True},
        "meta": {
            "labels": {"x": labels(lines.tokens)},
            "cursor": {"group": "step", "axes": [["x", "y"]], "unit": False},
        },
    }
    return figure(data, layout)


@dataclass(frozen=True, eq=False)
class Path:
    """The states as points (L, 2), the tokens that led to them, and the share of the variance along each
    axis.
    """

    points: NDArray[np.float32]
    tokens: tuple[str, ...]
    share: tuple[float, float]
    step: int


def path_figure(path: Path) -> go.Figure:
    """The path of h through its plane of greatest variance, step by step, the current step ringed."""
    x, y = np.ascontiguousarray(path.points.T, np.float32)
    length = len(path.tokens)
    named = length <= 40
    points = {
        "type": "scatter",
        "mode": "lines+markers+text" if named else "lines+markers",
        "x": x,
        "y": y,
        "text": [short(t) for t in path.tokens] if named else None,
        "textposition": "top center",
        "customdata": [[t, plain(token)] for t, token in enumerate(path.tokens)],
        "hovertemplate": "step %{customdata[0]}: %{customdata[1]}<br>(%{x:.4f}, %{y:.4f})<extra></extra>",
        "line": {"color": theme.LINE, "width": 1.5},
        "marker": {
            "size": 11,
            "color": np.arange(length, dtype=np.float32),
            "colorscale": theme.colorscale("unit"),
            "cmin": -0.35 * length,
            "line": {"color": theme.LINE, "width": 1},
        },
    }
    ring = {
        "type": "scatter",
        "mode": "markers",
        "x": x[path.step : path.step + 1],
        "y": y[path.step : path.step + 1],
        "marker": {"size": 22, "symbol": "circle-open", "color": theme.ACCENT, "line": {"width": 3}},
        "hoverinfo": "skip",
        "meta": {"decoration": True},
    }
    layout = {
        "height": HEIGHT,
        "showlegend": False,
        "title": {"text": "<b>h<sub>t</sub></b>  its path in the plane of greatest variance (PCA)"},
        "uirevision": f"{length}",
        "xaxis": {
            "title": {"text": f"first component, {path.share[0]:.0%} of the variance"},
            "zeroline": True,
        },
        "yaxis": {"title": {"text": f"second, {path.share[1]:.0%}"}, "zeroline": True, "scaleanchor": "x"},
    }
    return figure([points, ring], layout)


@dataclass(frozen=True, eq=False)
class Coloured:
    """A text whose tokens are coloured by one unit of one quantity."""

    letter: str
    unit: int
    values: NDArray[np.float32]  # (L,)
    tokens: tuple[str, ...]
    limit: float
    step: int


def text_figure(text: Coloured) -> go.Figure:
    """The tokens in reading order, each cell coloured by the unit's value at that step; ``customdata`` is the
    step.
    """
    length = len(text.tokens)
    width = min(PER_LINE, length)
    rows = -(-length // width)
    cells = np.full(rows * width, np.nan, np.float32)
    cells[:length] = text.values
    words = [short(t) for t in text.tokens] + [""] * (rows * width - length)
    quantity = QUANTITIES[text.letter]
    symbol = quantity.symbol
    data = [
        {
            "type": "heatmap",
            "z": cells.reshape(rows, width),
            "text": [words[r * width : (r + 1) * width] for r in range(rows)],
            "customdata": [[r * width + k for k in range(width)] for r in range(rows)],
            "texttemplate": "%{text}",
            "textfont": {"size": 14},
            "coloraxis": "coloraxis",
            "xgap": 3,
            "ygap": 6,
            "hoverongaps": False,
            "hovertemplate": "step %{customdata}: %{text}<br>"
            f"{symbol}[{text.unit}] = %{{z:.4f}}<extra></extra>",
        }
    ]
    hidden = {"visible": False, "fixedrange": True}
    row, column = divmod(text.step, width)
    ring = {
        "type": "rect",
        **{"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5},
        "line": {"color": theme.ACCENT, "width": 3},
    }
    layout = {
        "height": min(HEIGHT, 70 + 44 * rows),
        "shapes": [ring],
        "margin": {"l": 6, "r": 60, "t": 34, "b": 6},
        "title": {"text": f"<b>{quantity.symbol}</b>  the text, coloured by unit {text.unit}"},
        "coloraxis": theme.coloraxis(quantity.scale, text.limit, showscale=True),
        "xaxis": hidden,
        "yaxis": hidden | {"autorange": "reversed"},
        "uirevision": f"{length}",
    }
    return figure(data, layout)


def difference_maps(
    original: Mapping[str, ArrayLike], edited: Mapping[str, ArrayLike], tokens: Sequence[object]
) -> StepMaps:
    """Edited minus original of every quantity, on the scale of differences."""
    gap = {k: np.asarray(edited[k], np.float32) - np.asarray(original[k], np.float32) for k in original}
    maps = step_maps(gap, tokens, scale="difference")
    panels = tuple(replace(p, limit=max(p.limit, LEAST_DIFFERENCE)) for p in maps.panels)
    return StepMaps(panels, maps.tokens)


def side_by_side(
    original: Mapping[str, ArrayLike], edited: Mapping[str, ArrayLike], tokens: Sequence[object]
) -> StepMaps:
    """The maps of a run without and with edits and their difference, for `step_heatmaps` in three columns.

    Both runs of a quantity share one range; the difference has a range and a scale of its own.
    """
    parts = (
        step_maps(original, tokens),
        step_maps(edited, tokens),
        difference_maps(original, edited, tokens),
    )
    limits = [max(a.limit, b.limit) for a, b in zip(parts[0].panels, parts[1].panels, strict=True)]
    titled: list[Any] = []
    for name, maps in zip(("original", "edited", "edited − original"), parts, strict=True):
        for panel, limit in zip(maps.panels, limits, strict=True):
            kept = panel.limit if maps is parts[2] else limit
            titled.append(replace(panel, name=name, limit=kept))
    return StepMaps(tuple(titled), parts[0].tokens)
