"""Which slices of output and h_n are the same numbers: measured on a run, then marked in the boxes of both.

What is true comes from `rnnviz.traps`, which compares the arrays; here is only how it is named and where it
stands in a box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.boxes import MANY, Line, Part, Placed, part_of, path
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import final_states
from rnnviz.traps import TOLERANCE, ends, half_code, index_code, locate, read_out

COLOURS = ("#0f8fa8", "#7a8a1e")
"""Of the forward and of the backward final state; no axis has either of them."""

WHOLE: Part = (0.0, 1.0)


@dataclass(frozen=True)
class Same:
    """A slice of output held against a row of h_n, and whether every number of it is equal.

    ``steps``: the step of each sequence, all of them when ``len(steps)`` is 1. ``direction``: whose half of
    the features, of ``directions``.
    """

    code: str
    row: int
    rows: int
    direction: int
    directions: int
    steps: tuple[int, ...]
    length: int
    equal: bool

    @property
    def words(self) -> str:
        """``output[:, -1, :6] = h_n[0]``, or ≠."""
        return f"{self.code} {'=' if self.equal else '≠'} h_n[{self.row}]"

    @property
    def colour(self) -> str:
        return COLOURS[self.direction] if self.equal else theme.MISMATCH


def same_slices(screen: LayersScreen, output: NDArray[Any], h_n: NDArray[Any]) -> tuple[Same, ...]:
    """The rows of h_n that output holds, forward before backward; then the step at which one looks for the
    backward one in vain, unless it happens to be equal there.
    """
    directions = screen.config.directions
    states = final_states(screen.config, screen.length, screen.batched)
    first = len(states) - directions

    def same(code: str, direction: int, steps: tuple[int, ...], equal: bool) -> Same:
        return Same(code, first + direction, len(states), direction, directions, steps, screen.length, equal)

    found = []
    for state in states[first:]:
        located = locate(screen, state.row, output, h_n)
        assert located.code is not None and located.difference is not None  # the top layer, given a run
        last = tuple(map(int, ends(screen))) if screen.lengths is not None else (screen.length - 1,)
        steps = (0,) if state.direction else last
        equal = located.difference <= TOLERANCE[screen.dtype]
        found.append(same(located.code, state.direction, steps, equal))
    if directions == 2:
        vain = read_out(screen, output, h_n).comparisons[0].halves[1]
        if not vain.equal:
            code = index_code(screen, "-1", half_code(screen, 1))
            found.append(same(code, 1, (screen.length - 1,), False))
    return tuple(found)


def marks(placed: Sequence[Placed], found: Sequence[Same]) -> list[dict[str, Any]]:
    """One trace for each slice, in both boxes: filled where it equals its row of h_n, else dashed."""
    together: dict[Same, list[Line]] = {}
    for p in placed:
        for one, lines in faces(found, p):
            together.setdefault(one, []).extend(lines)
    return [
        {
            **{"type": "scatter", "mode": "lines", "hoverinfo": "skip", "meta": {"decoration": True}},
            **{"name": one.words, **path(lines, closed=True)},
            "line": {"color": one.colour, **({"width": 1} if one.equal else {"width": 2, "dash": "4px,2px"})},
            **({"fill": "toself", "fillcolor": one.colour, "opacity": 0.6} if one.equal else {}),
        }
        for one, lines in together.items()
    ]


def faces(found: Sequence[Same], placed: Placed) -> Iterator[tuple[Same, list[Line]]]:
    """What is seen of each slice in the box of output or of h_n; nothing in any other box."""
    name, down, flat = placed.box.name, placed.box.dims[-2], len(placed.box.dims) == 2
    for one in found:
        if name == "h_n" and one.equal:
            row = part_of(one.rows, one.row)
            parts = [(WHOLE, row, WHOLE) if flat else (row, WHOLE, WHOLE)]
        elif name == "output":
            half = (one.direction / one.directions, (one.direction + 1) / one.directions)
            parts = [(n, step, half) if down.letter == "L" else (step, n, half) for n, step in _places(one)]
        else:
            continue
        lines = [line for part in parts for line in placed.part(*part)]
        if lines:
            yield one, lines


def _places(one: Same) -> Iterator[tuple[Part, Part]]:
    """The parts along N and along L; of sequences too many to be drawn one by one, only a common step."""
    if len(one.steps) == 1:
        yield WHOLE, part_of(one.length, one.steps[0])
    elif len(one.steps) <= MANY:
        for n, step in enumerate(one.steps):
            yield part_of(len(one.steps), n), part_of(one.length, step)
