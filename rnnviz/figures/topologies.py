"""One topology unrolled on a real input: states and probabilities stand in the cells as they are.

`topologies_places.picture` is the record; `picture_figure` draws it. The state's and the output's columns are
heatmaps on axes of their own, laid over the axes of boxes and arrows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, in_template, labels, plain
from rnnviz.figures.pens import Heads, Path, Targets, tint
from rnnviz.figures.topologies_places import (
    BOX,
    BUS,
    CELL,
    CHANCE,
    FIRST,
    HEIGHT,
    INPUT,
    LOW,
    STATE,
    TALL,
    TOP,
    WROTE,
    Picture,
    sideways,
)
from rnnviz.figures.topologies_texts import texts
from rnnviz.gates import AXES, QUANTITIES
from rnnviz.topologies.record import Look


def picture_summary(record: Picture) -> str:
    """The text alternative."""
    look = record.look
    loss = "" if look.loss is None else f" Loss {look.loss:.4f}."
    outputs = len(look.outputs)
    return (
        f"{look.config.title}: {len(look.columns)} step{'s' * (len(look.columns) != 1)}, "
        f"{outputs} output{'s' * (outputs != 1)}. {look.says}.{loss}"
    )


def picture_figure(record: Picture) -> go.Figure:
    """The picture. Heatmap "h": x the place, y the unit; heatmap "p": y the class."""
    look = record.look
    low, high = LOW, TOP
    ticks = [(INPUT, "input"), (sum(STATE) / 2, _state(look))]
    ticks += [(sum(CHANCE) / 2, "output p"), (BUS, f"loss {_small('()')}")]
    ticks += [((INPUT + TALL + STATE[0]) / 2, _small(f"{look.shapes['reads']} {look.shapes['x']}"))]
    ticks += [
        ((STATE[1] + CHANCE[0]) / 2, _small(f"nn.Linear {look.shapes['y']}")),
        (WROTE, _small("likeliest")),
    ]
    ticks += [(STATE[0] + 0.2, _small("blue −1, orange 1")), (CHANCE[0] + 0.16, _small("softmax"))]
    blank = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "", "showline": False}

    def over(span: tuple[float, float], rows: int) -> dict[str, Any]:
        domain = [(span[0] - low) / (high - low), (span[1] - low) / (high - low)]
        return blank | {"domain": domain, "range": [rows - 0.5, -0.5], "visible": False, "anchor": "x"}

    layout = {
        "height": HEIGHT,
        "margin": {"l": 8, "r": 4, "t": 2, "b": 4},
        "showlegend": False,
        "dragmode": False,
        "uirevision": f"{look.config.name}{record.columns}",
        "meta": {"labels": {"y3": labels(look.classes)}},
        "xaxis": blank | {"range": list(record.span), "visible": False},
        "yaxis": blank
        | {"range": [low, high], "tickvals": [y for y, _ in ticks], "ticktext": [t for _, t in ticks]},
        "yaxis2": over(STATE, look.h.shape[1]),
        "yaxis3": over(CHANCE, len(look.classes)),
        "coloraxis": theme.coloraxis("signed", 1.0),
        "coloraxis2": theme.coloraxis("unit", 1.0),
    }
    data = [*_heat(record), *_arrows(record), *_boxes(record), *texts(record), _targets(record)]
    return figure(data, layout)


def _state(look: Look) -> str:
    """The row of the states, with the shape on the arrows between them."""
    return f"state {look.shapes['carries']} {_small(look.shapes['h'])}" if "h" in look.shapes else "hidden h"


def _small(text: str) -> str:
    return f'<span style="font-size:10px">{text}</span>'


def _spread(record: Picture, values: NDArray[Any], only: tuple[int, ...]) -> NDArray[np.float32]:
    """The columns' values (columns, rows) as (rows, half places), with empty half places between them."""
    spread = np.full((values.shape[1], 2 * record.columns - 1), np.nan, np.float32)
    for i in only:
        spread[:, 2 * record.places[i]] = values[i]
    return spread


def _heat(record: Picture) -> list[dict[str, Any]]:
    look = record.look
    common = {"type": "heatmap", "x0": 0, "dx": 0.5, "hoverongaps": False}
    h = _spread(record, look.h, tuple(range(len(look.columns))))
    p = _spread(record, look.probabilities, look.outputs)
    return [
        common
        | {"name": "h", "z": h, "yaxis": "y2", "coloraxis": "coloraxis"}
        | {"hovertemplate": "h, unit %{y}: %{z:.4f}<extra></extra>"},
        common
        | {"name": "p", "z": p, "yaxis": "y3", "coloraxis": "coloraxis2"}
        | {"hovertemplate": "p(%{y}) = %{z:.4f}<extra></extra>"},
    ]


def _arrows(record: Picture) -> list[dict[str, Any]]:
    look = record.look
    up, heads, along, along_heads, fed, fed_heads = Path(), Heads(), Path(), Heads(), Path(), Heads()
    middle, chance = sum(STATE) / 2, sum(CHANCE) / 2
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters:
            up.line((x, INPUT + TALL), (x, STATE[0]))
            heads.add(x, STATE[0] - 0.07, "up")
        if column.own:
            fed.line((x - 1 + CELL, chance), (x - 0.5, chance), (x - 0.5, INPUT), (x - BOX, INPUT))
            fed_heads.add(x - BOX - 0.03, INPUT, "right")
    for _, x in record.outputs:
        up.line((x, STATE[1]), (x, CHANCE[0]))
        heads.add(x, CHANCE[0] - 0.07, "up")
        up.line((x, WROTE + 0.2), (x, BUS))
        heads.add(x, BUS - 0.07, "up")
    for start, stop, _ in sideways(record):
        along.line((start, middle), (stop, middle))
        along_heads.add(stop - 0.03, middle, "right")
    colour = QUANTITIES["h"].colour
    return [
        fed.drawn(theme.MUTED, dash="dot"),
        fed_heads.drawn(theme.MUTED),
        up.drawn(theme.LINE),
        heads.drawn(theme.LINE),
        along.drawn(colour),
        along_heads.drawn(colour),
    ]


def _boxes(record: Picture) -> list[dict[str, Any]]:
    look = record.look
    inputs, cells, outputs, first, bus = Path(), Path(), Path(), Path(), Path()
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters:
            inputs.box(x, INPUT, BOX if record.recurrent else 0.5, TALL)
        cells.box(x, sum(STATE) / 2, CELL, (STATE[1] - STATE[0]) / 2)
    for _, x in record.outputs:
        outputs.box(x, sum(CHANCE) / 2, CELL, (CHANCE[1] - CHANCE[0]) / 2)
    if look.first:
        half = FIRST / record.pitch
        first.box(-record.lead - half, sum(STATE) / 2, half, 0.36)
    ends = [x for _, x in record.outputs]
    bus.line((ends[0] - CELL, BUS), (ends[-1] + CELL, BUS))
    x_colour, out = AXES["H_in"].colour, AXES["H_out"].colour
    return [
        inputs.drawn(x_colour, width=1, fill=tint(x_colour, 0.18)),
        first.drawn(x_colour, width=1, fill=tint(x_colour, 0.18)),
        cells.drawn(QUANTITIES["h"].colour, width=1),
        outputs.drawn(out, width=1),
        bus.drawn(theme.TEXT, width=3 if look.loss is not None else 1),
    ]


def _targets(record: Picture) -> dict[str, Any]:
    """What each arrow carries, for the pointer."""
    look = record.look
    found = Targets("arrows", "%{customdata[0]}")
    for i, (column, x) in enumerate(zip(look.columns, record.places, strict=True)):
        if column.enters:
            source = "its own last output" if column.own else "the input"
            found.add(
                x,
                (INPUT + TALL + STATE[0]) / 2,
                f"x {look.shapes['x']}: {in_template(plain(column.enters))}, {source}",
            )
        if column.wrote:
            found.add(x, (STATE[1] + CHANCE[0]) / 2, f"scores {look.shapes['y']}, one a class")
            loss = look.losses[i]
            said = (
                "right: not known"
                if column.right is None
                else f"right: {plain(column.right)}, −log p = {loss:.4f}"
            )
            found.add(x, (WROTE + BUS) / 2, f"{said}")
    for start, stop, text in sideways(record):
        found.add((start + stop) / 2, sum(STATE) / 2, " ".join(text))
    return found.drawn(theme.MUTED)
