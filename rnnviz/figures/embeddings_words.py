"""How alike tokens are: a matrix of cosines, one-hot beside embedding; neighbours; words on a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, plain, short, signed_limit
from rnnviz.figures.embeddings import Part, side_by_side

HEIGHT = 372


@dataclass(frozen=True, eq=False)
class Alike:
    """Cosines of every pair of tokens (V, V): of their one-hot vectors, and of vectors named ``title``."""

    names: tuple[str, ...]
    one_hot: NDArray[np.float32]
    vectors: NDArray[np.float32]
    title: str


def alike_figure(record: Alike) -> go.Figure:
    """Two matrices on one scale from -1 to 1; a row of zeros has no direction, so its cells are left out."""
    if not record.names:
        return empty("None of these tokens has a vector.")
    hover = "cosine of %{y} and %{x}: %{z:.3f}"
    size = f"({len(record.names)}, {len(record.names)})"
    columns = record.names if len(record.names) <= 24 else ()
    common: dict[str, Any] = {"hover": hover, "columns": columns, "wide": 330.0}
    parts = (
        Part("cosines of one-hot vectors", size, record.one_hot.astype(np.int8), 1.0, record.names, **common),
        Part(f"cosines of {record.title}", size, record.vectors, 1.0, record.names, gap=100, **common),
    )
    data, layout = side_by_side(parts, total=290, bottom=64)
    layout["coloraxis2"] |= {
        "showscale": True,
        "colorbar": {"thickness": 8, "outlinewidth": 0, "tickvals": [-1, 0, 1], "x": 1.01},
    }
    layout["margin"]["r"] = 40
    data[0] |= {"texttemplate": "%{z}"} if len(record.names) <= 14 else {}
    data[1] |= {"texttemplate": "%{z:.1f}", "textfont": {"size": 10}} if len(record.names) <= 14 else {}
    if columns:
        for axis in ("xaxis", "xaxis2"):
            layout[axis] |= {"ticktext": [short(name, 9) for name in columns], "autotickangles": [0, 45, 90]}
    return figure(data, layout)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What is drawn of a question to word vectors.

    ``names`` and ``cosines`` are the neighbours, best first, ``points`` (k, 2) where they stand; the asked
    words have ``asked`` and ``asked_points``; ``crowd`` and ``crowd_points`` are all other words in view.
    """

    names: tuple[str, ...]
    cosines: tuple[float, ...]
    points: NDArray[np.float32]
    asked: tuple[str, ...]
    asked_points: NDArray[np.float32]
    crowd: tuple[str, ...]
    crowd_points: NDArray[np.float32]
    share: tuple[float, float]


def neighbours_figure(record: Neighbours) -> go.Figure:
    """Bars of the neighbours beside the plane; a click on a bar or a point hands over its index.

    Trace 0 is the bars, 1 the crowd, 2 the neighbours, 3 the asked words.
    """
    count = len(record.names)
    low = min(0.0, *record.cosines) if count else 0.0
    bars = {
        "type": "bar",
        "name": "cosine",
        "orientation": "h",
        "x": list(record.cosines),
        "y": list(range(count)),
        "customdata": [[plain(name)] for name in record.names],
        "text": [f"{c:.2f}" for c in record.cosines],
        "textposition": "auto",
        "marker": {"color": theme.ACCENT},
        "hovertemplate": "%{customdata[0]}: cosine %{x:.4f}<extra></extra>",
    }
    crowd = _points("words", record.crowd, record.crowd_points, theme.LINE, 5, named=False)
    near = _points("neighbours", record.names, record.points, theme.ACCENT, 8, named=True)
    asked = _points("asked", record.asked, record.asked_points, theme.MISMATCH, 11, named=True)
    hidden = {"showgrid": False, "zeroline": True, "showticklabels": False, "ticks": ""}
    first, second = (f"{share:.0%} of the variance" for share in record.share)
    layout = {
        "height": HEIGHT,
        "margin": {"l": 24, "r": 8, "t": 30, "b": 34},
        "showlegend": False,
        "bargap": 0.25,
        "xaxis": {"domain": [0, 0.3], "range": [low, 1.0], "title": {"text": "cosine", "font": {"size": 12}}},
        "yaxis": {
            "anchor": "x",
            "range": [max(count, 4) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(count)),
            "ticktext": [short(name, 16) for name in record.names],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "ticks": "",
        },
        "xaxis2": hidden
        | {"domain": [0.36, 1], "anchor": "y2", "title": {"text": first, "font": {"size": 12}}},
        "yaxis2": hidden | {"anchor": "x2", "title": {"text": second, "font": {"size": 12}}},
        "annotations": [
            _title("Nearest words", 0.0),
            _title("The plane on which these words are furthest apart", 0.36),
        ],
        "uirevision": f"{len(record.crowd)}:{record.share}",
    }
    return figure([bars, crowd, near, asked], layout)


def _points(
    name: str, words: Sequence[str], points: NDArray[np.float32], colour: str, size: int, *, named: bool
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text" if named else "markers",
        "name": name,
        "x": np.ascontiguousarray(points[:, 0]),
        "y": np.ascontiguousarray(points[:, 1]),
        "xaxis": "x2",
        "yaxis": "y2",
        "customdata": [[plain(word)] for word in words],
        "marker": {"size": size, "color": colour},
        **({"text": [short(word, 14) for word in words], "textposition": "top center"} if named else {}),
        **({"textfont": {"color": colour, "size": 12}} if named else {}),
        "hovertemplate": "%{customdata[0]}<extra></extra>",
        "cliponaxis": False,
    }


def _title(text: str, x: float) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>",
        **{"x": x, "y": 1, "xref": "paper", "yref": "paper"},
        **{"xanchor": "left", "yanchor": "bottom", "showarrow": False},
        "font": {"size": 12},
    }


def taken_figure(names: tuple[str, ...], output: NDArray[np.float32], missing: Sequence[int]) -> go.Figure:
    """The vectors that a sentence reads, a row for each word; a missing word's row is marked by its name."""
    if not names:
        return empty("Type a sentence to look its words up.", height=120)
    rows = tuple(f"{name} (drawn)" if i in missing else name for i, name in enumerate(names))
    columns = output.shape[1]
    part = Part(
        "embedding(input)",
        f"({len(names)}, {columns})",
        output[:, :64],
        signed_limit(output[:, :64]),
        rows,
        hover="number %{x}: %{z:.4f}",
        wide=800.0,
    )
    data, layout = side_by_side((part,), total=240)
    if columns > 64:
        layout["annotations"][0]["text"] += ", its first 64 columns"
    return figure(data, layout)
