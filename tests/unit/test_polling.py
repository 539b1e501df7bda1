"""What a part of the page does that runs by itself, and what it leaves alone."""

from __future__ import annotations

from typing import Any

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state.query_params import QueryParams

from rnnviz.ui.page import QUIET
from rnnviz.ui.server.polling import _bringing_nothing, _if_there_is_news


class State(dict[str, Any]):
    """A session's state: values by key, and the address as the server has it."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.query_params = QueryParams()


class Asks:
    """A session that holds one fragment of the key "live", and records what it is asked for."""

    def __init__(self, **state: Any) -> None:
        self.session_state = State(state)
        self._fragment_storage = MemoryFragmentStorage()
        self._fragment_storage._ids_by_target_key["live"] = ["id"]  # type: ignore[assignment]
        self.asked: list[ClientState | None] = []
        self.request: Any = _if_there_is_news(lambda session, state: self.asked.append(state))


def test_a_part_without_news_is_not_drawn_by_itself_but_by_hand() -> None:
    quiet = [True]
    asks = Asks(**{QUIET: {"another page's": lambda: True, "live": lambda: quiet[0]}})
    itself = ClientState(fragment_id="id", is_auto_rerun=True)
    asks.request(asks, itself)
    assert asks.asked == []
    quiet[0] = False
    others = [
        itself,
        ClientState(fragment_id="id"),
        ClientState(fragment_id="another", is_auto_rerun=True),
        ClientState(),
        None,
    ]
    for state in others:
        asks.request(asks, state)
    quiet[0] = True
    asks.request(asks, ClientState(fragment_id="id"))
    assert asks.asked == [*others, ClientState(fragment_id="id")]


def test_a_session_that_says_nothing_of_news_is_asked_as_ever() -> None:
    asks = Asks()
    asks.request(asks, ClientState(fragment_id="id", is_auto_rerun=True))
    assert len(asks.asked) == 1


def test_the_address_of_a_poll_is_the_server_s() -> None:
    asks = Asks()
    asks.session_state.query_params._query_params.update({"t_hidden": "6", "t_words": ["a b", "c"]})
    asks.request(asks, ClientState(fragment_id="id", is_auto_rerun=True, query_string="t_hidden=8"))
    (state,) = asks.asked
    assert state is not None and state.query_string == "t_hidden=6&t_words=a+b&t_words=c"
    asks.request(asks, ClientState(fragment_id="id", query_string="t_hidden=8"))
    assert asks.asked[1] is not None and asks.asked[1].query_string == "t_hidden=8"


def held(value: int) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id="hidden", int_value=value)])


JOINED = _bringing_nothing(ScriptRequests._request_rerun_locked)


def test_a_poll_brings_no_widget() -> None:
    requests = ScriptRequests()
    assert JOINED(requests, RerunData(fragment_id="live", widget_states=held(8), is_auto_rerun=True))
    assert requests._rerun_data.widget_states is None
    assert requests._rerun_data.fragment_id_queue == ["live"]


def test_a_poll_that_joins_a_person_s_move_changes_nothing_of_it() -> None:
    requests = ScriptRequests()
    mine = RerunData(
        query_string="hidden=6", widget_states=held(6), page_script_hash="mine", fragment_id="canvas"
    )
    poll = RerunData(
        query_string="hidden=8",
        widget_states=held(8),
        page_script_hash="before",
        fragment_id="live",
        is_auto_rerun=True,
    )
    assert JOINED(requests, mine) and JOINED(requests, poll)
    found = requests._rerun_data
    assert found.widget_states == held(6)
    assert (found.query_string, found.page_script_hash) == ("hidden=6", "mine")
    assert found.fragment_id_queue == ["canvas", "live"]


def test_a_person_s_move_that_joins_a_poll_counts() -> None:
    requests = ScriptRequests()
    poll = RerunData(fragment_id="live", widget_states=held(8), is_auto_rerun=True)
    mine = RerunData(query_string="hidden=6", widget_states=held(6), page_script_hash="mine")
    assert JOINED(requests, poll) and JOINED(requests, mine)
    found = requests._rerun_data
    assert found.widget_states == held(6) and found.query_string == "hidden=6"
    assert found.fragment_id_queue == []  # the whole page
