"""The other server processes: started with the first, started again when one ends, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from streamlit import config

from rnnviz.training.live.cluster import WORKERS
from rnnviz.training.live.pool import cores
from rnnviz.ui.server.door import Door, Handed, handed, pair

VARIABLE: Final = "RNNVIZ_PROCESSES"
USUAL: Final = 2  # each holds PyTorch, Streamlit and Plotly: about 0.4 GB
MOST: Final = 64
FEWEST_WORKERS: Final = 2  # for each of them, so that one student's runs side by side use two cores
START: Final = 20.0  # seconds in which the others should be ready
FAREWELL: Final = 5.0  # seconds in which they should end
NOTICE: Final = 1.0  # seconds after which one that has ended is started again
QUICK: Final = 30.0  # seconds; one that ends sooner than this
PAUSE: Final = 10.0  # waits so many

_LOG: Final = logging.getLogger("rnnviz")
_ORDER: Final = "RNNVIZ_SERVER_PROCESS"  # what a process is told by the first, as JSON
_BOOT: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from rnnviz.ui.server.processes import serve; serve()"
)

_SHARED: Final = {"server.cookieSecret", "server.port"}

_number: int | None = None


def number() -> int | None:
    """Which of several server processes this is, from 0; None where it is the only one."""
    return _number


def wanted() -> int:
    """How many server processes there should be: what RNNVIZ_PROCESSES says, else two where there are cores.

    One where connections cannot be handed over: on Windows, under an event loop of another make, with
    Streamlit's own TLS, or started by another program than `streamlit run`. Raises ValueError for a setting
    that is no number from 1 to 64.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if asked and not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MOST):
        raise ValueError(f"{VARIABLE} is {asked!r}; a number from 1 to {MOST} is allowed")
    able = (
        _ORDER not in os.environ
        and hasattr(socket, "send_fds")
        and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        and config._server_mode == "starlette-app"
        and not config.get_option("server.sslCertFile")
    )
    return (int(asked) if asked else min(USUAL, cores())) if able else 1


@asynccontextmanager
async def side_by_side(script: Path) -> AsyncIterator[None]:
    """While the block lasts, `script` (app.py) is served by as many processes as are wanted.

    To be entered by the first of them before its server listens: what it listens on becomes the door's.
    """
    global _number
    count = wanted()
    if count == 1:
        yield
        return
    os.environ.setdefault(WORKERS, str(max(FEWEST_WORKERS, cores() // count)))
    _number = 0
    others = Others(script, Door())
    for index in range(1, count):
        others.start(index)
    others.take_over()
    try:
        yield
    finally:
        await others.close()
        _number = None


class Others:
    """The server processes beside the first, which holds the door."""

    def __init__(self, script: Path, door: Door) -> None:
        self._script = script
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._began: dict[int, float] = {}
        self._closing = False
        # What came with the command line; and two that a process would choose for itself.
        self._options = {
            name.replace(".", "_"): option.value
            for name, option in config.get_config_options().items()
            if option.where_defined == config._DEFINED_BY_FLAG or name in _SHARED
        }

    def start(self, index: int) -> None:
        """Start process `index`; returns at once."""
        way, end = pair()
        order = {
            "number": index,
            "way": end.fileno(),
            "script": str(self._script),
            "options": self._options,
        }
        with end:
            self._processes[index] = subprocess.Popen(
                [sys.executable, "-c", _BOOT, json.dumps(sys.path)],
                pass_fds=[end.fileno()],
                env=os.environ | {_ORDER: json.dumps(order)},
            )
        self._began[index] = time.monotonic()
        self._door.add(index, way, lambda: self._ended(index))

    def take_over(self) -> None:
        """Let the next server that this event loop makes listen through the door."""
        original = self._loop.create_server

        async def create_server(
            factory: Any, *args: Any, sock: socket.socket | None = None, **more: Any
        ) -> Any:
            if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
                return await original(factory, *args, sock=sock, **more)
            del self._loop.create_server
            way, end = pair()
            self._door.add(0, way, lambda: None)
            server = await original(factory, *args, sock=end, **more)
            if not await self._door.all_ready(START):
                _LOG.warning("the other server processes are not ready after %.0f s", START)
            self._door.open(sock)
            return server

        self._loop.create_server = create_server  # type: ignore[method-assign,assignment]

    def _ended(self, index: int) -> None:
        # On Ctrl-C it may end before this process has noticed: then nothing is to be done.
        quick = time.monotonic() - self._began[index] < QUICK
        self._loop.call_later(PAUSE if quick else NOTICE, self._replace, index)

    def _replace(self, index: int) -> None:
        """It has ended by itself: start another, to which its visitors come back by themselves."""
        if self._closing or self._door.closed:
            return
        process = self._processes.pop(index)
        process.kill()  # it may have closed its way only
        _LOG.error("server process %d ended with %d; it is started again", index, process.wait())
        self.start(index)

    async def close(self) -> None:
        """End them: they end when the door does, or are ended."""
        self._closing = True
        self._door.close()
        deadline = time.monotonic() + FAREWELL
        for process in self._processes.values():
            while process.poll() is None and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
            process.kill()
            process.wait()


def serve() -> None:
    """The life of a process that the first has started."""
    import uvicorn
    from streamlit.web import bootstrap
    from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs

    global _number
    order = json.loads(os.environ[_ORDER])
    script = Path(order["script"])
    _number = order["number"]
    bootstrap.load_config_options(order["options"])
    bootstrap._prepare_asgi_app_run_context(str(script), [], order["options"])
    settings = uvicorn.Config(
        f"{script.stem}:app",
        loop="asyncio",
        log_level="warning",
        timeout_graceful_shutdown=3,
        **_get_uvicorn_config_kwargs(),
    )
    way: Handed = handed(order["way"])
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[way])
