"""Matrices in one row, their first rows level: what several figures of embeddings are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, short

HEIGHT = 352  # pixels for the rows of the tallest matrix, at most
ROW = 27
TOP, BOTTOM = 46, 26
NO_BOX = "<extra></extra>"


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


def side_by_side(
    parts: Sequence[Part], *, total: int = HEIGHT, bottom: int = BOTTOM
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Traces and layout of matrices in one row, their first rows level, none higher than ``total`` pixels.

    Trace i is part i, on axes x, y; x2, y2 and so on.
    """
    inside = max(cell_height(part, total) * len(part.values) for part in parts)
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
        cell = cell_height(part, total)
        layout[axis_key(x)] = _columns(part, place, y, width)
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
            "xgap": 1 if width > 6 * columns else 0,
            "ygap": 1 if cell > 8 else 0,
            "hovertemplate": part.hover + NO_BOX,
        }
        if columns <= 6 and cell >= 13 and part.scale != "unit":
            trace |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 11}, "meta": {"numbers": 29}}
        elif part.scale == "unit" and columns <= 14 and cell >= 13:
            trace |= {"texttemplate": "%{z}", "textfont": {"size": 11}, "meta": {"numbers": 9}}
        data.append(trace)
        at += width
    return data, layout


def cell_height(part: Part, total: int = HEIGHT) -> float:
    """How many pixels a row of the matrix is high."""
    return min(ROW, total / max(len(part.values), 1))


def _width(part: Part) -> float:
    columns = int(part.values.shape[1])
    if part.wide is not None:
        return part.wide
    if part.scale == "unit":
        return min(250.0, max(56.0, 17.0 * columns))
    return min(170.0, max(70.0, 39.0 * columns))


def _columns(part: Part, place: tuple[float, float], anchor: str, wide: float) -> dict[str, Any]:
    columns = part.values.shape[1]
    each = 18 if part.wide is None else 40  # pixels of a number; a part as wide as the page may lose half
    axis: dict[str, Any] = {
        "domain": list(place),
        "anchor": anchor,
        "range": [-0.5, columns - 0.5],
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10, "color": theme.MUTED},
        "dtick": max(1, -(-columns // (12 if wide > 200 else 6))) if wide < each * columns else 1,
        "tickangle": 0,
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
