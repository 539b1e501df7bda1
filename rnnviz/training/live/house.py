"""The one runtime of this process: pool, dispatcher and lobby, made at first use, ended with it."""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass

from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.lobby import Lobby

_LOCK = threading.Lock()
_HOUSE: list[House] = []
_SWEEP = 10.0  # seconds between looks for tabs that are gone


@dataclass(frozen=True)
class House:
    """Everything that live training needs. No process runs and no thread until something is to be done."""

    pool: Pool
    dispatcher: Dispatcher
    lobby: Lobby

    @property
    def message(self) -> str:
        """Empty, or a sentence for the page: why the cluster that was named is not used."""
        return self.pool.message

    def warm(self) -> None:
        """Start the workers without waiting for them; a training page calls this when it is opened."""
        self.dispatcher.warm()

    def close(self) -> None:
        """End the workers and the threads. Any number of times."""
        self.dispatcher.close()


def house() -> House:
    """The runtime of this process."""
    with _LOCK:
        if not _HOUSE:
            pool = Pool.from_environment()
            dispatcher = Dispatcher(pool)
            lobby = Lobby(dispatcher)
            dispatcher.every(_SWEEP, lobby.sweep)
            _HOUSE.append(House(pool, dispatcher, lobby))
        return _HOUSE[0]


def close() -> None:
    """End the runtime, if there is one; `house` makes a new one. Also called when the process ends."""
    with _LOCK:
        here = _HOUSE.pop() if _HOUSE else None
    if here is not None:
        here.close()


atexit.register(close)
