"""Pairs as padded rows of numbers, and where the right source positions are (row D9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.data.pairs import origins
from rnnviz.training.pairs_config import END, PAD, START, Generated, Pair, Seq2SeqConfig
from rnnviz.training.task import Batch, as_numpy

NO_TOKEN = -1
"""The answer of padding: no prediction equals it."""


@dataclass(frozen=True)
class PairsData:
    """``source`` (n, L) with ``lengths`` (n) on the CPU; ``inputs`` (n, T) begin with the start symbol,
    ``targets`` (n, T) end with the end symbol. ``size``: pairs a step.
    """

    source: Tensor
    lengths: Tensor
    inputs: Tensor
    targets: Tensor
    steps: Tensor
    size: int

    def __len__(self) -> int:
        return len(self.lengths)

    def batches(self) -> tuple[Batch, ...]:
        return self._batches

    @cached_property
    def _batches(self) -> tuple[Batch, ...]:
        items = range(len(self))
        return tuple(self.batch(items[first : first + self.size]) for first in items[:: self.size])

    def batch(self, items: Sequence[int]) -> Batch:
        """These pairs, padded to the longest among them."""
        rows = torch.tensor(items)
        lengths, steps = self.lengths[rows], self.steps[rows]
        long, last = int(lengths.max()), int(steps.max())
        rows = rows.to(self.source.device)
        targets = self.targets[rows, :last]
        answers = as_numpy(torch.where(targets == PAD, NO_TOKEN, targets))
        inputs = (self.source[rows, :long], lengths, self.inputs[rows, :last])
        return Batch(inputs, targets, answers, int(steps.sum()))


def rows(config: Seq2SeqConfig, pairs: Sequence[Pair], device: str, size: int) -> PairsData:
    """Any pairs as data, their order kept."""
    source = [config.source_ids(s) for s, _ in pairs]
    target = [(START, *config.target_ids(t), END) for _, t in pairs]
    whole = _padded(target)
    inputs = whole[:, :-1].masked_fill(whole[:, :-1] == END, PAD)
    return PairsData(
        _padded(source).to(device),
        torch.tensor([len(s) for s in source]),
        inputs.to(device),
        whole[:, 1:].to(device),
        torch.tensor([len(t) - 1 for t in target]),
        size,
    )


def _padded(rows: Sequence[tuple[int, ...]]) -> Tensor:
    """(n, the longest). A tensor a row and `pad_sequence` would take six times as long."""
    longest = max(map(len, rows))
    return torch.tensor([row + (PAD,) * (longest - len(row)) for row in rows])


@lru_cache(maxsize=32)
def prepared(config: Seq2SeqConfig, device: str, held_out: bool) -> PairsData:
    """The training pairs, or a sample of those held out; see `watched`."""
    if held_out:
        return rows(config, watched(config), device, 256)
    return rows(config, config.pairs, device, config.batch)


WATCHED = 128
"""At most so many held-out pairs are looked at after each epoch."""


def watched(config: Seq2SeqConfig) -> tuple[Pair, ...]:
    """The first held-out pairs: at most an eighth as many as are trained, so that looking stays cheap."""
    return config.held[: max(4, min(WATCHED, len(config.pairs) // 8))]


@lru_cache(maxsize=32)
def right_positions(config: Seq2SeqConfig) -> NDArray[np.bool_] | None:
    """(n, T, L), for the watched pairs: the source positions that are right to look at; None if unknown."""
    if not isinstance(config.data, Generated):
        return None
    data = prepared(config, "cpu", True)
    right = np.zeros((len(data), data.targets.shape[1], data.source.shape[1]), dtype=bool)
    for n, (source, _) in enumerate(watched(config)):
        for t, places in enumerate(origins(config.data.task, source, config.data.shift)):
            right[n, t, list(places)] = True
    return right
