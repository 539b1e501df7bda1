"""Maps of attention as a figure: heatmaps with the tokens along both axes, the right places outlined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.attention import AttentionMap
from rnnviz.figures.base import MAX_TICKS, axis_id, axis_key, empty, figure, labels, plain, short, tokens_axis

TITLE, TOP, BOTTOM, GAP = 22, 4, 48, 54  # pixels
CELL, LABELLED, SMALLEST = 28, 21, 7  # pixels: the height of a row, at least with a label, at least
HIGHEST = 500  # pixels: a panel
BAR = 260  # pixels: the colour bar at most
MOST_CELLS = 6500  # 35 kB on the way to the browser: 64 source tokens and 101 steps
MOST_OF_MANY = 4000  # each has axes and right places too
NUMBERED = 150  # cells of one map: with more, numbers are in the hover text alone
LEAST = 0.015  # a smaller weight has no number in its cell
NUMBER = 28  # pixels that a number needs
FEW = 4  # maps: of more, labels come from the layout's meta alone
UPRIGHT = 4  # characters of many tokens that have room below the map when they stand on end
ROOM = 44  # source positions in a row of panels
OUTLINED = 40  # steps: with more, right places are dots
FIXED = 12  # a panel of fewer tokens cannot be zoomed: all of it can be read
WRONG = "✗"
BLANK = "·"
"""The label of a padding position."""
_BOX = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]], np.float32)


@dataclass(frozen=True)
class Chosen:
    """The step whose row is framed, and a source position of it, or None for the row alone."""

    step: int
    place: int | None = None


@dataclass(frozen=True)
class _Panel:
    map: AttentionMap
    x: str
    y: str
    across: tuple[float, float]
    down: tuple[float, float]
    first: bool
    pixels: float


def attention_figure(
    maps: Sequence[AttentionMap],
    *,
    chosen: Chosen | None = None,
    columns: int | None = None,
    height: int | None = None,
    limit: float = 1.0,
    most: int | None = None,
) -> go.Figure:
    """The maps side by side, source along x and target down y, all on the scale [0, 1], or [0, limit] where a
    model looks at everything a little.

    Trace i is map i: a click gives it as ``point.curve``, and (step, source position) as ``point.index``.
    Right places are outlined, a wrong token has a cross, positions that are no tokens a dashed frame. Maps
    that would be too much to send are left out, the last ones first, and the figure says so; ``most``: cells.
    """
    shown = _fitting([one for one in maps if one.source and one.target], most)
    if not shown:
        return empty("There is no attention to show.")
    left_out = sum(bool(one.source and one.target) for one in maps) - len(shown)
    steps = max(len(one.target) for one in shown)
    columns = max(1, min(columns or _columns(shown), len(shown)))
    rows = -(-len(shown) // columns)
    columns = -(-len(shown) // rows)
    each = max(64, steps * max(SMALLEST, min(CELL, max(340, min(HIGHEST, LABELLED * steps)) // steps)))
    total = height or TOP + BOTTOM + rows * (TITLE + each) + (rows - 1) * GAP
    panels = _placed(shown, columns, total)
    layout: dict[str, Any] = {
        "height": total,
        "margin": {"l": 44, "r": 54, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "uirevision": f"{columns}{[one.weights.shape for one in shown]}",
        "meta": {"labels": {}},
        "coloraxis": theme.coloraxis("unit", limit, showscale=total > 150, colorbar=_bar(total, limit)),
        "annotations": [a for panel in panels for a in _titles(panel, columns)],
        "shapes": [s for panel in panels for s in _frames(panel, chosen)],
    }
    if left_out:
        layout["annotations"].append(_note(f"{left_out} more not drawn: too long to show all"))
    few = len(panels) <= FEW
    for panel in panels:
        layout["meta"]["labels"] |= {
            panel.x: labels(_read(panel.map)),
            panel.y: labels(_said(panel.map)),
        }
        layout |= _axes(panel, MAX_TICKS if few else 8)
    marks = [trace for panel in panels for trace in _right_places(panel)]
    return figure([*map(_heat, panels), *marks], layout)


def _fitting(maps: list[AttentionMap], most: int | None) -> list[AttentionMap]:
    sizes = np.cumsum([one.weights.size for one in maps])
    most = most or (MOST_CELLS if len(maps) <= FEW else MOST_OF_MANY)
    return [one for i, one in enumerate(maps) if i == 0 or sizes[i] <= most]


def _columns(maps: Sequence[AttentionMap]) -> int:
    return max(1, min(4, ROOM // max(len(one.source) for one in maps)))


def _placed(maps: Sequence[AttentionMap], columns: int, height: int) -> list[_Panel]:
    rows = -(-len(maps) // columns)
    inside = max(1, height - TOP - BOTTOM)
    pitch = (inside + GAP) / rows / inside
    alike = all(one.target == maps[0].target for one in maps)
    between = 0.03 if alike else 0.08
    width = (1 - between * (columns - 1)) / columns
    panels = []
    for i, one in enumerate(maps):
        row, column = divmod(i, columns)
        top, left = 1 - row * pitch, column * (width + between)
        down = max(0.0, top - pitch + GAP / inside), top - TITLE / inside
        panels.append(
            _Panel(
                one,
                axis_id("x", i),
                axis_id("y", i),
                (left, min(1.0, left + width)),
                down,
                column == 0 or not alike,
                (down[1] - down[0]) * inside,
            )
        )
    return panels


def _read(one: AttentionMap) -> list[str]:
    return [
        BLANK if word == "padding" else token for token, word in zip(one.source, one.outside, strict=True)
    ]


def _said(one: AttentionMap) -> list[str]:
    return [f"{WRONG} {token}" if bad else token for token, bad in zip(one.target, one.wrong, strict=True)]


def _axes(panel: _Panel, ticks: int) -> dict[str, Any]:
    one = panel.map
    across = tokens_axis(_read(one), max_ticks=ticks) | {
        **{"domain": list(panel.across), "anchor": panel.y, "ticks": ""},
        "fixedrange": len(one.source) < FIXED,
        "title": {"text": "source", "font": {"size": 11, "color": theme.MUTED}, "standoff": 2},
    }
    if len(one.source) >= FIXED and 1 < max(map(len, one.source)) <= UPRIGHT:
        across["tickangle"] = -90  # slanted they would lie over each other
    down = tokens_axis(_said(one), max_ticks=len(one.target) if ticks == MAX_TICKS else ticks) | {
        **{"domain": list(panel.down), "anchor": panel.x, "ticks": ""},
        "range": [len(one.target) - 0.5, -0.5],
        "fixedrange": len(one.target) < FIXED,
        "showticklabels": panel.first,
        "ticklabelstandoff": 4,
    }
    down.pop("autotickangles")
    return {axis_key(panel.x): across, axis_key(panel.y): down}


def _heat(panel: _Panel) -> dict[str, Any]:
    one = panel.map
    numbered = one.weights.size <= NUMBERED and panel.pixels >= 16 * len(one.target)
    trace: dict[str, Any] = {
        "type": "heatmap",
        "name": short(one.name, 40),
        "z": one.weights,
        **{"xaxis": panel.x, "yaxis": panel.y, "coloraxis": "coloraxis"},
        **dict.fromkeys(("xgap", "ygap"), 2 if numbered else 1 if one.weights.size < 2500 else 0),
        "hoverongaps": False,
        "hovertemplate": "%{z:.1%} of what is looked at for<br>“%{y}” (step %{y:d}) is “%{x}” (source "
        "position %{x:d})<extra></extra>",
    }
    if numbered:  # a zero in every other cell would hide the shape that the others make
        source, target = labels(one.source), labels(_said(one))
        trace |= {
            "text": [[f"{w:.2f}" if w >= LEAST else "" for w in row] for row in one.weights.tolist()],
            "texttemplate": "%{text}",
            "textfont": {"size": 11},
            "customdata": [[[there, here] for here in source] for there in target],
            "hovertemplate": "%{z:.1%} of what is looked at for<br>“%{customdata[0]}” (step %{y:d}) is "
            "“%{customdata[1]}” (source position %{x:d})<extra></extra>",
            "meta": {"numbers": NUMBER},
        }
    return trace


def _right_places(panel: _Panel) -> list[dict[str, Any]]:
    """One trace of outlines, or of dots where an outline would cover the cell."""
    runs = [
        (t, min(run), max(run)) for t, places in enumerate(panel.map.truth) for run in _neighbours(places)
    ]
    if not runs:
        return []
    silent = {
        **{"type": "scatter", "xaxis": panel.x, "yaxis": panel.y, "hoverinfo": "skip"},
        "cliponaxis": len(panel.map.target) >= FIXED or len(panel.map.source) >= FIXED,
        "meta": {"decoration": True},
    }
    if len(panel.map.target) > OUTLINED:
        marker = {"symbol": "circle-open", "size": 6, "color": theme.ACCENT, "line": {"width": 1.5}}
        x, y = np.array([[(a + b) / 2, t] for t, a, b in runs], np.float32).T
        return [silent | {"mode": "markers", "x": x.copy(), "y": y.copy(), "marker": marker}]
    outline = np.full((len(runs), 6, 2), np.nan, np.float32)
    for k, (t, a, b) in enumerate(runs):
        outline[k, :5] = _BOX * [b - a + 1, 1] + [(a + b) / 2, t]
    x, y = np.ascontiguousarray(outline.reshape(-1, 2).T)
    line = {"color": theme.ACCENT, "width": 2.5 if len(panel.map.target) <= 20 else 1.5}
    return [silent | {"mode": "lines", "x": x, "y": y, "line": line}]


def _neighbours(places: Sequence[int]) -> list[list[int]]:
    """The places in runs of neighbours: a month's letters are one frame."""
    ordered = enumerate(sorted(places))
    return [[p for _, p in run] for _, run in groupby(ordered, lambda pair: pair[1] - pair[0])]


def _frames(panel: _Panel, chosen: Chosen | None) -> list[dict[str, Any]]:
    one = panel.map
    found = []
    for word, run in groupby(range(len(one.source)), lambda s: one.outside[s]):
        if word:
            places = list(run)
            line = {"color": theme.MUTED, "width": 1.5, "dash": "dot"}
            found.append(_rect(panel, (places[0], places[-1]), (0, len(one.target) - 1), line))
    if chosen is not None and 0 <= chosen.step < len(one.target):
        line = {"color": theme.TEXT, "width": 2}
        found.append(_rect(panel, (0, len(one.source) - 1), (chosen.step, chosen.step), line))
        if chosen.place is not None and 0 <= chosen.place < len(one.source):
            thick = line | {"width": 4}
            found.append(_rect(panel, (chosen.place, chosen.place), (chosen.step, chosen.step), thick))
    return found


def _rect(
    panel: _Panel, across: tuple[int, int], down: tuple[int, int], line: dict[str, Any]
) -> dict[str, Any]:
    return {
        **{"type": "rect", "xref": panel.x, "yref": panel.y, "line": line},
        **{"x0": across[0] - 0.5, "x1": across[1] + 0.5, "y0": down[0] - 0.5, "y1": down[1] + 0.5},
    }


def _titles(panel: _Panel, columns: int) -> list[dict[str, Any]]:
    one = panel.map
    counted = " {}/{}" if columns > 2 else "   {} of {} peaks right"
    count = counted.format(*one.right) if one.right else ""
    name = one.name.replace("head ", "#") if columns > 3 else one.name  # four titles side by side
    titles = [
        {
            "text": f"<b>{plain(name)}</b>{count}",
            **{"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"},
            **{"x": panel.across[0], "y": panel.down[1], "showarrow": False, "borderpad": 1},
        }
    ]
    for word, run in groupby(range(len(one.source)), lambda s: one.outside[s]):
        places = list(run)
        if word and len(places) * 40 // len(word) >= 8:
            titles.append(
                {
                    "text": plain(word),
                    **{"xref": panel.x, "yref": panel.y, "yanchor": "top", "showarrow": False},
                    **{"x": (places[0] + places[-1]) / 2, "y": -0.5, "borderpad": 0},
                    "font": {"size": 11, "color": theme.MUTED},
                }
            )
    return titles


def _bar(height: int, limit: float) -> dict[str, Any]:
    return {
        **{
            "thickness": 8,
            "outlinewidth": 0,
            "x": 1.01,
            "tickvals": [0, limit / 2, limit],
            "tickformat": ".2~g",
        },
        **{"y": 1, "yanchor": "top", "len": min(1.0, BAR / height)},
        "tickfont": {"size": 11},
    }


def _note(text: str) -> dict[str, Any]:
    return {
        **{
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": 1,
            "y": 0,
            "yshift": -BOTTOM,
            "xanchor": "right",
        },
        **{"yanchor": "bottom", "showarrow": False, "font": {"color": theme.MUTED, "size": 12}},
    }
