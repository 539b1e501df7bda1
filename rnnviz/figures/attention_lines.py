"""Attention in numbers: exact match against length, and how much weight padding gets with and without a mask.

Right places and entropy over the epochs are lines of `rnnviz.figures.losses`, with `OVER_EPOCHS` for its
words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, in_template, labels, short, tokens_axis

COLOURS: tuple[str, ...] = tuple(theme.template()["layout"]["colorway"])
DASHES = ("solid", "dot", "dash", "dashdot")
SYMBOLS = ("circle", "x", "square", "diamond")
OVER_EPOCHS = {"loss": "entropy", "accuracy": "right places"}
NAME = 28  # characters


@dataclass(frozen=True, eq=False)
class ByLength:
    """How often the whole string was right, for each of the source lengths (K,).

    ``lines``: a name and (K,) shares in [0, 1], NaN where nothing was tried. ``tried`` (K,) strings of each
    length. ``trained``: the shortest and longest length that was trained on, None if not known.
    """

    lengths: NDArray[np.int32]
    lines: tuple[tuple[str, NDArray[np.float32]], ...]
    tried: NDArray[np.int32]
    trained: tuple[int, int] | None


def by_length(
    lengths: ArrayLike,
    lines: Mapping[str, ArrayLike],
    *,
    tried: ArrayLike,
    trained: tuple[int, int] | None = None,
) -> ByLength:
    """The record; ``tried`` is one number for all lengths or one each. Raises `ValueError` for shapes that
    do not agree, and for shares outside [0, 1].
    """
    places = np.asarray(lengths, np.int32)
    found = []
    for name, given in lines.items():
        shares = np.asarray(given, np.float32)
        if shares.shape != places.shape:
            raise ValueError(f"{name} has shape {shares.shape}: expected {places.shape}")
        if bool(((shares < 0) | (shares > 1)).any()):
            raise ValueError(f"{name} has a share outside 0 to 1")
        found.append((name, shares))
    return ByLength(places, tuple(found), np.broadcast_to(np.asarray(tried, np.int32), places.shape), trained)


def by_length_summary(record: ByLength) -> str:
    """The text alternative: each model at the shortest, the longest trained and the longest length."""
    if not record.lengths.size or not record.lines:
        return "No length has been tried yet."
    said = []
    for name, shares in record.lines:
        at = {0, len(shares) - 1}
        if record.trained is not None:
            at |= set(np.flatnonzero(record.lengths == record.trained[1]).tolist())
        told = [
            f"{shares[i]:.0%} at length {record.lengths[i]}" for i in sorted(at) if np.isfinite(shares[i])
        ]
        said.append(f"{name}: {', '.join(told) or 'not tried yet'}.")
    trained = "" if record.trained is None else f" Trained on {record.trained[0]} to {record.trained[1]}."
    return f"Strings wholly right. {' '.join(said)}{trained}"


def by_length_figure(record: ByLength, *, height: int = 320) -> go.Figure:
    """A line for each model over the lengths; those that were trained on are shaded. x is the length."""
    if not record.lengths.size or not record.lines:
        return empty("No length has been tried yet.", height=height)
    data = []
    for i, (name, shares) in enumerate(record.lines):
        colour = COLOURS[i % len(COLOURS)]
        shown = short(name, NAME)
        data.append(
            {
                **{"type": "scatter", "mode": "lines+markers", "name": shown},
                **{"x": record.lengths.astype(np.uint16), "y": shares},
                "customdata": record.tried.astype(np.int32),
                "line": {"color": colour, "width": 2.5, "dash": DASHES[i % len(DASHES)]},
                "marker": {"color": colour, "size": 8, "symbol": SYMBOLS[i % len(SYMBOLS)]},
                "hovertemplate": f"{in_template(shown)}, length %{{x:d}}<br>%{{y:.0%}} of %{{customdata}} "
                "strings wholly right<extra></extra>",
                "cliponaxis": False,
            }
        )
    low, high = int(record.lengths.min()), int(record.lengths.max())
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 52, "r": 14, "t": 30, "b": 40},
        "showlegend": True,
        "uirevision": f"{low}.{high}",
        "xaxis": {
            **{"title": {"text": "length of the source"}, "showgrid": False, "zeroline": False},
            **{"range": [low - 0.5, high + 0.5], **({"dtick": 1} if high - low < 20 else {})},
        },
        "yaxis": {
            **{"title": {"text": "wholly right"}, "range": [-0.04, 1.04], "tickformat": ".0%"},
            **{"tickvals": [0, 0.25, 0.5, 0.75, 1], "zeroline": False},
        },
    }
    if record.trained is not None:
        one, other = record.trained
        layout["shapes"] = [
            {
                **{"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"},
                **{"x0": one - 0.5, "x1": other + 0.5, "line": {"width": 0}, "fillcolor": theme.PANEL},
            }
        ]
        layout["annotations"] = [
            {
                **{"text": "trained", "xref": "x", "yref": "paper", "y": 0.02},
                **{"x": (max(one, low) + min(other, high)) / 2, "yanchor": "bottom", "showarrow": False},
                "font": {"size": 12, "color": theme.MUTED},
            }
        ]
    return figure(data, layout)


@dataclass(frozen=True, eq=False)
class Leak:
    """The weight on padding at each step (T,), for each way of reading; ``tokens``: what was said."""

    tokens: tuple[str, ...]
    lines: tuple[tuple[str, NDArray[np.float32]], ...]
    padding: int
    length: int


def leak(tokens: Sequence[object], maps: Mapping[str, ArrayLike], real: int) -> Leak:
    """The record: ``maps`` are a name ("with the mask") and weights (T, L) of a source of which the first
    ``real`` positions are tokens and the rest padding. Rows after the last token are left out.

    Raises `ValueError` for other shapes, or maps of different lengths.
    """
    found, lengths = [], set()
    for name, given in maps.items():
        weights = np.asarray(given, np.float64)
        if weights.ndim != 2 or len(weights) < len(tokens) or weights.shape[1] < real:
            raise ValueError(f"{name} has shape {weights.shape}: expected ({len(tokens)}, {real} or more)")
        lengths.add(weights.shape[1])
        found.append((name, weights[: len(tokens), real:].sum(axis=1).astype(np.float32)))
    if len(lengths) > 1:
        raise ValueError(f"the maps have sources of different lengths: {sorted(lengths)}")
    length = lengths.pop() if lengths else real
    return Leak(tuple(map(str, tokens)), tuple(found), length - real, length)


def leak_summary(record: Leak) -> str:
    """The text alternative."""
    if not record.tokens or not record.lines:
        return "There is no attention to show."
    told = [f"{name}: {w.mean():.1%} on average, at most {w.max():.1%}" for name, w in record.lines]
    return (
        f"{record.padding} of {record.length} source positions are padding. "
        f"Weight on them, {'; '.join(told)}."
    )


def leak_figure(record: Leak, *, height: int = 260) -> go.Figure:
    """Bars for each step side by side, one colour a way of reading; x is the step."""
    if not record.tokens or not record.lines:
        return empty("There is no attention to show.", height=height)
    few = len(record.tokens) * len(record.lines) <= 32
    steps = np.arange(len(record.tokens), dtype=np.uint16)
    data = []
    for i, (name, weights) in enumerate(record.lines):
        shown = short(name, NAME)
        trace: dict[str, Any] = {
            **{"type": "bar", "name": f"{shown}: {weights.mean():.1%} on average", "x": steps, "y": weights},
            "marker": {"color": (theme.MISMATCH, theme.ACCENT, *COLOURS[2:])[i % len(COLOURS)]},
            "customdata": labels(record.tokens),
            "hovertemplate": f"{in_template(shown)}<br>“%{{customdata}}” (step %{{x:d}}): %{{y:.2%}} of the "
            "weight on padding<extra></extra>",
        }
        if few:
            trace |= {
                "text": [f"{w:.0%}" for w in weights.tolist()],
                **{"textposition": "outside", "cliponaxis": False, "textfont": {"size": 11}},
            }
        data.append(trace)
    fair = record.padding / record.length if record.length else 0.0
    if fair:
        data.append(
            {
                **{"type": "scatter", "mode": "lines", "hoverinfo": "skip", "meta": {"decoration": True}},
                "name": f"padding's share of the positions: {record.padding} of {record.length}",
                **{"x": [-0.5, len(record.tokens) - 0.5], "y": [fair, fair]},
                "line": {"color": theme.MUTED, "width": 1.5, "dash": "dash"},
            }
        )
    top = max([fair, *(float(np.nan_to_num(w).max(initial=0.0)) for _, w in record.lines)])
    layout = {
        "height": height,
        "margin": {"l": 52, "r": 14, "t": 30, "b": 44},
        "showlegend": True,
        **{"barmode": "group", "bargap": 0.25, "hovermode": "x"},
        "uirevision": f"{len(record.tokens)}",
        "meta": {"labels": {"x": labels(record.tokens)}},
        "xaxis": tokens_axis(record.tokens) | {"ticks": ""},
        "yaxis": {
            **{"title": {"text": "weight on padding"}, "range": [0, min(1.1, top * 1.25 or 1.0)]},
            **{"tickformat": ".0%", "nticks": 5},
        },
    }
    return figure(data, layout)
