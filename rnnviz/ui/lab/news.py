"""How often the picture of a run that goes on is drawn: its part of the page looks for news by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from rnnviz.training.live import Run, Visit, house
from rnnviz.ui.page import spared

POLL = 0.5
"""Seconds between two pictures of a run that goes on."""
PICTURES = 15
"""At most so many a second for all runs that go on: more would slow the other pages down."""


def tick(page: str, going: bool) -> float | None:
    """The live fragment's ``run_every`` (s), None while nothing goes on."""
    st.session_state[f"{page}_going"] = going
    return POLL if going else None


def settle(page: str, going: bool) -> None:
    """For the live fragment: runs the whole page once when the run stands still, since only that makes the
    fragment anew, without a ``run_every``.
    """
    if st.session_state.get(f"{page}_going") and not going:
        st.session_state[f"{page}_going"] = False
        st.rerun()


def drawn(fragment: str, visit: Visit) -> None:
    """For the live fragment, before it looks at a run: what it draws now need not be drawn again.

    A room shares the pictures, and thirty runs of a large model have a new one every second or two only.
    """
    lobby = house().lobby
    spared(fragment, quiet(lobby.runs(visit), lobby.busy))


def quiet(
    runs: tuple[Run, ...], busy: Callable[[], int], clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """Whether nothing has happened to the runs since now, or it is too soon for the next picture of them.

    ``busy``: how many runs of the room go on.
    """
    versions, began = [run.version for run in runs], clock()

    def still() -> bool:
        if [run.version for run in runs] == versions:
            return True
        return clock() - began < busy() / PICTURES - POLL / 2

    return still
