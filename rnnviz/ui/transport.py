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
class Line:
    """What the transport runs along: the page, its field of the step, L, whether it is computed from the
    right, and what a step is called.
    """

    page: str
    field: Field
    length: int
    backward: bool = False
    unit: str = "step"

    @property
    def start(self) -> int:
        """The step that is computed first."""
        return self.length - 1 if self.backward else 0

    @property
    def end(self) -> int:
        """The step that is computed last."""
        return 0 if self.backward else self.length - 1


@dataclass(frozen=True)
class Playing:
    """The transport running: the step it started from, when (s, monotonic), steps a second, and its way."""

    step: int
    since: float
    speed: float
    way: int = 1

    def at(self, clock: float, length: int) -> int:
        """The step to show at a time of the monotonic clock, within the sequence."""
        return min(max(self.step + self.way * int((clock - self.since) * self.speed), 0), length - 1)


def playing(page: str) -> Playing | None:
    """What is playing on a page, if anything is."""
    state: Playing | None = st.session_state.get(f"{page}_playing")
    return state


def tick(page: str) -> float | None:
    """The fragment's ``run_every``: a step's time while playing."""
    state = playing(page)
    return None if state is None else 1 / state.speed


def position(line: Line) -> int:
    """The step to show. At the step that is computed last, playing stops."""
    state = playing(line.page)
    if state is None:
        return min(int(st.session_state.get(line.field.key, line.field.default)), line.length - 1)
    step = state.at(time.monotonic(), line.length)
    if step == line.end:
        _stop(line, step)
        st.rerun()  # the whole page, once, so that the fragment is made again without a tick
    return step


def transport(line: Line) -> None:
    """The buttons, the speed and the slider, for a horizontal container. It plays in the order of
    computation.
    """
    page, field, length, unit = line.page, line.field, line.length, line.unit
    if st.session_state.pop(f"{page}_restart", False):
        st.rerun()  # run_every belongs to the fragment's making: only the whole page can start or end it

    at = position(line)
    state = playing(page)

    def go(step: int) -> None:
        jump(line, min(max(step, 0), length - 1))

    def toggle() -> None:
        if state := playing(page):
            _stop(line, state.at(time.monotonic(), length))
            st.session_state[f"{page}_restart"] = True
        else:
            _play(line, line.start if at == line.end else at)

    def change_speed() -> None:
        if state := playing(page):
            _play(line, state.at(time.monotonic(), length))

    def button(label: str, meaning: str, target: int, shortcut: str) -> None:
        key = f"{page}_{shortcut}"
        st.button(label, key=key, help=meaning, on_click=go, args=(target,), shortcut=shortcut)

    button("|◀", f"First {unit}", 0, "Home")
    button("◀", f"One {unit} back", at - 1, "Left")
    label = "Pause" if state else "Play"
    meaning = "Play or pause, in the order of computation"
    st.button(label, key=f"{page}_play", type="primary", on_click=toggle, shortcut="Space", help=meaning)
    button("▶", f"One {unit} on", at + 1, "Right")
    button("▶|", f"Last {unit}", length - 1, "End")
    st.selectbox(
        "Speed",
        SPEEDS,
        index=1,
        format_func=lambda speed: f"{speed:g} {unit}{'' if speed == 1 else 's'}/s",
        key=f"{page}_speed",
        label_visibility="collapsed",
        width=130 if unit == "step" else 170,
        on_change=change_speed,
    )
    if state:
        st.progress(at / max(length - 1, 1), text=f"{unit} {at}")
    else:
        pickers.slider(field, high=length - 1, collapsed=True)


def jump(line: Line, step: int) -> None:
    """Go to a step of the sequence, from a callback; playing goes on from there."""
    if playing(line.page):
        _play(line, step)
    else:
        st.session_state[line.field.key] = step


def _play(line: Line, step: int) -> None:
    speed = st.session_state.get(f"{line.page}_speed") or 1.0
    way = -1 if line.backward else 1
    st.session_state[f"{line.page}_playing"] = Playing(step, time.monotonic(), speed, way)
    st.session_state[f"{line.page}_restart"] = True


def _stop(line: Line, step: int) -> None:
    st.session_state.pop(f"{line.page}_playing", None)
    st.session_state[line.field.key] = step
