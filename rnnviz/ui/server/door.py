"""One address, several server processes: whoever comes is handed to one of them, and to the same one again.

Streamlit keeps a visitor's session, uploads and downloads inside one process, whose interpreter lock lets one
core work. The door looks at the first request of a connection without taking it, then hands the connection
itself over (`SCM_RIGHTS`), so that nothing stands between browser and process afterwards.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import signal
import socket
import zlib
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.ui.server.files import base_path

COOKIE: Final = "rnnviz_process"
HEAD_LIMIT: Final = 32 * 1024  # bytes of a request's head; uvicorn refuses more than 64 kB
HEAD_PATIENCE: Final = 100  # looks, 10 ms apart, for the rest of a head that came in pieces

_LOG: Final = logging.getLogger("rnnviz")
_NUMBER: Final = re.compile(rb"\r\ncookie:[^\r\n]*\b" + COOKIE.encode() + rb"=(\d{1,3})\b", re.IGNORECASE)
_DOCUMENT: Final = re.compile(rb"\AGET .*\r\naccept:[^\r\n]*text/html", re.IGNORECASE | re.DOTALL)


class Handed(socket.socket):
    """A listening socket for an event loop whose connections come from a door instead of the network."""

    def listen(self, backlog: int = 0, /) -> None:
        """Tell the door that this process is ready."""
        self.send(b"r")

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; the process ends itself when the door is gone.

        Raises BlockingIOError when none is there, ConnectionAbortedError when its browser has gone away.
        """
        word, descriptors, _, _ = socket.recv_fds(self, 1, 1)
        if not word:
            os.kill(os.getpid(), signal.SIGTERM)
            raise BlockingIOError(errno.EAGAIN, "the door is closed")
        if not descriptors:  # this process has as many open as it may: the connection was dropped
            raise ConnectionAbortedError(errno.EMFILE, "no descriptor is left")
        connection = socket.socket(fileno=descriptors[0])
        try:
            return connection, connection.getpeername()
        except OSError:
            connection.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "the browser has gone away") from None


def pair() -> tuple[socket.socket, Handed]:
    """The door's end and the process's end of the way between them, both non-blocking."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    return ours, handed(theirs.detach())


def handed(descriptor: int) -> Handed:
    """The process's end of a way, from its file descriptor."""
    end = Handed(fileno=descriptor)
    end.setblocking(False)
    return end


class Door:
    """Listens where the server listens. `add` a way for every process, `open` it, `close` it at the end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ways: dict[int, socket.socket] = {}
        self._ready: set[int] = set()
        self._news = asyncio.Event()
        self._listener: socket.socket | None = None
        self._listening = -1
        self._waiting: set[socket.socket] = set()
        self._turn = 0

    def add(self, number: int, way: socket.socket, gone: Callable[[], None]) -> None:
        """Hand visitors to process `number` by this way, once it is ready; `gone` is called when it ends."""
        self._ways[number] = way
        self._loop.add_reader(way, self._hear, number, gone)

    async def all_ready(self, patience: float) -> bool:
        """Wait up to so many seconds for every process; whether all are ready."""
        try:
            async with asyncio.timeout(patience):
                while self._ready != set(self._ways):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def open(self, listener: socket.socket) -> None:
        """Take connections from this listening, non-blocking socket from now on."""
        self._listener, self._listening = listener, listener.fileno()
        self._loop.add_reader(self._listening, self._accept)

    @property
    def closed(self) -> bool:
        """Whether the server has stopped to listen."""
        return self._listener is None or self._listener.fileno() < 0

    def close(self) -> None:
        """Take no more, forget those that have said nothing yet, end the ways. Any number of times."""
        if self._listener is not None:
            self._loop.remove_reader(self._listening)
            self._listener = None
        for connection in list(self._waiting):
            self._let_go(connection)
            connection.close()
        for number in list(self._ways):
            self._end(number)

    def _hear(self, number: int, gone: Callable[[], None]) -> None:
        try:
            word = self._ways[number].recv(16)
        except BlockingIOError:
            return
        except OSError:
            word = b""
        if word:
            self._ready.add(number)
        else:
            self._end(number)
            gone()
        self._news.set()

    def _end(self, number: int) -> None:
        way = self._ways.pop(number)
        self._ready.discard(number)
        self._loop.remove_reader(way)
        way.close()

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(100):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptors left: let others end first, as asyncio does
                _LOG.error("a connection could not be taken: %s", error)
                self._loop.remove_reader(self._listening)
                self._loop.call_later(1.0, self._again)
                return
            connection.setblocking(False)
            self._waiting.add(connection)
            self._loop.add_reader(connection, self._look, connection, str(address[0]), HEAD_PATIENCE)

    def _again(self) -> None:
        if self._listener is not None:
            self._loop.add_reader(self._listening, self._accept)

    def _look(self, connection: socket.socket, address: str, patience: int) -> None:
        if connection not in self._waiting:
            return
        try:
            head = connection.recv(HEAD_LIMIT, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            head = b""
        if head and b"\r\n\r\n" not in head and len(head) < HEAD_LIMIT and patience:
            # What has been seen stays in the socket, which therefore goes on to be readable.
            self._loop.remove_reader(connection)
            self._loop.call_later(0.01, self._look, connection, address, patience - 1)
            return
        self._let_go(connection)
        if head:
            self._hand(connection, self._choose(head, address))
        connection.close()

    def _let_go(self, connection: socket.socket) -> None:
        self._waiting.discard(connection)
        self._loop.remove_reader(connection)

    def _choose(self, head: bytes, address: str) -> int:
        number = choose(head, address, self._ready, self._turn)
        if asks_for_a_page(head) and named(head) != number:
            self._turn += 1
        return number

    def _hand(self, connection: socket.socket, number: int) -> None:
        for target in (number, *sorted(self._ready - {number})):
            try:
                socket.send_fds(self._ways[target], [b"c"], [connection.fileno()])
            except OSError as error:  # its buffer is full, or it has just ended
                _LOG.warning("process %d took no connection: %s", target, error)
            else:
                return


def choose(head: bytes, address: str, ready: Collection[int], turn: int) -> int:
    """The process for a connection that begins with this request's head.

    The one that the browser's cookie names, if it is there. A new visitor's page goes to the next in turn.
    Whatever keeps no cookie always goes to the same for one address. Raises ValueError when none is ready.
    """
    if not ready:
        raise ValueError("no server process is ready")
    number = named(head)
    if number in ready:
        return number
    order = sorted(ready)
    key = turn if asks_for_a_page(head) else zlib.crc32(address.encode())
    return order[key % len(order)]


def named(head: bytes) -> int:
    """The process in the cookie of a request's head, -1 without one."""
    found = _NUMBER.search(head)
    return int(found[1]) if found else -1


def asks_for_a_page(head: bytes) -> bool:
    """Whether this is a browser's request for a page, not for one of its parts."""
    return _DOCUMENT.match(head) is not None


class SameProcess:
    """ASGI middleware: gives each browser that asks for a page the cookie by which it comes back here.

    Also one that only connects again: when its process has died, its session goes on in another one, and so
    must what it uploads.
    """

    def __init__(self, app: ASGIApp, number: Callable[[], int | None]) -> None:
        """`number`: this process's, None where there is only one."""
        self.app = app
        self._number = number

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = self._number()
        if number is not None and scope["type"] in {"http", "websocket"}:
            request = HTTPConnection(scope)
            session = scope["type"] == "websocket" or "text/html" in request.headers.get("accept", "")
            if session and request.cookies.get(COOKIE) != str(number):
                send = partial(self._send, send, number)
        await self.app(scope, receive, send)

    async def _send(self, send: Send, number: int, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            cookie = f"{COOKIE}={number}; Path={base_path()}/; HttpOnly; SameSite=Lax"
            MutableHeaders(scope=message).append("Set-Cookie", cookie)
        await send(message)
