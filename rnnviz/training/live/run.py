"""One run that can be played, paused, stepped, rewound, changed and branched, by any thread at any time."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from rnnviz.training.live.curves import Curves
from rnnviz.training.live.engine import TRAINING, Arrays, Engine
from rnnviz.training.live.history import History
from rnnviz.training.live.records import Job, Look, Origin

if TYPE_CHECKING:
    from rnnviz.training.slices import Slice, Stop

SPEEDS: Final = (0.5, 1.0, 2.0, 5.0, 20.0, 100.0, float("inf"))  # epochs a second
TICK: Final = 0.2  # seconds; a faster speed does more epochs a slice instead
UNLIMITED: Final = 2**31
MAX_OWED: Final = 100  # clicks on "one epoch" and "one step" that are waited for


class Run:
    """A thread-safe run. A dispatcher it was added to does the work; without one nothing happens.

    All methods return at once, but `wait`, and `seek` and `branch` with an epoch that is not kept.
    """

    def __init__(
        self, origin: Origin, *, label: str = "", group: str = "", engine: Engine = TRAINING
    ) -> None:
        self.id = secrets.token_hex(8)
        self.label = label
        self.group = group
        self.origin = origin
        self.engine = engine
        self._changed = threading.Condition(threading.RLock())
        self._wake: Callable[[], None] = lambda: None
        self._call: Callable[..., Any] = lambda function, *arguments: function(*arguments)
        self._generation = 0
        self._version = 0
        self._speed = float("inf")
        self._until: Stop | None = None
        self._owed: deque[Literal["epoch", "step"]] = deque(maxlen=MAX_OWED)
        self._view = ""
        self._state: bytes
        self._epoch: int
        self._step: int
        self._history: History
        self._curves: Curves
        self._snapshot: Arrays
        self._stopped: str
        self._fault: bool
        self._due: float
        self._quota: int
        self._stand_at(origin)

    @classmethod
    def of(cls, state: bytes, *, label: str = "", group: str = "", engine: Engine = TRAINING) -> Run:
        """A run from an engine's state. ValueError for bytes that are none."""
        epoch, step = engine.check(state)
        return cls(Origin(state, epoch, step), label=label, group=group, engine=engine)

    def attach(self, wake: Callable[[], None], call: Callable[..., Any]) -> None:
        """For the dispatcher: what to call when there is work, and how a worker calls a function."""
        self._wake, self._call = wake, call
        wake()

    # What a page reads

    @property
    def version(self) -> int:
        """Grows whenever there is something new to draw."""
        return self._version

    @property
    def state(self) -> bytes:
        """The engine's bytes of where the run stands."""
        with self._changed:
            return self._state

    def look(self) -> Look:
        """Everything at one instant; later changes of the run do not reach it."""
        with self._changed:
            return Look(
                id=self.id,
                label=self.label,
                version=self._version,
                epoch=self._epoch,
                step=self._step,
                playing=self._playing,
                busy=self._playing or bool(self._owed),
                speed=self._speed,
                until=self._until,
                stopped=self._stopped,
                fault=self._fault,
                kept=self._history.epochs,
                note=self._history.note,
                snapshot=self._snapshot,
                curves=self._curves.copy(),
            )

    def wait(self, version: int, timeout: float) -> bool:
        """Wait until there is something newer than `version`; False when the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._version > version, timeout)

    def watch(self, view: str) -> None:
        """What slices bring a snapshot of from now on, as `engine.snapshot` takes it; "": nothing."""
        with self._changed:
            if view != self._view:
                self._view, self._snapshot = view, {}

    def picture(self, view: str, epoch: int | None = None) -> tuple[int, Arrays]:
        """Snapshot of the kept epoch nearest to `epoch`, or of where the run stands, and that epoch."""
        at, state = self.seek(epoch)
        return at, self.engine.snapshot(state, view)

    def seek(self, epoch: int | None = None, *, exact: bool = False) -> tuple[int, bytes]:
        """The kept epoch nearest to `epoch` and its state; None for where the run stands. The run stays
        there.

        `exact`: that very epoch, computed again by a worker from the last kept one before it; this waits.
        ValueError for an epoch that the run has not reached.
        """
        with self._changed:
            if epoch is None or (epoch == self._epoch and not self._step):
                return self._epoch, self._state
            if not exact or epoch in self._history:
                at = self._history.nearest(epoch)
                return at, self._history[at]
            if not self._history.epochs[0] <= epoch <= self._epoch:
                raise ValueError(f"epoch must be {self._history.epochs[0]} to {self._epoch}, not {epoch}")
            kept, head = self._history[self._history.before(epoch)], self._state
        return epoch, self._call(self.engine.replay, kept, head, epoch)

    def history(self) -> tuple[tuple[int, bytes], ...]:
        """The kept epochs with their states, in order."""
        with self._changed:
            return tuple(self._history)

    def saved(self) -> Origin:
        """All that a file needs to bring the run back as it stands now, by `restore`."""
        with self._changed:
            history = self._history.until(self._epoch)
            return Origin(
                self._state, self._epoch, self._step, history, self._curves.copy(), self.origin.parent
            )

    def restore(self, saved: Origin) -> None:
        """Stand where a saved run stood, paused."""
        with self._changed:
            self._stand_at(saved)
            self._new_generation()

    # What a person does

    def play(self, speed: float | None = None, until: Stop | None = None) -> None:
        """Go on until paused or `until`; `speed`: epochs a second, one of SPEEDS, None as before."""
        if speed is not None and speed not in SPEEDS:
            raise ValueError(f"speed must be one of {', '.join(map(str, SPEEDS))}, not {speed}")
        with self._changed:
            self._speed = self._speed if speed is None else speed
            self._until = until
            self._playing = True
            self._stopped, self._fault = "", False
            self._owed.clear()
            self._start_tick()
            self._new_generation()

    def pause(self) -> None:
        """Stand still at once, exactly where the page shows the run; work under way is dropped."""
        with self._changed:
            if self._playing or self._owed:
                self._playing = False
                self._owed.clear()
                self._new_generation()

    def set_speed(self, speed: float) -> None:
        """Another speed from now on, one of SPEEDS."""
        if speed not in SPEEDS:
            raise ValueError(f"speed must be one of {', '.join(map(str, SPEEDS))}, not {speed}")
        with self._changed:
            if speed != self._speed:
                self._speed = speed
                self._start_tick()
                self._new_generation()

    def set_until(self, until: Stop | None) -> None:
        """Another stop condition from now on."""
        with self._changed:
            if until != self._until:
                self._until = until
                self._new_generation()

    def one_epoch(self) -> None:
        """Pause, then do one epoch (or the rest of the one under way); every call counts."""
        self._owe("epoch")

    def one_step(self) -> None:
        """Pause, then do one step of the optimiser; every call counts."""
        self._owe("step")

    def _owe(self, what: Literal["epoch", "step"]) -> None:
        with self._changed:
            if self._playing:
                self._playing = False
                self._new_generation()
            if len(self._owed) < MAX_OWED:
                self._owed.append(what)
            self._stopped, self._fault = "", False
            self._announce()
        self._wake()

    def change(self, change: Any) -> None:
        """Apply an engine's change where the run stands; a playing run plays on. ValueError."""
        with self._changed:
            self._state = self.engine.change(self._state, change)
            if not self._step:
                self._history.put(self._epoch, self._state)
            self._snapshot = {}
            self._stopped, self._fault = "", False
            self._new_generation()

    def reset(self) -> None:
        """Back to where the run began (for a branch: where it was branched off), paused."""
        with self._changed:
            self._stand_at(self.origin)
            self._new_generation()

    def branch(self, epoch: int | None = None, change: Any = None, *, label: str = "") -> Run:
        """A new paused run from exactly this epoch (None: from where this one stands), perhaps changed.

        It shares nothing that changes. ValueError for an epoch not reached or a change that is none.
        """
        with self._changed:
            here = epoch is None
            at, step = (self._epoch, self._step) if epoch is None else (epoch, 0)
            history, curves = self._history.until(at), self._curves.until(at)
            head = self._state
        state = head if here else self.seek(epoch, exact=True)[1]
        if change is not None:
            state = self.engine.change(state, change)
        origin = Origin(state, at, step, history, curves, self.id)
        run = Run(origin, label=label or self.label, group=self.group, engine=self.engine)
        run._speed, run._until, run._view = self._speed, self._until, self._view
        return run

    # What the dispatcher does

    def due(self) -> float | None:
        """When the next slice may start (the dispatcher's clock); None when there is nothing to do."""
        with self._changed:
            if self._owed:
                return 0.0
            return self._due if self._playing else None

    @property
    def clicked(self) -> bool:
        """Whether somebody waits for one epoch or step."""
        return bool(self._owed)

    def job(self, seconds: float, now: float) -> Job | None:
        """The next slice, about `seconds` long; None when there is nothing to do."""
        from rnnviz.training.slices import Order

        with self._changed:
            if self._owed:
                steps = 1 if self._owed[0] == "step" else None
                order = Order(1, seconds, self._history.stride, self._view, None, steps)
            elif self._playing:
                self._due = self._due or now
                order = Order(self._quota, seconds, self._history.stride, self._view, self._until)
            else:
                return None
            return Job(self._generation, self._state, self._epoch, order)

    def accept(self, job: Job, result: Slice, now: float) -> bool:
        """Take over what a worker did. False when the run has been told otherwise since."""
        with self._changed:
            if job.generation != self._generation:
                return False
            for epoch, state in result.kept:
                self._history.put(epoch, state)
            self._state, self._epoch, self._step = result.state, result.epoch, result.step
            if not result.step:
                self._history.put(result.epoch, result.state)
            self._curves.extend(result.epoch, result.log)
            # What the page looks at may have changed while the slice was away.
            self._snapshot = result.snapshot if job.order.view == self._view else {}
            if result.stopped:
                self._halt(result.stopped, result.fault)
            elif self._owed:
                if self._owed[0] == "step" or result.epoch > job.epoch:
                    self._owed.popleft()
            else:
                self._quota -= result.epoch - job.epoch
                if self._quota <= 0:
                    self._next_tick(now)
            self._announce()
            return True

    def fail(self, job: Job, sentence: str) -> None:
        """Pause because a slice could not be done; the state stays as it was."""
        with self._changed:
            if job.generation == self._generation:
                self._halt(sentence, fault=True)
                self._generation += 1
                self._announce()

    def _halt(self, sentence: str, fault: bool) -> None:
        self._playing = False
        self._owed.clear()
        self._stopped, self._fault = sentence, fault

    def _start_tick(self) -> None:
        """What the next slice may do, at once."""
        paced = self._speed != float("inf")
        self._quota = round(self._speed * max(1.0 / self._speed, TICK)) if paced else UNLIMITED
        self._due = 0.0

    def _next_tick(self, now: float) -> None:
        began = self._due
        self._start_tick()
        if self._speed != float("inf"):
            # What could not be done in time is not caught up with: a slow machine must not burst later.
            self._due = max(began + max(1.0 / self._speed, TICK), now)

    def _stand_at(self, origin: Origin) -> None:
        self._state, self._epoch, self._step = origin.state, origin.epoch, origin.step
        self._history = origin.history.until(origin.epoch) if origin.history else History()
        if not origin.step or not self._history:
            self._history.put(origin.epoch, origin.state)
        self._curves = (origin.curves or Curves()).copy()
        self._snapshot = {}
        self._stopped, self._fault = "", False
        self._playing = False
        self._owed.clear()
        self._start_tick()

    def _new_generation(self) -> None:
        self._generation += 1
        self._announce()
        self._wake()

    def _announce(self) -> None:
        self._version += 1
        self._changed.notify_all()
