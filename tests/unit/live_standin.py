"""A small honest trainer on bytes for the tests of the runtime: a chain of hashes, repeatable to the bit.

Its state is JSON. An epoch has three steps; the loss of an epoch is made of the hash at its end. A state can
carry orders for the tests: `kill` and `fail` say at which epoch the worker is to end itself (once) or raise.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.training.live.engine import Engine
from rnnviz.training.slices import Order, Slice

STEPS = 3
FLOAT = np.dtype(np.float64)


class Refused(RuntimeError):
    """Cannot be read back from its pickle: it takes two arguments and hands one on."""

    def __init__(self, what: str, more: str) -> None:
        super().__init__(what)


def start(cost: int = 50, **orders: Any) -> bytes:
    """A new state; `cost`: hashes a step."""
    state = {"epoch": 0, "step": 0, "x": "00" * 32, "lr": 1.0, "cost": cost, "changes": [], "orders": orders}
    return _bytes(state)


def work(data: bytes, order: Order) -> Slice:
    """One slice, with the same ends as the engine's."""
    began = time.perf_counter()
    state = _parse(data)
    _wait_at_gate(state)
    first, steps, stopped = state["epoch"], 0, ""
    kept: list[tuple[int, bytes]] = []
    losses: list[float] = []
    while not stopped and state["epoch"] < first + order.epochs and steps != order.steps:
        _obey(state)
        _step(state)
        steps += 1
        if not state["step"]:
            losses.append(int(state["x"][:8], 16) / 2**32)
            stopped = _reached(order, state, losses[-1])
            if order.stride and state["epoch"] % order.stride == 0:
                kept.append((state["epoch"], _bytes(state)))
        if time.perf_counter() - began >= order.seconds:
            break
    rows = np.array(losses, FLOAT)
    log: dict[str, NDArray[np.generic]] = {"loss": rows, "grad_norm": np.stack([rows, -rows], axis=1)}
    return Slice(
        _bytes(state),
        state["epoch"],
        state["step"],
        tuple(kept),
        log,
        snapshot(_bytes(state), order.view) if order.view else {},
        stopped=stopped,
        steps=steps,
        took=time.perf_counter() - began,
    )


def change(data: bytes, wanted: Any) -> bytes:
    state = _parse(data)
    if not isinstance(wanted, float):
        raise ValueError(f"lr must be a float, not {wanted!r}")
    _change(state, wanted)
    return _bytes(state)


def replay(kept: bytes, head: bytes, epoch: int) -> bytes:
    state = _parse(kept)
    for at, step, wanted in _parse(head)["changes"][len(state["changes"]) :]:
        if (at, step) > (epoch, 0):
            break
        while (state["epoch"], state["step"]) < (at, step):
            _step(state)
        _change(state, wanted)
    while (state["epoch"], state["step"]) < (epoch, 0):
        _step(state)
    return _bytes(state)


def snapshot(data: bytes, view: str) -> dict[str, Any]:
    state = _parse(data)
    return {"view": np.array([ord(letter) for letter in view]), "epoch": np.array(state["epoch"])}


def check(data: bytes) -> tuple[int, int]:
    state = _parse(data)
    return state["epoch"], state["step"]


def after(state: bytes, epochs: int) -> bytes:
    """The bytes that an uninterrupted run has after so many epochs."""
    return replay(state, state, _parse(state)["epoch"] + epochs)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        state = json.loads(data)
        if not (isinstance(state["epoch"], int) and isinstance(state["step"], int) and len(state["x"]) == 64):
            raise ValueError("the numbers of the state make no sense")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a state: {error}") from error
    return dict(state)


def _bytes(state: dict[str, Any]) -> bytes:
    return json.dumps(state).encode()


def _step(state: dict[str, Any]) -> None:
    x = bytes.fromhex(state["x"]) + str(state["lr"]).encode()
    for _ in range(state["cost"]):
        x = hashlib.sha256(x).digest()
    state["x"] = x.hex()
    state["step"] = (state["step"] + 1) % STEPS
    state["epoch"] += state["step"] == 0


def _change(state: dict[str, Any], lr: float) -> None:
    state["changes"] = [*state["changes"], [state["epoch"], state["step"], lr]]
    state["lr"] = lr


def _reached(order: Order, state: dict[str, Any], loss: float) -> str:
    until = order.until
    if until and until.epochs is not None and state["epoch"] >= until.epochs:
        return f"{until.epochs} epochs are done."
    if until and until.loss_below is not None and loss < until.loss_below:
        return f"The loss is below {until.loss_below}."
    return ""


def _wait_at_gate(state: dict[str, Any]) -> None:
    """`gate`: two named pipes. The slice writes a line to the first, then waits for one in the second."""
    if gate := state["orders"].get("gate"):
        with open(gate + ".out", "w") as told:
            told.write(f"{state['epoch']}\n")
        with open(gate + ".in") as heard:
            heard.readline()


def _obey(state: dict[str, Any]) -> None:
    orders = state["orders"]
    if "kill" in orders and state["epoch"] == orders["kill"]:
        marker = Path(orders["marker"])
        done = len(marker.read_text()) if marker.exists() else 0
        if done < orders.get("times", 1):
            marker.write_text("x" * (done + 1))
            os.kill(os.getpid(), signal.SIGKILL)
    if "fail" in orders and state["epoch"] == orders["fail"]:
        if orders["saying"] == "refused":
            raise Refused("cannot be pickled", "and read again")
        raise RuntimeError(orders["saying"])


STANDIN = Engine(work, change, replay, snapshot, check)
