"""The unrolled network: cells over layers x directions x steps, with arrows in the order of computation.

`unrolled` is the record (which cell stands where); `unrolled_figure` draws it with the few traces of
`figures.pens`, so that the picture grows with its space. What a place says to the pointer is in
`figures.unrolled_hover`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.pens import Heads, Path, Texts, tint
from rnnviz.figures.unrolled_hover import targets
from rnnviz.gates import AXES, QUANTITIES
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import FinalState, final_states

MAX_STEPS, MAX_LAYERS = 8, 4
TALL = 0.3  # half the height of a box
END = 0.43  # half the width of the boxes at both ends
GAP = 0.55  # between the lanes of a layer and what feeds the next, in lanes
ROOF = 0.62  # how far above output the sign of equality runs
PITCH, LOWEST, HIGHEST = 52, 280, 410  # pixels: of a lane, of the figure


@dataclass(frozen=True)
class Place:
    """One row of cells: layer (None where layers are left out), direction, row of h_n, and its height ``y``.

    ``feed``: the height from which its input rises, ``above``: to which its h rises; None: not drawn.
    """

    layer: int | None
    direction: int
    row: int
    y: float
    feed: float | None
    above: float | None


@dataclass(frozen=True)
class Unrolled:
    """What is drawn. ``steps`` from left and ``lanes`` from below; None stands for those left out.

    ``selected``: the row of h_n that is followed; ``code``: the slice of output that equals it, or None.
    """

    screen: LayersScreen
    steps: tuple[int | None, ...]
    lanes: tuple[Place, ...]
    top: float
    selected: FinalState
    code: str | None

    @property
    def rail(self) -> float:
        """How far each direction stands from the middle of its column."""
        return 0.2 if self.screen.config.bidirectional else 0.0

    @property
    def wide(self) -> float:
        """Half the width of a cell."""
        return 0.16 if self.screen.config.bidirectional else 0.27

    @property
    def box(self) -> float:
        """Half the width of an input or output."""
        return 0.36 if self.screen.config.bidirectional else 0.27

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """(column, step) of every step that is drawn."""
        return tuple((column, t) for column, t in enumerate(self.steps) if t is not None)

    @property
    def cells(self) -> tuple[Place, ...]:
        """The lanes that hold cells."""
        return tuple(p for p in self.lanes if p.layer is not None)

    @property
    def made(self) -> int:
        """The column of the cell that made the selected row."""
        return 0 if self.selected.direction else len(self.steps) - 1

    def centre(self, column: int, direction: int) -> float:
        return column + (self.rail if direction else -self.rail)

    def ends(self, direction: int) -> tuple[int, int]:
        """The columns at which h_0 enters and h_n leaves."""
        return (len(self.steps), -1) if direction else (-1, len(self.steps))

    def half(self, column: int, direction: int) -> tuple[float, float]:
        """Middle and half width of one direction's part of an output."""
        if not self.rail:
            return column, self.box
        return column + self.box / 2 * (1 if direction else -1), self.box / 2

    def edge(self, column: int, place: Place, side: int) -> float:
        """Where a lane's line meets the left (-1) or right (1) side of what stands in a column."""
        if column in (-1, len(self.steps)):
            return column + side * END
        if self.steps[column] is None:
            return column + side * 0.16
        return self.centre(column, place.direction) + side * self.wide


def shown(count: int, limit: int, focus: int | None = None) -> tuple[int | None, ...]:
    """0..count-1, or both ends around a None where there are more than ``limit``; ``focus`` always stays."""
    if count <= limit:
        return tuple(range(count))
    kept = {*range(limit // 2), *range(count - (limit - 1) // 2, count)}
    kept |= set() if focus is None else {focus}
    places: list[int | None] = []
    for i in sorted(kept):
        if i and i - 1 not in kept:
            places.append(None)
        places.append(i)
    return tuple(places)


def unrolled(screen: LayersScreen, row: int, code: str | None) -> Unrolled:
    """The record of a screen in which ``h_n[row]``, equal to ``code``, is followed.

    Raises IndexError if there is no such row.
    """
    config = screen.config
    selected = final_states(config, screen.length, screen.batched)[row]
    two = config.bidirectional
    lanes: list[Place] = []
    feed: float | None = TALL
    y = 0.0
    for layer in shown(config.num_layers, MAX_LAYERS, selected.layer):
        if layer is None:
            y += 0.7
            lanes.append(Place(None, 0, -1, y, None, None))
            feed = None
            continue
        last = layer == config.num_layers - 1
        low = y + 0.95
        y = low + (0.75 if two else 0.0)
        if two:
            above: float | None = y + (0.8 - TALL + 0.15 if last else GAP)
        else:
            above = y + 1.0 - TALL if last else None
        for direction in range(config.directions):
            row_of = layer * config.directions + direction
            lanes.append(Place(layer, direction, row_of, low if direction == 0 else y, feed, above))
        if two and above is not None:
            y = feed = above
        else:
            feed = y + TALL
    top = (lanes[-1].above or y) + TALL
    return Unrolled(screen, shown(screen.length, MAX_STEPS), tuple(lanes), top, selected, code)


def unrolled_summary(record: Unrolled, difference: float | None) -> str:
    """The text alternative."""
    config, state, length = record.screen.config, record.selected, record.screen.length
    many = f"num_layers = {config.num_layers}, {config.directions} direction(s)"
    cells = config.num_layers * config.directions * length
    start = f"{config.kind} with {many} and {length:,} steps: {cells:,} cells. "
    start += f"h_n[{state.row}] is made by {state.cell}, at "
    start += (
        f"step {state.step}" if record.screen.lengths is None or state.direction else "each last real step"
    )
    start += "" if record.screen.lengths is None else ", drawn for a sequence of full length,"
    if record.code is None:
        return f"{start} and is nowhere in output."
    measured = "" if difference is None else f", max |difference| {difference:.3g}"
    return f"{start} and equals {record.code}{measured}."


@lru_cache(
    maxsize=32
)  # the same for everybody who looks at the same layer; a figure is not changed once it is made
def unrolled_figure(record: Unrolled) -> go.Figure:
    """The picture. The points that answer to a click carry ``custom = (row of h_n, ...)``."""
    low, high = -0.45, record.top + ROOF + 0.12
    ticks = [(0.0, "input"), *((p.y, _lane_label(p)) for p in record.cells), (record.top, "output")]
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "", "showline": False}
    layout = {
        "height": int(min(HIGHEST, max(LOWEST, PITCH * (high - low) + 24))),
        "margin": {"l": 8, "r": 4, "t": 2, "b": 22},
        "showlegend": False,
        "dragmode": False,
        "uirevision": "fixed",
        "xaxis": axis
        | {
            "range": [-1.6, len(record.steps) + 0.6],
            "tickvals": [column for column, _ in record.columns],
            "ticktext": [f"t = {t}" for _, t in record.columns],
        },
        "yaxis": axis
        | {"range": [low, high], "tickvals": [y for y, _ in ticks], "ticktext": [text for _, text in ticks]},
    }
    data = [*_wires(record), *_boxes(record), *_followed(record), *_labels(record), *targets(record)]
    return figure(data, layout)


def _lane_label(place: Place) -> str:
    return f"layer {place.layer} {'←' if place.direction else '→'}"


def _along(record: Unrolled, place: Place, path: Path, heads: Heads, dotted: Path) -> None:
    """A lane from h_0 to h_n."""
    for column in range(-1, len(record.steps)):
        start, stop = record.edge(column, place, 1), record.edge(column + 1, place, -1)
        if None in record.steps[max(column, 0) : column + 2]:
            dotted.line((start, place.y), (stop, place.y))
        else:
            path.line((start, place.y), (stop, place.y))
            heads.add(
                *((start + 0.04, place.y, "left") if place.direction else (stop - 0.04, place.y, "right"))
            )


def _wires(record: Unrolled) -> list[dict[str, Any]]:
    up, heads_up, along, heads, dotted, bars = Path(), Heads(), Path(), Heads(), Path(), Path()
    for place in record.cells:
        _along(record, place, along, heads, dotted)
        joined = record.rail and place.above is not None and place.above < record.top - TALL - 0.01
        for column, _ in record.columns:
            x = record.centre(column, place.direction)
            if place.feed is not None:
                up.line((x, place.feed), (x, place.y - TALL))
                heads_up.add(x, place.y - TALL - 0.07, "up")
            if place.above is not None:
                up.line((x, place.y + TALL), (x, place.above))
                if not joined:
                    heads_up.add(x, place.above - 0.07, "up")
            if joined and place.above is not None and place.direction:
                bars.line((column - record.rail - 0.05, place.above), (x + 0.05, place.above))
    colour = QUANTITIES["h"].colour
    return [
        up.drawn(theme.LINE),
        heads_up.drawn(theme.LINE),
        along.drawn(colour),
        dotted.drawn(colour, dash="dot"),
        heads.drawn(colour),
        bars.drawn(theme.MUTED, width=4),
    ]


def _boxes(record: Unrolled) -> list[dict[str, Any]]:
    inputs, cells, outputs, start, final = Path(), Path(), Path(), Path(), Path()
    for column, _ in record.columns:
        inputs.box(column, 0.0, record.box, TALL)
        for direction in range(record.screen.config.directions):
            outputs.box(
                record.half(column, direction)[0], record.top, record.half(column, direction)[1], TALL
            )
    for place in record.cells:
        for column, _ in record.columns:
            cells.box(record.centre(column, place.direction), place.y, record.wide, TALL)
        first, last = record.ends(place.direction)
        start.box(first, place.y, END, TALL)
        final.box(last, place.y, END, TALL)
    h, x, out, rows = QUANTITIES["h"].colour, *(AXES[letter].colour for letter in ("H_in", "H_out", "layers"))
    return [
        inputs.drawn(x, width=1, fill=tint(x, 0.18)),
        start.drawn(theme.LINE, width=1, dash="dot"),
        cells.drawn(h, fill=tint(h, 0.2)),
        outputs.drawn(out, width=1, fill=tint(out, 0.18)),
        final.drawn(rows, fill=tint(rows, 0.18)),
    ]


def _followed(record: Unrolled) -> list[dict[str, Any]]:
    """The lane of the selected row, the cell that made it, and the slice of output that equals it."""
    path, heads, boxes, equal = Path(), Heads(), Path(), Path()
    state, made = record.selected, record.made
    place = next(p for p in record.cells if p.row == state.row)
    out = record.ends(state.direction)[1]
    _along(record, place, path, heads, path)
    boxes.box(record.centre(made, state.direction), place.y, record.wide, TALL)
    boxes.box(out, place.y, END, TALL)
    if record.code is not None:
        x, wide = record.half(made, state.direction)
        boxes.box(x, record.top, wide, TALL)
        roof = record.top + ROOF - 0.1
        side = END if out > 0 else -END  # around the outside: h_0 of the other direction may stand above
        corner = out + 1.25 * side
        equal.line(
            (out + side, place.y), (corner, place.y), (corner, roof), (x, roof), (x, record.top + TALL)
        )
    return [
        path.drawn(theme.ACCENT, width=2.5),
        heads.drawn(theme.ACCENT, 9),
        equal.drawn(theme.ACCENT, width=2.5, dash="dot"),
        boxes.drawn(theme.ACCENT, fill=theme.ACCENT),
    ]


def _labels(record: Unrolled) -> list[dict[str, Any]]:
    plain, filled = Texts(), Texts()
    state, size = record.selected, record.screen.config.output_size
    for column, t in enumerate(record.steps):
        if t is None:
            for y in (0.0, *(p.y for p in record.cells), record.top):
                plain.add(column, y, "<b>⋯</b>")
            continue
        plain.add(column, 0.0, f"x<sub>{t}</sub>")
        for direction in range(record.screen.config.directions):
            text = f"y<sub>{t}</sub>" if not record.rail else f"{size}:" if direction else f":{size}"
            on = record.code is not None and (column, direction) == (record.made, state.direction)
            if size < 1000 or not record.rail:
                (filled if on else plain).add(record.half(column, direction)[0], record.top, text)
        for place in record.lanes:
            if place.layer is None:
                plain.add(column, place.y, "<b>⋮</b>")
                continue
            on = (place.row, column) == (state.row, record.made)
            arrow = "←" if place.direction else "→"
            (filled if on else plain).add(record.centre(column, place.direction), place.y, arrow)
    for place in record.cells:
        first, last = record.ends(place.direction)
        plain.add(first, place.y, f"h_0[{place.row}]")
        (filled if place.row == state.row else plain).add(last, place.y, f"<b>h_n[{place.row}]</b>")
    return [plain.drawn(theme.TEXT), filled.drawn(theme.BACKGROUND)]
