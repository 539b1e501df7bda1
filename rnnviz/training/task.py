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
from numpy.typing import NDArray
from torch import Tensor, nn

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Batch:
    """What one optimiser step reads. ``inputs``: the model's arguments; ``targets``: what is right."""

    inputs: tuple[Any, ...]
    targets: Tensor


@dataclass(frozen=True)
class Done:
    """One batch, computed. ``loss``: a scalar with its gradient. ``right`` of ``total`` predictions are true,
    a count or a tensor of one number. ``seen``: arrays of this batch for the log.
    """

    loss: Tensor
    right: Tensor
    total: int
    scores: Tensor


class Data(Protocol):
    """A task's data, ready for the model, on one device."""

    @property
    def items(self) -> int:
        """How many sentences (or pairs) an epoch has."""
        ...

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

    def batch_size(self, config: Any) -> tuple[int, bool]:
        """Items a step, and whether their order is drawn anew each epoch."""
        ...

    def loss(self, model: nn.Module, batch: Batch, epoch: int) -> Done:
        """Forward and loss of one batch in the epoch under way (for schedules). May draw random numbers."""
        ...

    def recurrent(self, config: Any) -> Sequence[str]:
        """The names of the model's recurrent modules whose units can be silenced."""
        ...

    def evaluate(self, model: nn.Module, config: Any, *, held_out: bool) -> tuple[float, float]:
        """(loss, accuracy) with dropout off, over the training or the held-out data; NaN without data."""
        ...

    def log(self, config: Any, batch: Batch, done: Done) -> Mapping[str, NDArray[Any]]:
        """What else an epoch's row shows, taken from its last batch, such as the predicted string."""
        ...

    def snapshot(self, model: nn.Module, config: Any, view: Mapping[str, Any]) -> Arrays:
        """The arrays of the pictures, of a model in evaluation mode. Raises ValueError for a bad view."""
        ...


_TASKS: dict[str, Task] = {}


def register(name: str, task: Task) -> None:
    """Make a task known. ``name`` is its configuration's ``task`` and stands in the bytes of its runs."""
    _TASKS[name] = task


def named(name: str) -> Task:
    """The task of a name. Raises ValueError that lists what there is."""
    import rnnviz.models  # noqa: F401  (registers the built-in tasks; they import this module)

    if name not in _TASKS:
        raise ValueError(f"task={name[:80]!r} is not allowed: one of {', '.join(sorted(_TASKS))}")
    return _TASKS[name]


def no_numbers() -> tuple[float, float]:
    """Loss and accuracy where there is nothing to measure."""
    return float("nan"), float("nan")


def read_only(values: Any) -> NDArray[Any]:
    """A numpy array of its own that cannot be written."""
    array = np.array(values.detach().cpu().numpy() if isinstance(values, Tensor) else values)
    array.flags.writeable = False
    return array
