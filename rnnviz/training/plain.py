"""What every configuration of training is made of: checks that name the field, the optimiser, JSON and back.

Nothing but the standard library.
"""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, dataclass, fields, is_dataclass
from numbers import Real
from typing import Any, Literal, TypeVar

from rnnviz.config import whole
from rnnviz.gates import KINDS

OptimiserName = Literal["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]

OPTIMISERS: tuple[OptimiserName, ...] = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")
WITH_MOMENTUM: tuple[OptimiserName, ...] = ("SGD", "RMSprop")
DEVICES = ("cpu", "cuda")

MAX_TOKENS = 100_000
MAX_TEXT = 200
"""The longest pair of strings of *Characters*, and the longest word or tag, in characters."""
MAX_SIZE = 512
"""The largest embedding or hidden size."""
MAX_LAYERS = 4
MAX_SEED = 2**63 - 1


def refuse(field_name: str, value: object, allowed: str) -> ValueError:
    """The error of this house: it names the field, the value given and what is allowed."""
    text = repr(value)
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ValueError(f"{field_name}={shown} is not allowed: {allowed}")


def number(field_name: str, value: Any, low: float, high: float) -> float:
    """The value as a float. Raises ValueError for anything but a number within [low, high]."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise refuse(field_name, value, f"a number from {low:g} to {high:g}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not low <= found <= high:
        raise refuse(field_name, value, f"a number from {low:g} to {high:g}")
    return found


def one_of(field_name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raises ValueError unless the value is one of these."""
    if not isinstance(value, str) or value not in allowed:
        raise refuse(field_name, value, "one of " + ", ".join(allowed))


def switch(field_name: str, value: Any) -> None:
    """Raises ValueError for anything but True and False."""
    if not isinstance(value, bool):
        raise refuse(field_name, value, "True or False")


def put(config: object, name: str, value: Any) -> None:
    """Sets a field of a frozen record that is being made."""
    object.__setattr__(config, name, value)


@dataclass(frozen=True)
class Optimiser:
    """The arguments of torch.optim's optimiser of this name, and ``clip``: the largest norm of the whole
    gradient (nn.utils.clip_grad_norm_), 0 for none.
    """

    name: OptimiserName = "SGD"
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip: float = 0.0

    def __post_init__(self) -> None:
        one_of("name", self.name, OPTIMISERS)
        put(self, "lr", number("lr", self.lr, 0.0, 1e9))
        put(self, "momentum", number("momentum", self.momentum, 0.0, 1.0))
        put(self, "weight_decay", number("weight_decay", self.weight_decay, 0.0, 1e3))
        put(self, "clip", number("clip", self.clip, 0.0, 1e9))
        if self.momentum and self.name not in WITH_MOMENTUM:
            raise refuse("momentum", self.momentum, f"0: only SGD and RMSprop have it, not {self.name}")


_C = TypeVar("_C")


def config_from(cls: type[_C], data: object) -> _C:
    """A configuration from what `json.loads` gives for its ``text``. Raises ValueError for anything else.

    An object within it becomes the class that ``cls.parts`` has under its name, or an `Optimiser`.
    """
    if not isinstance(data, dict):
        raise ValueError(f"a {cls.__name__} must be an object with its fields")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    if extra := sorted(map(str, data.keys() - known.keys())):
        raise refuse("fields", extra, f"{cls.__name__} has none of that name")
    missing = [
        name
        for name, f in known.items()
        if name not in data and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ValueError(f"{cls.__name__} needs {', '.join(missing)}")
    values = {name: _tuples(value) for name, value in data.items()}
    if "optimiser" in values:
        values["optimiser"] = config_from(Optimiser, values["optimiser"])
    for name, part in getattr(cls, "parts", {}).items():
        if isinstance(values.get(name), dict):
            values[name] = config_from(part, values[name])
    return cls(**values)


def as_text(config: Any) -> str:
    """A configuration as JSON; `config_from` reads it."""
    return json.dumps(_plain(config), allow_nan=False, separators=(",", ":"))


def _plain(config: Any) -> dict[str, Any]:
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    return {name: _plain(value) if is_dataclass(value) else value for name, value in values.items()}


def _tuples(value: object) -> object:
    """Lists as tuples, as deep as a sentence goes; deeper ones are refused where they are checked."""
    if not isinstance(value, list):
        return value
    return tuple(
        tuple(tuple(pair) if isinstance(pair, list) else pair for pair in item)
        if isinstance(item, list)
        else item
        for item in value
    )


def check_model(config: Any) -> None:
    """The fields that a tagger and a model of characters share."""
    one_of("kind", config.kind, KINDS)
    put(config, "hidden", whole("hidden", config.hidden, 1, MAX_SIZE))
    put(config, "num_layers", whole("num_layers", config.num_layers, 1, MAX_LAYERS))
    check_run(config)


def check_run(config: Any) -> None:
    """The fields that every configuration has."""
    if not isinstance(config.optimiser, Optimiser):
        raise refuse("optimiser", config.optimiser, "an Optimiser")
    put(config, "seed", whole("seed", config.seed, 0, MAX_SEED))
    one_of("device", config.device, DEVICES)


def check_text(name: str, value: Any) -> None:
    """Raises ValueError for anything but a string of 1 to MAX_TEXT characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise refuse(name, value, f"a string of 1 to {MAX_TEXT} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise refuse(name, value, "text that can be written as UTF-8") from None
