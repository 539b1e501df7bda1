"""An experiment, really run: by hand and by PyTorch, forward and backward, timed, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.by_hand.faults import Fault, fault_of
from rnnviz.by_hand.recipes import broken_recipe, setup
from rnnviz.by_hand.recorder import Record, record
from rnnviz.by_hand.source import Function
from rnnviz.kept import Shelf, kept
from rnnviz.recovery import Array
from rnnviz.screens.by_hand import MAX_OPERATIONS, ByHandScreen

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}
"""Up to which |difference|, relative to the largest number if that is above 1, two results count as equal."""

REPEATS, ENOUGH = 3, 2e-3
"""How often a time is measured at most: the median of so many leaves one that was held up aside. After so
many seconds in all it was measured long enough.
"""
KEPT_BYTES = 4_000_000
"""Of results, and as much of operations: some 500 screens as small as B5. Each is walked over by the
collection of garbage that follows every rerun of everybody.
"""


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """One tensor from both sides, read-only. ``largest``: max |difference|, None where the shapes differ."""

    name: str
    hand: Array
    torch: Array
    largest: float | None
    equal: bool


@dataclass(frozen=True, slots=True)
class Gradient:
    """One parameter's gradient on both sides: its largest |number| on each, and max |difference|."""

    name: str
    shape: tuple[int, ...]
    hand: float
    torch: float
    largest: float
    equal: bool


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What both sides came to. ``missing``: parameters that never got a gradient by hand, which counts as 0.

    ``fault``: what was broken, if anything. ``harmless``: why it changes nothing here, "" if it does.
    """

    results: tuple[Compared, ...]
    gradients: tuple[Gradient, ...]
    missing: frozenset[str]
    fault: Fault | None
    harmless: str

    @property
    def equal(self) -> bool:
        """Whether all results are equal, up to rounding."""
        return all(one.equal for one in self.results)


def _size(found: Outcome) -> int:
    return 6000 + sum(one.hand.nbytes + one.torch.nbytes for one in found.results)


@kept(KEPT_BYTES, _size)
def outcome(screen: ByHandScreen) -> Outcome:
    """Run both sides, compare their results, and the gradients of `squared_error` summed over them."""
    results, arrays, missing = _both(screen)
    gradients = tuple(  # those of B8 are 30 MB: only what is shown of them is kept
        Gradient(g.name, g.torch.shape, _largest(g.hand), _largest(g.torch), g.largest or 0.0, g.equal)
        for g in arrays
    )
    fault = fault_of(screen)
    harmless = ""
    if fault is not None and all(one.equal for one in results):
        harmless = fault.harmless(screen) or "with these numbers both come out the same"
    return Outcome(results, gradients, missing, fault, harmless)


def gradients(screen: ByHandScreen) -> tuple[Compared, ...]:
    """Every parameter's gradient on both sides, computed anew."""
    return _both(screen)[1]


def _both(screen: ByHandScreen) -> tuple[tuple[Compared, ...], tuple[Compared, ...], frozenset[str]]:
    made, parts = setup(screen), broken_recipe(screen)
    with torch.enable_grad():
        hand, mine, lost = _run(parts.hand, made.x, (made.shared,))
        torch_, theirs, _ = _run(parts.call, made.x, made.modules)

    def pairs(names: tuple[str, ...], a: Iterable[Tensor], b: Iterable[Tensor]) -> tuple[Compared, ...]:
        return tuple(compared(*each, screen.dtype) for each in zip(names, a, b, strict=True))

    missing = frozenset(name for name, gone in zip(made.names, lost, strict=True) if gone)
    return pairs(parts.results, hand, torch_), pairs(made.names, mine, theirs), missing


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values)))


def compared(name: str, hand: Tensor, its: Tensor, dtype: str) -> Compared:
    """One tensor of both sides."""
    a, b = _own(hand), _own(its)
    if a.shape != b.shape:
        return Compared(name, a, b, None, False)
    largest = _largest(a - b)
    return Compared(name, a, b, largest, largest <= TOLERANCE[dtype] * max(1.0, _largest(b)))


def _own(values: Tensor) -> Array:
    # A copy: numpy's view of a tensor holds the tensor, and 14,000 kept tensors, as a class-room leaves
    # them, made the collection of garbage after every rerun take 50 ms.
    array: Array = values.detach().numpy().copy()
    array.flags.writeable = False
    return array


def squared_error(result: Tensor) -> Tensor:
    """Against a ramp from -1 to 1: a target that differs from place to place, so that order counts."""
    ramp = torch.linspace(-1, 1, result.numel(), dtype=result.dtype)
    return (result - ramp.view_as(result)).square().sum()


def leaves(shared: Any) -> list[Tensor]:
    """The parameters in what the hand-written side computes with, in PyTorch's order."""
    found = [p for part in shared for p in (part.parameters() if isinstance(part, nn.Module) else [part])]
    return [p for p in found if p.requires_grad]


def _run(
    function: Function, x: Tensor, arguments: tuple[Any, ...]
) -> tuple[tuple[Tensor, ...], list[Tensor], list[bool]]:
    """The results, the gradient of each parameter, and which of them never got one."""
    results = function(x, *arguments)
    parameters = leaves(arguments[0] if isinstance(arguments[0], list) else arguments)
    loss = torch.stack([squared_error(r) for r in results]).sum()
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    lost = [g is None for g in found]
    return (
        results,
        [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)],
        lost,
    )


@dataclass(frozen=True, slots=True)
class Times:
    """The median seconds of one forward run of each side, and how often each was run."""

    hand: float
    torch: float
    repeats: int


def times(screen: ByHandScreen) -> Times:
    """How long a screen's two sides take. Measured once for all seeds: other numbers take no other time."""
    return _TIMES.get(replace(screen, seed=0), lambda: _times(screen))


_TIMES: Shelf[ByHandScreen, Times] = Shelf(512, lambda found: 1)


def _times(screen: ByHandScreen) -> Times:
    """Both sides in turns, warm, without gradients."""
    outcome(screen)  # it has run both, or somebody has: the first run of all would count for what it loads
    made, parts = setup(screen), broken_recipe(screen)
    sides: list[Callable[[], object]] = [
        lambda: parts.hand(made.x, made.shared),
        lambda: parts.call(made.x, *made.modules),
    ]
    spent: list[list[float]] = [[], []]
    with torch.no_grad():
        while not spent[0] or (len(spent[0]) < REPEATS and sum(map(sum, spent)) < ENOUGH):
            for side, seconds in zip(sides, spent, strict=True):
                start = perf_counter()
                side()
                seconds.append(perf_counter() - start)
    return Times(median(spent[0]), median(spent[1]), len(spent[0]))


def _bytes(found: Record) -> int:
    return found.operations.nbytes


@kept(KEPT_BYTES, _bytes)
def operations(screen: ByHandScreen) -> Record:
    """Every operation of the hand-written side, as it is on the screen."""
    made, parts = setup(screen), broken_recipe(screen)
    return record(parts.hand, (made.x, made.shared), MAX_OPERATIONS)
