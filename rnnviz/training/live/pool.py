"""Worker processes behind the `concurrent.futures.Executor` interface.

The standard library's ProcessPoolExecutor is not used because it throws away every running call when one
process dies, re-runs the server's main script in its processes, and leaves them alive when the server is
killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, Final, ParamSpec, TypeVar

from rnnviz.training.live.worker import STARTING, is_device_error, read_frame, write_frame

P = ParamSpec("P")
T = TypeVar("T")

_LOG: Final = logging.getLogger("rnnviz.training")
_BOOT: Final = (
    f"import os; getattr(os, 'nice', abs)({STARTING}); "  # before anything is loaded
    "import json, sys; path, modules = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from rnnviz.training.live.worker import serve; serve(modules)"
)
# One thread an operation: as many processes as cores are at work, and teaching-size matrices are too small to
# split. The variables are read when torch is loaded.
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class WorkerLost(BrokenExecutor):
    """The process that worked on a call has ended; the call can be sent again."""


class RemoteTraceback(Exception):
    """Cause of an exception that came from a worker: the traceback there, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Worker:
    """One process and the pipes to it. Only one thread may `ask`; any thread may `end`."""

    def __init__(self, modules: Sequence[str]) -> None:
        low = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)  # Windows; elsewhere it lowers itself
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps([sys.path, list(modules)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            creationflags=low,
            env=os.environ | _ONE_THREAD,
        )
        self._pipes = (self.process.stdin, self.process.stdout)

    def ask(self, call: bytes) -> tuple[Any, BaseException | None]:
        """Value or exception of one pickled call. Raises EOFError or OSError when the process has ended."""
        calls, answers = self._pipes
        assert calls is not None and answers is not None
        write_frame(calls, call)  # type: ignore[arg-type]
        value, error, text = pickle.loads(read_frame(answers))  # type: ignore[arg-type]
        if error is not None:
            error.__cause__ = RemoteTraceback(text)
        return value, error

    def kill(self) -> None:
        """End the process at once: it holds nothing that is worth a farewell."""
        self.process.kill()

    def bury(self) -> int:
        """Wait for the ended process and close the pipes: no zombie, no leak. Returns its exit code."""
        self.process.kill()
        code = self.process.wait()
        for pipe in self._pipes:
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        return code


class Workers(Executor):
    """Up to `size` worker processes, started as calls come (the first by `start`), each with a thread that
    attends it.

    A process that ends in the middle of a call fails that call alone, with WorkerLost, and is replaced.
    Workers import `modules` while they start. Arguments, results and functions travel by pickle, functions
    by name.
    """

    def __init__(self, size: int | None = None, modules: Sequence[str] = ()) -> None:
        self.size = size or cores()
        self._modules = tuple(modules)
        self._calls: queue.SimpleQueue[tuple[Future[Any], bytes] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._workers: set[Worker] = set()
        self._open = 0  # calls without an answer yet
        self._closed = False  # nothing new is taken
        self._ended = False  # and nothing goes on

    def start(self) -> None:
        """Start the first process, if there is none yet; returns at once. Another follows when calls wait."""
        with self._lock:
            self._grow(1)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn(*args)` in a worker; keyword arguments are refused."""
        if kwargs:
            raise TypeError("a call to a worker takes positional arguments only")
        call = pickle.dumps((fn, args), pickle.HIGHEST_PROTOCOL)
        future: Future[T] = Future()
        with self._lock:
            self._grow(self._open + 1)
            self._open += 1
        future.add_done_callback(self._done)
        self._calls.put((future, call))
        return future

    def _grow(self, calls: int) -> None:
        # A process for each call that is open, while there are fewer than may be: loading PyTorch takes four
        # seconds of a core, which one student's only run need not cost twice.
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        while len(self._threads) < min(calls, self.size):
            name = f"rnnviz-worker-{len(self._threads)}"
            thread = threading.Thread(target=self._attend, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _done(self, _future: Future[Any]) -> None:
        with self._lock:
            self._open -= 1

    def pids(self) -> list[int]:
        """Process ids of the workers that are alive now."""
        with self._lock:
            return sorted(worker.process.pid for worker in self._workers)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As the interface has it: what was submitted is finished, unless cancelled. Any number of times."""
        with self._lock:
            first, self._closed = not self._closed, True
            threads = list(self._threads)
        if cancel_futures:
            self._cancel_waiting()
        if first:
            for _ in threads:
                self._calls.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def close(self) -> None:
        """End all workers now, whatever they are doing. Running calls fail with WorkerLost."""
        self.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._ended = True
            for worker in self._workers:
                worker.kill()
        self.shutdown(wait=True)

    def _cancel_waiting(self) -> None:
        kept = 0
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._calls.get_nowait()
                if item is None:
                    kept += 1
                else:
                    item[0].cancel()
        for _ in range(kept):
            self._calls.put(None)

    def _attend(self) -> None:
        """Life of a thread: one process after another, one call after another."""
        worker = self._hire()
        while (item := self._calls.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            if worker is None or worker.process.poll() is not None:  # ended while idle: nothing is lost
                worker = self._replace(worker)
            if worker is None:
                future.set_exception(WorkerLost("no worker process could be started"))
            elif not self._answer(worker, future, call):
                worker = self._replace(worker)
        if worker is not None:
            self._dismiss(worker)

    def _answer(self, worker: Worker, future: Future[Any], call: bytes) -> bool:
        """Resolve the future; False when the process has ended, or ends because its device failed."""
        try:
            value, error = worker.ask(call)
        except (EOFError, OSError):
            future.set_exception(WorkerLost("the worker process has ended"))
            return False
        except Exception as unreadable:  # a value that this process cannot make sense of
            value, error = None, unreadable
        if error is not None:
            future.set_exception(error)
            return not is_device_error(error)
        future.set_result(value)
        return True

    def _hire(self) -> Worker | None:
        with self._lock:
            if self._ended:
                return None
            try:
                worker = Worker(self._modules)
            except OSError as error:
                _LOG.warning("a worker process could not be started: %s", error)
                return None
            self._workers.add(worker)
            return worker

    def _dismiss(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        code = worker.bury()
        _LOG.debug("worker %d ended with %d", worker.process.pid, code)

    def _replace(self, worker: Worker | None) -> Worker | None:
        if worker is not None:
            self._dismiss(worker)
        return self._hire()
