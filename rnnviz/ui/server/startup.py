"""Work done once before the first request, and what a user sees when a page fails."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pkgutil
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import streamlit as st

import rnnviz
from rnnviz.training import live
from rnnviz.ui.server.files import CACHE, first_visit
from rnnviz.ui.server.processes import side_by_side

_LOG: Final = logging.getLogger("rnnviz")

# Imported on first use by the widgets and the session machinery, which would make the first visitor wait.
_STREAMLIT_PARTS: Final = (
    "streamlit.components.v2",
    "streamlit.dataframe_util",
    "streamlit.elements.arrow",
    "streamlit.runtime.caching",
    "streamlit.runtime.scriptrunner.magic",
    "streamlit.runtime.session_manager",
)


def lifespan(script: Path) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """What `st.App` enters before it serves and leaves at its end; `script` is the app's file."""
    return lambda _app: _lifespan(script)


@asynccontextmanager
async def _lifespan(script: Path) -> AsyncIterator[None]:
    """Import everything heavy, freeze the heap, compress a first visit's files while the server starts."""
    # asyncio leaves TCP_NODELAY out for a socket that was bound with protocol 0, as Streamlit's (1.67) is;
    # every second message then waits 40 ms for a delayed acknowledgement: a rerun took 50 ms instead of 10.
    asyncio.base_events._set_nodelay = _send_at_once  # type: ignore[attr-defined]
    async with side_by_side(script):
        warm_up()
        compression = asyncio.create_task(_compress_first_visit())
        yield
        compression.cancel()
        live.close()


def warm_up() -> None:
    """Load torch, plotly, pandas and all of rnnviz, run a small LSTM, and hide all that from the collector.

    Streamlit calls `gc.collect()` after every rerun. With torch's objects on the heap that takes about 75 ms
    under the GIL; frozen objects are not visited, which made a page's rerun 84 → 10 ms for one user and
    1055 → 8 ms for thirty.
    """
    # Each rerun is a new thread, and there torch.set_num_threads(1) holds only once torch was asked for its
    # threads: until then oneDNN's LSTM starts a team that spins (p95 of 32 steps: 168 ms instead of 0.3). The
    # variable is read when torch is first loaded.
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    # One thread an operation: the users' reruns already fill the cores, and teaching-size matrices are too
    # small to split. More threads than cores only wait for each other.
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # cuDNN's RNNs would be 1e-3 off float32 by default

    for name in ("numpy", "pandas", "pyarrow", "plotly.graph_objects", *_STREAMLIT_PARTS):
        import_module(name)
    for module in pkgutil.walk_packages(rnnviz.__path__, f"{rnnviz.__name__}."):
        import_module(module.name)

    with torch.no_grad():
        torch.nn.LSTM(2, 2)(torch.zeros(2, 1, 2))
    import_module("rnnviz.ui.home").prepare_cards()
    gc.collect()
    gc.freeze()


def report_error(error: Exception) -> bool:
    """Show a sentence with a number instead of the exception; the log has the number and the traceback.

    Returns True, by which Streamlit shows nothing of its own. Streamlit has logged the traceback before.
    """
    number = secrets.token_hex(3)
    _LOG.error("error %s was shown to a user (%s)", number, type(error).__name__)
    st.error(
        "Something went wrong on our side, sorry. Reload the page to go on; "
        f"if it happens again, tell whoever runs this server the number {number}."
    )
    return True


def _send_at_once(sock: socket.socket) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def _compress_first_visit() -> None:
    for file in first_visit():
        await CACHE.get(file)
