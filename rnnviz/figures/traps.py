"""Equality maps: output held against h_n, quiet where they are equal and loud where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.traps import Comparison, Half, ReadOut

MAX_ROWS, MAX_UNITS = 12, 48
ROW, TITLE, SPACE, FOOT = 20, 60, 10, 24  # pixels


@dataclass(frozen=True, eq=False)
class EqualityMap:
    """One comparison as it is drawn: |difference| as (sequences, columns), and where the halves meet.

    ``halves``: the middle column of each half, the verdict above it, and whether it is equal.
    """

    code: str
    note: str
    values: NDArray[np.float32]
    tolerance: float
    halves: tuple[tuple[float, str, bool], ...]
    border: float | None


@dataclass(frozen=True)
class EqualityMaps:
    """All comparisons of a read-out, the labels of their columns and rows, and how much is not drawn."""

    maps: tuple[EqualityMap, ...]
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    left_out: str | None


def equality_maps(read: ReadOut, lengths: tuple[int, ...] | None) -> EqualityMaps:
    """The record of a read-out.

    Of large states the first units of each half are drawn, of large batches the first rows.
    """
    first = read.comparisons[0]
    batch, features = first.difference.shape
    size = features // len(first.halves)
    units = min(size, MAX_UNITS // len(first.halves) * (1 if size > MAX_UNITS else 2))
    kept = np.concatenate([np.arange(half.start, half.start + units) for half in first.halves])
    drawn = min(batch, MAX_ROWS)
    maps = tuple(_equality_map(one, kept, drawn, units) for one in read.comparisons)
    rows = tuple(f"n = {n}" + (f" (length {lengths[n]})" if lengths else "") for n in range(drawn))
    each = " of each half" if len(first.halves) > 1 else ""
    parts = [f"the first {units} of {size} units{each}"] if units < size else []
    parts += [f"the first {drawn} of {batch} sequences"] if drawn < batch else []
    left_out = f"Drawn: {' and '.join(parts)}. The numbers hold for all." if parts else None
    return EqualityMaps(maps, tuple(map(str, kept)), rows, left_out)


def _equality_map(one: Comparison, kept: NDArray[np.int64], drawn: int, units: int) -> EqualityMap:
    values = one.difference[:drawn, kept[kept < one.difference.shape[1]]]
    texts = tuple(
        ((k + 0.5) * units - 0.5, _verdict(one, half), half.equal) for k, half in enumerate(one.halves)
    )
    border = units - 0.5 if len(one.halves) > 1 else None
    return EqualityMap(
        one.code, one.note, np.ascontiguousarray(values, np.float32), one.tolerance, texts, border
    )


def _verdict(one: Comparison, half: Half) -> str:
    name = f"{half.name} " if len(one.halves) > 1 else ""
    sign, relation = ("✓", "=") if half.equal else ("✗", "≠")
    return f"<b>{sign} {name}{relation} {half.against}</b>  off by {half.largest:.3g}"


def equality_summary(record: EqualityMaps) -> str:
    """The text alternative, with every number."""
    said = [
        f"{one.code} ({one.note}): "
        + "; ".join(text.replace("<b>", "").replace("</b>", "") for _, text, _ in one.halves)
        for one in record.maps
    ]
    return " ".join(f"{sentence}." for sentence in said)


def equality_figure(record: EqualityMaps) -> go.Figure:
    """One map under the other: quiet where equal, loud where not, the verdict of each half above it."""
    count = len(record.maps)
    tall = max(34, min(110 if count < 3 else 74, ROW * len(record.rows)))
    inside = count * (TITLE + tall) + (count - 1) * SPACE
    columns = len(record.columns)
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    stride, thin = max(1, -(-columns // 24)), max(1, -(-16 * len(record.rows) // tall))
    layout: dict[str, Any] = {
        "height": inside + FOOT,
        "margin": {"l": 8, "r": 4, "t": 0, "b": FOOT},
        "xaxis": axis
        | {
            "range": [-0.5, columns - 0.5],
            "tickvals": list(range(0, columns, stride)),
            "ticktext": list(record.columns[::stride]),
            "anchor": f"y{count if count > 1 else ''}",
        },
        "annotations": [],
        "shapes": [],
        "uirevision": f"{count}.{columns}.{len(record.rows)}",
        "meta": {"labels": {"x": list(record.columns)}},
    }
    data = []
    for i, one in enumerate(record.maps):
        name = f"y{i + 1 if i else ''}"
        top = 1 - i * (TITLE + tall + SPACE) / inside
        high, low = top - TITLE / inside, max(0.0, top - (TITLE + tall) / inside)
        layout[f"yaxis{name[1:]}"] = axis | {
            "domain": [low, high],
            "range": [len(record.rows) - 0.5, -0.5],
            "tickvals": list(range(0, len(record.rows), thin)),
            "ticktext": list(record.rows[::thin]),
        }
        data.append(_equality_trace(one, name))
        layout["annotations"] += [
            above(
                f"<b>{one.code}</b>  {one.note}",
                0.0,
                top,
                {"xref": "paper", "xanchor": "left", "font": {"size": 14}},
            ),
            *(
                above(
                    text.replace("  ", "<br>"),  # two halves stand side by side, on a phone too
                    x,
                    high + 36 / inside,
                    {"xref": "x", "font": {"color": theme.TEXT if equal else theme.MISMATCH}},
                )
                for x, text, equal in one.halves
            ),
        ]
        if one.border is not None:
            line = {"color": theme.TEXT, "width": 2}
            layout["shapes"].append(
                {
                    "type": "line",
                    "x0": one.border,
                    "x1": one.border,
                    "yref": f"{name} domain",
                    "y0": 0,
                    "y1": 1,
                    "line": line,
                }
            )
    return figure(data, layout)


def _equality_trace(one: EqualityMap, axis: str) -> dict[str, Any]:
    # One step in the colours, at the tolerance: everything above it is unequal, by however little.
    stop = min(one.tolerance, 0.5)
    scale = [[0, theme.MATCH], [stop, theme.MATCH], [stop, theme.MISMATCH], [1, theme.MISMATCH]]
    return {
        "type": "heatmap",
        "name": one.code,
        "z": one.values,
        "yaxis": axis,
        "zmin": 0,
        "zmax": 1,
        "colorscale": scale,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "sequence %{y}, feature %{x}<br>|difference| %{z:.3g}<extra></extra>",
    }


def above(text: str, x: float, y: float, more: dict[str, Any]) -> dict[str, Any]:
    """An annotation in fractions of the figure's height."""
    place = {
        "x": x,
        "y": y,
        "yref": "paper",
        "yanchor": "top",
        "xanchor": "center",
        "showarrow": False,
        "borderpad": 0,
    }
    return {"text": text, **place, **more}
