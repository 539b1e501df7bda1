"""The yardstick: a bare page (one slider, one heatmap) on a frozen heap with everything heavy imported."""

import asyncio.base_events
import gc
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st


def at_once(sock: socket.socket) -> None:
    """Send small messages at once. asyncio leaves this out for a socket that was bound with protocol 0, as
    Streamlit's is, and every rerun then waits 40 ms for a delayed acknowledgement: measured 10
    against 50 ms.
    """
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    # Every rerun is a new thread, and in a new thread torch.set_num_threads(1) holds only after torch
    # was asked for its threads: until then oneDNN's LSTM starts a team that spins (32 steps on two cores:
    # p50 2.3 against 0.2 ms, p95 168 against 0.3). Read when torch's libgomp is loaded.
    os.environ["OMP_NUM_THREADS"] = "1"
    import pandas
    import plotly.graph_objects
    import torch

    for module in (pandas, plotly.graph_objects, torch):
        assert module.__name__
    asyncio.base_events._set_nodelay = at_once  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()
    yield


app = st.App(Path(__file__).with_name("bare_page.py"), lifespan=lifespan)
