"""The records of `rnnviz.figures.tags` as a figure: a grid of heatmaps with what is true and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, empty, figure, labels, plain, short, tokens_axis
from rnnviz.figures.tags import Row, Tagged, TagGrid

GROUP = "step"
"""The cursor group of a figure that shows one sentence: the same steps as in the pictures of its gates."""

TITLE, TOP, BOTTOM, GAP = 22, 6, 50, 10  # pixels
ROOMY = 20  # pixels: a row of cells in which a number can be read
CELL, NUMBERED_CELL = 26, 34  # pixels: a row of cells, and one with numbers and a mark above them
LOWEST, HIGHEST = 54, 240  # pixels: a panel
BETWEEN = 0.03  # of the plotting width, between two columns
NUMBERED = 120  # cells of a row: with more, numbers are in the hover text alone
FIXED = 12  # a panel of fewer words cannot be zoomed: all of it can be read
STRANGE = "?"
_BOX = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]], np.float32)


def tag_figure(grid: TagGrid, *, height: int | None = None) -> go.Figure:
    """The panels; trace r·columns + c is row r, sentence c, with x the word and y the tag's place.

    The true tag is outlined; a dot stands on the tag that is said, a cross if that is wrong. A word that is
    not known has a question mark. With one sentence the figure belongs to the cursor group `GROUP`.
    """
    if not grid.tags or not any(panel.words for row in grid.rows for panel in row.panels):
        return empty("There is no sentence to show.")
    rows, columns = len(grid.rows), len(grid.rows[0].panels)
    cell = NUMBERED_CELL if _numbered(grid) else CELL
    each = max(LOWEST, min(HIGHEST if rows > 1 else 2 * HIGHEST, cell * len(grid.places)))
    total = height or TOP + BOTTOM + rows * (TITLE + each) + (rows - 1) * GAP
    inside = max(1, total - TOP - BOTTOM)
    pitch = (inside + GAP) / rows / inside
    layout: dict[str, Any] = {
        "height": total,
        "margin": {"l": 40, "r": 54, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "annotations": [],
        "uirevision": f"{rows}.{[len(p.words) for p in grid.rows[0].panels]}.{len(grid.places)}",
        "meta": {"labels": {}},
    }
    data: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    pairs: list[list[str | bool]] = []
    for r, row in enumerate(grid.rows):
        top = 1 - r * pitch
        high, low = top - TITLE / inside, max(0.0, top - pitch + GAP / inside)
        scale = f"coloraxis{r + 1 if r else ''}"
        layout[scale] = _colours(row, (low, high), shown=(high - low) * inside > 50)
        layout["annotations"].append(_title(row, top))
        for c, (panel, across) in enumerate(zip(row.panels, _columns(row), strict=True)):
            x, y = axis_id("x", r * columns + c), axis_id("y", r * columns + c)
            layout["meta"]["labels"] |= {
                x: labels(_marked(panel.words, panel.known)),
                y: labels([grid.tags[k] for k in grid.places]),
            }
            layout[axis_key(x)] = _word_axis(panel, r == rows - 1) | {"domain": across, "anchor": y}
            layout[axis_key(y)] = _tag_axis(grid, c == 0) | {"domain": [low, high], "anchor": x}
            roomy = (high - low) * inside >= ROOMY * len(grid.places)
            data.append(_heat(panel, grid, row, (x, y, scale), roomy and _numbered(grid)))
            marks += _marks(panel, grid, row.scale, (x, y))
            pairs.append([x, y, False])
    if columns == 1:
        layout["meta"]["cursor"] = {"group": GROUP, "axes": pairs}
    return figure(data + marks, layout)


def readable(grid: TagGrid) -> int:
    """The pixels at which every tag's row has room for its numbers."""
    rows = len(grid.rows)
    return TOP + BOTTOM + rows * (TITLE + (ROOMY + 1) * len(grid.places)) + (rows - 1) * GAP


def _columns(row: Row) -> list[list[float]]:
    """Where each sentence's panel stands from left to right: as wide as it has words."""
    widths = np.array([max(2, len(panel.words)) for panel in row.panels], float)
    widths *= (1 - BETWEEN * (len(widths) - 1)) / widths.sum()
    left = np.cumsum([0.0, *(widths[:-1] + BETWEEN)])
    return [[float(a), float(min(1.0, a + w))] for a, w in zip(left, widths, strict=True)]


def _marked(words: Sequence[str], known: Sequence[bool]) -> list[str]:
    return [word if k else f"{STRANGE} {word}" for word, k in zip(words, known, strict=True)]


def _word_axis(panel: Tagged, shown: bool) -> dict[str, Any]:
    return tokens_axis(_marked(panel.words, panel.known)) | {
        "showticklabels": shown,
        "ticks": "",
        "fixedrange": len(panel.words) < FIXED,
    }


def _tag_axis(grid: TagGrid, shown: bool) -> dict[str, Any]:
    axis = tokens_axis([grid.tags[k] for k in grid.places], max_ticks=len(grid.places))
    axis.pop("autotickangles")
    return axis | {
        "range": [len(grid.places) - 0.5, -0.5],
        "showticklabels": shown,
        "ticks": "",
        "fixedrange": len(grid.places) < FIXED,
    }


def _title(row: Row, top: float) -> dict[str, Any]:
    judged = [panel.right for panel in row.panels if panel.right]
    right, total = (sum(counts) for counts in zip(*judged, strict=True)) if judged else (0, 0)
    count = f"   {right} of {total} right" if judged else ""
    return {
        "text": f"<b>{plain(row.name)}</b>{count}",
        **{"xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "top"},
        **{"showarrow": False, "borderpad": 0},
    }


def _colours(row: Row, place: tuple[float, float], *, shown: bool) -> dict[str, Any]:
    low = 0.0 if row.scale == "unit" else -row.limit
    bar = {
        **{"thickness": 8, "outlinewidth": 0, "x": 1.01, "y": place[0], "yanchor": "bottom"},
        **{"len": place[1] - place[0], "tickvals": [low, (low + row.limit) / 2, row.limit]},
        **{"tickformat": ".3~g", "tickfont": {"size": 11}},
    }
    return theme.coloraxis(row.scale, row.limit, showscale=shown, colorbar=bar)


def _heat(
    panel: Tagged, grid: TagGrid, row: Row, axes: tuple[str, str, str], numbered: bool
) -> dict[str, Any]:
    what = "probability" if row.scale == "unit" else "score"
    trace: dict[str, Any] = {
        "type": "heatmap",
        "name": short(row.name, 40),
        "z": np.ascontiguousarray(panel.scores[:, grid.places].T),
        **{"xaxis": axes[0], "yaxis": axes[1], "coloraxis": axes[2]},
        **dict.fromkeys(("xgap", "ygap"), 3 if len(panel.words) <= 40 and numbered else 1),
        "hoverongaps": False,
        "hovertemplate": f"%{{x}}, %{{y}}<br>{what} %{{z:.4f}}<extra></extra>",
    }
    if numbered:
        trace |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 11}}
    return trace


def _numbered(grid: TagGrid) -> bool:
    return sum(len(panel.words) for panel in grid.rows[0].panels) * len(grid.places) <= NUMBERED


def _marks(panel: Tagged, grid: TagGrid, scale: str, axes: tuple[str, str]) -> list[dict[str, Any]]:
    """The outlines of the true tags and the dots and crosses on those that are said."""
    at = {tag: place for place, tag in enumerate(grid.places)}
    silent = {
        **{"type": "scatter", "xaxis": axes[0], "yaxis": axes[1], "hoverinfo": "skip"},
        "cliponaxis": len(panel.words) >= FIXED,
        "meta": {"decoration": True},
    }
    found = []
    if panel.truth is not None:
        corners = [(i, at[t]) for i, t in enumerate(panel.truth) if t in at]
        outline = np.full((len(corners), 6, 2), np.nan, np.float32)
        for k, corner in enumerate(corners):
            outline[k, :5] = np.add(corner, _BOX)
        line = {"color": theme.ACCENT, "width": 3 if len(panel.words) <= 40 else 2}
        across, down = np.ascontiguousarray(outline.reshape(-1, 2).T)
        found.append(silent | {"mode": "lines", "x": across, "y": down, "line": line})
    said = [(i, at[s], panel.wrong[i]) for i, s in enumerate(panel.said) if s in at]
    marker = {
        "symbol": ["x" if wrong else "circle" for *_, wrong in said],
        "size": [9 if wrong else 6 for *_, wrong in said],
        "color": [theme.MISMATCH if wrong and scale == "unit" else theme.TEXT for *_, wrong in said],
        "line": {"color": theme.BACKGROUND, "width": 1.5},
    }
    x, y = [i for i, *_ in said], [k - 0.31 for _, k, _ in said]
    found.append(silent | {"mode": "markers", "x": x, "y": y, "marker": marker})
    return found
