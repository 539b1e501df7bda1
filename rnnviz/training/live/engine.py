"""The engine as the runtime sees it: functions on bytes. All of it can be sent to a worker by name.

torch is imported at the first call, so that the server starts without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from rnnviz.training.slices import Order, Slice
    from rnnviz.training.state import RunState

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Engine:
    """What a run needs; each function is pure.

    `work`: one slice. `change`: the state after a change. `replay(kept, head, epoch)`: exactly the state at
    `epoch`, from one kept before it, with the changes that led to `head`. `snapshot`: arrays for the
    pictures. `check`: the (epoch, step) of a state, ValueError for bytes that are none.
    """

    work: Callable[[bytes, Order], Slice]
    change: Callable[[bytes, Any], bytes]
    replay: Callable[[bytes, bytes, int], bytes]
    snapshot: Callable[[bytes, str], Arrays]
    check: Callable[[bytes], tuple[int, int]]


def work(state: bytes, order: Order) -> Slice:
    """`rnnviz.training.slices.work`, with the processor's seconds as `took`.

    On a busy machine a slice of so many seconds gets more or less done, and a run that got less would have
    paid for what others did: thirty equal runs beside other work came to 11 to 76 epochs.
    """
    from rnnviz.training import slices

    began = time.process_time()
    result = slices.work(state, order)
    return replace(result, took=time.process_time() - began)


def change(state: bytes, wanted: Any) -> bytes:
    """The state after one of `rnnviz.training.changes`."""
    from rnnviz.training import engine
    from rnnviz.training.state import RunState

    return engine.change(RunState.from_bytes(state), wanted).to_bytes()


def snapshot(state: bytes, view: str) -> Arrays:
    """Ready-made arrays for the pictures of one state."""
    from rnnviz.training import engine
    from rnnviz.training.state import RunState

    return engine.snapshot(RunState.from_bytes(state), view)


def check(state: bytes) -> tuple[int, int]:
    """Epoch and step of a state. ValueError for bytes that are none."""
    from rnnviz.training.state import RunState

    parsed = RunState.from_bytes(state)
    return parsed.epoch, parsed.step


def replay(kept: bytes, head: bytes, epoch: int) -> bytes:
    """The state at the end of `epoch` on the way from `kept` to `head`, to the bit, its changes included."""
    from rnnviz.training import engine
    from rnnviz.training.state import RunState

    state = RunState.from_bytes(kept)
    for at, step, wanted in RunState.from_bytes(head).changes[len(state.changes) :]:
        if (at, step) > (epoch, 0):
            break
        state = engine.change(_forward(state, at, step), wanted)
    return _forward(state, epoch, 0).to_bytes()


def _forward(state: RunState, epoch: int, step: int) -> RunState:
    from rnnviz.training import engine

    if state.epoch < epoch:
        state = engine.advance(state, epochs=epoch - state.epoch)
    while state.step < step:
        state = engine.step(state)
    return state


TRAINING = Engine(work, change, replay, snapshot, check)
