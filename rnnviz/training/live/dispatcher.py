"""One thread that shares the pool among the runs: one slice in flight for each, fair in seconds of work."""

from __future__ import annotations

import functools
import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rnnviz.training.live.records import Job
from rnnviz.training.live.run import Run
from rnnviz.training.live.worker import is_device_error

SHORTEST: Final = 0.05  # seconds of a slice: below, sending it costs too much of it
LONGEST: Final = 0.2  # above, a picture moves too seldom
ROUND: Final = 0.5  # seconds in which every run should have had its turn
ATTEMPTS: Final = 3  # how often one slice may lose its worker

_LOG: Final = logging.getLogger("rnnviz.training")


class Executes(Protocol):
    """What the dispatcher needs of a pool (`cluster.Pool`)."""

    @property
    def size(self) -> int: ...
    def start(self) -> None: ...
    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]: ...
    def mend(self, error: BaseException) -> bool: ...
    def pids(self) -> list[int]: ...
    def close(self) -> None: ...


@dataclass
class Seat:
    """A run that has something to do. `served`: seconds of work it had; `turn`: when it was last served."""

    run: Run
    served: float
    turn: int = 0
    flight: Future[Any] | None = None
    lost: int = 0  # workers lost in a row


@dataclass(frozen=True)
class Landing:
    """A slice that came back, or its failure."""

    seat: Seat
    job: Job
    future: Future[Any]


class Dispatcher:
    """Gives the slices of all playing runs to a pool. Any thread may call its methods.

    The run that had the fewest seconds of work goes next; one that starts to play is as if it had had as many
    as the one that goes next, so that it need not wait, and cannot catch up for the time it stood still. A
    click for one epoch or step goes before all that play.
    """

    def __init__(self, pool: Executes, clock: Callable[[], float] = time.monotonic) -> None:
        self.pool = pool
        self._clock = clock
        self._news = threading.Condition()
        self._landed: list[Landing] = []
        self._awake: list[Run] = []
        self._chores: list[tuple[float, Callable[[], None]]] = []
        self._chores_due: list[float] = []
        self._seats: dict[str, Seat] = {}
        self._floor = 0.0
        self._turn = 0
        self._closed = False
        self._warmed = False
        self._thread: threading.Thread | None = None

    def add(self, run: Run) -> Run:
        """Look after this run from now on, for as long as it exists; returns it."""
        run.attach(functools.partial(self._wake, run), self.call)
        return run

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The value of a function called in a worker, again if its worker is lost. Waits for it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.pool.submit(function, *arguments).result()
            except BaseException as error:
                if not self.pool.mend(error) or attempt == ATTEMPTS or self._closed:
                    raise
                _LOG.warning("a worker was lost (%s): its call is sent again", error or type(error).__name__)
        raise AssertionError("unreachable")

    def every(self, seconds: float, chore: Callable[[], None]) -> None:
        """Call `chore` in the dispatcher's thread about every so many seconds."""
        with self._news:
            self._chores.append((seconds, chore))
            self._chores_due.append(self._clock() + seconds)
            self._start()
            self._news.notify()

    def warm(self) -> None:
        """Start the workers now, without waiting for them, so that the first slice need not. Only once."""
        if self._warmed:
            return
        self._warmed = True
        threading.Thread(target=self._start_pool, name="rnnviz-warm", daemon=True).start()

    def _start_pool(self) -> None:
        try:
            self.pool.start()
        except RuntimeError:
            if not self._closed:  # it ended before it had begun
                raise

    def close(self) -> None:
        """End the thread and the pool, at once, with whatever is in flight. Any number of times."""
        with self._news:
            self._closed = True
            thread = self._thread
            self._news.notify()
        self.pool.close()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _wake(self, run: Run) -> None:
        if run.due() is None:
            return
        with self._news:
            self._awake.append(run)
            self._start()
            self._news.notify()

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._loop, name="rnnviz-dispatcher", daemon=True)
            self._thread.start()

    # Below, everything runs in the dispatcher's thread

    def _loop(self) -> None:
        while True:
            # Before the lock is taken: a run calls `_wake` under its own lock, so the order is run, news.
            pause = self._pause()
            with self._news:
                if pause > 0 and not (self._closed or self._landed or self._awake):
                    self._news.wait(min(pause, threading.TIMEOUT_MAX))
                if self._closed:
                    return
                landed, self._landed = self._landed, []
                awake, self._awake = self._awake, []
            for landing in landed:
                self._land(landing)
            for run in awake:
                if run.id not in self._seats:
                    self._seats[run.id] = Seat(run, self._floor)
            try:
                self._send()
            except Exception:  # one fault must not be the end of everybody's training
                _LOG.exception("the dispatcher failed")
                with self._news:
                    self._news.wait_for(lambda: self._closed, timeout=1.0)  # and must not fill the log
            self._do_chores()

    def _pause(self) -> float:
        """Seconds until something is due by itself."""
        now = self._clock()
        room = self._room()
        times = list(self._chores_due)
        if room:
            dues = [seat.run.due() for seat in self._seats.values() if seat.flight is None]
            times += [due for due in dues if due is not None]
        return min(times, default=float("inf")) - now

    def _room(self) -> bool:
        # One slice lies ready behind those being worked on, so that no worker waits for this thread.
        return sum(seat.flight is not None for seat in self._seats.values()) < self.pool.size + 1

    def _send(self) -> None:
        """Fill the pool with those slices that are due, least served first."""
        now = self._clock()
        for key, seat in list(self._seats.items()):
            if seat.flight is None and seat.run.due() is None:
                del self._seats[key]
        waiting = [s for s in self._seats.values() if s.flight is None and (s.run.due() or 0.0) <= now]
        waiting.sort(key=lambda s: (not s.run.clicked, max(s.served, self._floor), s.turn))
        seconds = min(max(ROUND * self.pool.size / max(1, len(self._seats)), SHORTEST), LONGEST)
        for seat in waiting:
            if not self._room():
                break
            self._turn += 1
            seat.turn = self._turn
            seat.served = max(seat.served, self._floor)
            if not seat.run.clicked:  # that one went out of its turn
                self._floor = seat.served
            self._dispatch(seat, seconds, now)

    def _dispatch(self, seat: Seat, seconds: float, now: float) -> None:
        job = seat.run.job(seconds, now)
        if job is None:
            return
        try:
            future = self.pool.submit(seat.run.engine.work, job.state, job.order)
        except Exception as error:
            future = Future()
            future.set_exception(error)
        seat.flight = future
        future.add_done_callback(lambda future: self._landing(Landing(seat, job, future)))

    def _landing(self, landing: Landing) -> None:
        with self._news:
            self._landed.append(landing)
            self._news.notify()

    def _land(self, landing: Landing) -> None:
        seat, job = landing.seat, landing.job
        seat.flight = None
        try:
            result = landing.future.result(timeout=0)
            seat.lost = 0
            seat.served += max(result.took, 1e-3)
            seat.run.accept(job, result, self._clock())
        except BaseException as error:
            self._fail(seat, job, error)

    def _fail(self, seat: Seat, job: Job, error: BaseException) -> None:
        """Send a slice again that was lost with its worker, pause the run for anything else."""
        run = seat.run
        again = "The run is paused where it was, nothing is lost."
        if self._closed:
            return
        if self.pool.mend(error):
            seat.lost += 1
            if seat.lost < ATTEMPTS:
                _LOG.warning(
                    "run %s lost its worker after epoch %d: the slice is sent again", run.id, job.epoch
                )
                return
            seat.lost = 0
            sentence = (
                f"The process that trains this model ended {ATTEMPTS} times in a row; perhaps the model "
                f"needs more memory than there is. {again}"
            )
            _LOG.error("run %s lost its worker %d times after epoch %d", run.id, ATTEMPTS, job.epoch)
        elif is_device_error(error):
            reason = str(error).strip().split("\n")[0]
            sentence = f"{reason.rstrip('.')}. {again} It can go on on the CPU."
            _LOG.warning("run %s: device failed after epoch %d: %s", run.id, job.epoch, reason)
        else:
            number = secrets.token_hex(3)
            _LOG.error("incident %s: run %s after epoch %d", number, run.id, job.epoch, exc_info=error)
            sentence = (
                f"Something went wrong on our side, sorry. {again} If it happens again, tell whoever runs "
                f"this server the number {number}."
            )
        run.fail(job, sentence)

    def _do_chores(self) -> None:
        now = self._clock()
        for index, (seconds, chore) in enumerate(list(self._chores)):
            if self._chores_due[index] <= now:
                self._chores_due[index] = now + seconds
                try:
                    chore()
                except Exception:
                    _LOG.exception("a chore failed")
