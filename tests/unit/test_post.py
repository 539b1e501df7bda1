"""How messages travel: in order, together, none lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.runtime import runtime as streamlit_runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.session_manager import SessionClientDisconnectedError
from streamlit.web.server.starlette.starlette_websocket import StarletteSessionClient
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rnnviz.ui.server import post

MESSAGE, STARTED, REPLACED, STOPPED, LAST = (
    ScriptRunnerEvent.ENQUEUE_FORWARD_MSG,
    ScriptRunnerEvent.SCRIPT_STARTED,
    ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN,
    ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS,
    ScriptRunnerEvent.SHUTDOWN,
)


class Session:
    """What these measures see of Streamlit's session: a queue, and an event loop."""

    id = "mine"

    def __init__(self, loop: Any) -> None:
        self._event_loop = loop
        self._scriptrunner: Any = None
        self.queue: list[Any] = []
        self.sent = 0

    def run(self) -> None:
        """Begin a rerun, of which the test is the thread."""
        post._looked_after(lambda self: setattr(self, "_scriptrunner", "runs"))(self)

    def _handle_scriptrunner_event_on_event_loop(self, _sender: Any, event: Any, message: Any = None) -> None:
        if message == "fault":
            raise ValueError("a message that cannot be handled")
        if event is LAST:
            self._scriptrunner = None
        else:
            self.queue.append(message or event)

    def flush_browser_queue(self) -> list[Any]:
        messages, self.queue = self.queue, []
        return [messages] if messages else []

    def on_flushed_messages_sent(self) -> None:
        self.sent += 1


class Runtime:
    """What they see of its runtime: the session's client, and what was sent to it."""

    def __init__(self, session: Any) -> None:
        self.info: Any = SimpleNamespace(session=session, client="browser")
        self._session_mgr = SimpleNamespace(get_active_session_info=lambda _id: self.info)
        self.posted: list[list[Any]] = []
        self.woken = 0
        self.gone: list[Any] = []

    def _send_message(self, info: Any, messages: list[Any]) -> None:
        if "unwanted" in messages:
            raise SessionClientDisconnectedError
        self.posted.append(messages)

    def _enqueued_some_message(self) -> None:
        self.woken += 1

    def disconnect_session(self, _id: str, *, client: Any) -> None:
        self.gone.append(client)


def play(monkeypatch: pytest.MonkeyPatch, body: Callable[[Any, Runtime], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        session: Any = Session(asyncio.get_running_loop())
        runtime = Runtime(session)
        monkeypatch.setattr("streamlit.runtime.get_instance", lambda: runtime)
        async with asyncio.timeout(10):
            await body(session, runtime)

    asyncio.run(run())


def test_a_rerun_s_messages_arrive_together_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "COLLECTED", 60.0)  # so that only the end can be what sends them

    async def body(session: Any, runtime: Runtime) -> None:
        def rerun() -> None:
            post._collected(session, None, STARTED)
            for number in range(40):
                post._collected(session, None, MESSAGE, number + 1)
            post._collected(session, None, STOPPED)
            post._collected(session, None, LAST)

        session.run()
        await asyncio.to_thread(rerun)
        while not runtime.posted:
            await asyncio.sleep(0.001)
        assert runtime.posted == [[STARTED, *range(1, 41), STOPPED]]
        assert session.sent == 1
        assert runtime.woken == 0
        assert "_rnnviz_timer" not in session.__dict__  # nothing runs on

    play(monkeypatch, body)


def test_a_rerun_that_goes_on_is_seen_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(session: Any, runtime: Runtime) -> None:
        session.run()
        post._collected(session, None, MESSAGE, "early")
        while not runtime.posted:
            await asyncio.sleep(0.001)
        post._collected(session, None, MESSAGE, "later")
        post._in_order(session, lambda: session.queue.append("asked for"))
        while len(runtime.posted) < 2:
            await asyncio.sleep(0.001)
        assert runtime.posted == [["early"], ["later", "asked for"]]

    play(monkeypatch, body)


def test_a_run_that_is_replaced_before_it_has_drawn_anything_is_not_spoken_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(post, "COLLECTED", 60.0)

    async def body(session: Any, runtime: Runtime) -> None:
        session.run()
        for event in (STARTED, REPLACED, STARTED):
            post._collected(session, None, event)
        post._collected(session, None, MESSAGE, "drawn")
        for event in (REPLACED, STARTED, STOPPED):
            post._collected(session, None, event)
        post._collected(session, None, LAST)
        while not runtime.posted:
            await asyncio.sleep(0.001)
        assert runtime.posted == [[STARTED, "drawn", REPLACED, STARTED, STOPPED]]

    play(monkeypatch, body)


def test_one_message_that_fails_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(session: Any, runtime: Runtime) -> None:
        faults: list[Any] = []
        session.run()
        session._event_loop.set_exception_handler(lambda _loop, context: faults.append(context["exception"]))
        for message in ("a", "fault", "b"):
            post._collected(session, None, MESSAGE, message)
        post._collected(session, None, STOPPED)
        post._collected(session, None, LAST)
        while not runtime.posted:
            await asyncio.sleep(0.001)
        assert runtime.posted == [["a", "b", STOPPED]]
        assert [type(fault) for fault in faults] == [ValueError]

    play(monkeypatch, body)


def test_without_a_browser_the_messages_wait_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(session: Any, runtime: Runtime) -> None:
        runtime.info = None
        post._collected(session, None, STOPPED)
        while not runtime.woken:
            await asyncio.sleep(0.001)
        assert session.queue == [STOPPED]

    play(monkeypatch, body)


def test_a_browser_that_takes_no_more_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(session: Any, runtime: Runtime) -> None:
        post._collected(session, None, MESSAGE, "unwanted")
        while not runtime.gone:
            await asyncio.sleep(0.001)
        assert runtime.gone == ["browser"]

    play(monkeypatch, body)


def test_a_rerun_that_could_not_begin_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_session: Any) -> None:
        raise RuntimeError("no more threads")

    async def body(session: Any, _runtime: Runtime) -> None:
        with pytest.raises(RuntimeError, match="threads"):
            post._looked_after(fail)(session)
        while "_rnnviz_timer" in session.__dict__:
            await asyncio.sleep(0.001)

    play(monkeypatch, body)


def test_events_after_the_end_of_the_loop_are_dropped() -> None:
    loop = asyncio.new_event_loop()
    session: Any = Session(loop)
    loop.close()
    post._collected(session, None, MESSAGE, "late")
    post._collected(session, None, STOPPED)
    assert session.queue == []


def test_the_runtime_s_loop_sleeps_while_messages_are_delivered_by_hand() -> None:
    woken: list[Any] = []
    wake = post._woken(woken.append)
    runtime: Any = object()
    wake(runtime)
    post._delivering.now = True
    try:
        wake(runtime)
        other = threading.Thread(target=wake, args=(runtime,))
        other.start()
        other.join()
    finally:
        post._delivering.now = False
    assert len(woken) == 2  # the second was this thread's own


def test_a_bundle_is_sent_message_by_message() -> None:
    queue: list[list[str]] = [["a", "b"], []]
    flush: Any = post._bundled(lambda _session: queue.pop(0))
    sent: list[Any] = []
    send: Any = post._unbundled(lambda _runtime, info, message: sent.append((info, message)))
    for bundle in flush(None):
        send(None, "info", bundle)
    assert sent == [("info", "a"), ("info", "b")]
    assert flush(None) == []


def test_what_is_replaced_is_still_there() -> None:
    for owner, name in (
        (AppSession, "_on_scriptrunner_event"),
        (AppSession, "_call_soon_on_event_loop"),
        (AppSession, "_create_scriptrunner"),
        (AppSession, "_handle_scriptrunner_event_on_event_loop"),
        (AppSession, "flush_browser_queue"),
        (AppSession, "on_flushed_messages_sent"),
        (streamlit_runtime.Runtime, "_send_message"),
        (streamlit_runtime.Runtime, "disconnect_session"),
        (StarletteSessionClient, "_sender"),
    ):
        assert callable(getattr(owner, name)), name


class Counting:
    """A transport that counts what is written to it."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.writes = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


def test_frames_that_go_together_are_messages_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    together: Any = post._in_one_write(WebSocketsSansIOProtocol.send)
    transports: list[Counting] = []

    async def counted(self: Any, message: Any) -> None:
        if not transports:
            transports.append(Counting(self.transport))
            self.transport = transports[0]
        await together(self, message)

    monkeypatch.setattr(WebSocketsSansIOProtocol, "send", counted)
    frames = [bytes([number]) * size for number, size in enumerate((1, 200, 70_000, 0, 3))]

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        for word in (frames, [b"alone"], [b"x", b"y"]):
            client: Any = SimpleNamespace(
                _websocket=socket, _send_queue=asyncio.Queue(), _closed=asyncio.Event()
            )
            for frame in word:
                client._send_queue.put_nowait(frame)
            task = asyncio.create_task(post._sender(client))
            await asyncio.sleep(0.01)
            task.cancel()
        await socket.receive()

    async def run() -> None:
        app = Starlette(routes=[WebSocketRoute("/", talk)])
        settings = uvicorn.Config(app, port=0, ws="websockets-sansio", log_level="critical", lifespan="off")
        server = uvicorn.Server(settings)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}/", proxy=None, compression=None) as socket:
            got = [await socket.recv() for _ in range(8)]
        server.should_exit = True
        await serving
        assert got == [*frames, b"alone", b"x", b"y"]
        assert transports[0].writes == 5  # the handshake, each of three words, the farewell

    asyncio.run(asyncio.wait_for(run(), 20))
