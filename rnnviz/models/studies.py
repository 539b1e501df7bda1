"""Two questions to a trained model: what leaks onto padding (E2), and how far its lengths reach."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.data.pairs import MAX_LENGTH, generate
from rnnviz.models.decoding import greedy
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.seq2seq_data import rows
from rnnviz.models.seq2seq_task import attended, device_of, faultless
from rnnviz.training.config import refuse
from rnnviz.training.pairs_config import Generated, Pair, Seq2SeqConfig
from rnnviz.training.task import read_only

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Leak:
    """One padded batch looked at with the mask in the attention and without it; nothing else differs.

    ``lengths`` (N) of the sources, ``longest`` L. ``masked`` and ``unmasked`` (N, T, L): the weights, of
    several heads their mean, NaN after a target's end. ``on_padding`` (2, N): the mean weight on padding, row
    0 with the mask (exactly 0), row 1 without. ``right`` (2, N): whether the string is decoded without a
    fault in this batch; ``alone`` (N): whether it is in a batch of its own.
    """

    pairs: tuple[Pair, ...]
    lengths: Array
    longest: int
    masked: Array
    unmasked: Array
    on_padding: Array
    right: Array
    alone: Array


@torch.no_grad()
def leak(model: Seq2Seq, config: Seq2SeqConfig, pairs: Sequence[Pair]) -> Leak:
    """Look at pairs padded to the longest of them. The model must be in evaluation mode.

    Raises ValueError for a model without attention, and for fewer than 2 or more than 256 pairs.
    """
    if not config.context:
        raise refuse("attention", config.attention, "one that has weights")
    if not 2 <= len(pairs) <= 256:
        raise refuse("pairs", len(pairs), "2 to 256 pairs")
    data = rows(config, pairs, device_of(model), len(pairs))
    batch = data.batches()[0]
    source, lengths, _ = batch.inputs
    ended = batch.answers < 0  # (N, T)
    padding = np.arange(source.shape[1]) >= lengths.numpy()[:, None]  # (N, L)
    weights, right = [], []
    for mask in (True, False):
        other = _masking(model, mask)
        seen = attended(other, batch).cpu().numpy()
        seen = seen.mean(2) if seen.ndim == 4 else seen
        weights.append(np.where(ended[:, :, None], np.nan, seen))
        said = greedy(other, source, lengths, batch.targets.shape[1])
        right.append(faultless(said, batch.targets).cpu().numpy())
    on_padding = [np.nanmean((each * padding[:, None]).sum(-1), axis=1) for each in weights]
    return Leak(
        tuple(pairs),
        read_only(lengths),
        int(lengths.max()),
        read_only(weights[0]),
        read_only(weights[1]),
        read_only(np.array(on_padding)),
        read_only(np.array(right)),
        read_only(np.array([_alone(model, config, pair) for pair in pairs])),
    )


def _alone(model: Seq2Seq, config: Seq2SeqConfig, pair: Pair) -> bool:
    batch = rows(config, [pair], device_of(model), 1).batches()[0]
    said = greedy(model, batch.inputs[0], batch.inputs[1], batch.targets.shape[1])
    return bool(faultless(said, batch.targets).all())


def _masking(model: Seq2Seq, mask: bool) -> Seq2Seq:
    """The model with or without its mask: the same weights, and the one that others may be using is left."""
    other = copy(model)
    other.mask = mask
    return other


@dataclass(frozen=True, eq=False)
class ByLength:
    """How many strings of each length are decoded without a fault. ``lengths`` (K); ``exact`` (K): part of
    all; ``tokens`` (K): part of the tokens, end symbols included, that are right at their place; ``count``
    (K): strings asked. ``trained``: the shortest and longest trained.
    """

    lengths: Array
    exact: Array
    tokens: Array
    count: Array
    trained: tuple[int, int]


@torch.no_grad()
def by_length(
    model: Seq2Seq, config: Seq2SeqConfig, lengths: Sequence[int], count: int = 100, seed: int = 1
) -> ByLength:
    """Ask for strings of lengths that may lie beyond those trained; trained strings are left out, unless all
    of that length were.

    The model must be in evaluation mode. Raises ValueError for data that have no lengths to choose.
    """
    data = config.data
    if not isinstance(data, Generated) or data.task == "dates":
        raise refuse("data", data, "a generated task whose length can be chosen")
    if not lengths or not all(1 <= length <= MAX_LENGTH for length in lengths):
        raise refuse("lengths", lengths, f"lengths from 1 to {MAX_LENGTH}")
    trained = {source for source, _ in config.pairs}
    found = []
    for length in lengths:
        drawn = generate(data.task, data.symbols, (length, length), data.shift, 2 * count, seed)
        fresh = [pair for pair in drawn if pair[0] not in trained][:count] or list(drawn[:count])
        batch = rows(config, fresh, device_of(model), len(fresh)).batches()[0]
        said = greedy(model, batch.inputs[0], batch.inputs[1], batch.targets.shape[1])
        right = (said == batch.targets).cpu().numpy() & (batch.answers >= 0)
        found.append((faultless(said, batch.targets).float().mean(), right.sum() / batch.count, len(fresh)))
    exact, tokens, counts = (read_only(np.array(column, dtype=float)) for column in zip(*found, strict=True))
    return ByLength(read_only(np.array(lengths)), exact, tokens, counts, (data.shortest, data.longest))
