"""The training loop. A step is the notebooks' five lines, in their order, with PyTorch's own optimiser, so
that the exported script gives the same bits; what is observed costs a few small operations an epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rnnviz.config import whole
from rnnviz.training.opened import Live, on_device, seeded
from rnnviz.training.state import RunState, Sums
from rnnviz.training.task import Batch, Done, as_numpy, steps_an_epoch

BROKEN = 1e4
"""A step's loss, or a move of all weights in an epoch, beyond this is a run that has broken. Guessing among
1000 classes costs 7; but softmax and the gates saturate, so that a far too large learning rate mostly gives a
loss of some 100,000 and not one that is no number.
"""
_KEPT_SCORES = 4096
"""The scores of a larger batch are counted at once: kept to the epoch's end they can fill the memory."""


@dataclass(frozen=True)
class Limits:
    """Where to end: after ``epochs``, or with the epoch in which ``seconds`` are over, whichever is first.

    ``within``: end within an epoch too when the time is over. ``steps``: at most this many optimiser steps.
    """

    epochs: int
    seconds: float = math.inf
    steps: int = 0
    within: bool = False

    def __post_init__(self) -> None:
        whole("epochs", self.epochs, 0)
        whole("steps", self.steps, 0)


Row = dict[str, Any]
"""What one epoch is seen to have done; see `rnnviz.training.slices.LOG`."""
Watch = Callable[[Live, Row], bool]
"""Called after each epoch; True ends the run there."""


class _Broken(Exception):
    """The run has broken after so many good epochs; the message is the sentence that says how."""

    def __init__(self, fact: str, live: Live, epochs: int) -> None:
        kept = f"what was learnt up to epoch {live.epoch} is kept" if live.epoch else "the start is kept"
        super().__init__(
            f"Stopped in epoch {live.epoch + 1}: {fact}. The usual reason is a learning rate that is too "
            f"large (it is {live.origin.lr:g}): lower it, or clip the gradient, and go on; {kept}."
        )
        self.epochs = epochs


def run(state: RunState, limits: Limits, watch: Watch | None = None) -> RunState:
    """The run moved on. A broken one comes back as it was at the last good epoch, ``stopped`` saying why.

    Raises DeviceLost.
    """
    if state.stopped or not limits.epochs:
        return state
    with on_device(state.device):
        try:
            return _forward(state, limits, watch)
        except _Broken as broken:
            # Nobody keeps a copy of every epoch in case the next one breaks: the same way again leads there.
            good = _forward(state, Limits(broken.epochs), None) if broken.epochs else state
            return replace(good, stopped=str(broken))


def _forward(state: RunState, limits: Limits, watch: Watch | None) -> RunState:
    end = time.perf_counter() + limits.seconds
    with seeded(0), _random(state):
        live = Live.open(state)
        live.open_optimizer()
        config, task = state.config, live.task
        data, size, steps = (
            task.data(config, state.device),
            task.batch_size(config),
            steps_an_epoch(task, config),
        )
        shuffled, batches = task.shuffled(config), data.batches()
        taken, starts = 0, live.starts()
        for done in range(limits.epochs):
            if live.step == 0:
                live.order = torch.randperm(task.items(config)) if shuffled else None
                live.before = live.values().copy()
                live.sums = Sums()
            order = None if live.order is None else live.order.tolist()
            while True:
                first = live.step * size
                batch = batches[live.step] if order is None else data.batch(order[first : first + size])
                last = live.step == steps - 1
                row = _step(live, batch, observed=last and watch is not None, epochs=done)
                live.step += 1
                taken += 1
                over = taken == limits.steps or (limits.within and time.perf_counter() >= end)
                if last or over:
                    break
            squares = _moved(live, starts, done)
            if not last:
                live.count()
                break
            live.losses.append(live.sums.loss / steps)
            live.epoch += 1
            live.step = 0
            if watch is not None and watch(live, row | _seen(live, squares)):
                break
            live.seen.clear()
            if over or time.perf_counter() >= end:
                break
        return live.state()


@contextmanager
def _random(state: RunState) -> Iterator[None]:
    """The run's own random states in PyTorch's generators. `seeded` around it puts the CPU's back."""
    torch.set_rng_state(state.random["cpu"])
    if state.device != "cuda":
        yield
        return
    kept = torch.cuda.get_rng_state()
    if "cuda" in state.random:
        torch.cuda.set_rng_state(state.random["cuda"])
    else:
        torch.cuda.manual_seed(state.config.seed)
    try:
        yield
    finally:
        torch.cuda.set_rng_state(kept)


def _step(live: Live, batch: Batch, *, observed: bool, epochs: int) -> Row:
    """One optimiser step. ``observed``: what the epoch's row takes from its last step."""
    for parameter in live.parameters:  # optimizer.zero_grad() with its profiler's hook takes 20 times as long
        parameter.grad = None
    done = live.task.loss(live.model, batch, live.origin.config, live.epoch)
    loss = done.loss.item()
    if not abs(loss) <= BROKEN:
        value = f"jumped to {loss:,.0f}" if math.isfinite(loss) else "is no longer a number"
        raise _Broken(f"the loss {value}", live, epochs)
    done.loss.backward()
    row = _observed(live, batch, done) if observed else {}
    if clip := live.origin.config.optimiser.clip:
        nn.utils.clip_grad_norm_(live.parameters, clip)
    with torch.no_grad():
        live.update(live.optimizer)
        for parameter, rows in live.held:
            parameter[rows] = 0.0
    live.seen.append((as_numpy(done.scores), batch.answers))
    live.sums = Sums(live.sums.loss + loss, live.sums.right, live.sums.total + batch.count)
    if done.scores.numel() > _KEPT_SCORES:
        live.count()
    return row


def _observed(live: Live, batch: Batch, done: Done) -> Row:
    gradients = [np.zeros(1) if p.grad is None else as_numpy(p.grad).ravel() for p in live.parameters]
    norms = [math.sqrt(gradient.dot(gradient)) for gradient in gradients]
    return {"grad_norm": norms, **live.task.log(live.origin.config, batch, done)}


def _moved(live: Live, starts: list[int], epochs: int) -> NDArray[Any]:
    """The square of how far each parameter is from where it was at the epoch's start: (P)."""
    with np.errstate(all="ignore"):
        way = (live.values() - live.before).astype(np.float64)
        squares = np.add.reduceat(way * way, starts)
    far = math.sqrt(squares.sum())
    if not far <= BROKEN:
        size = f"by {far:,.0f}" if math.isfinite(far) else "beyond all numbers"
        raise _Broken(f"the weights were thrown {size}", live, epochs)
    return squares


def _seen(live: Live, squares: NDArray[Any]) -> Row:
    live.count()
    held_loss, held_accuracy = live.evaluate(held_out=True)
    return {
        "epoch": live.epoch,
        "loss": live.losses[-1],
        "accuracy": live.sums.right / live.sums.total,
        "held_loss": held_loss,
        "held_accuracy": held_accuracy,
        "lr": live.origin.lr,
        "change": np.sqrt(squares),
        **live.watch(),
    }
