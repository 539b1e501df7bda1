"""What the engine asks of a task, and which task belongs to a configuration.

The engine knows tasks only through this protocol, so that one more model (an encoder and decoder, a
classifier of whole sentences) is one more class that registers itself. A task has no state: what it says
depends on its arguments and on the global random generator alone, which the engine sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from rnnviz.gates import BLOCKS, Kind

Arrays = dict[str, NDArray[Any]]


Rows = tuple[tuple[str, tuple[int, ...]], ...]
"""(name of a parameter, its rows) for each parameter."""


@dataclass(frozen=True)
class Batch:
    """What one optimiser step reads. ``inputs``: the model's arguments; ``targets``: what is right, as class
    numbers, and ``answers`` the same as numpy; ``count``: how many of these count (padding does not).
    """

    inputs: tuple[Any, ...]
    targets: Tensor
    answers: NDArray[Any]
    count: int


@dataclass(frozen=True)
class Done:
    """One batch, computed. ``loss``: a scalar with its gradient; ``scores``: targets' shape, then classes."""

    loss: Tensor
    scores: Tensor


class Data(Protocol):
    """A task's data, ready for the model, on one device."""

    def batches(self) -> Sequence[Batch]:
        """The epoch's batches in the order of the data."""
        ...

    def batch(self, items: Sequence[int]) -> Batch:
        """One batch of these items, for a shuffled epoch."""
        ...


class Task(Protocol):
    """One kind of model with its data and its loss. Registered under its configuration's type."""

    config_type: type[Any]

    def model(self, config: Any) -> nn.Module:
        """The model on the CPU, its weights drawn from the running stream as in the exported script."""
        ...

    def data(self, config: Any, device: str) -> Data:
        """The data; cached, because every slice of a run asks again."""
        ...

    def items(self, config: Any) -> int:
        """How many sentences (or pairs) an epoch has."""
        ...

    def batch_size(self, config: Any) -> int:
        """Items a step."""
        ...

    def shuffled(self, config: Any) -> bool:
        """Whether the items' order is drawn anew each epoch: with torch.randperm, before the first batch."""
        ...

    def loss(self, model: nn.Module, batch: Batch, config: Any, epoch: int) -> Done:
        """Forward and loss of one batch in the epoch under way (for schedules). May draw random numbers."""
        ...

    def held(self, config: Any, layer: int, direction: int, unit: int) -> Rows:
        """What has to be zero for a unit to be silent. Raises ValueError if there is no such unit."""
        ...

    def holds_out(self, config: Any) -> bool:
        """Whether there are held-out data."""
        ...

    def evaluate(self, model: nn.Module, config: Any, *, held_out: bool) -> tuple[float, float]:
        """(loss, accuracy) with dropout off, over the training data or, if there are any, those held out."""
        ...

    def log(self, config: Any, batch: Batch, done: Done) -> Arrays:
        """What else an epoch's row shows, taken from its last batch, such as the predicted string."""
        ...

    def watch(self, model: nn.Module, config: Any) -> Mapping[str, float]:
        """What else an epoch's row shows of the model in evaluation mode; always the same names."""
        ...

    def snapshot(self, model: nn.Module, config: Any, view: Mapping[str, Any]) -> Arrays:
        """The arrays of the pictures, of a model in evaluation mode. Raises ValueError for a bad view."""
        ...


_TASKS: dict[str, Task] = {}


def steps_an_epoch(task: Task, config: Any) -> int:
    """How many optimiser steps make an epoch."""
    return -(-task.items(config) // task.batch_size(config))


def register(name: str, task: Task) -> None:
    """Make a task known. ``name`` is its configuration's ``task`` and stands in the bytes of its runs."""
    _TASKS[name] = task


def named(name: str) -> Task:
    """The task of a name. Raises ValueError that lists what there is."""
    import rnnviz.models  # noqa: F401  (registers the built-in tasks; they import this module)

    if name not in _TASKS:
        raise ValueError(f"task={name[:80]!r} is not allowed: one of {', '.join(sorted(_TASKS))}")
    return _TASKS[name]


def unit_rows(prefix: str, suffix: str, kind: Kind, hidden: int, unit: int) -> Rows:
    """A unit's row in each gate's block of the four parameters of one layer in one direction."""
    rows = tuple(block * hidden + unit for block in range(len(BLOCKS[kind])))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return tuple((f"{prefix}.{name}{suffix}", rows) for name in names)


class _Unfilled(TorchFunctionMode):
    """Weights stay as they are made, drawn by nobody.

    On the meta device there is nothing to fill, but nn.Embedding's normal_ loads 800 modules of torch to find
    that out: two seconds of a worker's start.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in ("normal_", "uniform_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def skeleton(task: Task, config: Any) -> nn.Module:
    """The model with names and shapes but no weights; no memory is taken and no number drawn."""
    with torch.device("meta"), _Unfilled():
        return task.model(config)


def as_numpy(values: Tensor) -> NDArray[Any]:
    """A tensor's values, on the CPU; the same memory where it can be."""
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array


def read_only(values: Any) -> NDArray[Any]:
    """A numpy array of its own that cannot be written."""
    array = np.array(as_numpy(values) if isinstance(values, Tensor) else values)
    array.flags.writeable = False
    return array
