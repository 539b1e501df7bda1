"""What a part of the page may do that runs by itself (``run_every``): draw, where there is something new.

Streamlit 1.67 treats such a run as a person's: it is done whether or not there is news, and it brings along
all that the browser's widgets and address bar hold. Like those of `room`, these measures replace functions
inside Streamlit, which is pinned to one version: a name that is gone fails at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from streamlit.errors import StreamlitAPIException
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
)

from rnnviz.ui.page import QUIET


def prepare() -> None:
    """Put the measures in place; once, before the server is made."""
    AppSession.request_rerun = _if_there_is_news(AppSession.request_rerun)  # type: ignore[method-assign,assignment]
    ScriptRequests._request_rerun_locked = _bringing_nothing(  # type: ignore[method-assign,assignment]
        ScriptRequests._request_rerun_locked
    )


def _if_there_is_news(
    request: Callable[[AppSession, ClientState | None], None],
) -> Callable[[AppSession, ClientState | None], None]:
    """A part of the page that looks for news by itself is asked first whether there is any: a rerun that
    draws the same again costs as much as any other. Thirty runs trained on *Attention* while thirty others
    moved something: p95 340 → 110 ms. (Streamlit itself passes over a part that is gone.)

    And it keeps the address as the server has it, which the browser may not have heard of yet.
    """

    def asked(self: AppSession, state: ClientState | None) -> None:
        if state is None or not state.is_auto_rerun:
            request(self, state)
        elif not _is_quiet(self, state.fragment_id):
            kept = ClientState()
            kept.CopyFrom(state)
            kept.query_string = urlencode(self.session_state.query_params._query_params, doseq=True)
            request(self, kept)

    return asked


def _is_quiet(session: AppSession, fragment: str) -> bool:
    try:
        known: dict[str, Callable[[], bool]] = session.session_state[QUIET]
    except KeyError:
        return False
    for key, quiet in known.items():
        try:
            if fragment in session._fragment_storage.resolve_target(key):
                return quiet()
        except StreamlitAPIException:  # a fragment of another page
            continue
    return False


def _bringing_nothing(
    request: Callable[[ScriptRequests, RerunData], bool],
) -> Callable[[ScriptRequests, RerunData], bool]:
    """What the browser's widgets hold is not taken from a run that nobody asked for.

    A preset sets a dozen of them on the server. Until the browser has heard of it, half a second's poll came
    back with what they had held before, and half of the preset was undone. What a person does meanwhile waits
    in the queue with values of its own; the poll joins it without changing them, or its page.
    """

    def joined(self: ScriptRequests, new: RerunData) -> bool:
        if new.is_auto_rerun:
            new = replace(new, widget_states=None)
            waiting = self._rerun_data if self._state is ScriptRequestType.RERUN else None
            if waiting is not None:
                new = replace(
                    new,
                    query_string=waiting.query_string,
                    page_script_hash=waiting.page_script_hash,
                    page_name=waiting.page_name,
                    context_info=waiting.context_info,
                )
        return request(self, new)

    return joined
