"""Two traps, measured on a real run: reading the last output, and padding without packing.

Arrays in, records out; numpy only. Where a final state is found in ``output``:
https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.gates import DIRECTION_NAMES
from rnnviz.screens.layers import PADDED_BATCH, LayersScreen, parse_lengths
from rnnviz.shapes import FinalState, final_states

Array = NDArray[np.floating[Any]]

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
"""Up to which |difference| two numbers count as equal: copies differ by 0, kernels may round."""

ROUNDING = 1e-6
"""A drift below this is kernels rounding, and given as 0."""


# ---- layouts -----------------------------------------------------------------------------------------------


def step_major(screen: LayersScreen, output: Array) -> Array:
    """``output`` as (L, N, D * H_out), whatever its layout."""
    if not screen.batched:
        return output[:, None]
    return output.swapaxes(0, 1) if screen.config.batch_first else output


def rows_major(screen: LayersScreen, h_n: Array) -> Array:
    """``h_n`` as (rows, N, H_out), also for an unbatched run."""
    return h_n if screen.batched else h_n[:, None]


def ends(screen: LayersScreen) -> NDArray[np.int64]:
    """(N,): the last real step of each sequence."""
    lengths = screen.lengths or (screen.length,) * screen.batch
    return np.asarray(lengths, dtype=np.int64) - 1


def index_code(screen: LayersScreen, step: str, features: str = "", sequence: str = ":") -> str:
    """The indexing a person would write in the screen's layout, such as ``output[:, -1, :6]``."""
    if not screen.batched:
        parts = [step]
    elif screen.config.batch_first:
        parts = [sequence, step]
    else:
        parts = [step, sequence] if features or sequence != ":" else [step]
    return f"output[{', '.join([*parts, features] if features else parts)}]"


def half_code(screen: LayersScreen, direction: int) -> str:
    """``:H`` or ``H:``, the features of one direction; empty for one direction."""
    size = screen.config.output_size
    return "" if screen.config.directions == 1 else (f"{size}:" if direction else f":{size}")


def end_code(screen: LayersScreen, features: str = "") -> str:
    """The last real step of each sequence: ``output[:, -1]``, with lengths ``output[n, lengths - 1]``."""
    if screen.lengths is None:
        return index_code(screen, "-1", features)
    return index_code(screen, "lengths - 1", features, "n")


# ---- a row of h_n and its slice of output ------------------------------------------------------------------


@dataclass(frozen=True)
class Located:
    """A row of h_n, the slice of output that equals it (None if none does), and max |difference|."""

    state: FinalState
    code: str | None
    difference: float | None


def locate(screen: LayersScreen, row: int, output: Array | None = None, h_n: Array | None = None) -> Located:
    """Where ``h_n[row]`` is found in ``output``; given a run's arrays, the difference is measured.

    Raises IndexError if there is no such row.
    """
    state = final_states(screen.config, screen.length, screen.batched)[row]
    if state.where is None:
        return Located(state, None, None)
    features = half_code(screen, state.direction)
    code = index_code(screen, "0", features) if state.direction else end_code(screen, features)
    if output is None or h_n is None:
        return Located(state, code, None)
    found = _final(screen, output, state.direction)
    return Located(state, code, _largest(found - rows_major(screen, h_n)[row]))


def _final(screen: LayersScreen, output: Array, direction: int) -> Array:
    """(N, H_out): the slice of output in which this direction has read everything."""
    major, size = step_major(screen, output), screen.config.output_size
    half = major[..., direction * size : (direction + 1) * size]
    return half[0] if direction else half[ends(screen), np.arange(screen.batch)]


def _largest(difference: Array) -> float:
    return float(np.max(np.abs(difference)))


# ---- trap 1: the last output -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Half:
    """One direction's columns of a comparison: from ``start`` to ``stop``, against one row of h_n."""

    name: str
    against: str
    start: int
    stop: int
    largest: float
    equal: bool


@dataclass(frozen=True, eq=False)
class Comparison:
    """``code`` held against rows of h_n: |difference| as (N, features), and each half's verdict."""

    code: str
    note: str
    difference: Array
    halves: tuple[Half, ...]
    tolerance: float


@dataclass(frozen=True)
class ReadOut:
    """What reading the last output gives. ``trapped``: whether it is something else than the final state."""

    headline: str
    why: str
    trapped: bool
    comparisons: tuple[Comparison, ...]
    right: str


def read_out(screen: LayersScreen, output: Array, h_n: Array) -> ReadOut:
    """``output[:, -1]`` against h_n on a real run, and where each final state really is (A6, A7, E3)."""
    major, states = step_major(screen, output), rows_major(screen, h_n)  # (L, N, D * H_out), (rows, N, H_out)
    two, padded = screen.config.bidirectional, screen.lengths is not None
    rows = len(states)
    top = tuple(range(rows - screen.config.directions, rows))
    last = index_code(screen, "-1")
    held = [_compare(screen, (last, "the last step"), major[-1], states, top)]
    if padded:
        at_end = major[ends(screen), np.arange(screen.batch)]
        held.append(_compare(screen, (end_code(screen), "each last real step"), at_end, states, top))
    if two:
        held.append(_compare(screen, (index_code(screen, "0"), "the first step"), major[0], states, top))
    elif not padded and rows > 1:
        held.append(_compare(screen, (last, "the row of the layer below"), major[-1], states, (rows - 2,)))
    trapped = not all(half.equal for half in held[0].halves)
    headline, why = _explained(screen, last, held[0])
    return ReadOut(headline, why, trapped, tuple(held), right_code(screen))


def _compare(
    screen: LayersScreen, label: tuple[str, str], found: Array, states: Array, rows: tuple[int, ...]
) -> Comparison:
    size, tolerance = screen.config.output_size, TOLERANCE[screen.dtype]
    difference = np.abs(found - np.concatenate([states[row] for row in rows], axis=-1))  # (N, features)
    halves = []
    for k, row in enumerate(rows):
        part = difference[:, k * size : (k + 1) * size]
        largest = float(part.max())
        name = DIRECTION_NAMES[row % screen.config.directions]
        halves.append(Half(name, f"h_n[{row}]", k * size, (k + 1) * size, largest, largest <= tolerance))
    return Comparison(*label, difference, tuple(halves), tolerance)


def _explained(screen: LayersScreen, last: str, first: Comparison) -> tuple[str, str]:
    """The one sentence to see first, and why it is so. Markdown."""
    two, short = screen.config.bidirectional, min(screen.lengths or (screen.length,)) < screen.length
    if two and not all(half.equal for half in first.halves):
        headline = f"`{last}` is **not** the final state: its backward half has read only one step."
        full = index_code(screen, "0", half_code(screen, 1))
        if short:
            return _padded_both_ways(screen, last, full)
        why = "The backward reader starts at the last step, so there it has seen a single input. "
        return headline, f"{why}It has read everything at step 0: `{full}`."
    if two and screen.length > 1:
        return (
            f"No difference here: `{last}` happens to equal the final states in every number.",
            "With relu, a unit can be 0 at every step. Another seed, or tanh, shows the trap.",
        )
    if two:
        return (
            f"No trap here: with L = {screen.length}, step 0 is the last one: both halves end in `{last}`.",
            "Give the sequence a second step and the backward half is lost.",
        )
    if short:
        return (
            f"`{last}` is **zeros** for every sequence shorter than L = {screen.length}.",
            f"A packed run stops at each sequence's own end; its last real step is `{end_code(screen)}`.",
        )
    row = screen.config.num_layers - 1
    why = f"One direction reads from left to right, so it ends at the last step: `{last} == h_n[{row}]`."
    if screen.config.num_layers > 1:
        why += " Only the top layer is given out: the rows below it are nowhere in `output`."
    else:
        why += " Switch on *bidirectional* and half of it breaks."
    return "No trap here: with one direction the last output **is** the final state.", why


def _padded_both_ways(screen: LayersScreen, last: str, full: str) -> tuple[str, str]:
    """Two directions, packed, and a sequence that ends before L: zeros there in both halves."""
    some = max(screen.lengths or ()) == screen.length
    headline = (
        f"`{last}` is **not** the final state: zeros for every sequence shorter than L = {screen.length}"
    )
    why = "Where a sequence has ended, the packed `output` is 0 in both halves. "
    if some:
        headline += ", and a wrong backward half for the others"
        why += "In one of full length the backward reader starts there and has seen a single input. "
    forward = end_code(screen, half_code(screen, 0))
    why += f"The forward reader has read everything at each last real step, `{forward}`, "
    return f"{headline}.", f"{why}the backward reader at step 0, `{full}`."


def right_code(screen: LayersScreen) -> str:
    """Lines of PyTorch that read the final state of the top layer, from h_n and from output."""
    rows = screen.config.num_layers * screen.config.directions
    lines = [f"n = torch.arange({screen.batch})"] if screen.lengths is not None else []
    if not screen.config.bidirectional:
        return "\n".join([*lines, f"final = h_n[-1]  # equals {end_code(screen)}"])
    forward, backward = end_code(screen, half_code(screen, 0)), index_code(screen, "0", half_code(screen, 1))
    return "\n".join(
        [
            *lines,
            f"final = torch.cat([h_n[-2], h_n[-1]], -1)  # rows {rows - 2} and {rows - 1}, the same as",
            f"final = torch.cat([{forward}, {backward}], -1)",
        ]
    )


# ---- trap 2: padding without packing -----------------------------------------------------------------------


def padded_screen(screen: LayersScreen) -> tuple[LayersScreen, str | None]:
    """A screen with lengths, so that there is padding to see, and a sentence if it is not the one given."""
    if screen.lengths is not None:
        return screen, None
    many = (
        screen if screen.batched and screen.batch > 1 else replace(screen, batched=True, batch=PADDED_BATCH)
    )
    lengths, _ = parse_lengths("", screen.length, many.batch)
    shown = ", ".join(map(str, lengths[:8])) + (" …" if len(lengths) > 8 else "")
    note = f"This screen has no true lengths, so lengths {shown} are used here"
    if many is not screen:
        note += f", on a batch of {many.batch}: a single sequence needs no padding"
    return replace(many, lengths=lengths), f"{note}."


@dataclass(frozen=True, eq=False)
class Lane:
    """One direction of the top layer for one sequence: h as (L, H_out) padded and packed (NaN after the end).

    ``took``: the step whose h each run reports as final.
    """

    name: str
    padded: Array
    packed: Array
    took: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Drift:
    """What padding does to the final state, by sequence and, step by step, in the chosen one's ``lanes``.

    ``drifts``: (N,), max |h_n padded - h_n packed| over all rows (``layers`` * directions) and units.
    """

    lengths: tuple[int, ...]
    length: int
    layers: int
    sequence: int
    drifts: Array
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class TwoRuns:
    """One padded batch, packed and not: output and h_n of each as PyTorch returns them."""

    output: Array
    h_n: Array
    unpacked_output: Array
    unpacked_h_n: Array


def drift(screen: LayersScreen, runs: TwoRuns, sequence: int) -> Drift:
    """How far h_n drifts over the padding. ValueError for a screen without lengths."""
    if screen.lengths is None:
        raise ValueError("lengths=None is not allowed: without true lengths there is no padding")
    directions, size = screen.config.directions, screen.config.output_size
    gap = np.abs(rows_major(screen, runs.unpacked_h_n) - rows_major(screen, runs.h_n)).max(axis=(0, 2))
    end = screen.lengths[sequence]
    padded = step_major(screen, runs.unpacked_output)[:, sequence]  # (L, D * H_out)
    packed = step_major(screen, runs.output)[:, sequence].copy()
    packed[end:] = np.nan
    lanes = tuple(
        Lane(
            DIRECTION_NAMES[d],
            padded[:, d * size : (d + 1) * size],
            packed[:, d * size : (d + 1) * size],
            (0, 0) if d else (screen.length - 1, end - 1),
        )
        for d in range(directions)
    )
    drifts = np.where(gap < ROUNDING, 0, gap)
    return Drift(screen.lengths, screen.length, screen.config.num_layers, sequence, drifts, lanes)
