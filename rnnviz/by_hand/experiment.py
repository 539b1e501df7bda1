"""An experiment, really run: by hand and by PyTorch, forward and backward, timed, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.by_hand import both_ways, cells, linear, matmul, memory, stacks
from rnnviz.by_hand.faults import Fault, fault_of
from rnnviz.by_hand.recorder import Record, record
from rnnviz.by_hand.source import Function, changed, text
from rnnviz.layers import make, stream
from rnnviz.recovery import Array, read_only
from rnnviz.runs import DTYPES
from rnnviz.screens.by_hand import MAX_OPERATIONS, WAYS, ByHandScreen

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}
"""Up to which |difference|, relative to the largest number if that is above 1, two results count as equal."""

BUDGET, LEAST, MOST = 0.02, 3, 7
"""Seconds and repeats of a measurement of time."""

KEPT_SIZE = 128
"""Layers times columns of a weight up to which a set-up is kept: 1 MB at most."""


@dataclass(frozen=True)
class Recipe:
    """The functions of one experiment, and what its results are called.

    ``hand(x, share(*modules))`` and ``call(x, *modules)`` both give the tensors named ``results``.
    """

    hand: Function
    share: Callable[..., Any]
    call: Function
    results: tuple[str, ...]


def recipe(screen: ByHandScreen) -> Recipe:
    """The functions of the screen's experiment, without its fault."""
    states = ("output", "h_n", "c_n") if screen.kind == "LSTM" else ("output", "h_n")
    hand: Function
    call: Function
    if screen.experiment == "Linear layer":
        hand = linear.sample_by_sample if screen.way == WAYS[0] else linear.step_by_step
        return Recipe(hand, linear.weights_of, linear.call, ("output",))
    if screen.experiment == "No memory":
        return Recipe(memory.no_memory, memory.weights_of, memory.one_product, ("output",))
    if screen.experiment == "Memory without activation":
        return Recipe(memory.split, memory.weights_of, memory.joined, states)
    if screen.experiment == "From matmul":
        hand = {"RNN": matmul.rnn, "LSTM": matmul.lstm, "GRU": matmul.gru}[screen.kind]
        call = matmul.call_lstm if screen.kind == "LSTM" else matmul.call
        return Recipe(hand, matmul.weights_of, call, (*states, "y"))
    lstm = screen.kind == "LSTM"
    call = cells.call_lstm if lstm else cells.call
    share = stacks.parts_of if screen.experiment in ("Layers stacked", "Both directions") else cells.cells_of
    return Recipe(_LOOPS[screen.experiment][lstm], share, call, states)


_LOOPS: dict[str, tuple[Function, Function]] = {
    "Loop over a cell": (cells.loop, cells.loop_lstm),
    "Layers stacked": (stacks.stack, stacks.stack_lstm),
    "Both directions": (both_ways.both_ways, both_ways.both_ways_lstm),
    "Stack of cells": (cells.stack, cells.stack_lstm),
}


def broken_recipe(screen: ByHandScreen) -> Recipe:
    """The same with the screen's fault in its source."""
    right, fault = recipe(screen), fault_of(screen)
    if fault is None or fault.side == "layer":
        return right
    if fault.side == "hand":
        return Recipe(changed(right.hand, fault.swaps), right.share, right.call, right.results)
    return Recipe(right.hand, right.share, changed(right.call, fault.swaps), right.results)


@dataclass(frozen=True)
class Setup:
    """What is drawn from the seed: ``modules`` (tensors for B2 and B3), x, the names of all parameters, and
    ``shared``.
    """

    modules: tuple[Any, ...]
    x: Tensor
    names: tuple[str, ...]
    shared: Any


def setup(screen: ByHandScreen) -> Setup:
    """Modules, then x, from one stream of ``torch.manual_seed(seed)``; the copies of the weights last.

    Nobody writes into them: small ones are kept, since each rerun needs them three times.
    """
    return (
        _kept(screen) if screen.layers * (screen.input_size + screen.hidden) <= KEPT_SIZE else _made(screen)
    )


@lru_cache(maxsize=12)
def _kept(screen: ByHandScreen) -> Setup:
    return _made(screen)


def _made(screen: ByHandScreen) -> Setup:
    dtype = DTYPES[screen.dtype]
    with stream(screen.seed):
        modules: tuple[Any, ...]
        if screen.experiment == "Linear layer":
            modules = (nn.Linear(screen.input_size, screen.hidden, bias=screen.bias, dtype=dtype),)
        elif not screen.recurrent:
            sizes = (screen.input_size, screen.hidden)[: 1 if screen.experiment == "No memory" else 2]
            modules = tuple(
                (torch.randn(rows, screen.hidden, dtype=dtype) / rows**0.5).requires_grad_() for rows in sizes
            )
        else:
            modules = (make(screen.config, dtype),)
            if screen.experiment == "From matmul":
                modules += (nn.Linear(screen.hidden, screen.out, dtype=dtype),)
        x = torch.randn(*input_shape(screen), dtype=dtype)
        shared = recipe(screen).share(*modules)
    return Setup(modules, x, _names(screen, modules), shared)


def input_shape(screen: ByHandScreen) -> tuple[int, int, int]:
    """(L, N, H_in) for the loop over a cell, else (N, L, H_in)."""
    axes = (screen.batch, screen.length)
    first, second = axes[::-1] if screen.experiment == "Loop over a cell" else axes
    return first, second, screen.input_size


def _names(screen: ByHandScreen, modules: tuple[Any, ...]) -> tuple[str, ...]:
    if isinstance(modules[0], Tensor):
        return ("W_1", "W_2")[: len(modules)]
    names = [name for name, _ in modules[0].named_parameters()]
    return (*names, *(f"project.{name}" for m in modules[1:] for name, _ in m.named_parameters()))


@dataclass(frozen=True, eq=False)
class Compared:
    """One tensor from both sides, read-only. ``largest``: max |difference|, None where the shapes differ."""

    name: str
    hand: Array
    torch: Array
    largest: float | None
    equal: bool


@dataclass(frozen=True)
class Gradient:
    """One parameter's gradient on both sides: its largest |number| on each, and max |difference|."""

    name: str
    shape: tuple[int, ...]
    hand: float
    torch: float
    largest: float
    equal: bool


@dataclass(frozen=True, eq=False)
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


@lru_cache(maxsize=12)
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
    a, b = read_only(hand.detach()), read_only(its.detach())
    if a.shape != b.shape:
        return Compared(name, a, b, None, False)
    largest = _largest(a - b)
    return Compared(name, a, b, largest, largest <= TOLERANCE[dtype] * max(1.0, _largest(b)))


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


@dataclass(frozen=True)
class Times:
    """The median seconds of one forward run of each side, and how often each was run."""

    hand: float
    torch: float
    repeats: int


@lru_cache(maxsize=64)
def times(screen: ByHandScreen) -> Times:
    """Both sides in turns, warm, without gradients, until the budget is spent."""
    made, parts = setup(screen), broken_recipe(screen)
    sides: list[Callable[[], object]] = [
        lambda: parts.hand(made.x, made.shared),
        lambda: parts.call(made.x, *made.modules),
    ]
    spent: list[list[float]] = [[], []]
    with torch.no_grad():
        for side in sides:
            side()
        begun = perf_counter()
        while len(spent[0]) < LEAST or (len(spent[0]) < MOST and perf_counter() - begun < BUDGET):
            for side, seconds in zip(sides, spent, strict=True):
                start = perf_counter()
                side()
                seconds.append(perf_counter() - start)
    return Times(median(spent[0]), median(spent[1]), len(spent[0]))


@lru_cache(maxsize=8)
def operations(screen: ByHandScreen) -> Record:
    """Every operation of the hand-written side, as it is on the screen."""
    made, parts = setup(screen), broken_recipe(screen)
    return record(parts.hand, (made.x, made.shared), MAX_OPERATIONS)


def sources(screen: ByHandScreen) -> Mapping[str, tuple[str, str]]:
    """The (running, right) source of "hand", of "call", and of "share", where the weights come from."""
    right, now = recipe(screen), broken_recipe(screen)
    return {
        "hand": (text(now.hand), text(right.hand)),
        "call": (text(now.call), text(right.call)),
        "share": (text(now.share), text(right.share)),
    }
