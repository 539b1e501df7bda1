"""Words or states as points in a plane, coloured by tag, at one moment of a training or moving through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, in_template, labels, plain, short
from rnnviz.figures.losses_marks import COLOURS

HEIGHT = 420
MOST_POINTS = 800
MOST_NAMED = 60
MOST_TRAILS = 60
MOST_MOMENTS = 40
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "star",
    "cross",
    "hexagon",
    "triangle-down",
    "pentagon",
)
_SMALL = {"font": {"size": 12}}
ROOM = 1.12  # of the farthest point, so that its label fits


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points (n, 2) with a label and a group each, -1 for none; ``names`` are the groups'.

    ``trail`` (T, n, 2) are the same points at earlier moments, the oldest first. ``limit`` is how far both
    axes reach, which a page keeps while the points move. ``left_out`` points are not drawn.
    """

    title: str
    points: NDArray[np.float32]
    labels: tuple[str, ...]
    groups: tuple[int, ...]
    names: tuple[str, ...]
    share: tuple[float, float]
    limit: tuple[float, float]
    trail: NDArray[np.float32]
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class Dots:
    """What a page gives: points (n, 2) as `rnnviz.projection.Basis.project` makes them, with one basis for
    all moments, and its ``share``; a label each; ids into ``names`` as groups. The rest as in `Cloud`.
    """

    title: str
    points: ArrayLike
    labels: Sequence[object]
    groups: Sequence[int] | None = None
    names: Sequence[object] = ()
    share: tuple[float, float] = (0.0, 0.0)
    limit: tuple[float, float] = (0.0, 0.0)
    trail: ArrayLike | None = None


def cloud(dots: Dots) -> Cloud:
    """The record of points. The axes reach to the farthest of them now or in the trail, and to ``limit`` at
    least.

    Of more than `MOST_POINTS` the first are drawn, trails of `MOST_TRAILS` points at most and the newest
    `MOST_MOMENTS` moments. Raises `ValueError` for shapes that do not agree.
    """
    found = np.asarray(dots.points, dtype=np.float32)
    count, names = len(dots.labels), tuple(map(str, dots.names))
    groups = [-1] * count if dots.groups is None else list(dots.groups)
    if found.shape != (count, 2) or len(groups) != count:
        raise ValueError(
            f"points have shape {found.shape}, groups {len(groups)}: expected ({count}, 2), {count}"
        )
    trail = np.zeros((0, count, 2), np.float32) if dots.trail is None else np.asarray(dots.trail, np.float32)
    if trail.shape[1:] != (count, 2):
        raise ValueError(f"trail has shape {trail.shape}: expected (T, {count}, 2)")
    trail = trail[-MOST_MOMENTS:] if count <= MOST_TRAILS else trail[:0]
    seen = np.abs(np.concatenate([found[None], trail]))[:, :MOST_POINTS]
    reach = np.max(seen, axis=(0, 1), initial=0.0, where=np.isfinite(seen)) * ROOM
    drawn = slice(0, MOST_POINTS)
    return Cloud(
        dots.title,
        found[drawn],
        tuple(map(str, dots.labels))[drawn],
        tuple(int(g) if 0 <= g < len(names) else -1 for g in groups)[drawn],
        names,
        dots.share,
        (max(dots.limit[0], float(reach[0])) or 1.0, max(dots.limit[1], float(reach[1])) or 1.0),
        trail,
        max(0, count - MOST_POINTS),
    )


def cloud_summary(record: Cloud) -> str:
    """The text alternative: how many points there are, and the nearest neighbours in the plane."""
    count = len(record.labels)
    said = f"{record.title}: {count} points in a plane with {sum(record.share):.0%} of the variance."
    finite = np.flatnonzero(np.isfinite(record.points).all(axis=1))[:200]
    if len(finite) < 2:
        return said
    some = record.points[finite].astype(np.float64)
    apart = np.linalg.norm(some[:, None] - some[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart.min(axis=1), kind="stable")[:3]
    pairs = [f"{record.labels[finite[i]]} next to {record.labels[finite[apart[i].argmin()]]}" for i in near]
    return f"{said} Closest: {', '.join(dict.fromkeys(pairs))}."


def cloud_figure(record: Cloud, *, height: int = HEIGHT) -> go.Figure:
    """A trace a group, ``customdata`` the point's index; names beside the points while they are few."""
    if not record.labels:
        return empty(f"{record.title}: there is nothing to show.", height=height)
    groups = np.asarray(record.groups)
    data = _trails(record)
    for group in sorted({*record.groups}, key=lambda g: (g < 0, g)):
        own = np.flatnonzero(groups == group)
        data.append(_group(record, group, own))
    more = (
        f", the first {len(record.labels)} of {len(record.labels) + record.left_out}"
        if record.left_out
        else ""
    )
    axis = {"zeroline": True, "showticklabels": False, "ticks": ""}
    (wide, tall), (first, second) = record.limit, record.share
    # Here and not in a corner, where a point may stand.
    across = f"<b>{plain(record.title)}</b>{more}: {first:.0%} of the variance"
    layout = {
        "height": height,
        "margin": {"l": 30, "r": 10, "t": 26, "b": 34},
        "showlegend": 1 < len({*record.groups} - {-1}) <= 18,
        "legend": {"font": {"size": 12}, "itemsizing": "constant"},
        "uirevision": plain(record.title),
        "xaxis": axis | {"range": [-wide, wide], "title": {"text": across, **_SMALL}},
        "yaxis": axis
        | {"range": [-tall, tall], "scaleanchor": "x", "title": {"text": f"{second:.0%}", **_SMALL}},
    }
    return figure(data, layout)


def look(group: int) -> tuple[str, str]:
    """A group's colour and marker: 63 different pairs, so that neither alone must tell groups apart."""
    if group < 0:
        return theme.MUTED, "circle"
    return COLOURS[group % len(COLOURS)], SYMBOLS[(group + group // len(COLOURS)) % len(SYMBOLS)]


def _group(record: Cloud, group: int, own: NDArray[np.int64]) -> dict[str, Any]:
    colour, symbol = look(group)
    name = plain(record.names[group]) if group >= 0 else "no tag"
    named = len(record.labels) <= MOST_NAMED
    across, down = np.ascontiguousarray(record.points[own].T)
    texts = labels([record.labels[i] for i in own])
    return {
        "type": "scatter",
        "mode": "markers+text" if named else "markers",
        "name": name,
        "x": across,
        "y": down,
        "text": [short(record.labels[i], 16) for i in own] if named else texts,
        "textposition": "top center",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "customdata": own.astype(np.uint16),
        "marker": {
            "size": 9 if named else 6,
            "color": colour,
            "symbol": symbol,
            "line": {"color": theme.BACKGROUND, "width": 1},
        },
        "hovertemplate": f"%{{text}}  {in_template(name)}<br>(%{{x:.3f}}, %{{y:.3f}})<extra></extra>",
    }


def _trails(record: Cloud) -> list[dict[str, Any]]:
    if not len(record.trail):
        return []
    count, gap = len(record.labels), np.full((1, len(record.labels), 2), np.nan, np.float32)
    path = np.concatenate([record.trail, record.points[None], gap])  # (T + 2, n, 2)
    across, down = np.ascontiguousarray(path.transpose(2, 1, 0).reshape(2, count * len(path)))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": across,
            "y": down,
            "line": {"color": theme.LINE, "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
            "meta": {"decoration": True},
        }
    ]
