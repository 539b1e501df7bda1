"""How a rerun's messages get from its thread to the browser: together, instead of one by one.

Streamlit 1.67 wakes its event loop for each of some forty messages of a rerun, walks through the loop once
more for each, and writes each to the socket by itself. Every one of these steps lets go of the interpreter
lock, and where others compute, getting it back takes up to 5 ms. Like those of `room`, these measures replace
functions inside Streamlit (and uvicorn), which are pinned to one version: a name that is gone fails at the
start.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from starlette.websockets import WebSocketDisconnect
from streamlit import runtime as streamlit_runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.session_manager import SessionClientDisconnectedError
from streamlit.web.server.starlette.starlette_websocket import StarletteSessionClient
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

COLLECTED: Final = 0.01
"""Seconds for which the messages of a rerun that goes on are collected; at its end they go at once."""

_STARTED: Final = ScriptRunnerEvent.SCRIPT_STARTED
_REPLACED: Final = ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN
_LAST: Final = ScriptRunnerEvent.SHUTDOWN  # follows at once on the end of a rerun after which none waits
_LOG: Final = logging.getLogger("rnnviz")

Waiting = deque[tuple[ScriptRunnerEvent | None, Callable[[], None]]]
_delivering = threading.local()


def prepare() -> None:
    """Put the measures in place; once, before the server is made."""
    AppSession._on_scriptrunner_event = _collected  # type: ignore[method-assign]
    AppSession._call_soon_on_event_loop = _in_order  # type: ignore[method-assign]
    AppSession._create_scriptrunner = _looked_after(AppSession._create_scriptrunner)  # type: ignore[method-assign]
    Runtime._enqueued_some_message = _woken(Runtime._enqueued_some_message)  # type: ignore[method-assign,assignment]
    AppSession.flush_browser_queue = _bundled(AppSession.flush_browser_queue)  # type: ignore[method-assign,assignment]
    Runtime._send_message = _unbundled(Runtime._send_message)  # type: ignore[method-assign]
    StarletteSessionClient._sender = _sender  # type: ignore[method-assign]
    WebSocketsSansIOProtocol.send = _in_one_write(WebSocketsSansIOProtocol.send)  # type: ignore[method-assign]


# From the rerun's thread to the event loop


def _collected(self: AppSession, sender: Any, event: ScriptRunnerEvent, *details: Any, **named: Any) -> None:
    def handle() -> None:
        self._handle_scriptrunner_event_on_event_loop(sender, event, *details, **named)

    _enqueue(self, event, handle)


def _in_order(self: AppSession, callback: Callable[[], None]) -> None:
    _enqueue(self, None, callback)


def _enqueue(session: AppSession, event: ScriptRunnerEvent | None, callback: Callable[[], None]) -> None:
    """Call ``callback`` in the event loop after all that came before: at once for what ends a rerun and for
    what is not part of one, else when the loop looks.
    """
    session.__dict__.setdefault("_rnnviz_waiting", deque()).append((event, callback))
    if event in (None, _LAST) or "_rnnviz_timer" not in session.__dict__:
        try:
            session._event_loop.call_soon_threadsafe(_deliver, session)
        except RuntimeError:  # as Streamlit does: events may come after the end
            if not session._event_loop.is_closed():
                raise


def _looked_after(create: Callable[..., None]) -> Callable[..., None]:
    """While a rerun's thread lives, the event loop looks by itself for what it has sent: the thread need not
    wake it up.
    """

    def created(self: AppSession, *given: Any) -> None:
        if "_rnnviz_timer" not in self.__dict__:
            _look_later(self)
        create(self, *given)

    return created


def _look_later(session: AppSession) -> None:
    session.__dict__["_rnnviz_timer"] = session._event_loop.call_later(COLLECTED, _look, session)


def _look(session: AppSession) -> None:
    _look_later(session)
    _deliver(session)


def _deliver(session: AppSession) -> None:
    """Handle what a rerun has sent until now, and pass the messages on to its browser."""
    waiting: Waiting = session.__dict__.setdefault("_rnnviz_waiting", deque())
    _delivering.now = True
    try:
        while waiting:
            event, callback = waiting.popleft()
            if event is _STARTED and waiting and waiting[0][0] is _REPLACED:
                # A control's callback asked for a part of the page before anything was drawn: four messages
                # about a run of the whole page that never was.
                waiting.popleft()
            else:
                callback()
    finally:
        _delivering.now = False
        if waiting:  # one has failed, and the event loop says so; the others come all the same
            session._event_loop.call_soon(_deliver, session)
        if session._scriptrunner is None and (timer := session.__dict__.pop("_rnnviz_timer", None)):
            timer.cancel()
    _post(session)


def _post(session: AppSession) -> None:
    """Send the session's messages, as the runtime's own loop would after its next pause."""
    runtime = streamlit_runtime.get_instance()
    info = runtime._session_mgr.get_active_session_info(session.id)
    if info is None or info.session is not session:
        runtime._enqueued_some_message()
        return
    for messages in session.flush_browser_queue():
        try:
            runtime._send_message(info, messages)
        except SessionClientDisconnectedError:
            runtime.disconnect_session(session.id, client=info.client)
    session.on_flushed_messages_sent()


def _woken(wake: Callable[[Runtime], None]) -> Callable[[Runtime], None]:
    """The runtime's loop need not wake up for what is passed on in a moment."""

    def enqueued(self: Runtime) -> None:
        if not getattr(_delivering, "now", False):
            wake(self)

    return enqueued


# From the event loop to the socket


def _bundled(flush: Callable[[AppSession], list[Any]]) -> Callable[[AppSession], list[Any]]:
    """One bundle instead of many messages: the runtime's loop pauses after each thing that it sends, in which
    time others could overtake.
    """

    def bundle(self: AppSession) -> list[Any]:
        messages = flush(self)
        return [messages] if messages else []

    return bundle


def _unbundled(send: Callable[..., None]) -> Callable[..., None]:
    def send_all(self: Runtime, info: Any, messages: list[Any]) -> None:
        for message in messages:
            send(self, info, message)

    return send_all


async def _sender(self: StarletteSessionClient) -> None:
    """What the client's own does, with all that is there at a time."""
    queue = self._send_queue
    try:
        while True:
            frames = [await queue.get()]
            while not queue.empty():
                frames.append(queue.get_nowait())
            last = frames.pop()
            await self._websocket.send({"type": "websocket.send", "bytes": last, "before": frames})
    except WebSocketDisconnect:
        pass
    except Exception:
        _LOG.exception("messages could not be sent")
    finally:
        self._closed.set()


def _in_one_write(send: Callable[..., Any]) -> Callable[..., Any]:
    """Frames that go with another are put before it; the protocol writes them together."""

    async def send_together(self: WebSocketsSansIOProtocol, message: Any) -> None:
        if frames := message.get("before"):
            await self.writable.wait()
            if self.disconnected:
                raise ClientDisconnected()
            try:
                for frame in frames:
                    self.conn.send_binary(frame)
            except InvalidState:
                raise ClientDisconnected() from None
        await send(self, message)

    return send_together
