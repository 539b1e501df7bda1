"""The transport: first, back, play, forward, last, a speed and a slider over the steps, with keys.

The step is a widget of the page (``field``), so it stands in the address. Playing is a start time and a
speed, not a counter: a late tick skips a step instead of falling behind. Use it inside the fragment that
draws what depends on the step, made with ``st.fragment(run_every=tick(...))``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from rnnviz.link import Field
from rnnviz.ui import pickers

SPEEDS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Playing:
    """The transport running: the step it started from, when (s, monotonic), and its steps a second."""

    step: int
    since: float
    speed: float

    def now(self, clock: float) -> int:
        """The step to show at a time of the monotonic clock."""
        return self.step + int((clock - self.since) * self.speed)


def playing(page: str) -> Playing | None:
    """What is playing on a page, if anything is."""
    return st.session_state.get(f"{page}_playing")


def tick(page: str) -> float | None:
    """The fragment's ``run_every``: a step's time while playing."""
    state = playing(page)
    return None if state is None else 1 / state.speed


def advance(page: str, field: Field, length: int) -> None:
    """Move the step to where playing has come. Call it first in the fragment; at the last step it stops."""
    state = playing(page)
    if state is None:
        return
    step = state.now(time.monotonic())
    st.session_state[field.key] = min(step, length - 1)
    if step >= length - 1:
        _stop(page)
        st.rerun()  # the whole page, once, so that the fragment is made again without a tick


def _stop(page: str) -> None:
    st.session_state.pop(f"{page}_playing", None)


def transport(page: str, field: Field, length: int) -> None:
    """The row of buttons, the speed and the slider. ``length`` is L."""

    def go(step: int) -> None:
        st.session_state[field.key] = min(max(step, 0), length - 1)
        if state := playing(page):
            st.session_state[f"{page}_playing"] = Playing(
                st.session_state[field.key], time.monotonic(), state.speed
            )

    def toggle() -> None:
        if playing(page):
            _stop(page)
        else:
            at = st.session_state[field.key]
            start = 0 if at >= length - 1 else at
            st.session_state[field.key] = start
            speed = st.session_state.get(f"{page}_speed") or 1.0
            st.session_state[f"{page}_playing"] = Playing(start, time.monotonic(), speed)
        st.session_state[f"{page}_restart"] = True

    def faster() -> None:
        if state := playing(page):
            now = state.now(time.monotonic())
            speed = st.session_state.get(f"{page}_speed") or 1.0
            st.session_state[f"{page}_playing"] = Playing(now, time.monotonic(), speed)
            st.session_state[f"{page}_restart"] = True

    if st.session_state.pop(f"{page}_restart", False):
        st.rerun()  # run_every belongs to the fragment's making: only the whole page can start or end it
    at = int(st.session_state.get(field.key, field.default))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{page}_transport"):
        for label, help_, target, shortcut in (
            ("|◀", "First step", 0, "Home"),
            ("◀", "One step back", at - 1, "Left"),
        ):
            st.button(
                label, key=f"{page}_{shortcut}", help=help_, on_click=go, args=(target,), shortcut=shortcut
            )
        label = "Pause" if playing(page) else "Play"
        st.button(
            label, key=f"{page}_play", type="primary", on_click=toggle, shortcut="Space", help="Play or pause"
        )
        for label, help_, target, shortcut in (
            ("▶", "One step on", at + 1, "Right"),
            ("▶|", "Last step", length - 1, "End"),
        ):
            st.button(
                label, key=f"{page}_{shortcut}", help=help_, on_click=go, args=(target,), shortcut=shortcut
            )
        st.selectbox(
            "Speed",
            SPEEDS,
            index=1,
            format_func=lambda speed: f"{speed:g} steps/s",
            key=f"{page}_speed",
            label_visibility="collapsed",
            width=130,
            on_change=faster,
        )
        pickers.slider(field, high=length - 1, collapsed=True)
