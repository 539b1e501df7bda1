"""Two results side by side and their difference on its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, figure, signed_limit

Array = NDArray[np.floating[Any]]

MOST_CELLS = 1500  # of all results of one side: three such sets travel, 24 kB
TITLE, FOOT, TOP = 19, 20, 2  # pixels: above a map, below it, above all
COLUMNS = ((0.0, 0.275), (0.305, 0.58), (0.71, 0.985))
HEADS = ("by hand", "PyTorch", "difference")


@dataclass(frozen=True, eq=False)
class Row:
    """One result: maps (rows, columns) of both sides and of their difference, None where the shapes differ.

    ``axes``: what its columns and its rows are. ``stride``: every stride-th unit is drawn; the difference
    shows the largest of each group.
    """

    name: str
    hand: NDArray[np.float32]
    torch: NDArray[np.float32]
    difference: NDArray[np.float32] | None
    axes: tuple[str, str]
    note: str
    stride: int


@dataclass(frozen=True, eq=False)
class Maps:
    """All results, the common range of their values, and the common range of their differences."""

    rows: tuple[Row, ...]
    limit: float
    difference_limit: float


def compared_maps(
    results: Sequence[tuple[str, Array, Array]], n: int, tolerance: float, *, steps_first: bool = False
) -> Maps:
    """The record of results (name, by hand, PyTorch) for sequence ``n`` of the batch.

    ``output`` and ``y`` are (N, L, units), or (L, N, units) with ``steps_first``; all others (rows, N,
    units). The range of the differences is at least ``tolerance`` times the values' largest, so that rounding
    stays grey.
    """
    most = MOST_CELLS // len(results)
    rows = tuple(_row(*result, n, steps_first, most) for result in results)
    limit = signed_limit([max(float(np.abs(a).max()), float(np.abs(b).max())) for _, a, b in results])
    apart = [float(np.abs(row.difference).max()) for row in rows if row.difference is not None]
    return Maps(rows, limit, max([tolerance * max(1.0, limit), *apart]))


def _row(name: str, hand: Array, torch: Array, n: int, steps_first: bool, most: int) -> Row:
    steps = name in ("output", "y")

    def sheet(array: Array) -> Array:
        if steps:
            return (array[:, n] if steps_first else array[n]).T  # (units, L)
        return array[:, min(n, array.shape[1] - 1)]  # (rows, units)

    a, b = sheet(hand), sheet(torch)
    stride = -(-max(a.size, b.size) // most)
    units = 0 if steps else 1
    fits = hand.shape == torch.shape
    note = "" if fits else f"shapes differ: {hand.shape} and {torch.shape}"
    apart = _thinned_largest(a - b, stride, units) if fits else None
    axes = ("step", "unit") if steps else ("unit", "row")
    every = (slice(None, None, stride),) if steps else (slice(None), slice(None, None, stride))
    return Row(name, _sent(a[every]), _sent(b[every]), apart, axes, note, stride)


def _sent(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)


def _thinned_largest(apart: Array, stride: int, axis: int) -> NDArray[np.float32]:
    """Of each ``stride`` numbers along the axis the one furthest from 0, so that no difference is lost."""
    if stride == 1:
        return _sent(apart)
    moved = np.moveaxis(apart, axis, -1)
    padded = np.pad(moved, ((0, 0), (0, -moved.shape[-1] % stride)))
    groups = padded.reshape(len(moved), -1, stride)
    largest = np.take_along_axis(groups, np.abs(groups).argmax(-1)[..., None], -1)[..., 0]
    return _sent(np.moveaxis(largest, -1, axis))


def compared_figure(maps: Maps, height: int, heads: tuple[str, str, str] = HEADS) -> go.Figure:
    """A row of three maps for each result; trace 3 * i + k is result i, by hand, PyTorch, difference."""
    inside = height - TOP - len(maps.rows) * (TITLE + FOOT)
    weights = [_weight(row) for row in maps.rows]
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 30, "r": 52, "t": TOP, "b": 0},
        "annotations": [],
        "uirevision": ",".join(f"{row.name}{row.hand.shape}" for row in maps.rows),
        "coloraxis": theme.coloraxis("signed", maps.limit, showscale=True, colorbar=_bar(maps.limit, 0.585)),
        "coloraxis2": theme.coloraxis(
            "difference", maps.difference_limit, showscale=True, colorbar=_bar(maps.difference_limit, 0.995)
        ),
    }
    data: list[dict[str, Any]] = []
    total = height - TOP
    top = float(total)
    for i, (row, weight) in enumerate(zip(maps.rows, weights, strict=True)):
        high = top - TITLE
        low = high - inside * weight / sum(weights)
        for k, values in enumerate((row.hand, row.torch, row.difference)):
            left, right = COLUMNS[k]
            x, y = axis_id("x", 3 * i + k), axis_id("y", 3 * i + k)
            title = f"<b>{row.name}</b> {heads[k]}"
            layout["annotations"].append(_text(title, left, high / total, "left"))
            shown = values is not None
            if values is None:
                middle = ((left + right) / 2, (high + low) / 2 / total)
                short = row.note.split(":")[0]  # the shapes stand above, and would not fit into a narrow page
                layout["annotations"].append(_text(short, *middle, "center", theme.MISMATCH))
                values = np.zeros((0, 0), np.float32)
            if k == 0:  # once, in the margin: before a number it would run into the next one
                along = _text(f"{row.axes[0]} ", left, low / total, "right") | {"font": {"size": 11}}
                layout["annotations"].append(along | {"yanchor": "top", "yshift": -1})
            across, down = (_wide(row, 1), values.shape[1]), (_wide(row, 0), values.shape[0])
            layout[axis_key(x)] = _axis(across, 240) | {
                "domain": [left, right],
                "anchor": y,
                "visible": shown,
            }
            place = {"domain": [low / total, high / total], "anchor": x, "visible": shown}
            layout[axis_key(y)] = _turned(_axis(down, high - low, 15)) | place
            data.append(_trace(row, heads[k], values, (x, y)))
        top = low - FOOT
    return figure(data, layout)


def compared_summary(maps: Maps) -> str:
    """The text alternative."""
    said = [
        f"{row.name}: "
        + (row.note if row.difference is None else f"largest difference {np.abs(row.difference).max():.2g}")
        for row in maps.rows
    ]
    return f"By hand, PyTorch and their difference. {'; '.join(said)}."


def _wide(row: Row, axis: int) -> int:
    """How many units one cell along an axis of the map stands for."""
    return row.stride if row.axes[1 - axis] == "unit" else 1


def _weight(row: Row) -> float:
    if row.name == "output":
        return 5.0
    return min(2.5, 0.6 + 0.45 * len(row.hand))


def _trace(row: Row, head: str, values: NDArray[np.float32], axes: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": f"{row.name} {head}",
        "z": values,
        "dx": _wide(row, 1),
        "dy": _wide(row, 0),
        "xaxis": axes[0],
        "yaxis": axes[1],
        "coloraxis": "coloraxis2" if head == HEADS[2] else "coloraxis",
        "hovertemplate": f"{row.axes[0]} %{{x}}, {row.axes[1]} %{{y}}: %{{z:.6g}}<extra>{head}</extra>",
    }


def _axis(cells: tuple[int, int], pixels: float, each: int = 34) -> dict[str, Any]:
    """An axis of ``cells``: how many units one of them stands for, and how many there are."""
    stride, count = cells
    room = stride * count * each / pixels
    step = next((s for s in (1, 2, 4, 8, 16, 32, 64, 128) if s >= room), 256)
    return {
        "range": [-stride / 2, stride * (count - 0.5)],
        "showgrid": False,
        "zeroline": False,
        "tick0": 0,
        "dtick": step,
        "tickfont": {"size": 11},
        "automargin": False,
        "tickangle": 0,
        "ticks": "",
    }


def _turned(axis: dict[str, Any]) -> dict[str, Any]:
    return axis | {"range": axis["range"][::-1]}


def _text(text: str, x: float, y: float, anchor: str, colour: str = theme.TEXT) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": anchor,
        "yanchor": "bottom" if anchor == "left" else "middle",
        "showarrow": False,
        "borderpad": 0,
        "font": {"size": 12, "color": colour},
    }


def _bar(limit: float, x: float) -> dict[str, Any]:
    said = f"{limit:.2g}" if limit >= 0.01 else f"{limit:.0e}"
    return {
        "thickness": 8,
        "outlinewidth": 0,
        "tickvals": [-limit, 0, limit],
        "ticktext": [f"−{said}", "0", said],
        "tickfont": {"size": 11},
        "x": x,
        "xpad": 0,
        "len": 0.94,
        "y": 0.5,
    }
