"""Which tag is said for which: a row for each true tag, shaded by how its words are shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, labels, plain, tokens_axis

CELL, LOWEST, HIGHEST = 28, 150, 480  # pixels
MOST_NUMBERED = 24  # tags: with more, counts are in the hover text alone


@dataclass(frozen=True, eq=False)
class Confusion:
    """``counts`` (K, K): how many words with true tag i were given tag j; ``shares`` of each row, NaN where
    no word has the tag.
    """

    tags: tuple[str, ...]
    counts: NDArray[np.int64]
    shares: NDArray[np.float32]
    title: str = ""


def confusion(counts: ArrayLike, tags: Sequence[object], title: str = "") -> Confusion:
    """The record of counts (true, said). Raises `ValueError` for another shape and for counts below 0."""
    array = np.asarray(counts)
    if array.shape != (len(tags), len(tags)) or (array < 0).any():
        raise ValueError(
            f"counts have shape {array.shape}: expected ({len(tags)}, {len(tags)}), none below 0"
        )
    totals = array.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, array / np.maximum(totals, 1), np.nan)
    return Confusion(tuple(map(str, tags)), array.astype(np.int64), shares.astype(np.float32), title)


def confusion_summary(record: Confusion) -> str:
    """The text alternative: how many are right, and the commonest mistakes."""
    total = int(record.counts.sum())
    if not total:
        return "No word has been tagged yet."
    wrong = record.counts - np.diag(np.diag(record.counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:3]
    pairs = [divmod(int(i), len(record.tags)) for i in order]
    told = [
        f"{record.tags[i]} taken for {record.tags[j]} {_often(wrong[i, j])}" for i, j in pairs if wrong[i, j]
    ]
    right = int(np.diag(record.counts).sum())
    title = f"{record.title}: " if record.title else ""
    return f"{title}{right} of {total} words right" + (f"; {', '.join(told)}." if told else ".")


def confusion_figure(record: Confusion, *, height: int | None = None) -> go.Figure:
    """The map; the right cells, from corner to corner, are outlined. ``customdata`` is the count."""
    count = len(record.tags)
    if not record.counts.sum():
        return empty("No word has been tagged yet.")
    high = height or max(LOWEST, min(HIGHEST, CELL * count)) + 78
    names = labels(record.tags)
    heat = {
        "type": "heatmap",
        "name": "share of the true tag's words",
        "z": record.shares,
        "customdata": record.counts.tolist(),
        "coloraxis": "coloraxis",
        **dict.fromkeys(("xgap", "ygap"), 2 if count <= MOST_NUMBERED else 1),
        "hoverongaps": False,
        "hovertemplate": "true %{y}, said %{x}<br>%{customdata} words, %{z:.1%}<extra></extra>",
    }
    axis = tokens_axis(record.tags) | {"ticks": ""}
    down = {k: v for k, v in axis.items() if k != "autotickangles"}
    bar = {"thickness": 8, "outlinewidth": 0, "tickvals": [0, 0.5, 1], "tickformat": ".0%", "x": 1.01}
    layout = {
        "height": high,
        "margin": {"l": 46, "r": 54, "t": 26, "b": 50},
        "showlegend": False,
        "uirevision": f"{count}",
        "coloraxis": theme.coloraxis("unit", showscale=True, colorbar=bar),
        "xaxis": axis | {"title": {"text": "said"}},
        "yaxis": down | {"range": [count - 0.5, -0.5], "title": {"text": "true"}},
        "meta": {"labels": {"x": names, "y": names}},
        "annotations": [
            {
                **{"text": _title(record), "showarrow": False, "xref": "paper", "yref": "paper", "yshift": 2},
                **{"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"},
            }
        ],
    }
    return figure([heat, _diagonal(count), *([_numbers(record)] if count <= MOST_NUMBERED else [])], layout)


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _title(record: Confusion) -> str:
    right, total = int(np.diag(record.counts).sum()), int(record.counts.sum())
    title = f"<b>{plain(record.title)}</b>   " if record.title else ""
    return f"{title}{right} of {total} right"


def _diagonal(count: int) -> dict[str, Any]:
    box = np.array(
        [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [np.nan] * 2], np.float32
    )
    corners = np.arange(count, dtype=np.float32)[:, None, None] + box  # (K, 6, 2)
    across, down = np.ascontiguousarray(corners.reshape(-1, 2).T)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": across,
        "y": down,
        "line": {"color": theme.ACCENT, "width": 2},
        "hoverinfo": "skip",
        "meta": {"decoration": True},
    }


def _numbers(record: Confusion) -> dict[str, Any]:
    # A text trace, since the heatmap's own text can only be its shade.
    rows, columns = np.nonzero(record.counts)
    dark = record.shares[rows, columns] > 0.5
    return {
        "type": "scatter",
        "mode": "text",
        "x": columns.tolist(),
        "y": rows.tolist(),
        "text": [f"{record.counts[i, j]}" for i, j in zip(rows, columns, strict=True)],
        "textfont": {"size": 12, "color": [theme.BACKGROUND if one else theme.TEXT for one in dark]},
        "hoverinfo": "skip",
        "meta": {"decoration": True},
    }
