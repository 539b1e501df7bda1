"""A student's browser without the browser: one session over Streamlit's own websocket protocol.

It does what the browser's code does and the server can notice: every rerun carries all known widget states,
the address, and the hashes of the messages it still holds; bound widgets write themselves into the address;
elements that a run did not send again are dropped at its end; fragments with `run_every` ask for their
reruns. It draws nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import websockets
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from tests.bench.messages import MessageStore
from tests.bench.widgets import Widget, read_widget

SIDEBAR = 1  # first number of a delta path: 0 is the main area, 1 the sidebar
MAX_MESSAGE = 200_000_000  # Streamlit's own default limit for one message
_PICTURES = ("bidi_component", "plotly_chart", "dataframe", "table", "code")
_OK = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


HEARTBEAT = 10.0  # seconds; a `run_every` that is no shorter is answered always
SILENCE = 0.3  # seconds without an answer's first message: there will be none


class Spared(Exception):
    """The server left a `run_every` unanswered."""


class WrongAnswer(Exception):
    """The server answered, but not with what was asked for."""


@dataclass(frozen=True)
class Answer:
    """One rerun as the student's machine saw it."""

    seconds: float  # from the request's first byte to `script_finished`
    received: int  # payload bytes of all messages of the run
    sent: int  # payload bytes of the request
    messages: int
    changed: int  # elements whose content differs from before the run
    fragment: str  # "" for a run of the whole page


@dataclass
class _Node:
    element: Element
    digest: bytes
    fragment: str
    widget: Widget | None


@dataclass
class _Run:
    """What one rerun has brought so far."""

    fragment: str
    began: bool = False
    received: int = 0
    messages: int = 0
    changed: int = 0
    faults: list[str] = field(default_factory=list)
    touched: set[tuple[int, ...]] = field(default_factory=set)  # places on the page that it wrote


class Session:
    """One connected student on one page. Not for concurrent moves: `rerun` serialises itself."""

    def __init__(self, base_url: str, address: str, timeout: float = 30.0) -> None:
        """`base_url`: http://127.0.0.1:PORT; `address`: path and query of the page, e.g. "/step?hidden=8"."""
        parts = urlsplit(address)
        self.page = parts.path.strip("/")
        self.query: dict[str, list[str]] = parse_qs(parts.query, keep_blank_values=True)
        self.timeout = timeout
        self.nodes: dict[tuple[int, ...], _Node] = {}
        self.blocks: dict[tuple[int, ...], str] = {}  # containers, and the fragment that made each
        self.widgets: dict[str, Widget] = {}  # by user key (by id when a widget has none)
        self.states: dict[str, WidgetState] = {}  # by widget id
        self.pages: dict[str, str] = {}  # url path -> page hash
        self.received = 0
        self._url = base_url.replace("http", "ws", 1) + "/_stcore/stream"
        self._origin = base_url
        self._page_hash = ""
        self._store = MessageStore()
        self._lock = asyncio.Lock()
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self.polls: list[Answer] = []  # reruns that the page itself asked for with `run_every`
        self.spared = 0  # those that the server did not answer, because there was nothing new to draw
        self._wanted = asyncio.Event()
        self.poll_errors: list[str] = []
        self._socket: websockets.ClientConnection | None = None

    async def open(self) -> Answer:
        """Fetch the page's document, which may bring a cookie, connect, and load the page once."""
        cookie = await self._fetch()
        self._socket = await websockets.connect(
            self._url,
            subprotocols=[websockets.Subprotocol("streamlit")],
            origin=websockets.Origin(self._origin),
            additional_headers={"Cookie": cookie} if cookie else None,
            compression="deflate",
            max_size=MAX_MESSAGE,
            ping_interval=None,
            proxy=None,
        )  # deflate is offered because a browser offers it; the server decides
        return await self.rerun()

    async def _fetch(self) -> str:
        """The cookies that come with the document, as a request sends them back."""
        parts = urlsplit(self._origin)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = [
            f"GET /{self.page} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Accept: text/html",
            "Connection: close",
        ]
        writer.write("\r\n".join([*head, "", ""]).encode())
        answer = (await reader.read()).split(b"\r\n\r\n")[0].decode("latin-1")
        writer.close()
        await writer.wait_closed()
        lines = [line.partition(":") for line in answer.split("\r\n")[1:]]
        return "; ".join(
            value.strip().split(";")[0] for name, _, value in lines if name.lower() == "set-cookie"
        )

    async def close(self) -> None:
        self._stop_timers()
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    def address(self) -> str:
        """What the browser's address bar shows: path and query."""
        query = urlencode(self.query, doseq=True)
        return f"/{self.page}" + (f"?{query}" if query else "")

    def pictures(self) -> list[str]:
        """A fingerprint of each chart, table and script on the page: equal settings must give equal ones."""
        shown = [self.nodes[path] for path in sorted(self.nodes)]
        return [
            n.digest.hex()
            for n in shown
            if n.element.WhichOneof("type") in _PICTURES
            and n.element.bidi_component.component_name != "rnnviz_tab"  # each tab has a key of its own
        ]

    async def move(self, key: str, value: Any) -> Answer:
        """Set one widget as a person would, and wait for the answer. Reruns only the fragment that holds
        it.
        """
        widget = self.widgets[key]
        if widget.kind != "button":
            widget.value = value
        self.states[widget.id] = widget.state(value)
        self._write_address(widget, value)
        try:
            return await self.rerun(widget.fragment)
        finally:
            if widget.kind == "button":  # a click is an event, not a state
                self.states.pop(widget.id, None)

    async def set_all(self, values: dict[str, WidgetState]) -> Answer:
        """Put several widgets at once (states by user key) and rerun the whole page."""
        for key, state in values.items():
            if key in self.widgets:
                copy = WidgetState()
                copy.CopyFrom(state)
                copy.id = self.widgets[key].id
                self.states[copy.id] = copy
        return await self.rerun()

    async def visit(self, address: str) -> Answer:
        """Go to another page in the same tab, as a click on the navigation does."""
        parts = urlsplit(address)
        self.page = parts.path.strip("/")
        self.query = parse_qs(parts.query, keep_blank_values=True)
        self._page_hash = self.pages[self.page]
        return await self.rerun(named=False)

    async def rerun(
        self, fragment: str = "", *, auto: bool = False, named: bool = True, news: bool = False
    ) -> Answer:
        """Ask for a run and read until it is finished. ``news``: there need not be an answer.

        Raises WrongAnswer when an exception, an unknown page or an early end comes back, TimeoutError when
        nothing does.
        """
        started = time.perf_counter()
        self._wanted.set()
        async with self._lock:
            self._wanted.clear()
            if self._socket is None:
                raise WrongAnswer("not connected")
            request = self._request(fragment, auto=auto, named=named)
            await self._socket.send(request)
            run = _Run(fragment)
            if news and not await self._answered(run):
                raise Spared
            async with asyncio.timeout(self.timeout):
                while not self._take(await self._socket.recv(decode=False), run):
                    pass
        seconds = time.perf_counter() - started
        if run.faults:
            raise WrongAnswer("; ".join(run.faults))
        return Answer(seconds, run.received, len(request), run.messages, run.changed, fragment)

    async def _answered(self, run: _Run) -> bool:
        """Whether an answer begins within a while; a page has the right to leave a `run_every` without one.
        A person's move does not wait for that.
        """
        assert self._socket is not None
        other = asyncio.ensure_future(self._wanted.wait())
        try:
            while not run.began:  # what the last run sent after its end may come first
                first = asyncio.ensure_future(self._socket.recv(decode=False))
                first.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.wait((first, other), timeout=SILENCE, return_when=asyncio.FIRST_COMPLETED)
                if not first.done():
                    first.cancel()  # what `recv` has not given is not lost
                    return False
                self._take(await first, run)
        finally:
            other.cancel()
        return True

    def _request(self, fragment: str, *, auto: bool, named: bool) -> bytes:
        state = ClientState(
            query_string=urlencode(self.query, doseq=True),
            page_script_hash=self._page_hash,
            fragment_id=fragment,
            page_name=self.page if named and not self._page_hash else "",
            is_auto_rerun=auto,
            widget_states=WidgetStates(widgets=self.states.values()),
            cached_message_hashes=self._store.hashes(),
        )
        return bytes(BackMsg(rerun_script=state).SerializeToString())

    def _write_address(self, widget: Widget, value: Any) -> None:
        if widget.query_key:
            texts = widget.query_texts(value)
            if texts:
                self.query[widget.query_key] = texts
            else:
                self.query.pop(widget.query_key, None)

    def _take(self, data: bytes, run: _Run) -> bool:
        """Digest one message; True at the end of the run."""
        run.received += len(data)
        run.messages += 1
        self.received += len(data)
        try:
            message = self._store.resolve(ForwardMsg.FromString(data))
        except KeyError as unknown:
            run.faults.append(f"a reference to a message that is not held: {unknown}")
            return False
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._delta(message, run)
        elif kind == "new_session":
            session = message.new_session
            run.began = True
            self._store.max_age = session.config.max_cached_message_age
            if not run.fragment:
                self._page_hash = session.page_script_hash
                self._stop_timers()
        elif kind == "navigation":
            self.pages = {
                p.url_pathname if not p.is_default else "": p.page_script_hash
                for p in message.navigation.app_pages
            }
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = parse_qs(message.page_info_changed.query_string, keep_blank_values=True)
        elif kind == "page_not_found":
            run.faults.append(f"page not found: {message.page_not_found.page_name!r}")
        elif (
            kind == "session_event"
            and message.session_event.WhichOneof("type") == "script_compilation_exception"
        ):
            run.faults.append(message.session_event.script_compilation_exception.message)
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind == "script_finished":
            return self._finished(message, run)
        return False

    def _delta(self, message: ForwardMsg, run: _Run) -> None:
        path = tuple(message.metadata.delta_path)
        if message.delta.WhichOneof("type") == "add_block":
            self.blocks[path] = message.delta.fragment_id
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        digest = hashlib.sha256(element.SerializeToString(deterministic=True)).digest()
        before = self.nodes.get(path)
        if before is None or before.digest != digest:
            run.changed += 1
        widget = read_widget(element)
        for inside in [p for p in self.nodes if p[: len(path)] == path and p != path]:
            del self.nodes[inside]  # a container stood here
        self.nodes[path] = _Node(element, digest, message.delta.fragment_id, widget)
        run.touched.add(path)
        if element.WhichOneof("type") == "exception":
            run.faults.append(f"{element.exception.type}: {element.exception.message}")
        if element.WhichOneof("type") == "alert" and element.alert.format == Alert.ERROR:
            run.faults.append(
                f"the page says: {element.alert.body}"
            )  # what app.py shows instead of an exception
        if widget is not None:
            widget.fragment, widget.sidebar = message.delta.fragment_id, path[0] == SIDEBAR
            known = self.widgets.get(widget.key)
            self.widgets[widget.key] = widget
            if widget.forced or widget.id not in self.states:
                if widget.kind != "button":
                    self.states[widget.id] = widget.state(widget.value)
            elif known is not None:
                widget.value = known.value

    def _finished(self, message: ForwardMsg, run: _Run) -> bool:
        if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            run.touched.clear()  # `st.rerun()`: the run that replaces this one is still to come
            return False
        if message.script_finished not in _OK:
            run.faults.append("the script did not compile")
            return True
        mine = set(message.metadata.run.fragment_ids)
        if mine:  # fragments inside of them were drawn anew as well
            mine |= {self.nodes[path].fragment for path in run.touched}
        stale = [
            path
            for path, node in self.nodes.items()
            if path not in run.touched and (not mine or node.fragment in mine or self._within(path, mine))
        ]
        for path in stale:
            del self.nodes[path]
            run.changed += 1
        present = {n.widget.id for n in self.nodes.values() if n.widget is not None}
        self.states = {i: s for i, s in self.states.items() if i in present}
        self.widgets = {k: w for k, w in self.widgets.items() if w.id in present}
        self._store.age(mine)
        return True

    def _within(self, path: tuple[int, ...], fragments: set[str]) -> bool:
        """Whether a container of these fragments holds this place."""
        return any(self.blocks.get(path[:depth]) in fragments for depth in range(1, len(path)))

    def _start_timer(self, fragment: str, interval: float) -> None:
        held = self._timers.get(fragment)
        if held is not None and held[0] == interval:
            return
        self._stop_timer(fragment)
        self._timers[fragment] = (interval, asyncio.create_task(self._poll(fragment, interval)))

    def _stop_timer(self, fragment: str) -> None:
        held = self._timers.pop(fragment, None)
        if held is not None and held[1] is not asyncio.current_task():
            held[1].cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)

    async def _poll(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            try:
                self.polls.append(await self.rerun(fragment, auto=True, news=interval < HEARTBEAT))
            except Spared:
                self.spared += 1
            except (WrongAnswer, TimeoutError, websockets.ConnectionClosed) as fault:
                self.poll_errors.append(f"{type(fault).__name__}: {fault}")
                return
