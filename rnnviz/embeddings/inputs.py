"""What is computed for a screen of *Embeddings*, one record a view, as it was typed. Standard library "
"only."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.embeddings.config import BagConfig, EmbeddingConfig
from rnnviz.embeddings.words import Indices

LOSSES = ("output.sum()", "output.pow(2).sum()")
MAX_ITEMS, MAX_BAGS = 40, 20


@dataclass(frozen=True)
class Table:
    """An nn.Embedding and what is looked up in it.

    ``names`` says which word each row stands for, () for bare row numbers. ``indices`` are as they were
    typed: they may be out of range or of unequal length, which PyTorch then refuses.
    """

    config: EmbeddingConfig
    seed: int
    ones: bool
    names: tuple[str, ...]
    indices: Indices

    @property
    def positions(self) -> int:
        """How many indices there are."""
        return sum(map(len, self.indices))

    def row_name(self, row: int) -> str:
        """The row's number, with its word if it has one."""
        return f"{row} {self.names[row]}" if row < len(self.names) else str(row)


@dataclass(frozen=True)
class Training:
    """One step of training on a table: which loss, which step, and whether the table is frozen."""

    table: Table
    loss: str
    lr: float
    freeze: bool


@dataclass(frozen=True)
class Bags:
    """An nn.EmbeddingBag and its call, as it was typed: PyTorch may refuse it.

    ``items`` has one line for a flat list, several for a 2-D input. ``offsets`` and ``weights`` are None
    where nothing was typed.
    """

    config: BagConfig
    seed: int
    items: Indices
    offsets: tuple[int, ...] | None
    weights: tuple[float, ...] | None

    @property
    def flat(self) -> tuple[int, ...]:
        return tuple(i for line in self.items for i in line)


@dataclass(frozen=True)
class Pretrained:
    """Which vectors are asked what. The vectors of an uploaded file are not part of the address."""

    source: str
    ask: str
    near: int
    words: tuple[str, ...]
    freeze: bool
    seed: int
