"""A run as a value: everything that decides how it goes on, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from rnnviz.training.changes import Device, Entry, LearningRate, Silence
from rnnviz.training.config import TrainConfig

Tensors = Mapping[str, Tensor]


class DeviceLost(RuntimeError):
    """The run's device is not there, out of memory or lost. The message is a sentence for the user.

    The state that was to be advanced is as good as before, on any device: change(state, Device("cpu")).
    """


@dataclass(frozen=True)
class Sums:
    """What an epoch under way has added up: its steps' losses, and true predictions out of all."""

    loss: float = 0.0
    right: int = 0
    total: int = 0


@dataclass(frozen=True, eq=False)
class RunState:
    """A run at one moment, on the CPU whatever its device. Its tensors are never written to.

    ``epoch``: epochs done; ``step``: batches done of the next one, 0 at a boundary. ``losses``: one float an
    epoch, the mean over its steps of the loss before the step, as the notebooks' loop adds it up.
    ``weights`` by the names of the model's state_dict; ``optimizer`` by "parameter/quantity"; ``random``: the
    state of PyTorch's generators, "cpu" and, once it ran there, "cuda". ``changes``: the journal.
    ``stopped``: "" or the sentence that says why the run cannot go on as it is.

    Within an epoch only: ``sums``; ``order`` (items) when it is drawn; ``before``, the weights at its start.
    """

    config: TrainConfig
    epoch: int
    step: int
    losses: tuple[float, ...]
    weights: Tensors
    optimizer: Tensors
    random: Tensors
    changes: tuple[Entry, ...] = ()
    stopped: str = ""
    sums: Sums = Sums()
    order: Tensor | None = None
    before: Tensors = field(default_factory=dict)

    @property
    def lr(self) -> float:
        """The learning rate now."""
        found = [change.lr for _, _, change in self.changes if isinstance(change, LearningRate)]
        return found[-1] if found else self.config.optimiser.lr

    @property
    def device(self) -> str:
        """The device on which the run goes on."""
        found = [change.device for _, _, change in self.changes if isinstance(change, Device)]
        return found[-1] if found else self.config.device

    @property
    def silenced(self) -> tuple[Silence, ...]:
        """The units that are silent now, in the order in which they were silenced."""
        found: dict[tuple[int, int, int], Silence] = {}
        for _, _, change in self.changes:
            if isinstance(change, Silence):
                place = (change.layer, change.direction, change.unit)
                found.pop(place, None)
                if change.on:
                    found[place] = change
        return tuple(found.values())

    def to_bytes(self) -> bytes:
        """The run as one safetensors file: tensors, and configuration and journal as JSON in its metadata.

        Equal runs give equal bytes.
        """
        from rnnviz.training.storage import to_bytes

        return to_bytes(self)

    @staticmethod
    def from_bytes(data: bytes) -> RunState:
        """The run again, bit for bit. Raises ValueError for anything that `to_bytes` does not give."""
        from rnnviz.training.storage import from_bytes

        return from_bytes(data)
