"""Plain data: a layer's configuration, checked where it is made."""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, Literal

from rnnviz.gates import GATES, KINDS, Kind

Nonlinearity = Literal["tanh", "relu"]
NONLINEARITIES: tuple[Nonlinearity, ...] = ("tanh", "relu")


def _refuse(field: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{field}={value!r} is not allowed: {allowed}")


def whole(field: str, value: Any, low: int, high: int | None = None) -> int:
    """The value as an int.

    Raises ValueError, naming the field, for a bool, a float, anything else that is not a whole number, or one
    outside [low, high].
    """
    allowed = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _refuse(field, value, allowed)
    number = operator.index(value)
    if number < low or (high is not None and number > high):
        raise _refuse(field, value, allowed)
    return number


@dataclass(frozen=True)
class LayerConfig:
    """The arguments of nn.RNN, nn.LSTM or nn.GRU, in PyTorch's names and order.

    Raises ValueError naming the field, the value given and what is allowed. Two things PyTorch would silently
    ignore or only warn about are refused where they would mislead: a nonlinearity of "relu" and a proj_size
    for a kind without one.
    """

    kind: Kind
    input_size: int
    hidden_size: int
    num_layers: int = 1
    nonlinearity: Nonlinearity = "tanh"
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _refuse("kind", self.kind, "one of " + ", ".join(KINDS))
        for name in ("input_size", "hidden_size", "num_layers"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        if self.nonlinearity not in NONLINEARITIES:
            raise _refuse("nonlinearity", self.nonlinearity, "'tanh' or 'relu'")
        if self.nonlinearity != "tanh" and self.kind != "RNN":
            raise _refuse(
                "nonlinearity", self.nonlinearity, f"only an RNN has a choice; {self.kind} always uses tanh"
            )
        for name in ("bias", "batch_first", "bidirectional"):
            if not isinstance(getattr(self, name), bool):
                raise _refuse(name, getattr(self, name), "True or False")
        object.__setattr__(self, "dropout", self._checked_dropout())
        object.__setattr__(self, "proj_size", self._checked_proj_size())

    def _checked_dropout(self) -> float:
        allowed = "a probability from 0 to 1"
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, Real):
            raise _refuse("dropout", self.dropout, allowed)
        dropout = float(self.dropout)
        if not 0.0 <= dropout <= 1.0:
            raise _refuse("dropout", self.dropout, allowed)
        return dropout

    def _checked_proj_size(self) -> int:
        proj_size = whole("proj_size", self.proj_size, 0)
        if proj_size and self.kind != "LSTM":
            raise _refuse(
                "proj_size", self.proj_size, f"0, because only an LSTM can project, not {self.kind}"
            )
        if proj_size >= self.hidden_size:
            raise _refuse("proj_size", self.proj_size, f"0 (off) or less than hidden_size={self.hidden_size}")
        return proj_size

    @property
    def directions(self) -> int:
        """D: 2 when bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """H_out: proj_size if set, else hidden_size."""
        return self.proj_size or self.hidden_size

    @property
    def blocks(self) -> int:
        """How many blocks of H rows are stacked in a weight: 1, 4 or 3."""
        return len(GATES[self.kind]) or 1

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments without those that stand at PyTorch's default; sizes always stand."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "kind"}
        defaults = {f.name: f.default for f in fields(self)}
        return {k: v for k, v in chosen.items() if k in ("input_size", "hidden_size") or v != defaults[k]}

    def call(self) -> str:
        """The line a person would write, such as ``nn.LSTM(10, 20, num_layers=2)``."""
        arguments = self.arguments()
        sizes = [str(arguments.pop("input_size")), str(arguments.pop("hidden_size"))]
        return f"nn.{self.kind}({', '.join(sizes + [f'{k}={v!r}' for k, v in arguments.items()])})"


@dataclass(frozen=True)
class LinearConfig:
    """A product with a matrix at every step: the sizes of a row before and after, whether a bias is added,
    and whether the row that came out before goes in too, without an activation.

    Raises ValueError naming the field, the value given and what is allowed.
    """

    in_features: int
    out_features: int
    bias: bool = True
    memory: bool = False

    def __post_init__(self) -> None:
        for name in ("in_features", "out_features"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        for name in ("bias", "memory"):
            if not isinstance(getattr(self, name), bool):
                raise _refuse(name, getattr(self, name), "True or False")
