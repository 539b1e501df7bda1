"""What a run says about itself and what is said to it: plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.training.live.curves import Curves
from rnnviz.training.live.engine import Arrays
from rnnviz.training.live.history import History

if TYPE_CHECKING:
    from rnnviz.training.slices import Order, Stop


@dataclass(frozen=True)
class Job:
    """A slice to be worked on. Its result is dropped when the run is of another generation by then."""

    generation: int
    state: bytes
    epoch: int
    order: Order


@dataclass(frozen=True)
class Look:
    """All that a page needs to know of a run, taken at one instant.

    `busy`: a slice or a click is still to be done. `stopped`: "" or the sentence why the run paused by
    itself, `fault` when it cannot go on as it is. `kept`: the epochs that can be rewound to at once. `note`:
    "" or what to know about the history. `snapshot`: the arrays that came with the last slice, if any.
    """

    id: str
    label: str
    version: int
    epoch: int
    step: int
    playing: bool
    busy: bool
    speed: float
    until: Stop | None
    stopped: str
    fault: bool
    kept: tuple[int, ...]
    note: str
    snapshot: Arrays
    curves: Curves


@dataclass(frozen=True)
class Origin:
    """What a run starts from: the bytes, and for a branch what is known of the time before."""

    state: bytes
    epoch: int
    step: int = 0
    history: History | None = None
    curves: Curves | None = None
    parent: str = ""  # id of the run that it was branched from
