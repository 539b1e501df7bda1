"""Every operation of a function as it runs: which part of which line, and what comes out.

`torch.overrides.TorchFunctionMode` sees each call of PyTorch, and the running frame knows which expression of
the source it stands at (PEP 657). So the hand-written code needs no word for being watched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, FunctionType
from typing import Any, overload

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from rnnviz.by_hand.source import Function, text
from rnnviz.recovery import Array

MOST_NUMBERS = 300_000
"""How many numbers of a run are kept: 1.2 MB."""

# What a module does inside: its one fused call is the operation, the rest is checks and zeros.
_FUSED = {"rnn_tanh", "lstm", "gru", "rnn_tanh_cell", "lstm_cell", "gru_cell", "linear"}
_LOOPS = ("t", "n", "k")

# The instruction, the shapes, the values, and the loops' variables (-1: none) of an operation.
Noted = tuple[int, tuple[tuple[int, ...], ...], Array, tuple[int, ...]]


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


class Operations(Sequence[Operation]):
    """Operations in order, each made when it is asked for: a page shows one of hundreds."""

    def __init__(self, function: FunctionType, noted: tuple[Noted, ...]) -> None:
        # Tuples of numbers and arrays of their own: nothing that the collection of garbage, which follows
        # every rerun, would have to walk over. As tensors in records they took 25 ms of it.
        self._function, self._noted = function, noted

    def __len__(self) -> int:
        return len(self._noted)

    @overload
    def __getitem__(self, at: int) -> Operation: ...

    @overload
    def __getitem__(self, at: slice) -> Operations: ...

    def __getitem__(self, at: int | slice) -> Operation | Operations:
        if isinstance(at, slice):
            return Operations(self._function, self._noted[at])
        instruction, shapes, values, held = self._noted[at]
        where = {name: number for name, number in zip(_LOOPS, held, strict=False) if number >= 0}
        return Operation(*_place(self._function, instruction), shapes, values, where)

    @property
    def nbytes(self) -> int:
        """Of all values, and of what is kept beside them."""
        return sum(300 + values.nbytes for _, _, values, _ in self._noted)


@dataclass(frozen=True, eq=False)
class Record:
    """The operations that were kept, in order, and how many there were."""

    operations: Operations
    total: int


def record(function: Function, arguments: Iterable[Any], most: int) -> Record:
    """Run a function and hand back its operations, at most ``most`` of them."""
    assert isinstance(function, FunctionType)
    watch = _Watch(function.__code__, most)
    with torch.no_grad(), watch:
        function(*arguments)
    return Record(Operations(function, tuple(watch.seen)), watch.total)


class _Watch(TorchFunctionMode):
    def __init__(self, code: CodeType, most: int) -> None:
        super().__init__()
        self.code, self.loops = code, not {*_LOOPS}.isdisjoint(code.co_varnames)
        self.most, self.total, self.numbers = most, 0, 0
        self.seen: list[Noted] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **kwargs) if kwargs else func(*args)
        name = getattr(func, "__name__", "")
        if name == "__get__":  # such as W.T: what it gives is used in the operation that it is a part of
            return result
        frame: FrameType | None = sys._getframe(1)
        if name in _FUSED:  # inside of a module that the function calls
            while frame is not None and frame.f_code is not self.code:
                frame = frame.f_back
        elif frame is not None and frame.f_code is not self.code:
            return result
        if frame is not None:
            if isinstance(result, Tensor):
                self._keep(frame, (result,))
            elif isinstance(result, tuple) and result and all(isinstance(r, Tensor) for r in result):
                self._keep(frame, result)
        return result

    def _keep(self, frame: FrameType, tensors: tuple[Tensor, ...]) -> None:
        self.total += 1
        if len(self.seen) == self.most or self.numbers > MOST_NUMBERS:
            return
        held: tuple[int, ...] = ()
        if self.loops:
            variables = frame.f_locals
            found = [variables.get(name) for name in _LOOPS]
            held = tuple([number if isinstance(number, int) else -1 for number in found])
        values = tensors[0].numpy().copy()
        values.flags.writeable = False
        self.numbers += values.size
        self.seen.append((frame.f_lasti, tuple([tuple(part.shape) for part in tensors]), values, held))


@lru_cache(maxsize=2048)  # a few hundred instructions in all; every run comes by each of them again
def _place(function: FunctionType, at: int) -> tuple[int, int, int, str, str]:
    """Line, first and last column, code and name of what stands at an instruction."""
    first, last, start, stop = next(islice(function.__code__.co_positions(), at // 2, None))
    assert first is not None and last is not None and start is not None and stop is not None
    line = first - function.__code__.co_firstlineno
    whole = text(function).splitlines()[line]
    stop = stop if last == first else len(whole)
    return line, start, stop, whole[start:stop], _named(whole, start, stop)


def _named(line: str, start: int, stop: int) -> str:
    """What the line calls the value of this part of it, if the part is the whole right side."""
    found = re.match(r"\s*([\w\[\], ()]+?(?: = [\w\[\]]+)*) = ", line)
    rest = line[stop:].split("#")[0].strip()
    return found[1] if found and found.end() == start and not rest else ""
