"""nn.EmbeddingBag really called, beside Embedding and then a reduction, one bag at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from rnnviz.embeddings.inputs import Bags
from rnnviz.embeddings.lookup import Matrix, Refusal, embedding_bag, frozen, said
from rnnviz.embeddings.refusals import bag_rule


@dataclass(frozen=True, eq=False)
class BagRun:
    """One call of nn.EmbeddingBag. n indices, B bags, V rows, D numbers a row; arrays are read-only.

    ``spans`` holds where each bag starts and ends in the flat list, ``left_out`` the positions of padding.
    ``vectors`` (n, D) are the looked-up rows. ``output`` and ``two_step`` (B, D) and ``difference``, the
    largest between them, are None and 0 where the call was refused.
    """

    weight: Matrix
    items: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    left_out: tuple[int, ...]
    vectors: Matrix | None
    output: Matrix | None
    two_step: Matrix | None
    difference: float
    refusal: Refusal | None


def spans(bags: Bags) -> tuple[tuple[int, int], ...]:
    """(start, end) of each bag in the flat list, for a call that breaks no rule."""
    if len(bags.items) > 1:
        width = len(bags.items[0])
        return tuple((k * width, (k + 1) * width) for k in range(len(bags.items)))
    offsets = bags.offsets or ()
    ends = (*offsets[1:], len(bags.flat))
    found = tuple(zip(offsets, ends, strict=True))
    return found[:-1] if bags.config.include_last_offset else found


@lru_cache(maxsize=64)
def run_bags(bags: Bags) -> BagRun:
    """The screen's call and its two-step twin."""
    module = embedding_bag(bags.config, bags.seed)
    weight, padding = frozen(module.weight), bags.config.padding_idx
    left_out = tuple(k for k, i in enumerate(bags.flat) if i == padding)

    def call() -> torch.Tensor:
        two_d = len(bags.items) > 1
        given = torch.tensor(bags.items if two_d else bags.flat)
        weights = None if bags.weights is None else torch.tensor(bags.weights)
        if weights is not None and two_d and weights.numel() == given.numel():
            weights = weights.view_as(given)
        offsets = None if bags.offsets is None else torch.tensor(bags.offsets)
        answer: torch.Tensor = module(given, offsets, per_sample_weights=weights)
        return answer

    with torch.no_grad():
        if (rule := bag_rule(bags)) is not None:
            error = said(call) if rule.checked else ""
            return BagRun(weight, bags.flat, (), left_out, None, None, None, 0.0, Refusal(error, rule))
        output = call()
        vectors = module.weight[list(bags.flat)]  # (n, D)
        where = spans(bags)
        twin = two_step(vectors, where, bags)
    gap = float((output - twin).abs().max()) if where else 0.0
    return BagRun(
        weight, bags.flat, where, left_out, frozen(vectors), frozen(output), frozen(twin), gap, None
    )


def two_step(vectors: torch.Tensor, where: tuple[tuple[int, int], ...], bags: Bags) -> torch.Tensor:
    """(B, D): each bag's rows, without padding, weighted, then reduced. A bag with nothing in it is zero."""
    made = torch.zeros(len(where), vectors.shape[1])
    weights = torch.ones(len(vectors)) if bags.weights is None else torch.tensor(bags.weights)
    kept = torch.tensor([i != bags.config.padding_idx for i in bags.flat])
    reduce = {"sum": lambda x: x.sum(0), "mean": lambda x: x.mean(0), "max": lambda x: x.amax(0)}
    for k, (start, end) in enumerate(where):
        inside = kept[start:end]
        rows = (vectors[start:end] * weights[start:end, None])[inside]
        if len(rows):
            made[k] = reduce[bags.config.mode](rows)
    return made


def bag_of(run: BagRun) -> np.ndarray:
    """(n,): the bag of each index, -1 where the call was refused."""
    owner = np.full(len(run.items), -1)
    for k, (start, end) in enumerate(run.spans):
        owner[start:end] = k
    return owner
