"""Row D8: the scores of one or two sentences, their targets, and PyTorch's loss of each position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from rnnviz.training import CharsConfig


@dataclass(frozen=True, eq=False)
class Batch:
    """``logits`` (N, L, classes), ``target`` (N, L) ids, ``losses`` (N, L) with ``reduction="none"``,
    ``loss`` with the model's own reduction over all N * L, and the sentences that are read.
    """

    logits: NDArray[Any]
    target: NDArray[Any]
    losses: NDArray[Any]
    loss: float
    sentences: tuple[str, ...]


def scored(config: CharsConfig, *scores: NDArray[Any]) -> Batch:
    """A run's pair as a batch of N = 1, from the scores (L, classes) of its source; or of N = 2, with those
    of its target below: the same strings the other way round, which the model is never taught.
    """
    pairs = [(config.source, config.target), (config.target, config.source)][: len(scores)]
    logits = torch.stack([torch.tensor(each) for each in scores])  # (N, L, classes)
    target = torch.tensor([[config.characters.index(c) for c in text] for _, text in pairs])  # (N, L)
    flat, ids = logits.reshape(-1, logits.shape[-1]), target.reshape(-1)  # (N * L, classes), (N * L)
    losses = cross_entropy(flat, ids, reduction="none")
    return Batch(
        logits.numpy(),
        target.numpy(),
        losses.reshape(target.shape).numpy(),
        float(cross_entropy(flat, ids, reduction=config.reduction)),
        tuple(source for source, _ in pairs),
    )
