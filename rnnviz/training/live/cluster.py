"""Where slices run: this machine's own workers, or a Dask cluster when one is named and there.

`RNNVIZ_SCHEDULER=tcp://host:port` names its scheduler (with `requirements-cluster.txt` installed); its
workers need rnnviz installed. Without it, or when it does not answer, the local pool works and
`Pool.message` says why.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from importlib import import_module
from typing import Any, Final, TypeVar

from rnnviz.training.live.pool import Workers

T = TypeVar("T")

VARIABLE: Final = "RNNVIZ_SCHEDULER"
WORKERS: Final = "RNNVIZ_WORKERS"
MOST_WORKERS: Final = 256
MODULES: Final = ("rnnviz.training.live.rehearsal:rehearse",)  # what a local worker does at first
PATIENCE: Final = 5.0  # seconds a scheduler has to answer
RECOUNT: Final = 3.0  # seconds between questions after a cluster's workers, which come and go

_LOG: Final = logging.getLogger("rnnviz.training")
_ADDRESS: Final = re.compile(r"(tcp|tls)://[^\s/]+:\d+")


class Pool:
    """`submit` to the cluster if there is one, else to the local workers, which start at their first use.

    `message` is empty, or a sentence for the page: why the named cluster is not used.
    """

    def __init__(self, size: int | None = None, scheduler: str = "") -> None:
        self.message = ""
        self._scheduler = scheduler
        self._local = Workers(size, MODULES)
        self._client: Any = None
        self._remote: Executor | None = None
        self._count, self._counted_at = 1, -math.inf
        self._lock = threading.RLock()

    @classmethod
    def from_environment(cls) -> Pool:
        """The pool that `RNNVIZ_SCHEDULER` and `RNNVIZ_WORKERS` ask for; a worker a core without the latter.

        Raises ValueError for a number of workers that is none.
        """
        asked = os.environ.get(WORKERS, "").strip()
        if asked and not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MOST_WORKERS):
            raise ValueError(f"{WORKERS} is {asked!r}; a number from 1 to {MOST_WORKERS} is allowed")
        return cls(int(asked) if asked else None, os.environ.get(VARIABLE, "").strip())

    def start(self) -> None:
        """Connect to the scheduler, or start a local worker. Waits for a scheduler up to five seconds."""
        with self._lock:
            if self._scheduler and self._remote is None:
                self._client, self.message = connect(self._scheduler)
                if self._client is None:
                    _LOG.warning("%s", self.message)
                    self._scheduler = ""
                else:
                    self._remote = self._client.get_executor(pure=False)
            if self._remote is None:
                self._local.start()

    @property
    def size(self) -> int:
        """How many slices can be worked on at the same time; of a cluster, as it was a few seconds ago."""
        with self._lock:
            if self._client is None:
                return self._local.size
            now = time.monotonic()
            if now >= self._counted_at + RECOUNT:
                self._counted_at = now
                self._count = self._threads()
            return self._count

    def _threads(self) -> int:
        try:
            workers = self._client.scheduler_info()["workers"].values()  # asks the scheduler
        except (OSError, TimeoutError, RuntimeError, ValueError) as error:
            _LOG.debug("the scheduler did not say what it has", exc_info=error)
            return self._count
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Call a module's function in a worker. Raises RuntimeError after `close`."""
        self.start()
        with self._lock:
            remote = self._remote
        if remote is None:
            return self._local.submit(function, *arguments)
        return remote.submit(on_one_thread, function, *arguments)

    def mend(self, error: BaseException) -> bool:
        """Whether a call that failed with `error` was lost with its worker, so that it can be sent again.

        A cluster whose scheduler is gone is given up for the local workers.
        """
        if isinstance(error, CancelledError) or type(error).__name__ in {"KilledWorker", "CommClosedError"}:
            self._check_scheduler()
            return True
        return isinstance(error, BrokenExecutor)

    def _check_scheduler(self) -> None:
        with self._lock:
            if self._client is None or self._client.status == "running":
                return
            self.message = f"The cluster at {self._scheduler} was lost: training goes on on this machine."
            _LOG.warning("%s", self.message)
            self._forget_client()
            self._scheduler = ""

    def _forget_client(self) -> None:
        client, self._client, self._remote = self._client, None, None
        if client is not None:
            client.close(timeout=2)

    def pids(self) -> list[int]:
        """Process ids of the local workers."""
        return self._local.pids()

    def close(self) -> None:
        """End the local workers at once and leave the cluster. Any number of times."""
        self._local.close()
        with self._lock:
            self._scheduler = ""
            self._forget_client()


def connect(address: str) -> tuple[Any, str]:
    """A Dask client and "", or None and the sentence that says why there is none."""
    instead = "Training runs on this machine instead."
    if not _ADDRESS.fullmatch(address):
        return None, f"{VARIABLE} is {address!r}, but it has to look like tcp://host:8786. {instead}"
    try:
        distributed = import_module("distributed")
    except ImportError:
        return None, f"{VARIABLE} is set, but requirements-cluster.txt is not installed. {instead}"
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False), ""
    except (OSError, TimeoutError) as error:
        _LOG.debug("no scheduler", exc_info=error)
        return None, f"No Dask scheduler answers at {address}. {instead}"


def on_one_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call `function` on a worker that this program did not start: the same bits need the same one thread."""
    import torch

    torch.set_num_threads(1)  # at every call: the setting belongs to a thread, and Dask has several
    return function(*arguments)
