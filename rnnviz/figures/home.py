"""Home's picture: the hidden state after each word, one column a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, labels, plain, tokens_axis
from rnnviz.gates import QUANTITIES

GROUP = "home"
"""The cursor group of the picture: columns after the cursor are covered."""


@dataclass(frozen=True, eq=False)
class Memory:
    """What is drawn: ``values`` (H, L) float32, a column for each of the L words."""

    words: tuple[str, ...]
    values: NDArray[np.float32]


def memory(h: ArrayLike, words: Sequence[str]) -> Memory:
    """The record of h (L, H) over its words. Raises ValueError for another shape."""
    array = np.asarray(h, dtype=np.float32)
    if array.ndim != 2 or len(array) != len(words):
        raise ValueError(f"h has shape {array.shape}: expected ({len(words)}, units)")
    return Memory(tuple(words), np.ascontiguousarray(array.T))


def memory_heatmap(record: Memory, *, height: int = 240) -> go.Figure:
    """The picture, with the words on top; it belongs to the cursor group `GROUP`."""
    units, length = record.values.shape
    h = QUANTITIES["h"]
    gap = 2 if units <= 16 else 1
    heat = {
        "type": "heatmap",
        "name": h.letter,
        "z": record.values,
        "coloraxis": "coloraxis",
        "xgap": 2,
        "ygap": gap,
        "hovertemplate": f"{h.symbol} = %{{z:.4f}}<br>after %{{x}}<br>unit %{{y}}<extra></extra>",
    }
    bar = {"tickvals": [-1, 0, 1], "thickness": 8, "outlinewidth": 0, "x": 1.005, "len": 1}
    words = tokens_axis(record.words) | {"side": "top", "tickfont": {"size": 15}, "fixedrange": True}
    rows = {"range": [units - 0.5, -0.5], "showgrid": False, "zeroline": False, "fixedrange": True}
    step = max(1, -(-units // 8))
    title = f"{plain(h.name)}, {units} unit{'s' if units > 1 else ''}"
    return figure(
        [heat],
        {
            "height": height,
            "margin": {"l": 44, "r": 40, "t": 30, "b": 6},
            "coloraxis": theme.coloraxis(h.scale, h.limit or 1.0, showscale=True, colorbar=bar),
            "xaxis": words,
            "yaxis": rows | {"tick0": 0, "dtick": step, "title": {"text": title}},
            "uirevision": f"{length}:{units}",
            "meta": {
                "labels": {"x": labels(record.words)},
                "cursor": {"group": GROUP, "axes": [["x", "y"]], "unread": True},
            },
        },
    )
