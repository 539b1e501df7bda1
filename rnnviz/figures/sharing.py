"""Row A10 as pictures: which line carries which weight, and how the count of weights grows with L."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.pens import Heads, Path, Texts, tint
from rnnviz.gates import AXES, QUANTITIES

SHOWN = 5  # steps of the picture
HEIGHT, CURVES = 190, 300
COLOURS: tuple[str, ...] = tuple(theme.template()["layout"]["colorway"])
_ORDER = ("RNN", "Fully connected, one output", "Convolution", "LSTM", "Fully connected", "GRU")
TRACES = dict(zip(_ORDER, COLOURS, strict=False))
"""A colour for each layer, and its dash in `DASHES`, so that they can be told apart without colours."""
DASHES = {"Fully connected, one output": "dash", "Convolution": "dashdot", "LSTM": "dot", "GRU": "longdash"}


@dataclass(frozen=True)
class Line:
    """A line from step ``start`` to step ``stop`` that carries the block of weights number ``block``.
    ``row``: "up" from an input to an output, "along" from a state to the next.
    """

    start: int
    stop: int
    block: int
    row: str = "up"


@dataclass(frozen=True)
class Wiring:
    """A layer over ``steps`` steps: its lines, and how many different blocks of weights they carry."""

    title: str
    steps: int
    lines: tuple[Line, ...]

    @property
    def blocks(self) -> int:
        return len({line.block for line in self.lines})


def wirings(length: int, kernel: int) -> tuple[Wiring, ...]:
    """Fully connected, convolution (its kernel centred as Conv1d's ``padding="same"`` does), recurrent."""
    n = min(length, SHOWN)
    every = tuple(Line(i, j, i * n + j) for j in range(n) for i in range(n))
    before = (kernel - 1) // 2
    window = tuple(
        Line(j + k - before, j, k) for j in range(n) for k in range(kernel) if 0 <= j + k - before < n
    )
    recurrent = tuple(Line(t, t, 0) for t in range(n)) + tuple(
        Line(t, t + 1, 1, "along") for t in range(n - 1)
    )
    return (
        Wiring("Fully connected", n, every),
        Wiring("Convolution", n, window),
        Wiring("RNN, LSTM, GRU", n, recurrent),
    )


def sharing_summary(record: Sequence[Wiring]) -> str:
    """The text alternative of the picture."""
    parts = [f"{w.title}: {len(w.lines)} lines carry {w.blocks} different blocks of weights" for w in record]
    return f"{record[0].steps} steps. {'; '.join(parts)}."


def sharing_figure(record: Sequence[Wiring]) -> go.Figure:
    """The picture: lines of one colour carry the same weights."""
    low, high, gap = 0.0, 1.0, 1.2
    inputs, outputs, titles = Path(), Path(), Texts()
    paths: dict[str, Path] = {}
    heads: dict[str, Heads] = {}
    left = 0.0
    for wiring in record:
        for line in wiring.lines:
            colour = COLOURS[line.block % len(COLOURS)]  # the fully connected layer has more than colours
            path, head = paths.setdefault(colour, Path()), heads.setdefault(colour, Heads())
            a, b = left + line.start, left + line.stop
            if line.row == "along":
                path.line((a + 0.26, high), (b - 0.26, high))
                head.add(b - 0.3, high, "right")
            else:
                path.line((a, low + 0.12), (b, high - 0.13))
                if line.start == line.stop:
                    head.add(b, high - 0.15, "up")
        for i in range(wiring.steps):
            inputs.box(left + i, low, 0.26, 0.11)
            outputs.box(left + i, high, 0.26, 0.11)
        blocks = "block" if wiring.blocks == 1 else "blocks"
        lines = len(wiring.lines)
        text = f"<b>{wiring.title}</b><br>{lines} line{'s' * (lines != 1)}, {wiring.blocks} {blocks}"
        titles.add(left + (wiring.steps - 1) / 2, high + 0.44, text)
        left += wiring.steps + gap
    x, h = AXES["H_in"].colour, QUANTITIES["h"].colour
    blank = {"visible": False, "fixedrange": True}
    # Few steps would leave the titles no room beside each other.
    middle, half = (left - gap - 1) / 2, max(left - gap, 9.0) / 2
    layout = {
        "height": HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 2, "b": 2},
        "showlegend": False,
        "dragmode": False,
        "uirevision": f"{[w.steps for w in record]}",
        "xaxis": blank | {"range": [middle - half, middle + half]},
        "yaxis": blank | {"range": [-0.2, 1.72]},
    }
    data = [paths[colour].drawn(colour, width=1.5) for colour in paths]
    data += [heads[colour].drawn(colour, 6) for colour in heads if heads[colour].x]
    data += [inputs.drawn(x, width=1, fill=tint(x, 0.25)), outputs.drawn(h, width=1, fill=tint(h, 0.25))]
    return figure([*data, titles.drawn(theme.TEXT, 12)], layout)


@dataclass(frozen=True)
class Growth:
    """The counts of weights at each of ``lengths``, and at ``length``, by layer."""

    lengths: tuple[int, ...]
    counts: Mapping[str, tuple[int, ...]]
    length: int
    marked: Mapping[str, int]


def growth_summary(record: Growth) -> str:
    """The text alternative of the curves."""
    at = ", ".join(f"{name} {count:,}" for name, count in record.marked.items())
    return f"Weights as L grows to {record.lengths[-1]:,}. At L = {record.length:,}: {at}."


def growth_figure(record: Growth) -> go.Figure:
    """A line a layer on logarithmic axes, and a marker at the length that is looked at."""
    data: list[dict[str, Any]] = []
    for name, counts in record.counts.items():
        line = {"color": TRACES[name], "width": 2, "dash": DASHES.get(name, "solid")}
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": list(record.lengths),
                "y": list(counts),
                "line": line,
                "hovertemplate": f"{name}, L = %{{x:,}}: %{{y:,}} weights<extra></extra>",
            }
        )
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"L = {record.length}",
            "showlegend": False,
            "x": [record.length] * len(record.marked),
            "y": list(record.marked.values()),
            "marker": {"size": 8, "color": [TRACES[name] for name in record.marked]},
            "text": list(record.marked),
            "hovertemplate": "%{text}: %{y:,} weights<extra></extra>",
        }
    )
    mark = {
        "type": "line",
        **{"xref": "x", "yref": "paper", "x0": record.length, "x1": record.length, "y0": 0, "y1": 1},
        "line": {"color": theme.ACCENT, "width": 1, "dash": "dot"},
    }
    axis = {"type": "log", "dtick": 1, "tickformat": "~s", "tickfont": {"size": 12}}
    layout = {
        "height": CURVES,
        "margin": {"l": 60, "r": 12, "t": 44, "b": 40},
        "hovermode": "closest",
        "legend": {"font": {"size": 11}, "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "uirevision": "growth",
        "shapes": [mark],
        "xaxis": axis | {"title": {"text": "steps L", "font": {"size": 13}}, "range": [0, 3.02]},
        "yaxis": axis | {"title": {"text": "weights", "font": {"size": 13}}},
    }
    return figure(data, layout)
