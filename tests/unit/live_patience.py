"""Nothing in the tests of the runtime waits for ever: a worker that never answers fails its test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from rnnviz.training.live import pool
from rnnviz.training.live.worker import STARTING

# Nobody waits for a page here. Where the tests keep all cores busy, a polite start takes four times as long.
POLITE = pool._BOOT
pool._BOOT = POLITE.replace(f"({STARTING})", "(0)", 1)  # type: ignore[misc]

PATIENCE = 60.0  # seconds; only a failing test waits so long


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Interrupts a test that takes two minutes, also while it is in a system call."""

    def interrupt(*_: Any) -> None:
        raise TimeoutError("the test waited for too long")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(int(2 * PATIENCE))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
