"""A lookup drawn: one-hot vectors, the table, lines from its rows to the output, the product beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, empty, figure, short, signed_limit
from rnnviz.figures.pens import Path

HEIGHT = 352  # pixels for the rows of the tallest matrix, at most
ROW = 27
TOP, BOTTOM = 46, 26
NO_BOX = "<extra></extra>"
CURVE = np.linspace(0, 1, 17)
EASE = CURVE * CURVE * (3 - 2 * CURVE)  # a line that leaves and arrives level


@dataclass(frozen=True, eq=False)
class Part:
    """A matrix to draw: its title with its shape below, its numbers, the names of its rows, its width.

    ``marked`` is the row in a frame. ``breaks`` are rows before which a line is drawn, ``gap`` the pixels to
    the matrix before it, ``between`` the sign in that gap. ``wide`` are pixels instead of a width that
    follows from the columns.
    """

    title: str
    shape: str
    values: NDArray[Any]
    limit: float
    rows: tuple[str, ...] = ()
    scale: str = "signed"
    marked: int | None = None
    breaks: tuple[int, ...] = ()
    gap: int = 40
    between: str = ""
    hover: str = "[%{y}, %{x}] = %{z:.4f}"
    columns: tuple[str, ...] = ()
    wide: float | None = None


@dataclass(frozen=True, eq=False)
class LookupMaps:
    """The four matrices of a lookup, and which row of the table each position reads."""

    one_hot: Part
    weight: Part
    output: Part
    product: Part
    reads: tuple[int, ...]
    position: int


@dataclass(frozen=True)
class Labels:
    """The words of a lookup: one for each position, one for each row of the table."""

    tokens: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Arrays:
    """The arrays of a lookup: T positions, V rows, D numbers a row; ``shape`` is (N, L, D)."""

    one_hot: NDArray[np.uint8]
    weight: NDArray[np.float32]
    output: NDArray[np.float32]
    product: NDArray[np.float32]
    shape: tuple[int, ...]


def lookup_maps(arrays: Arrays, labels: Labels, position: int) -> LookupMaps:
    """The record of a lookup. Raises `ValueError` if the labels do not fit the arrays."""
    count, rows = arrays.one_hot.shape
    if len(labels.tokens) != count or len(labels.rows) != rows:
        raise ValueError(f"{len(labels.tokens)} tokens and {len(labels.rows)} rows: expected {count}, {rows}")
    limit = signed_limit(arrays.weight)
    n, length, dim = arrays.shape
    breaks = tuple(range(length, count, length))
    reads = tuple(map(int, arrays.one_hot.argmax(1)))
    return LookupMaps(
        Part(
            "one_hot",
            f"({n}, {length}, {rows})",
            arrays.one_hot,
            1.0,
            labels.tokens,
            "unit",
            position,
            breaks,
            hover="position %{y} reads row %{x}: %{z}",
        ),
        Part(
            "weight",
            f"({rows}, {dim})",
            arrays.weight,
            limit,
            labels.rows,
            marked=reads[position],
            gap=104,
            between="@",
            hover="weight[%{y}, %{x}] = %{z:.4f}",
        ),
        Part(
            "embedding(input)",
            f"({n}, {length}, {dim})",
            arrays.output,
            limit,
            marked=position,
            breaks=breaks,
            gap=96,
            hover="position %{y}, number %{x}: %{z:.4f}",
        ),
        Part(
            "one_hot @ weight",
            f"({n}, {length}, {dim})",
            arrays.product,
            limit,
            marked=position,
            breaks=breaks,
            gap=44,
            between="=",
            hover="position %{y}, number %{x}: %{z:.4f}",
        ),
        reads,
        position,
    )


def lookup_figure(maps: LookupMaps) -> go.Figure:
    """The four matrices from left to right. Trace 0 is one_hot, 1 weight, 2 output, 3 the product; y is the
    position, in ``weight`` the row.
    """
    parts = (maps.one_hot, maps.weight, maps.output, maps.product)
    data, layout = side_by_side(parts)
    left, right = layout["xaxis2"]["domain"][1], layout["xaxis3"]["domain"][0]
    tallest = max(len(part.values) for part in parts)
    layout["xaxis5"] = {"domain": [left, right], "range": [0, 1], "visible": False, "fixedrange": True}
    layout["yaxis5"] = {
        "domain": [0, 1],
        "anchor": "x5",
        "range": [tallest - 0.5, -0.5],
        "visible": False,
        "fixedrange": True,
    }
    for path, colour, width in _links(maps):
        data.append(path.drawn(colour, width=width) | {"xaxis": "x5", "yaxis": "y5"})
    return figure(data, layout)


def _links(maps: LookupMaps) -> list[tuple[Path, str, float]]:
    quiet, chosen = Path(), Path()
    for position, row in enumerate(maps.reads):
        pen = chosen if position == maps.position else quiet
        height = row + (position - row) * EASE
        pen.line(*zip(CURVE.tolist(), height.tolist(), strict=True))
    return [(quiet, theme.LINE, 1.0), (chosen, theme.ACCENT, 2.5)]


def side_by_side(
    parts: Sequence[Part], *, total: int = HEIGHT, bottom: int = BOTTOM
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Traces and layout of matrices in one row, their cells equally high, their first rows level.

    Trace i is part i, on axes x, y; x2, y2 and so on.
    """
    tallest = max(len(part.values) for part in parts)
    cell = min(ROW, total / tallest)
    inside = cell * tallest
    wide = [_width(part) for part in parts]
    whole = sum(wide) + sum(part.gap for part in parts[1:])
    layout: dict[str, Any] = {
        "height": round(inside + TOP + bottom),
        "margin": {"l": 24, "r": 8, "t": TOP, "b": bottom},
        "annotations": [],
        "shapes": [],
        "uirevision": ":".join(f"{part.title}{part.values.shape}" for part in parts),
    }
    data, at = [], 0.0
    for k, (part, width) in enumerate(zip(parts, wide, strict=True)):
        at += part.gap if k else 0
        x, y = axis_id("x", k), axis_id("y", k)
        place = (at / whole, min(1.0, (at + width) / whole))
        rows, columns = part.values.shape
        layout[axis_key(x)] = _columns(part, place, y)
        layout[axis_key(y)] = _rows(part, x, cell, max(0.0, 1 - cell * rows / inside))
        layout["annotations"] += _titles(
            part, place, (part.gap / whole, 1 - cell * min(rows, 6) / 2 / inside)
        )
        layout["shapes"] += _frames(part, x, y)
        name = f"coloraxis{k + 1 if k else ''}"
        layout[name] = theme.coloraxis(part.scale, part.limit)
        trace = {
            "type": "heatmap",
            "name": part.title,
            "z": part.values,
            "xaxis": x,
            "yaxis": y,
            "coloraxis": name,
            "hoverongaps": False,
            "xgap": 1,
            "ygap": 1 if cell > 8 else 0,
            "hovertemplate": part.hover + NO_BOX,
        }
        if columns <= 6 and cell >= 13 and part.scale != "unit":
            trace |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 11}}
        elif part.scale == "unit" and columns <= 14 and cell >= 13:
            trace |= {"texttemplate": "%{z}", "textfont": {"size": 11}}
        data.append(trace)
        at += width
    return data, layout


def _width(part: Part) -> float:
    columns = part.values.shape[1]
    if part.wide is not None:
        return part.wide
    if part.scale == "unit":
        return min(250.0, max(56.0, 17.0 * columns))
    return min(170.0, max(70.0, 39.0 * columns))


def _columns(part: Part, place: tuple[float, float], anchor: str) -> dict[str, Any]:
    columns = part.values.shape[1]
    axis: dict[str, Any] = {
        "domain": list(place),
        "anchor": anchor,
        "range": [-0.5, columns - 0.5],
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10, "color": theme.MUTED},
        "dtick": max(1, -(-columns // 12)),
        "tick0": 0,
        "fixedrange": True,
        "ticks": "",
    }
    if part.columns:
        axis |= {"tickmode": "array", "tickvals": list(range(columns)), "ticktext": list(part.columns)}
    return axis


def _rows(part: Part, anchor: str, cell: float, low: float) -> dict[str, Any]:
    count = len(part.values)
    stride = max(1, int(-(-14 // cell)))
    shown = range(0, count, stride) if part.rows else ()
    return {
        "domain": [low, 1],
        "anchor": anchor,
        "range": [count - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": list(shown),
        "ticktext": [short(part.rows[i], 13) for i in shown],
        "tickfont": {"size": 12 if cell > 15 else 10},
        "ticks": "",
        "automargin": anchor == "x",
    }


def _titles(part: Part, place: tuple[float, float], sign: tuple[float, float]) -> list[dict[str, Any]]:
    common = {"showarrow": False, "xref": "paper", "yref": "paper"}
    text = f"<b>{part.title}</b>" + (f"<br>{part.shape}" if part.shape else "")
    title = {"text": text, "x": place[0], "xanchor": "left", "y": 1, "yanchor": "bottom", "align": "left"}
    found = [common | title | {"font": {"size": 12}, "borderpad": 2}]
    if part.between:
        gap, height = sign
        found.append(
            common
            | {
                "text": f"<b>{part.between}</b>",
                "x": place[0] - gap + (0.02 if part.between == "@" else gap / 2),
                "y": height,
                "xanchor": "center",
                "yanchor": "middle",
                "font": {"size": 18, "color": theme.MUTED},
            }
        )
    return found


def _frames(part: Part, x: str, y: str) -> list[dict[str, Any]]:
    columns = part.values.shape[1]
    across = {"xref": x, "yref": y, "x0": -0.5, "x1": columns - 0.5}
    found: list[dict[str, Any]] = [
        {
            "type": "line",
            **across,
            "y0": row - 0.5,
            "y1": row - 0.5,
            "line": {"color": theme.TEXT, "width": 1.5},
        }
        for row in part.breaks
    ]
    if part.marked is not None:
        line = {"color": theme.ACCENT, "width": 2.5}
        found.append(
            {"type": "rect", **across, "y0": part.marked - 0.5, "y1": part.marked + 0.5, "line": line}
        )
    return found


def table_figure(weight: NDArray[np.float32], rows: tuple[str, ...]) -> go.Figure:
    """The table alone, for a call that was refused. Trace 0 is the weight."""
    if not len(weight):
        return empty("There is no table.")
    part = Part(
        "weight",
        f"({weight.shape[0]}, {weight.shape[1]})",
        weight,
        signed_limit(weight),
        rows,
        hover="weight[%{y}, %{x}] = %{z:.4f}",
    )
    data, layout = side_by_side((part,))
    layout["xaxis"]["domain"] = [0, 0.3]
    return figure(data, layout)
