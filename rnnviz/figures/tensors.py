"""What goes into a layer and what comes out: each tensor a box whose edges are its coloured axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import plotly.graph_objects as go

from rnnviz.config import LayerConfig
from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.boxes import HEIGHT, WIDTH, Box, Line, Placed, path, place, rectangle
from rnnviz.figures.same import Same, marks
from rnnviz.gates import AXES
from rnnviz.shapes import Dim, TensorShape

HOLDS = {
    "input": "the sequences: one vector for each step",
    "h_0": "the hidden state before the first step",
    "c_0": "the cell state before the first step",
    "output": "h of the top layer, at every step",
    "h_n": "h after the last step, of every layer",
    "c_n": "c after the last step, of every layer",
}
INPUTS = ("input", "h_0", "c_0")

LEFT, RIGHT = 84.0, 594.0  # where the boxes of each side begin
NODE = (376.0, 476.0)
LOW, HIGH = 46.0, HEIGHT - 46.0  # of the slabs that stand for the layers
MOST_SLABS = 6
SHORT = 6  # letters that have room between a box and the left end of a narrow page: "L = 30"
LARGE = 10_000  # of which that label gives three digits


@dataclass(frozen=True)
class Boxes:
    """The picture: what goes in, the module, what comes out, and which slices of it are the same numbers."""

    module: str
    layers: int
    directions: int
    inputs: tuple[Box, ...]
    outputs: tuple[Box, ...]
    same: tuple[Same, ...]
    packed: bool


def boxes(
    config: LayerConfig,
    shapes: Mapping[str, TensorShape],
    *,
    given_state: bool,
    chosen: str = "",
    same: tuple[Same, ...] = (),
    packed: bool = False,
) -> Boxes:
    """The record of a layer and its tensors; ``chosen`` names the tensor that is marked, ``same`` holds what
    `rnnviz.figures.same.same_slices` has measured.
    """

    def side(wanted: bool) -> tuple[Box, ...]:
        return tuple(
            Box(name, t.dims, name in ("h_0", "c_0") and not given_state, name == chosen)
            for name, t in shapes.items()
            if (name in INPUTS) == wanted
        )

    module = f"nn.{config.kind}"
    return Boxes(module, config.num_layers, config.directions, side(True), side(False), same, packed)


def holds(name: str, *, both_ways: bool, batched: bool = True, packed: bool = False) -> str:
    """What a tensor holds, in words. ``packed``: each sequence of the batch has an end of its own."""
    words = HOLDS[name]
    if name == "input" and not batched:
        words = words.replace("the sequences", "the sequence")
    if name in ("h_n", "c_n") and (both_ways or packed):
        last = "each sequence's own last step" if packed else "the last step"
        if both_ways:
            last = f"{last} read forward, after step 0 read backward"
        words = words.replace("the last step", last)
    return words


def tensor_boxes(record: Boxes) -> go.Figure:
    """The boxes; a click on one carries its name as ``custom[0]``."""
    rows = max(len(record.inputs), len(record.outputs))
    placed = [
        place(box, left, i, rows)
        for left, side in ((LEFT, record.inputs), (RIGHT, record.outputs))
        for i, box in enumerate(side)
    ]
    solid = [p for p in placed if not p.box.zeros]
    data = [
        _faces([p.front for p in solid], theme.PANEL),
        _faces([p.top for p in solid if p.dx], theme.BACKGROUND),
        _faces([p.side for p in solid if p.dx], theme.GRID),
        *marks(placed, [one for one in record.same if one.equal]),
        _lines([line for p in placed for line in p.cells()], {"color": theme.LINE, "width": 0.6}),
        *_edges(placed),
        *marks(placed, [one for one in record.same if not one.equal]),
        *_module(record),
        _targets(placed, record),
    ]
    hidden = {"visible": False, "fixedrange": True}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 4, "r": 4, "t": 2, "b": 2},
        "xaxis": hidden | {"range": [0, WIDTH]},
        "yaxis": hidden | {"range": [0, HEIGHT]},
        "showlegend": False,
        "dragmode": False,
        "annotations": [a for p in placed for a in _labels(p)]
        + _module_texts(record)
        + _arrows(len(record.inputs), len(record.outputs), rows),
    }
    return figure([d for d in data if d["x"]], layout)


def _decoration(**more: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "meta": {"decoration": True}, **more}


def _faces(faces: list[Line], colour: str) -> dict[str, Any]:
    return _decoration(**path(faces, closed=True), fill="toself", fillcolor=colour, line={"width": 0})


def _lines(paths: list[Line], line: dict[str, Any]) -> dict[str, Any]:
    return _decoration(**path(paths), line=line)


def _edges(placed: list[Placed]) -> list[dict[str, Any]]:
    """One trace for each axis, and one more where its tensor is left out: those edges are dashed."""
    found: dict[tuple[str, bool], list[Line]] = {}
    for p in placed:
        for dim, edge in p.edges():
            found.setdefault((dim.letter, p.box.zeros), []).append(edge)
    return [
        _lines(
            paths,
            {"color": AXES[letter].colour, "width": 2 if zeros else 3.5, "dash": "dot" if zeros else "solid"},
        )
        for (letter, zeros), paths in found.items()
    ]


def _targets(placed: list[Placed], record: Boxes) -> dict[str, Any]:
    """What a pointer meets: one invisible square on each box's front."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "tensors",
        "x": [round(p.x + (p.w + p.dx) / 2, 1) for p in placed],
        "y": [round(p.y + (p.h + p.dy) / 2, 1) for p in placed],
        "marker": {"symbol": "square", "size": 44, "opacity": 0},
        "customdata": [[p.box.name] for p in placed],
        "text": [_described(p.box, record) for p in placed],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _described(box: Box, record: Boxes) -> str:
    formula = ", ".join(d.formula for d in box.dims)
    sizes = tuple(d.size for d in box.dims)
    batched = any(d.letter == "N" for d in box.dims)
    words = holds(box.name, both_ways=record.directions == 2, batched=batched, packed=record.packed)
    zeros = "left out of the call: zeros" if box.zeros else f"{prod(sizes):,} numbers"
    same = [one.words for one in record.same] if box.name in ("output", "h_n") else []
    return "<br>".join([f"<b>{box.name}</b> ({formula}) = {_tuple(sizes)}", words, zeros, *same])


def _tuple(sizes: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, sizes))})"


def _text(x: float, y: float, text: str, **more: Any) -> dict[str, Any]:
    return {"x": round(x, 1), "y": round(y, 1), "text": text, "showarrow": False, "borderpad": 0, **more}


def _labels(p: Placed) -> list[dict[str, Any]]:
    *deep, down, across = p.box.dims
    small = {"size": 13}

    def font(dim: Dim) -> dict[str, Any]:
        return small | {"color": AXES[dim.letter].colour}

    def label(dim: Dim) -> str:
        return f"{dim.formula} = <b>{dim.size:,}</b>"

    middle = p.y + p.h / 2
    name = {"size": 15, "color": theme.ACCENT if p.box.chosen else theme.TEXT}
    word = f"<b>{p.box.name}</b>" + ("<br><i>zeros</i>" if p.box.zeros else "")
    found = [
        _text(p.x - 8, p.y + p.h + 12, word, font=name, xanchor="right", yanchor="middle", align="right"),
        _text(p.x, p.y - 3, label(across), font=font(across), xanchor="left", yanchor="top"),
    ]
    if deep:
        found.append(_beside(p.x - 8, middle - 8, down, font(down)))
    # The first axis has the longest name, D * num_layers: it stands above, where there is room.
    first = p.box.dims[0]
    found.append(
        _text(p.x, p.y + p.h + p.dy + 3, label(first), font=font(first), xanchor="left", yanchor="bottom")
    )
    return found


def _beside(x: float, y: float, dim: Dim, font: dict[str, Any]) -> dict[str, Any]:
    """The label at the left of a box. A long one stands upright, as across it would begin off the page, and
    gives three digits of a large size, as the edge has no room for more.
    """
    size, exact = f"{dim.size:,}", True
    for letter, unit in (("M", 1_000_000), ("k", 1000)):
        if dim.size >= max(unit, LARGE):
            size = f"{dim.size / unit:.3g}{letter}"
            exact = dim.size == float(size[:-1]) * unit
            break
    words = f"{dim.formula} {'=' if exact else '≈'} "
    angle = -90 if len(words + size) > SHORT else 0
    return _text(x, y, f"{words}<b>{size}</b>", font=font, xanchor="right", yanchor="middle", textangle=angle)


def _slabs(record: Boxes) -> Iterator[tuple[float, float, float, float, str]]:
    """Left, low, width, height and words of each slab: a layer a column, in two halves if D = 2."""
    layers: list[int | None] = list(range(record.layers))
    if record.layers > MOST_SLABS:
        layers = [0, 1, 2, None, record.layers - 2, record.layers - 1]
    left, right = NODE
    pitch = (right - left - 12) / len(layers)
    tall = (HIGH - LOW) / record.directions
    for column, layer in enumerate(layers):
        for half, arrow in enumerate(("→", "←")[: record.directions]):
            word = (
                "…"
                if layer is None
                else ""  # of many layers only the ends have room for a number
                if record.layers > MOST_SLABS and layer not in (0, record.layers - 1)
                else f"{layer}<br>{arrow}"
                if len(layers) > 2
                else f"layer {layer} {arrow}"
            )
            low = HIGH - (half + 1) * tall
            yield left + 6 + column * pitch + 1.5, low + 1.5, pitch - 3, tall - 3, word


def _module(record: Boxes) -> list[dict[str, Any]]:
    left, right = NODE
    slabs = [rectangle(*slab[:4]) for slab in _slabs(record)]
    return [
        _faces([rectangle(left, 2, right - left, HEIGHT - 4)], theme.PANEL),
        _decoration(
            **path(slabs, closed=True),
            fill="toself",
            fillcolor=theme.BACKGROUND,
            line={"color": AXES["layers"].colour, "width": 1.5},
        ),
    ]


def _module_texts(record: Boxes) -> list[dict[str, Any]]:
    middle = sum(NODE) / 2
    colour = {"size": 13, "color": AXES["layers"].colour}
    return [
        _text(middle, HEIGHT - 24, f"<b>{record.module}</b>", font={"size": 16}),
        _text(
            middle, 24, f"num_layers = <b>{record.layers}</b><br>D = <b>{record.directions}</b>", font=colour
        ),
        *(
            _text(
                x + w / 2,
                y + h / 2,
                word,
                font=colour | {"size": 12},
                textangle=0 if w < 32 or "…" in word else -90,
            )
            for x, y, w, h, word in _slabs(record)
        ),
    ]


def _arrows(inputs: int, outputs: int, rows: int) -> list[dict[str, Any]]:
    room = HEIGHT / rows
    ends = [
        (count, start, stop)
        for count, start, stop in ((inputs, 342.0, NODE[0] - 3), (outputs, NODE[1] + 3, 510.0))
    ]
    return [
        {
            "x": stop,
            "ax": start,
            "y": round(HEIGHT - (i + 0.5) * room, 1),
            "ay": round(HEIGHT - (i + 0.5) * room, 1),
            **{"axref": "x", "ayref": "y", "xref": "x", "yref": "y", "text": ""},
            **{
                "showarrow": True,
                "arrowhead": 2,
                "arrowsize": 1.1,
                "arrowwidth": 2,
                "arrowcolor": theme.MUTED,
            },
        }
        for count, start, stop in ends
        for i in range(count)
    ]
