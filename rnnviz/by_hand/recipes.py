"""The functions of each experiment, what they are given, and their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from rnnviz.by_hand import both_ways, cells, joining, linear, matmul, memory, stacks
from rnnviz.by_hand.faults import fault_of
from rnnviz.by_hand.source import Function, changed, text
from rnnviz.layers import make, stream
from rnnviz.runs import DTYPES
from rnnviz.screens.by_hand import WAYS, ByHandScreen

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
    if screen.experiment == "Join final states":
        hand = joining.joined_lstm if lstm else joining.joined
        call = joining.call_lstm if lstm else joining.call
        return Recipe(hand, stacks.parts_of, call, (*states, "joined"))
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


def sources(screen: ByHandScreen) -> Mapping[str, tuple[str, str]]:
    """The (running, right) source of "hand", of "call", and of "share", where the weights come from."""
    right, now = recipe(screen), broken_recipe(screen)
    return {
        "hand": (text(now.hand), text(right.hand)),
        "call": (text(now.call), text(right.call)),
        "share": (text(now.share), text(right.share)),
    }
