"""The transport: first, back, play, forward, last, a speed and a slider over the steps, with keys.

The step is a widget of the page (``field``), so it stands in the address. While playing it is not, since
every step would become an entry in the history. Playing is a start time and a speed, not a counter: a late
tick skips a step instead of falling behind. Use it inside the fragment that draws what depends on the step,
made with ``st.fragment(run_every=tick(...))``.
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

    def at(self, clock: float) -> int:
        """The step to show at a time of the monotonic clock."""
        return self.step + int((clock - self.since) * self.speed)


def playing(page: str) -> Playing | None:
    """What is playing on a page, if anything is."""
    state: Playing | None = st.session_state.get(f"{page}_playing")
    return state


def tick(page: str) -> float | None:
    """The fragment's ``run_every``: a step's time while playing."""
    state = playing(page)
    return None if state is None else 1 / state.speed


def position(page: str, field: Field, length: int) -> int:
    """The step to show. Call it first in the fragment; at the last step playing stops."""
    state = playing(page)
    if state is None:
        return min(int(st.session_state.get(field.key, field.default)), length - 1)
    step = state.at(time.monotonic())
    if step >= length - 1:
        _stop(page, field, length - 1)
        st.rerun()  # the whole page, once, so that the fragment is made again without a tick
    return step


def transport(page: str, field: Field, length: int) -> None:
    """The buttons, the speed and the slider, for a horizontal container. ``length`` is L."""
    if st.session_state.pop(f"{page}_restart", False):
        st.rerun()  # run_every belongs to the fragment's making: only the whole page can start or end it

    at = position(page, field, length)
    state = playing(page)

    def go(step: int) -> None:
        jump(page, field, min(max(step, 0), length - 1))

    def toggle() -> None:
        if state := playing(page):
            _stop(page, field, min(state.at(time.monotonic()), length - 1))
            st.session_state[f"{page}_restart"] = True
        else:
            _play(page, 0 if at >= length - 1 else at)

    def change_speed() -> None:
        if state := playing(page):
            _play(page, state.at(time.monotonic()))

    for label, help_, target, shortcut in (
        ("|◀", "First step", 0, "Home"),
        ("◀", "One step back", at - 1, "Left"),
    ):
        st.button(label, key=f"{page}_{shortcut}", help=help_, on_click=go, args=(target,), shortcut=shortcut)
    label = "Pause" if state else "Play"
    st.button(
        label, key=f"{page}_play", type="primary", on_click=toggle, shortcut="Space", help="Play or pause"
    )
    for label, help_, target, shortcut in (
        ("▶", "One step on", at + 1, "Right"),
        ("▶|", "Last step", length - 1, "End"),
    ):
        st.button(label, key=f"{page}_{shortcut}", help=help_, on_click=go, args=(target,), shortcut=shortcut)
    st.selectbox(
        "Speed",
        SPEEDS,
        index=1,
        format_func=lambda speed: f"{speed:g} step{'' if speed == 1 else 's'}/s",
        key=f"{page}_speed",
        label_visibility="collapsed",
        width=130,
        on_change=change_speed,
    )
    if state:
        st.progress(at / max(length - 1, 1), text=f"step {at}")
    else:
        pickers.slider(field, high=length - 1, collapsed=True)


def jump(page: str, field: Field, step: int) -> None:
    """Go to a step of the sequence, from a callback; playing goes on from there."""
    if playing(page):
        _play(page, step)
    else:
        st.session_state[field.key] = step


def _play(page: str, step: int) -> None:
    speed = st.session_state.get(f"{page}_speed") or 1.0
    st.session_state[f"{page}_playing"] = Playing(step, time.monotonic(), speed)
    st.session_state[f"{page}_restart"] = True


def _stop(page: str, field: Field, step: int) -> None:
    st.session_state.pop(f"{page}_playing", None)
    st.session_state[field.key] = step
