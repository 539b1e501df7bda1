"""Two questions to a trained model: what leaks onto padding (E2), and how far its lengths reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.data.pairs import MAX_LENGTH, generate
from rnnviz.kept import kept
from rnnviz.models.decoding import faultless, picked
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.seq2seq_data import PairsData, rows
from rnnviz.models.seq2seq_task import device_of, followed
from rnnviz.training.config import refuse
from rnnviz.training.pairs_config import PAD, Generated, Pair, Seq2SeqConfig
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


@torch.inference_mode()
def leak(model: Seq2Seq, config: Seq2SeqConfig, pairs: Sequence[Pair]) -> Leak:
    """Look at pairs padded to the longest of them. The model must be in evaluation mode.

    Raises ValueError for a model without attention, and for fewer than 2 or more than 256 pairs.
    """
    attend = model.decoder.attention
    if not config.context or attend is None:
        raise refuse("attention", config.attention, "one that has weights")
    if not 2 <= len(pairs) <= 256:
        raise refuse("pairs", len(pairs), "2 to 256 pairs")
    data = rows(config, pairs, device_of(model), len(pairs))
    batch = data.batches()[0]
    source, lengths, inputs = batch.inputs
    ended = batch.answers < 0  # (N, T)
    padding = np.arange(source.shape[1]) >= lengths.numpy()[:, None]  # (N, L)
    # Both ways at once: the encoder does not know of the mask, so its outputs stand below each other.
    start, _, h = model.read(source, lengths)
    mask = torch.cat([source != PAD, torch.ones_like(source, dtype=torch.bool)])
    memory = attend.remember(torch.cat([h, h]), mask)
    twice = torch.arange(len(pairs), device=source.device).repeat(2)
    state = picked(start, twice)
    seen = followed(model, (state, memory), inputs[twice]).cpu().numpy()
    seen = seen.mean(2) if seen.ndim == 4 else seen
    weights = [np.where(ended[:, :, None], np.nan, each) for each in np.split(seen, 2)]
    right = faultless(model, (state, memory), batch.targets[twice]).cpu().numpy().reshape(2, -1)
    on_padding = [np.nanmean((each * padding[:, None]).sum(-1), axis=1) for each in weights]
    return Leak(
        tuple(pairs),
        read_only(lengths),
        int(lengths.max()),
        read_only(weights[0]),
        read_only(weights[1]),
        read_only(np.array(on_padding)),
        read_only(right),
        read_only(np.array([_alone(model, config, pair) for pair in pairs])),
    )


def _alone(model: Seq2Seq, config: Seq2SeqConfig, pair: Pair) -> bool:
    batch = rows(config, [pair], device_of(model), 1).batches()[0]
    return bool(faultless(model, model.read(*batch.inputs[:2])[:2], batch.targets).all())


@dataclass(frozen=True, eq=False)
class ByLength:
    """How many strings of each length are decoded without a fault. ``lengths`` (K); ``exact`` (K): part of
    all; ``count`` (K): strings asked; ``seen`` (K): whether they were trained on, there being no others.
    ``trained``: the shortest and longest trained.
    """

    lengths: Array
    exact: Array
    count: Array
    seen: Array
    trained: tuple[int, int]


@torch.inference_mode()
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
    kind = Generated(data.task, data.symbols, 1, 1, data.shift, train=1, held=0)
    asked = _asked(_Question(kind, tuple(lengths), count, seed))
    known = {source for source, _ in config.pairs}
    new = np.array([source not in known for source in asked.sources])
    items = _fresh(new, asked, count)
    of = asked.of[items]
    # Where padding reaches neither the encoder nor the attention all lengths are one batch.
    alone = not config.packed or (bool(config.context) and not config.mask)
    exact = np.zeros(len(items))
    for part in [np.flatnonzero(of == k) for k in range(len(lengths))] if alone else [np.arange(len(items))]:
        batch = asked.data.batch(items[part].tolist())
        source, targets = batch.inputs[0].to(device_of(model)), batch.targets.to(device_of(model))
        exact[part] = faultless(model, model.read(source, batch.inputs[1])[:2], targets).cpu().numpy()
    counts = np.bincount(of, minlength=len(lengths)).astype(float)
    shares = np.bincount(of, exact, len(lengths)) / counts
    trained = data.shortest, data.longest
    seen = np.array([not (new & (asked.of == k)).any() for k in range(len(lengths))])
    asked_for = read_only(np.array(lengths))
    return ByLength(asked_for, read_only(shares), read_only(counts), read_only(seen), trained)


@dataclass(frozen=True)
class _Question:
    kind: Generated
    lengths: tuple[int, ...]
    count: int
    seed: int


@dataclass(frozen=True, eq=False)
class _Asked:
    """Twice as many strings as are wanted of each length, the same for every model. ``of`` (n): the place of
    a string's length.
    """

    sources: tuple[tuple[str, ...], ...]
    data: PairsData
    of: Array


def _bytes(asked: _Asked) -> int:
    data = asked.data
    return sum(part.nbytes for part in (data.source, data.inputs, data.targets)) + 300 * len(asked.sources)


@kept(8_000_000, size=_bytes)
def _asked(question: _Question) -> _Asked:
    kind, pairs, of = question.kind, list[Pair](), list[int]()
    for k, length in enumerate(question.lengths):
        lengths, count = (length, length), 2 * question.count
        drawn = generate(kind.task, kind.symbols, lengths, kind.shift, count, question.seed)
        pairs += drawn
        of += [k] * len(drawn)
    data = rows(Seq2SeqConfig(kind, batch=1), pairs, "cpu", len(pairs))
    return _Asked(tuple(source for source, _ in pairs), data, np.array(of))


def _fresh(new: Array, asked: _Asked, count: int) -> Array:
    """The places (n) of those to ask: of each length the first that are ``new``, all if none is."""
    found = []
    for k in range(asked.of[-1] + 1):
        of = asked.of == k
        found.append(np.flatnonzero(of & new if (of & new).any() else of)[:count])
    return np.concatenate(found)
