"""The door: who is handed to which process, over real sockets, and what happens when a process goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from rnnviz.ui.server.door import COOKIE, Door, SameProcess, choose, pair

PAGE = b"GET /layers HTTP/1.1\r\nHost: x\r\nAccept: text/html,*/*\r\n"
PART = b"GET /static/a.js HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n"
END = b"\r\n"


def cookie(number: int, others: str = "") -> bytes:
    return f"Cookie: {others}{COOKIE}={number}\r\n".encode()


# Who goes where


def test_new_pages_go_to_the_processes_in_turn() -> None:
    assert [choose(PAGE + END, "10.0.0.1", {2, 0, 1}, turn) for turn in range(5)] == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("start", [PAGE, PART])
@pytest.mark.parametrize("others", ["", "_streamlit_xsrf=2|ab|0; "])
def test_a_cookie_leads_back_to_its_process(start: bytes, others: str) -> None:
    for turn in range(3):
        assert choose(start + cookie(1, others) + END, "10.0.0.1", {0, 1, 2}, turn) == 1


def test_a_cookie_of_a_process_that_is_gone_is_as_none() -> None:
    assert choose(PAGE + cookie(1) + END, "10.0.0.1", {0, 2}, 1) == 2
    assert choose(PAGE + cookie(99) + END, "10.0.0.1", {0, 2}, 0) == 0


@pytest.mark.parametrize(
    "text", [b"Cookie: x=1\r\n", b"X: rnnviz_process=1\r\n", b"Cookie: xrnnviz_process=1\r\n"]
)
def test_nothing_else_is_taken_for_the_cookie(text: bytes) -> None:
    assert choose(PAGE + text + END, "10.0.0.1", {0, 1}, 0) == 0


def test_what_keeps_no_cookie_stays_with_one_process_by_its_address() -> None:
    addresses = [f"10.0.0.{n}" for n in range(40)]
    first = [choose(PART + END, address, {0, 1}, 0) for address in addresses]
    assert first == [choose(PART + END, address, {0, 1}, 7) for address in addresses]
    assert set(first) == {0, 1}


def test_without_a_process_there_is_no_choice() -> None:
    with pytest.raises(ValueError, match="ready"):
        choose(PAGE + END, "10.0.0.1", set(), 0)


# The door itself


@dataclass
class House:
    """A door before `count` servers that answer with their number, all in this event loop."""

    door: Door
    port: int
    servers: list[asyncio.Server]
    gone: list[int] = field(default_factory=list)

    async def ask(self, *pieces: bytes) -> bytes:
        """What comes back on a connection on which these pieces are sent one after another."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.03)
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def house(count: int) -> AsyncIterator[House]:
    door = Door()
    here = House(door, 0, [])
    for number in range(count):
        way, end = pair()
        door.add(number, way, partial(here.gone.append, number))

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = number
        ) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            peer = writer.get_extra_info("peername")[0]
            writer.write(f"{number} {peer} {len(request)}".encode())
            await writer.drain()
            writer.close()

        here.servers.append(await asyncio.start_server(serve, sock=end))
    assert await door.all_ready(5.0)
    listener = socket.create_server(("127.0.0.1", 0), backlog=300)
    listener.setblocking(False)
    here.port = listener.getsockname()[1]
    door.open(listener)
    try:
        yield here
    finally:
        door.close()
        for server in here.servers:
            server.close()
        listener.close()


def in_house(count: int, body: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), house(count) as here:
            await body(here)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def not_ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Signals that a process would send to itself when its door is gone."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    return sent


def test_the_whole_request_reaches_the_process_that_was_chosen() -> None:
    async def body(here: House) -> None:
        request = PART + cookie(1) + END
        assert await here.ask(request) == f"1 127.0.0.1 {len(request)}".encode()
        assert await here.ask(PART + cookie(0) + END) == f"0 127.0.0.1 {len(request)}".encode()

    in_house(2, body)


def test_a_head_that_comes_in_pieces_is_waited_for() -> None:
    async def body(here: House) -> None:
        assert (await here.ask(PART[:20], PART[20:], cookie(2)[:9], cookie(2)[9:], END)).startswith(b"2 ")

    in_house(3, body)


def test_two_hundred_at_once_are_shared_evenly() -> None:
    async def body(here: House) -> None:
        answers = await asyncio.gather(*(here.ask(PAGE + END) for _ in range(200)))
        assert sorted({answer[:1] for answer in answers}) == [b"0", b"1"]
        assert sum(answer.startswith(b"0") for answer in answers) == 100

    in_house(2, body)


def test_a_connection_without_a_word_is_no_harm() -> None:
    async def body(here: House) -> None:
        _, silent = await asyncio.open_connection("127.0.0.1", here.port)
        _, leaving = await asyncio.open_connection("127.0.0.1", here.port)
        leaving.close()
        await leaving.wait_closed()
        assert (await here.ask(PART + cookie(1) + END)).startswith(b"1 ")
        here.door.close()  # with the silent one still waiting
        silent.close()

    in_house(2, body)


def test_when_a_process_goes_its_visitors_go_to_another_until_it_is_back() -> None:
    async def body(here: House) -> None:
        here.servers[1].close()
        while here.gone != [1]:
            await asyncio.sleep(0.01)
        assert (await here.ask(PART + cookie(1) + END)).startswith(b"0 ")
        way, end = pair()
        here.door.add(1, way, lambda: None)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"again")
            writer.close()

        here.servers.append(await asyncio.start_server(serve, sock=end))
        assert await here.door.all_ready(5.0)
        assert await here.ask(PART + cookie(1) + END) == b"again"

    in_house(2, body)


def test_a_process_ends_itself_when_its_door_is_gone(not_ended: list[int]) -> None:
    ours, theirs = pair()
    ours.close()
    with theirs, pytest.raises(BlockingIOError):
        theirs.accept()
    assert not_ended == [signal.SIGTERM]


def test_a_browser_that_left_on_the_way_is_skipped() -> None:
    ours, theirs = pair()
    with ours, theirs, socket.socket() as never_connected:
        socket.send_fds(ours, [b"c"], [never_connected.fileno()])
        with pytest.raises(ConnectionAbortedError):
            theirs.accept()
        with pytest.raises(BlockingIOError):
            theirs.accept()


def test_a_connection_for_which_no_descriptor_was_left_is_skipped() -> None:
    ours, theirs = pair()
    with ours, theirs:
        ours.send(b"c")  # as it arrives then: the word without the connection
        with pytest.raises(ConnectionAbortedError):
            theirs.accept()


# The cookie


def client(number: int | None) -> TestClient:
    async def answer(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    middleware = [Middleware(SameProcess, number=lambda: number)]

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    routes = [WebSocketRoute("/stream", talk), Route("/{any:path}", answer)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


@pytest.mark.parametrize(("held", "brings"), [("0", True), ("1", False)])
def test_a_session_that_goes_on_in_another_process_renews_it(held: str, brings: bool) -> None:
    with client(1).websocket_connect("/stream", headers={"Cookie": f"{COOKIE}={held}"}) as session:
        found: dict[bytes, bytes] = dict(session.extra_headers or ())
    expected = {b"set-cookie": f"{COOKIE}=1; Path=/; HttpOnly; SameSite=Lax".encode()}
    assert found == (expected if brings else {})


def test_a_page_brings_the_cookie_once() -> None:
    visitor = client(1)
    first = visitor.get("/layers", headers={"Accept": "text/html"})
    assert first.headers["set-cookie"] == f"{COOKIE}=1; Path=/; HttpOnly; SameSite=Lax"
    assert "set-cookie" not in visitor.get("/layers", headers={"Accept": "text/html"}).headers


def test_a_page_from_another_process_than_before_renews_it() -> None:
    answer = client(1).get("/", headers={"Accept": "text/html", "Cookie": f"{COOKIE}=0"})
    assert f"{COOKIE}=1" in answer.headers["set-cookie"]


def test_a_part_of_a_page_brings_none_nor_does_a_server_that_is_alone() -> None:
    assert "set-cookie" not in client(1).get("/a.js", headers={"Accept": "*/*"}).headers
    assert "set-cookie" not in client(None).get("/", headers={"Accept": "text/html"}).headers
