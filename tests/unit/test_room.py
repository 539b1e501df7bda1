"""The measures that keep a room of students from waiting for each other."""

from __future__ import annotations

import threading
import time
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from streamlit.cursor import RunningCursor
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState

from rnnviz.ui.server.room import (
    LookedUp,
    Turns,
    _copied_once,
    _remembered,
    _told_before,
    _woken_once,
)

LONG = 30.0


def test_the_turn_goes_to_who_has_waited_longest() -> None:
    turns, order = Turns(), []
    assert turns.enter(LONG)

    def wait(name: int) -> None:
        assert turns.enter(LONG)
        order.append(name)
        turns.leave()

    threads = []
    for name in range(5):
        thread = threading.Thread(target=wait, args=(name,))
        thread.start()
        while len(turns._waiting) <= name:
            time.sleep(0.001)  # until it stands in the queue
        threads.append(thread)
    turns.leave()
    for thread in threads:
        thread.join(LONG)
    assert order == [0, 1, 2, 3, 4]
    assert turns.enter(0)


def test_never_two_have_the_turn_unless_one_lost_patience() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        for _ in range(200):
            assert turns.enter(LONG)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            turns.leave()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert most[0] == 1
    assert turns.enter(0)
    assert not turns.enter(0.01)  # who waits too long goes without
    assert not turns._waiting
    turns.leave()
    assert turns.enter(0)


def test_many_messages_wake_the_sender_once_and_the_next_one_again() -> None:
    calls: list[Any] = []
    event = threading.Event()
    loop = SimpleNamespace(call_soon_threadsafe=calls.append)

    class Runtime:
        def _get_async_objs(self) -> Any:
            return SimpleNamespace(eventloop=loop, need_send_data=event)

    runtime: Any = Runtime()
    for _ in range(40):
        _woken_once(runtime)
    assert len(calls) == 1
    assert not event.is_set()
    calls[0]()
    assert event.is_set()
    _woken_once(runtime)
    assert len(calls) == 2


def test_a_remembered_theme_is_what_streamlit_would_have_sent() -> None:
    asked = []

    def populate(message: CustomThemeConfig, section: str = "theme") -> None:
        asked.append(section)
        message.primary_color = f"#{section}"
        message.sidebar.text_color = "red"

    copy = _remembered(populate)
    for section in ((), ("theme.dark",), (), ("theme.dark",)):
        message, wanted = CustomThemeConfig(), CustomThemeConfig()
        copy(message, *section)
        populate(wanted, *section)
        assert message == wanted
    assert asked.count("theme") == 3  # ours once, the comparison twice
    assert asked.count("theme.dark") == 3


def test_a_copied_container_has_its_own_place_and_copies_its_parent_once() -> None:
    outer = DeltaGenerator(root_container=0, cursor=RunningCursor(root_container=0, parent_path=()))
    inner = DeltaGenerator(
        root_container=0,
        cursor=RunningCursor(root_container=0, parent_path=(3,)),
        parent=outer,
        block_type="vertical",
    )
    original = DeltaGenerator.__deepcopy__
    DeltaGenerator.__deepcopy__ = _copied_once  # type: ignore[method-assign,assignment]
    try:
        first, second = deepcopy((outer, inner))
    finally:
        DeltaGenerator.__deepcopy__ = original  # type: ignore[method-assign]
    assert second._parent is first
    assert first is not outer and second is not inner
    assert (second._block_type, second._creating_fragment_id) == ("vertical", None)
    cursor = second._provided_cursor
    assert isinstance(cursor, RunningCursor)
    assert cursor.parent_path == (3,)
    cursor.lock_element()
    assert inner._provided_cursor is not None
    assert inner._provided_cursor.index == 0  # the copy moved on alone


def test_what_a_rerun_begins_with_is_told_anew_only_when_it_has_changed() -> None:
    class Session:
        _run_on_save = False
        _pages_manager = SimpleNamespace(get_pages=lambda: {"a": {"page_name": "layers", "icon": ""}})

    made: list[str] = []

    def create(_self: Any, page: str, _run: Any, _pages: Any) -> ForwardMsg:
        made.append(page)
        message = ForwardMsg()
        message.new_session.page_script_hash = page
        message.metadata.run.script_run_id = "of the first"
        return message

    told = _told_before(create)
    session: Any = Session()
    more = {"a": {"page_name": "layers", "icon": ""}, "b": {"page_name": "step", "icon": ""}}
    runs = [SimpleNamespace(script_run_id=f"run {n}", fragment_ids=["f"] * n) for n in range(5)]
    messages = [
        told(session, "a", runs[0]),
        told(session, "a", runs[1]),
        told(session, "b", runs[2]),
        told(session, "b", runs[3], more),
        told(session, "b", runs[4], more),
    ]
    assert made == ["a", "b", "b"]
    assert [m.new_session.page_script_hash for m in messages] == ["a", "a", "b", "b", "b"]
    assert [m.metadata.run.script_run_id for m in messages] == [f"run {n}" for n in range(5)]
    assert [list(m.metadata.run.fragment_ids) for m in messages] == [["f"] * n for n in range(5)]
    told(Session(), "b", runs[0], more)  # another session's first
    assert made[3:] == ["b"]


def state_of(**values: Any) -> SafeSessionState:
    state = SessionState()
    for key, value in values.items():
        state[key] = value
    return SafeSessionState(state, lambda: None)


def test_a_value_that_is_looked_up_is_the_one_of_the_whole_state() -> None:
    safe = state_of(a=1, nothing=None)
    found, whole = LookedUp(safe), safe.filtered_state
    assert whole == {"a": 1, "nothing": None}
    assert dict(found) == whole and len(found) == 2 and str(found) == str(whole)
    for key in ("a", "nothing", "b"):
        assert (key in found) == (key in whole) and found.get(key) == whole.get(key)
