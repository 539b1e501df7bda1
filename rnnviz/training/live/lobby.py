"""Who is here: the runs of each browser tab, found by a key that nobody can guess."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.run import Run

PATIENCE: Final = 120.0  # seconds without a sign of life until a tab's runs are gone
MOST_RUNS: Final = 200
MOST_RUNS_A_TAB: Final = 12
MOST_LOST: Final = 1000  # tabs of which it is known that their runs are gone


class NoRoom(ValueError):
    """There are as many runs as there may be; the text is a sentence for the page."""


class Gone(LookupError):
    """A tab that is not there any more, or a run that it does not have."""


@dataclass(frozen=True)
class Visit:
    """One stay of a tab, from `enter` to `leave`. A reload is a new visit with the same key."""

    key: str
    number: int


@dataclass
class _Tab:
    key: str
    seen: float
    visits: set[int] = field(default_factory=set)
    runs: dict[str, Run] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


class Lobby:
    """Tabs and their runs. Thread-safe. A dispatcher's chore calls `sweep`."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_runs: int = MOST_RUNS,
        most_a_tab: int = MOST_RUNS_A_TAB,
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._most_runs = most_runs
        self._most_a_tab = most_a_tab
        self._lock = threading.RLock()
        self._tabs: dict[str, _Tab] = {}
        self._visits = 0
        self._lost: OrderedDict[str, int] = OrderedDict()

    def enter(self, key: str | None = None) -> Visit:
        """A tab comes, or comes back with the key it holds; an unknown or forgotten key gets a new one.

        A reload may enter anew before its old visit has left: as long as one visit is there, nothing pauses.
        """
        with self._lock:
            self.sweep()
            tab = self._tabs.get(key) if key else None
            if tab is None:
                tab = _Tab(secrets.token_urlsafe(24), self._clock())
                self._tabs[tab.key] = tab
            tab.seen = self._clock()
            self._visits += 1
            tab.visits.add(self._visits)
            return Visit(tab.key, self._visits)

    def heartbeat(self, visit: Visit) -> bool:
        """A sign of life. False when the tab was given up in between and has to enter again."""
        with self._lock:
            tab = self._tabs.get(visit.key)
            if tab is None:
                return False
            tab.seen = self._clock()
            tab.visits.add(visit.number)
            return True

    def leave(self, visit: Visit) -> None:
        """A visit ends: with a tab's last one its runs pause at once, and wait for it to come back."""
        with self._lock:
            tab = self._tabs.get(visit.key)
            if tab is None:
                return
            tab.visits.discard(visit.number)
            if not tab.visits:
                tab.seen = self._clock()
                self._pause(tab)

    def move(self, old: Visit, new: Visit) -> None:
        """Take everything from one tab to another: what was begun before a tab was known again is not lost.

        Runs beyond the number that a tab may have stay behind, the oldest of them.
        """
        with self._lock:
            source, target = self._tabs.get(old.key), self._tabs.get(new.key)
            if source is None or target is None or source is target:
                return
            room = self._most_a_tab - len(target.runs)
            for id in list(source.runs)[max(0, len(source.runs) - room) :]:
                target.runs[id] = source.runs.pop(id)
            target.notes |= source.notes

    def note(self, visit: Visit, name: str, text: str) -> None:
        """Remember a short text with the tab, such as which run is in view; nothing where it is gone."""
        with self._lock:
            if tab := self._tabs.get(visit.key):
                tab.notes[name] = text

    def noted(self, visit: Visit, name: str) -> str:
        """What was noted last under this name, "" if nothing was."""
        with self._lock:
            tab = self._tabs.get(visit.key)
            return tab.notes.get(name, "") if tab else ""

    def sweep(self) -> None:
        """Forget the tabs that have given no sign of life for two minutes, with their runs."""
        with self._lock:
            now = self._clock()
            for key, tab in list(self._tabs.items()):
                if now - tab.seen > PATIENCE:
                    self._pause(tab)
                    del self._tabs[key]
                    if trained := sum(run.look().epoch > run.origin.epoch for run in tab.runs.values()):
                        self._lost[key] = trained
            while len(self._lost) > MOST_LOST:
                self._lost.popitem(last=False)

    def lost(self, key: str) -> int:
        """How many trained runs were forgotten with the tab of this key. It is told once."""
        with self._lock:
            self.sweep()
            return self._lost.pop(key, 0)

    @staticmethod
    def _pause(tab: _Tab) -> None:
        for run in tab.runs.values():
            run.pause()

    # A tab's runs

    def runs(self, visit: Visit, group: str | None = None) -> tuple[Run, ...]:
        """The tab's runs, oldest first; those of one group (a page) only. Empty for a tab that is gone."""
        with self._lock:
            tab = self._tabs.get(visit.key)
            found = tab.runs.values() if tab else ()
            return tuple(run for run in found if group is None or run.group == group)

    def run(self, visit: Visit, id: str) -> Run:
        """One of the tab's runs. Gone when it has none of that id."""
        with self._lock:
            return self._run(visit, id)

    def new(self, visit: Visit, state: bytes, *, label: str = "", group: str = "") -> Run:
        """A new, paused run from an engine's state. NoRoom when there are too many, Gone for a lost tab."""
        return self.add(visit, Run.of(state, label=label, group=group))

    def branch(
        self, visit: Visit, id: str, epoch: int | None = None, change: Any = None, *, label: str = ""
    ) -> Run:
        """A new run from an epoch of another, as `Run.branch`. NoRoom when there are too many."""
        self._check_room(visit)
        return self.add(visit, self.run(visit, id).branch(epoch, change, label=label))

    def add(self, visit: Visit, run: Run) -> Run:
        """A run made elsewhere, such as one from a file. NoRoom when there are too many."""
        with self._lock:
            self._check_room(visit)
            self._tab(visit).runs[run.id] = run
        return self._dispatcher.add(run)

    def remove(self, visit: Visit, id: str) -> None:
        """End a run and forget it. Gone when the tab has none of that id."""
        with self._lock:
            run = self._run(visit, id)
            del self._tab(visit).runs[id]
        run.pause()

    def busy(self) -> int:
        """How many runs go on."""
        with self._lock:
            return sum(run.due() is not None for tab in self._tabs.values() for run in tab.runs.values())

    def count(self) -> tuple[int, int]:
        """How many tabs and runs there are."""
        with self._lock:
            return len(self._tabs), sum(len(tab.runs) for tab in self._tabs.values())

    def _check_room(self, visit: Visit) -> None:
        with self._lock:
            if len(self._tab(visit).runs) >= self._most_a_tab:
                raise NoRoom(f"A tab can have {self._most_a_tab} runs. Remove one to make room.")
            if self.count()[1] >= self._most_runs:
                self.sweep()
            if self.count()[1] >= self._most_runs:
                raise NoRoom(
                    f"This server holds {self._most_runs} runs, and all are in use. Try again in a few "
                    "minutes, or remove one of yours."
                )

    def _tab(self, visit: Visit) -> _Tab:
        tab = self._tabs.get(visit.key)
        if tab is None:
            raise Gone("This tab was away for too long, and its runs are gone.")
        return tab

    def _run(self, visit: Visit, id: str) -> Run:
        run = self._tab(visit).runs.get(id)
        if run is None:
            raise Gone("There is no such run in this tab.")
        return run
