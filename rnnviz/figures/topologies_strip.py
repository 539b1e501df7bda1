"""The five shapes as small pictures side by side; one is the active one."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.pens import Heads, Path, Texts, tint
from rnnviz.gates import AXES, QUANTITIES
from rnnviz.topologies.config import NAMES, TITLES

HEIGHT = 112
ROWS = (0.13, 0.37, 0.61)  # input, state, output
TITLE = 0.87
PITCH, WIDE, TALL = 0.135, 0.042, 0.075


@dataclass(frozen=True)
class Sketch:
    """A shape: which of its columns take an input and which give an output."""

    columns: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


SKETCHES = {
    "one-to-one": Sketch(1, (0,), (0,)),
    "one-to-many": Sketch(4, (0,), (0, 1, 2, 3)),
    "many-to-one": Sketch(4, (0, 1, 2, 3), (3,)),
    "out-of-step": Sketch(6, (0, 1, 2), (3, 4, 5)),
    "in-step": Sketch(4, (0, 1, 2, 3), (0, 1, 2, 3)),
}


def strip_figure(active: str) -> go.Figure:
    """The five. Trace 0 is a heatmap with a cell for each: what is clicked has its place as x."""
    chosen = NAMES.index(active)
    inputs, states, outputs = Path(), Path(), Path()
    up, along, heads, sideways = Path(), Path(), Heads(), Heads()
    titles, bold = Texts(), Texts()
    for place, name in enumerate(NAMES):
        sketch = SKETCHES[name]
        xs = [place + PITCH * (i - (sketch.columns - 1) / 2) for i in range(sketch.columns)]
        for i, x in enumerate(xs):
            states.box(x, ROWS[1], WIDE, TALL)
            if i:
                along.line((xs[i - 1] + WIDE, ROWS[1]), (x - WIDE, ROWS[1]))
                sideways.add(x - WIDE - 0.008, ROWS[1], "right")
        for i in sketch.inputs:
            inputs.box(xs[i], ROWS[0], WIDE, TALL)
            up.line((xs[i], ROWS[0] + TALL), (xs[i], ROWS[1] - TALL))
            heads.add(xs[i], ROWS[1] - TALL - 0.03, "up")
        for i in sketch.outputs:
            outputs.box(xs[i], ROWS[2], WIDE, TALL)
            up.line((xs[i], ROWS[1] + TALL), (xs[i], ROWS[2] - TALL))
            heads.add(xs[i], ROWS[2] - TALL - 0.03, "up")
        (bold if name == active else titles).add(
            place, TITLE, f"<b>{_title(name)}</b>" if name == active else _title(name)
        )
    enters, h, leaves = AXES["H_in"].colour, QUANTITIES["h"].colour, AXES["H_out"].colour
    panels = {
        "type": "heatmap",
        "name": "shapes",
        "z": [[1 if name == active else 0 for name in NAMES]],
        "x": list(range(len(NAMES))),
        "y0": 0.5,
        "dy": 1.08,
        "text": [[TITLES[name] for name in NAMES]],
        "xgap": 6,
        "hovertemplate": "%{text}: click to draw it large<extra></extra>",
        "colorscale": [[0, tint(theme.MUTED, 0.06)], [1, tint(theme.ACCENT, 0.16)]],
        **{"zmin": 0, "zmax": 1, "showscale": False},
    }
    frame = {
        "type": "rect",
        **{"xref": "x", "yref": "y domain", "x0": chosen - 0.48, "x1": chosen + 0.48, "y0": 0, "y1": 1},
        "line": {"color": theme.ACCENT, "width": 2},
    }
    blank = {"visible": False, "fixedrange": True}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 2, "b": 2},
        "showlegend": False,
        "dragmode": False,
        "uirevision": "fixed",
        "xaxis": blank | {"range": [-0.5, len(NAMES) - 0.5]},
        "yaxis": blank | {"range": [-0.04, 1.04]},
        "shapes": [frame],
    }
    data = [
        panels,
        up.drawn(theme.LINE, width=1),
        heads.drawn(theme.LINE, 5),
        along.drawn(h, width=1),
        sideways.drawn(h, 5),
        inputs.drawn(enters, width=1, fill=tint(enters, 0.25)),
        states.drawn(h, width=1, fill=tint(h, 0.25)),
        outputs.drawn(leaves, width=1, fill=tint(leaves, 0.25)),
        titles.drawn(theme.TEXT, 11),
        bold.drawn(theme.TEXT, 11),
    ]
    return figure(data, layout)


def _title(name: str) -> str:
    return TITLES[name].replace(", ", ",<br>")


def clicked(x: object) -> str | None:
    """The shape at a click's x, or None."""
    if not isinstance(x, int | float) or not 0 <= round(x) < len(NAMES):
        return None
    return NAMES[round(x)]
