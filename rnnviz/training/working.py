"""What a worker does with an order; see `rnnviz.training.slices`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.training import engine, loop
from rnnviz.training.opened import Live
from rnnviz.training.slices import Order, Slice, Stop
from rnnviz.training.state import RunState
from rnnviz.training.task import steps_an_epoch


def carry_out(state: bytes, order: Order) -> Slice:
    """See `rnnviz.training.slices.work`."""
    began = time.perf_counter()
    before = RunState.from_bytes(state)
    watch = _Watch(order)
    until = order.until or Stop()
    epochs, reached = order.epochs, ""
    if until.epochs is not None:
        epochs = max(0, min(epochs, until.epochs - before.epoch))
        reached = _reached(until.epochs) if until.epochs <= before.epoch else ""
    limits = loop.Limits(
        epochs=epochs,
        seconds=order.seconds - (time.perf_counter() - began),
        steps=order.steps or 0,
        within=True,
    )
    after = loop.run(before, limits, watch)
    data = after.to_bytes()
    task_steps = steps_an_epoch(engine.task_of(after), after.config)
    return Slice(
        state=data,
        epoch=after.epoch,
        step=after.step,
        kept=tuple(watch.kept),
        log=watch.log(),
        snapshot=engine.snapshot(after, order.view) if order.view else {},
        stopped=after.stopped or watch.reached or reached,
        fault=bool(after.stopped),
        steps=(after.epoch - before.epoch) * task_steps + after.step - before.step,
        took=time.perf_counter() - began,
    )


def _reached(epochs: int) -> str:
    return f"{epochs:,} epoch{' is' if epochs == 1 else 's are'} done."


class _Watch:
    """Notes each epoch's row, keeps states by the stride, and says when a stop is reached."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.rows: list[loop.Row] = []
        self.kept: list[tuple[int, bytes]] = []
        self.reached = ""

    def __call__(self, live: Live, row: loop.Row) -> bool:
        self.rows.append(row)
        if self.order.stride and live.epoch % self.order.stride == 0:
            self.kept.append((live.epoch, live.state(copy=False).to_bytes()))
        self.reached = self._stop(live, row)
        return bool(self.reached)

    def _stop(self, live: Live, row: loop.Row) -> str:
        until = self.order.until
        if until is None:
            return ""
        # The epoch's own count is from before its steps: worth asking again only when that was all right.
        if until.all_right and row["accuracy"] == 1.0 and live.evaluate(held_out=False)[1] == 1.0:
            return f"Every prediction is right after epoch {live.epoch:,}."
        if until.loss_below is not None and row["loss"] < until.loss_below:
            return f"The loss of epoch {live.epoch:,} is below {until.loss_below:g}."
        if until.epochs is not None and live.epoch >= until.epochs:
            return _reached(until.epochs)
        return ""

    def log(self) -> dict[str, NDArray[Any]]:
        """The rows as arrays, see `LOG`; nothing where no epoch ended."""
        names = self.rows[0] if self.rows else ()
        return {name: np.array([row[name] for row in self.rows]) for name in names}
