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
from rnnviz.figures.embeddings_matrices import Part, side_by_side

HEIGHT = 372
LABEL = 14  # letters


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
    data, layout = side_by_side(parts, total=290, bottom=52)
    layout["coloraxis2"] |= {
        "showscale": True,
        "colorbar": {"thickness": 8, "outlinewidth": 0, "tickvals": [-1, 0, 1], "x": 1.01},
    }
    layout["margin"]["r"] = 40
    if len(record.names) <= 14:
        data[0] |= {"texttemplate": "%{z}", "meta": {"numbers": 9}}
    if len(record.names) <= 12:
        # Two digits, as in the sentence below: with one, 0.99 would be drawn as the 1.0 of the diagonal.
        data[1] |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 10}, "meta": {"numbers": 25}}
    if columns:
        for axis in ("xaxis", "xaxis2"):
            layout[axis] |= {"ticktext": [short(name, 9) for name in columns], "autotickangles": [0, 45, 90]}
            del layout[axis]["tickangle"]  # it would count, and names run into each other where it is narrow
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
    everybody = np.concatenate([record.asked_points, record.points])
    sides = _sides(everybody, (*record.asked, *record.names))
    middle = len(record.asked)
    near = _points("neighbours", record.names, record.points, theme.ACCENT, 8, named=True)
    near["textposition"] = sides[middle:]
    asked = _points("asked", record.asked, record.asked_points, theme.MISMATCH, 11, named=True)
    asked["textposition"] = sides[:middle]
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
            _title("The plane where they differ most", 0.36),
        ],
        "uirevision": f"{len(record.crowd)}:{record.share}",
    }
    return figure([bars, crowd, near, asked], layout)


_SIDES = {"top center": (0, -1), "bottom center": (0, 1), "middle right": (1, 0), "middle left": (-1, 0)}


def _sides(points: NDArray[np.float32], names: Sequence[str]) -> list[str]:
    """Where each point's label stands, so that labels overlap little: the first free side, at a guess of
    520 by 300 pixels for the plane and 7 for a letter.
    """
    if not len(points):
        return []
    span = np.maximum(np.ptp(points, axis=0), 1e-9)
    places = points / span * np.array([460.0, -250.0])
    taken: list[tuple[float, float, float, float]] = []
    sides = []
    for (x, y), name in zip(places, names, strict=True):
        half = 3.5 * min(len(name), LABEL) + 2
        boxes = {side: (x + a * (half + 8), y + b * 14, half, 7.0) for side, (a, b) in _SIDES.items()}
        best = min(boxes, key=lambda side: sum(_overlap(boxes[side], other) for other in taken))
        taken.append(boxes[best])
        sides.append(best)
    return sides


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    across = one[2] + other[2] - abs(one[0] - other[0])
    down = one[3] + other[3] - abs(one[1] - other[1])
    return max(across, 0.0) * max(down, 0.0)


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
        **({"text": [short(word, LABEL) for word in words]} if named else {}),
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
