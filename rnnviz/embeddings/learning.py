"""One real step of training: forward, backward, and torch.optim.SGD, with the table after each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.sgd import sgd

from rnnviz.embeddings.inputs import LOSSES, Training
from rnnviz.embeddings.lookup import Matrix, Refusal, frozen, prepared, refused, said
from rnnviz.embeddings.refusals import Rule, table_rule


@dataclass(frozen=True, eq=False)
class Learned:
    """The table (V, D) before the call, after forward (``max_norm`` works there), and after the step.

    ``grad`` is None where there is no gradient at all; with ``sparse`` its rows that are not stored are NaN.
    ``counts`` (V,) says how often each row was looked up. ``loss`` is NaN where the call was refused.
    """

    before: Matrix
    forward: Matrix
    grad: Matrix | None
    after: Matrix
    counts: NDArray[np.int64]
    loss: float
    stored: int
    refusal: Refusal | None

    @property
    def shortened(self) -> tuple[int, ...]:
        """Rows that forward itself has changed."""
        return rows_of(self.before != self.forward)

    @property
    def learned(self) -> tuple[int, ...]:
        """Rows that have a gradient other than zero."""
        return () if self.grad is None else rows_of(np.nan_to_num(self.grad) != 0)

    @property
    def moved(self) -> tuple[int, ...]:
        """Rows that the step has changed."""
        return rows_of(self.forward != self.after)


def sgd_step(parameters: list[torch.Tensor], lr: float) -> None:
    """One step of torch.optim.SGD for parameters that have a gradient, by the function that it calls itself.

    Making the optimizer would load 820 modules more (torch 2.13: 1.1 s, 74 MB), which every collection of
    garbage after a rerun would then walk over.
    """
    with torch.no_grad():
        sgd(
            parameters,
            [p.grad for p in parameters if p.grad is not None],
            [None] * len(parameters),
            has_sparse_grad=any(p.grad is not None and p.grad.is_sparse for p in parameters),
            foreach=False,
            lr=lr,
            weight_decay=0.0,
            momentum=0.0,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )


def rows_of(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """The rows in which anything holds."""
    return tuple(int(row) for row in np.flatnonzero(mask.any(axis=1)))


_FROZEN = Rule(
    "frozen",
    "Nothing here asks for a gradient: the frozen table is the only parameter. In a model with other layers "
    "backward() runs, and passes the table by.",
)
_SPARSE_FREQ = Rule(
    "sparse",
    "A sparse gradient is a list of (row, gradient) pairs, one a lookup, and PyTorch does not divide those "
    "by "
    "how often a row comes: choose one of the two.",
)


@lru_cache(maxsize=64)
def learn(training: Training) -> Learned:
    """The screen's step, taken once."""
    table = training.table
    module = prepared(table)
    module.weight.requires_grad_(not training.freeze)
    before = frozen(module.weight)
    rows = table.config.num_embeddings
    if (rule := table_rule(table)) is not None:
        counts = np.zeros(rows, np.int64)
        found = refused(module, table, rule)
        return Learned(before, before, None, before, counts, float("nan"), 0, found)
    indices = torch.tensor(table.indices)
    counts = torch.bincount(indices.flatten(), minlength=rows).numpy()
    output = module(indices)
    loss = output.sum() if training.loss == LOSSES[0] else output.pow(2).sum()
    forward = frozen(module.weight)
    broken = _FROZEN if training.freeze else None
    if broken is None and table.config.sparse and table.config.scale_grad_by_freq:
        broken = _SPARSE_FREQ
    if broken is not None:
        found = Refusal(said(loss.backward), broken)
        return Learned(before, forward, None, forward, counts, float(loss.detach()), 0, found)
    loss.backward()
    grad = module.weight.grad
    assert grad is not None
    stored, dense = rows, frozen(grad.to_dense())
    if grad.is_sparse:
        kept = grad.coalesce().indices()[0].numpy()
        stored, hidden = len(kept), np.ones(rows, bool)
        hidden[kept] = False
        dense = np.where(hidden[:, None], np.float32(np.nan), dense)
    sgd_step([module.weight], training.lr)
    return Learned(before, forward, dense, frozen(module.weight), counts, float(loss.detach()), stored, None)
