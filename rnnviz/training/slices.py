"""One trip of a run to a worker process: an order goes out with the run's bytes, a slice comes back.

This is the boundary between the engine and whatever runs it. A run's bytes are opaque on the far side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG = {
    "epoch": "(E) how many epochs were done after it, counted from 1",
    "loss": "(E) its loss, as in RunState.losses",
    "accuracy": "(E) predictions that were right, of those its steps made before they learnt",
    "held_loss": "(E) over the held-out sentences after it, NaN without any",
    "held_accuracy": "(E) likewise; for pairs, strings decoded greedily without a fault",
    "lr": "(E) the learning rate",
    "grad_norm": "(E, P) norm of each parameter's gradient at its last step, before clipping",
    "change": "(E, P) norm of each parameter's way from its first step to its last",
    "alignment": "(E) pairs only: held-out tokens whose largest weight is at their true source position",
    "entropy": "(E) pairs only: of the weights, in nats, the mean over the held-out steps",
    "predicted": "(E, L) Characters only: the classes predicted at its step, before it learnt",
}
"""What a log holds, one row an epoch. P: parameters in the order of `engine.parameter_names`."""


@dataclass(frozen=True)
class Stop:
    """When a run is to stop by itself: at the first epoch where one of these holds.

    ``all_right``: every training tag (or character) is predicted, with dropout off. ``loss_below``: the
    epoch's loss. ``epochs``: this many epochs of the run are done.
    """

    all_right: bool = False
    loss_below: float | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Order:
    """What one slice shall do: at most ``epochs`` more epochs, about ``seconds`` long.

    A slice ends after the optimiser's step in which its time is up, so it may end within an epoch; the next
    one goes on from there. ``steps``: at most this many optimiser steps, 1 for "one sentence". ``stride``: a
    full state is kept at each epoch that it divides, 0 for none. ``view``: what to take a snapshot of at the
    end, as JSON text (`engine.snapshot`); "" for nothing.
    """

    epochs: int
    seconds: float
    stride: int = 0
    view: str = ""
    until: Stop | None = None
    steps: int | None = None


@dataclass(frozen=True)
class Slice:
    """What came back. ``state``: the run's bytes now; ``epoch`` and ``step``: where it stands.

    ``kept``: (epoch, bytes) of the states kept by the stride. ``log``: one row an epoch that ended in this
    slice, see `LOG`. ``stopped``: "" to go on, else the sentence that says why not. ``fault``: True
    when the run stopped because it cannot go on as it is (a loss that is not finite, a lost device), False
    when a `Stop` was reached. ``steps``: optimiser steps done. ``took``: seconds.
    """

    state: bytes
    epoch: int
    step: int
    kept: tuple[tuple[int, bytes], ...] = ()
    log: dict[str, NDArray[Any]] = field(default_factory=dict)
    snapshot: dict[str, NDArray[Any]] = field(default_factory=dict)
    stopped: str = ""
    fault: bool = False
    steps: int = 0
    took: float = 0.0


def work(state: bytes, order: Order) -> Slice:
    """Carry out an order. A pure function: any process gives the same bits, and keeps only prepared data.

    Raises ValueError for bytes that are no run or a bad view, DeviceLost when the device is not there, full
    or lost: the run's bytes are then as good as before, on any device.
    """
    from rnnviz.training.working import carry_out  # torch comes with it

    return carry_out(state, order)
