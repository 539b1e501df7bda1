"""Functions that the tests of the pool have called in worker processes, and programs that own such a pool."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from rnnviz.training.live.pool import Workers


def pid() -> int:
    return os.getpid()


def loaded() -> list[str]:
    """Top-level names of the modules of this worker, and what its `__main__` is."""
    main = sys.modules["__main__"]
    return [
        *sorted({name.partition(".")[0] for name in sys.modules}),
        "main=" + getattr(main, "__file__", "-c"),
    ]


def modules_after(name: str) -> bool:
    return name in sys.modules


def niceness() -> int:
    return os.nice(0)


STARTED_AT: list[int] = []


def note_niceness() -> None:
    """Called while a worker starts."""
    STARTED_AT.append(os.nice(0))


def niceness_at_start() -> int:
    return STARTED_AT[0]


def torch_threads() -> int:
    import torch

    return torch.get_num_threads()


def interrupted() -> bool:
    """Whether this worker survives Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def speak(what: str) -> str:
    print(what, flush=True)
    return what


def divide(a: float, b: float) -> float:
    return a / b


def out_of_memory() -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")


class TwoArguments(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def unreadable() -> None:
    raise TwoArguments("cannot be read back", "from its pickle")


def unpicklable() -> object:
    return threading.Lock()


def spin(told: str) -> None:
    """Say that it has begun, then work without end."""
    with open(told, "w") as out:
        out.write("begun\n")
    while True:
        time.perf_counter()


def own_a_pool(told: str, closing: bool = False) -> None:
    """A program with two busy workers; it waits for its own end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    workers = Workers(2)
    for number in range(2):
        workers.submit(spin, f"{told}{number}")
    if closing:
        import atexit

        atexit.register(workers.close)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.exit(3)


if __name__ == "__main__":
    from tests.unit import live_calls  # a function of `__main__` has no name that a worker could find

    live_calls.own_a_pool(sys.argv[1], closing=len(sys.argv) > 2)
