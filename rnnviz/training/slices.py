"""One trip of a run to a worker process: an order goes out with the run's bytes, a slice comes back.

This is the boundary between the engine and whatever runs it. A run's bytes are opaque on the far side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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
    slice, see `engine.LOG`. ``stopped``: "" to go on, else the sentence that says why not. ``fault``: True
    when the run stopped because it cannot go on as it is (a loss that is not finite, a lost device), False
    when a `Stop` was reached. ``steps``: optimiser steps done. ``took``: seconds.
    """

    state: bytes
    epoch: int
    step: int
    kept: tuple[tuple[int, bytes], ...] = ()
    log: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    snapshot: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    stopped: str = ""
    fault: bool = False
    steps: int = 0
    took: float = 0.0
