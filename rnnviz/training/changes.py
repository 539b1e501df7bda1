"""What a person may do to a run while it goes on, as plain data: a run's journal, which a script replays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from rnnviz.config import whole
from rnnviz.training.config import DEVICES, MAX_LAYERS, MAX_SIZE, number, one_of, refuse

MAX_CHANGES = 10_000


@dataclass(frozen=True)
class LearningRate:
    """From now on the optimiser's learning rate is ``lr``."""

    lr: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lr", number("lr", self.lr, 0.0, 1e9))


@dataclass(frozen=True)
class Edit:
    """One number of one parameter is set, once: ``name`` as in `parameter_names`, ``index`` its place."""

    name: str
    index: tuple[int, ...]
    value: float

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not 1 <= len(self.name) <= 200:
            raise refuse("name", self.name, "the name of a parameter")
        if not isinstance(self.index, tuple | list) or len(self.index) > 8:
            raise refuse("index", self.index, "a place in the parameter, such as (2, 0)")
        object.__setattr__(self, "index", tuple(whole("index", i, 0, 2**40) for i in self.index))
        object.__setattr__(self, "value", number("value", self.value, -1e9, 1e9))


@dataclass(frozen=True)
class Silence:
    """A hidden unit is silent from now on (``on`` False: no longer held): its h is exactly 0 at every step.

    What is exact for all three kinds: the unit's row in every gate's block of weight_ih, weight_hh and both
    biases is set to zero, and again after every step of the optimiser. tanh(0) is 0, so the RNN's h, the
    LSTM's g and with it c, and the GRU's n are 0, from a state of zeros to the last step. When it is let go,
    the rows start again from zero and learn.
    """

    unit: int
    layer: int = 0
    direction: int = 0
    on: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", whole("unit", self.unit, 0, MAX_SIZE - 1))
        object.__setattr__(self, "layer", whole("layer", self.layer, 0, MAX_LAYERS - 1))
        object.__setattr__(self, "direction", whole("direction", self.direction, 0, 1))
        if not isinstance(self.on, bool):
            raise refuse("on", self.on, "True or False")


@dataclass(frozen=True)
class Device:
    """The run goes on on another device."""

    device: str

    def __post_init__(self) -> None:
        one_of("device", self.device, DEVICES)


Change = LearningRate | Edit | Silence | Device
Entry = tuple[int, int, Change]
"""(epoch, step, change): made when ``epoch`` epochs and ``step`` steps of the next were done."""

_NAMES: dict[str, type[Any]] = {c.__name__: c for c in (LearningRate, Edit, Silence, Device)}


def to_json(change: Change) -> dict[str, Any]:
    """The change as plain values for `json.dumps`."""
    return {"change": type(change).__name__} | {f.name: getattr(change, f.name) for f in fields(change)}


def from_json(data: object) -> Change:
    """The change again. Raises ValueError for anything that `to_json` does not give."""
    if not isinstance(data, dict) or not isinstance(data.get("change"), str):
        raise ValueError("a change must be an object that names itself")
    values = {str(name): value for name, value in data.items() if name != "change"}
    cls = _NAMES.get(data["change"])
    if cls is None or values.keys() != {f.name for f in fields(cls)}:
        raise refuse("change", data, "one of " + ", ".join(_NAMES) + " with all its fields")
    change: Change = cls(**values)
    return change
