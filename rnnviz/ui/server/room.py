"""What makes Streamlit 1.67 answer a room of students at once, where its own parts get in each other's way.

Each measure names what it cures. They replace functions inside Streamlit, which is pinned to one version: a
name that is gone fails at the start. Figures: thirty students on *Step through*, one move a second each, two
cores, p95 of the answer time. With `post` and a second process it went from 1040 to 36 ms.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.state import session_state_proxy
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.watcher.polling_path_watcher import PollingPathWatcher

from rnnviz.ui.server import polling, post

PATIENCE: Final = 1.0
"""Seconds after which a rerun starts without its turn, so that one long computation cannot stop a room."""


class Turns:
    """One at a time, in the order of asking; who has waited for too long goes without."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def enter(self, patience: float) -> bool:
        """Wait for the turn; False when `patience` (s) has passed first. True obliges to `leave`."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=patience):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over in the last moment

    def leave(self) -> None:
        """Hand the turn to who has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


TURNS: Final = Turns()


def prepare() -> None:
    """Put the measures in place; once, before the server is made.

    Also, nobody looks five times a second any more whether the configuration's files have changed.
    """
    ScriptRunner._run_script = _in_turn(ScriptRunner._run_script)  # type: ignore[method-assign,assignment]
    Runtime._enqueued_some_message = _woken_once  # type: ignore[method-assign]
    DeltaGenerator.__deepcopy__ = _copied_once  # type: ignore[method-assign,assignment]
    AppSession._create_new_session_message = _told_before(  # type: ignore[method-assign]
        AppSession._create_new_session_message
    )
    SafeSessionState.filtered_state = property(LookedUp)  # type: ignore[assignment]
    session_state_proxy.SessionStateProxy.to_dict = lambda self: dict(  # type: ignore[method-assign]
        LookedUp.whole(session_state_proxy.get_session_state())
    )
    PollingPathWatcher._schedule = lambda self: None  # type: ignore[method-assign]
    post.prepare()
    polling.prepare()
    for name in ("_populate_theme_msg", "_populate_config_msg"):
        setattr(app_session, name, _remembered(getattr(app_session, name)))


def _in_turn(run_script: Callable[[ScriptRunner, Any], None]) -> Callable[[ScriptRunner, Any], None]:
    """A rerun is a thread, and one interpreter lock serves them all. Ten at once take ten times as long each,
    and between any two of its sends the thread that answers waits for the lock, up to 5 ms a time: p95 1040
    → 490 ms.
    """

    def run(self: ScriptRunner, rerun_data: Any) -> None:
        turn = TURNS.enter(PATIENCE)
        try:
            run_script(self, rerun_data)
        finally:
            if turn:
                TURNS.leave()

    return run


def _woken_once(self: Runtime) -> None:
    """Every message wakes the thread that answers, forty times a rerun, though it takes all there are at the
    first: p95 490 → 250 ms.
    """
    if self.__dict__.get("_rnnviz_waking"):
        return
    self.__dict__["_rnnviz_waking"] = True
    objects = self._get_async_objs()

    def wake() -> None:
        self.__dict__["_rnnviz_waking"] = False
        objects.need_send_data.set()

    objects.eventloop.call_soon_threadsafe(wake)


def _remembered(populate: Callable[..., None]) -> Callable[..., None]:
    """The theme and the options, 250 of them, are read anew for every rerun: 1 ms of the 10 that it takes.
    They cannot change while the server runs.
    """
    known: dict[tuple[Any, ...], Any] = {}

    def copy(message: Any, *section: Any) -> None:
        if section not in known:
            filled = type(message)()
            populate(filled, *section)
            known[section] = filled
        message.MergeFrom(known[section])

    return copy


def _told_before(create: Callable[..., ForwardMsg]) -> Callable[..., ForwardMsg]:
    """What begins a rerun's messages tells the browser all about server, pages and session anew, 1 ms of the
    10. It changes with the page only, so each session keeps what it said last.
    """

    def told(self: AppSession, page: str, run: Any, pages: dict[str, Any] | None = None) -> ForwardMsg:
        known = (pages or self._pages_manager.get_pages()).items()
        key = page, self._run_on_save, tuple((name, info["page_name"], info["icon"]) for name, info in known)
        before, said = self.__dict__.get("_rnnviz_told", (None, None))
        if before != key:
            said = create(self, page, run, pages).new_session
            self.__dict__["_rnnviz_told"] = key, said
        message = ForwardMsg()
        app_session._set_run_identity(message, run)
        message.new_session.CopyFrom(said)
        return message

    return told


def _copied_once(self: DeltaGenerator, memo: dict[int, Any]) -> DeltaGenerator:
    """Every run of a fragment copies the containers around it, and each of them all of those around itself:
    fifteen for five, 8 % of a rerun. With the memo that copying hands on, each is copied once.
    """
    copy = DeltaGenerator(
        root_container=self._root_container,
        cursor=deepcopy(self._cursor, memo),
        parent=deepcopy(self._parent, memo),
        block_type=self._block_type,
    )
    copy._form_data = deepcopy(self._form_data, memo)
    copy._creating_fragment_id = self._creating_fragment_id
    return copy


class LookedUp(Mapping[str, Any]):
    """A session's state where one value of it is looked for.

    Every number, text and list asks whether its value is None, and for that had all the state copied, charts'
    included, each of which makes a class for it: 15 % of a page with twenty of them.
    """

    def __init__(self, state: SafeSessionState) -> None:
        self._safe = state

    def __contains__(self, key: object) -> bool:
        with self._safe._lock:
            return key in self._safe._state

    def __getitem__(self, key: str) -> Any:
        with self._safe._lock:
            return self._safe._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole(self._safe))

    def __len__(self) -> int:
        return len(self.whole(self._safe))

    def __str__(self) -> str:
        return str(self.whole(self._safe))

    @staticmethod
    def whole(state: SafeSessionState) -> dict[str, Any]:
        """All of it."""
        with state._lock:
            return state._state.filtered_state
