"""Every operation of a function as it runs: which part of which line, and what comes out.

`torch.overrides.TorchFunctionMode` sees each call of PyTorch, and the running frame knows which expression of
the source it stands at (PEP 657). So the hand-written code needs no word for being watched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from rnnviz.by_hand.source import Function, text
from rnnviz.recovery import Array, read_only

MOST_NUMBERS = 300_000
"""How many numbers of a run are kept: 1.2 MB."""

# What a module does inside: its one fused call is the operation, the rest is checks and zeros.
_FUSED = {"rnn_tanh", "lstm", "gru", "rnn_tanh_cell", "lstm_cell", "gru_cell", "linear"}


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: ``code`` stands in ``line`` (from 0) of the source from column ``start`` to ``stop``.

    ``name``: what the line calls the result, "" if it is an unnamed part of it. ``shapes`` of all results,
    ``values`` of the first. ``where``: the loop's variables at that moment, such as {"t": 2}.
    """

    line: int
    start: int
    stop: int
    code: str
    name: str
    shapes: tuple[tuple[int, ...], ...]
    values: Array
    where: dict[str, int]


@dataclass(frozen=True, eq=False)
class Record:
    """The operations that were kept, in order, and how many there were."""

    operations: tuple[Operation, ...]
    total: int


def record(function: Function, arguments: Iterable[Any], most: int) -> Record:
    """Run a function and hand back its operations, at most ``most`` of them."""
    watch = _Watch(function, most)
    with torch.no_grad(), watch:
        function(*arguments)
    return Record(tuple(watch.seen), watch.total)


class _Watch(TorchFunctionMode):
    def __init__(self, function: Function, most: int) -> None:
        super().__init__()
        assert isinstance(function, FunctionType)
        self.function = function
        self.code: CodeType = function.__code__
        self.most, self.total, self.numbers = most, 0, 0
        self.seen: list[Operation] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        frame, deep = _frame(self.code)
        if frame is not None and name != "__get__" and (not deep or name in _FUSED):
            tensors = (
                [result] if isinstance(result, Tensor) else list(result) if isinstance(result, tuple) else []
            )
            if tensors and all(isinstance(part, Tensor) for part in tensors):
                self._keep(frame, tensors)
        return result

    def _keep(self, frame: FrameType, tensors: list[Tensor]) -> None:
        self.total += 1
        if len(self.seen) == self.most or self.numbers > MOST_NUMBERS:
            return
        self.numbers += tensors[0].numel()
        held = frame.f_locals
        self.seen.append(
            Operation(
                *_place(self.function, frame.f_lasti),
                tuple(tuple(part.shape) for part in tensors),
                read_only(tensors[0].clone()),
                {k: held[k] for k in ("t", "n", "k") if isinstance(held.get(k), int)},
            )
        )


@lru_cache(maxsize=2048)  # a few hundred instructions in all; every run comes by each of them again
def _place(function: FunctionType, at: int) -> tuple[int, int, int, str, str]:
    """Line, first and last column, code and name of what stands at an instruction."""
    first, last, start, stop = next(islice(function.__code__.co_positions(), at // 2, None))
    assert first is not None and last is not None and start is not None and stop is not None
    line = first - function.__code__.co_firstlineno
    whole = text(function).splitlines()[line]
    stop = stop if last == first else len(whole)
    return line, start, stop, whole[start:stop], _named(whole, start, stop)


def _frame(code: CodeType) -> tuple[FrameType | None, bool]:
    """The frame that runs this code, and whether something runs inside of it."""
    frame: FrameType | None = sys._getframe(2)
    deep = False
    while frame is not None and frame.f_code is not code:
        frame, deep = frame.f_back, True
    return frame, deep


def _named(line: str, start: int, stop: int) -> str:
    """What the line calls the value of this part of it, if the part is the whole right side."""
    found = re.match(r"\s*([\w\[\], ()]+?(?: = [\w\[\]]+)*) = ", line)
    rest = line[stop:].split("#")[0].strip()
    return found[1] if found and found.end() == start and not rest else ""
