"""Plain data: the arguments of nn.Embedding and nn.EmbeddingBag, checked where they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, ClassVar, Literal

from rnnviz.config import whole

Mode = Literal["sum", "mean", "max"]
MODES: tuple[Mode, ...] = ("sum", "mean", "max")


def _refuse(field: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{field}={value!r} is not allowed: {allowed}")


def _positive(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise _refuse(field, value, "a positive finite number")
    return float(value)


class _Table:
    """What both modules share: sizes, the padding row, the limit on norms, the kind of gradient."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool
    _ALWAYS: ClassVar[tuple[str, ...]] = ("num_embeddings", "embedding_dim")

    def __post_init__(self) -> None:
        for name in ("num_embeddings", "embedding_dim"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        if self.padding_idx is not None:
            rows = self.num_embeddings
            found = whole("padding_idx", self.padding_idx, -rows, rows - 1)
            object.__setattr__(self, "padding_idx", found % rows)  # as PyTorch counts: -1 is the last row
        if self.max_norm is not None:
            object.__setattr__(self, "max_norm", _positive("max_norm", self.max_norm))
        object.__setattr__(self, "norm_type", _positive("norm_type", self.norm_type))
        for name in ("scale_grad_by_freq", "sparse"):
            if not isinstance(getattr(self, name), bool):
                raise _refuse(name, getattr(self, name), "True or False")

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments without those that stand at PyTorch's default; sizes (and a mode) "
        "always stand."""
        mine: Any = self
        chosen = {f.name: (getattr(self, f.name), f.default) for f in fields(mine)}
        return {k: value for k, (value, default) in chosen.items() if k in self._ALWAYS or value != default}


@dataclass(frozen=True)
class EmbeddingConfig(_Table):
    """The arguments of nn.Embedding, in PyTorch's names and order.

    Raises ValueError naming the field, the value given and what is allowed. A negative ``padding_idx`` counts
    from the end, as in PyTorch, and is kept as the row it means.
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None = None
    max_norm: float | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False

    def call(self) -> str:
        """The line a person would write, such as ``nn.Embedding(10, 3, padding_idx=0)``."""
        return _call("nn.Embedding", self.arguments())


@dataclass(frozen=True)
class BagConfig(_Table):
    """The arguments of nn.EmbeddingBag, in PyTorch's names and order but that ``mode`` comes third.

    Raises ValueError naming the field, the value given and what is allowed, also for the two combinations
    that PyTorch refuses only when it runs: "max" with ``scale_grad_by_freq`` or ``sparse``.
    """

    num_embeddings: int
    embedding_dim: int
    mode: Mode = "mean"
    padding_idx: int | None = None
    include_last_offset: bool = False
    max_norm: float | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False
    _ALWAYS: ClassVar[tuple[str, ...]] = (*_Table._ALWAYS, "mode")  # a mode is worth saying

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in MODES:
            raise _refuse("mode", self.mode, "one of " + ", ".join(MODES))
        if not isinstance(self.include_last_offset, bool):
            raise _refuse("include_last_offset", self.include_last_offset, "True or False")
        for name in ("scale_grad_by_freq", "sparse"):
            if self.mode == "max" and getattr(self, name):
                raise _refuse(name, True, "False, because mode='max' does not support it")

    def call(self) -> str:
        """The line a person would write, such as ``nn.EmbeddingBag(10, 3, mode='sum')``."""
        return _call("nn.EmbeddingBag", self.arguments())


def _call(name: str, arguments: dict[str, Any]) -> str:
    sizes = [str(arguments.pop("num_embeddings")), str(arguments.pop("embedding_dim"))]
    return f"{name}({', '.join(sizes + [f'{k}={v!r}' for k, v in arguments.items()])})"
