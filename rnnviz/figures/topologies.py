"""One topology unrolled on a real input: states and probabilities stand in the cells as they are.

`picture` places what a run gave; `picture_figure` draws it. The state's and the output's columns are
heatmaps on axes of their own, laid over the axes of boxes and arrows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, in_template, labels, plain, short
from rnnviz.figures.pens import Heads, Path, Targets, Texts, tint
from rnnviz.gates import AXES, QUANTITIES
from rnnviz.topologies.record import Look

HEIGHT = 372
WIDE = 740  # pixels that the columns are laid out for
LEAD, FIRST = 80, 30  # pixels: of the arrow to the first state, of half the box that it comes from
WIDEST = 150  # pixels from a column to the next, at most
INPUT, STATE, CHANCE, WROTE, BUS, TOP = 0.0, (0.95, 2.35), (3.0, 4.1), 4.32, 4.86, 5.5
LOW = -0.36
TALL, BOX, CELL = 0.28, 0.38, 0.25  # half heights and widths
SPARSE = 4  # columns up to which the shape is also written along the arrows between the states
ROOMY = 7  # columns up to which every arrow has its shape written beside it
FEW = 6  # classes up to which their names stand beside the last output


@dataclass(frozen=True, eq=False)
class Picture:
    """A run with the place of each column."""

    look: Look
    places: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Places from first to last, the gap before a decoder included."""
        return self.places[-1] + 1

    @property
    def every(self) -> bool:
        """Whether every arrow has its shape written beside it."""
        return self.columns <= ROOMY

    @property
    def recurrent(self) -> bool:
        return self.look.config.name != "one-to-one"

    @property
    def outputs(self) -> tuple[tuple[int, int], ...]:
        """(column, place) of every output."""
        return tuple((i, self.places[i]) for i in self.look.outputs)

    @property
    def margins(self) -> tuple[float, float]:
        """Pixels left of the first column, for h_0 and what makes it, and right of the last, for names."""
        left = LEAD + 2 * FIRST if self.look.first else LEAD if self.recurrent else 20
        return left, 118 if len(self.look.classes) <= FEW and len(self.outputs) > 1 else 20

    @property
    def pitch(self) -> float:
        """Pixels from a column to the next, where the page is as wide as `WIDE`."""
        return min(WIDEST, (WIDE - sum(self.margins)) / (self.columns - 1 + 2 * BOX))

    @property
    def span(self) -> tuple[float, float]:
        """The range of x, in columns; what is too much stands on both sides."""
        left, right = (BOX + margin / self.pitch for margin in self.margins)
        extra = max(0.0, WIDE / self.pitch - (left + self.columns - 1 + right)) / 2
        return -left - extra, self.columns - 1 + right + extra

    @property
    def lead(self) -> float:
        """How far left of the first column the first arrow begins."""
        return CELL + LEAD / self.pitch


def picture(look: Look) -> Picture:
    """The record of a run: an encoder and a decoder stand one column apart."""
    return Picture(look, tuple(i + (column.part == "decoder") for i, column in enumerate(look.columns)))


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
    ticks += [(sum(CHANCE) / 2, "output p"), (BUS, "loss")]
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
    data = [*_heat(record), *_arrows(record), *_boxes(record), *_texts(record), _targets(record)]
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


def _sideways(record: Picture) -> list[tuple[float, float, tuple[str, str]]]:
    """The arrows between states: from x, to x, and what goes along them."""
    if not record.recurrent:
        return []
    h, carried = record.look.shapes["h"], record.look.shapes["carries"]
    begins = "h<sub>0</sub>" if record.look.first else f"{carried} = 0"
    arrows = [(-record.lead, -CELL, (begins, h))]
    for left, right in zip(record.places, record.places[1:], strict=False):
        arrows.append((left + CELL, right - CELL, ("h<sub>n</sub>" if right - left > 1 else carried, h)))
    return arrows


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
    for start, stop, _ in _sideways(record):
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
            inputs.box(x, INPUT, BOX if record.recurrent else 0.3, TALL)
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


def _texts(record: Picture) -> list[dict[str, Any]]:
    look = record.look
    tokens, wrote, wrong, shapes = Texts(), Texts(), Texts(), Texts()
    fits = max(1, int(record.pitch * 2 * BOX / 7.5))
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters:
            tokens.add(x, INPUT, short(column.enters, max(fits, 12) if not record.recurrent else fits))
        if column.wrote:
            text = short(column.wrote, 14 if len(record.outputs) == 1 else fits + 1)
            bad = column.right is not None and column.right != column.wrote
            said = (
                f"{text} ✓"
                if column.right == column.wrote and record.every
                else f"{text}{' ' * record.every}✗"
                if bad
                else text
            )
            (wrong if bad else wrote).add(x, WROTE, f"<b>{said}</b>")
    if look.first:
        text = plain(look.first).replace(" ", "<br>", 1)
        tokens.add(-record.lead - FIRST / record.pitch, sum(STATE) / 2, text)
        shapes.add(-record.lead - FIRST / record.pitch, sum(STATE) / 2 + 0.5, look.shapes["first"])
    drawn = [
        tokens.drawn(theme.TEXT, 13),
        wrote.drawn(theme.TEXT, 13),
        wrong.drawn(theme.MISMATCH, 13),
        *_shape_texts(record, shapes),
    ]
    if len(look.classes) <= FEW:
        drawn.append(_classes(record))
    drawn.append(_loss(record))
    return drawn


def _shape_texts(record: Picture, middle: Texts) -> list[dict[str, Any]]:
    """The shapes beside the arrows, where there is room; they stand left of each row of arrows anyway.
    ``middle`` holds what is written across.
    """
    look = record.look
    beside = Texts()
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters and record.every:
            beside.add(x + 0.04, (INPUT + TALL + STATE[0]) / 2, look.shapes["x"])
    for _, x in record.outputs if record.every else ():
        beside.add(x + 0.04, (STATE[1] + CHANCE[0]) / 2, look.shapes["y"])
    for i, (start, stop, (name, shape)) in enumerate(_sideways(record)):
        if i == 0 or record.every or name == "h<sub>n</sub>":
            middle.add((start + stop) / 2, sum(STATE) / 2 + 0.2, name)
            if record.columns <= SPARSE:
                middle.add((start + stop) / 2, sum(STATE) / 2 - 0.2, shape)
    return [beside.drawn(theme.MUTED, 10) | {"textposition": "middle right"}, middle.drawn(theme.MUTED, 10)]


def _classes(record: Picture) -> dict[str, Any]:
    """The classes' names and probabilities: left of a single output, else right of the last one."""
    look, texts = record.look, Texts()
    column, x = record.outputs[-1]
    step = (CHANCE[1] - CHANCE[0]) / len(look.classes)
    side = -1 if len(record.outputs) == 1 else 1
    for k, name in enumerate(look.classes):
        chance = look.probabilities[column, k]
        text = f"{plain(name)} {chance:.2f}"
        texts.add(
            x + side * (CELL + 0.02),
            CHANCE[1] - (k + 0.5) * step,
            f"<b>{text}</b>" if name == look.columns[column].wrote else text,
        )
    return texts.drawn(theme.TEXT, 11) | {"textposition": "middle right" if side > 0 else "middle left"}


def _loss(record: Picture) -> dict[str, Any]:
    look, texts = record.look, Texts()
    count = len(record.outputs)
    each = "−log p(right)" if count == 1 else f"mean −log p(right) of {count}"
    if look.loss is None:
        text = "cross entropy: here nobody knows what is right"
    else:
        text = f"<b>cross entropy</b> (): {each} = <b>{look.loss:.4f}</b>"
    first, last = record.outputs[0][1], record.outputs[-1][1]
    at_right = (first + last) / 2 > (record.columns - 1) / 2 and record.recurrent
    texts.add(last + CELL if at_right else first - CELL, BUS + 0.34, text)
    drawn = texts.drawn(theme.TEXT, 12)
    return drawn | {"textposition": "middle left" if at_right else "middle right"}


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
    for start, stop, text in _sideways(record):
        found.add((start + stop) / 2, sum(STATE) / 2, " ".join(text))
    return found.drawn(theme.MUTED)
