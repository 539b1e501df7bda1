"""The transport of training: reset, play, one step, one epoch, a speed, when to stop, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from rnnviz.training import Device
from rnnviz.training.live import SPEEDS, Look, Run, house
from rnnviz.training.slices import Stop
from rnnviz.ui.lab.desk import Desk, change, device, elsewhere, guarded, latest, reset, said, take
from rnnviz.ui.pickers import Change

NAMES = {
    0.5: "1 epoch in 2 s",
    1.0: "1 epoch/s",
    2.0: "2 epochs/s",
    5.0: "5 epochs/s",
    20.0: "20 epochs/s",
    100.0: "100 epochs/s",
    float("inf"): "as fast as it goes",
}


@dataclass(frozen=True)
class Steps:
    """How one step of the optimiser is called on a page ("" where it is the epoch), and what ends a run."""

    name: str
    until: Callable[[int], Stop | None]
    """From the epochs done to the stop condition of the next play."""
    speed: float = 20.0
    """Epochs a second at first."""
    loss: str = ""
    """What is to be said behind an epoch's loss."""
    right: str = "right"
    """What the share of right answers counts."""
    held: str = ""
    """The same of what is held out, "" where that is not said."""


def transport(desk: Desk, look: Look, steps: Steps, redraw: Callable[[], None]) -> None:
    """The row of buttons. ``redraw`` runs the part of the page around the live fragment again, as a callback:
    how often a fragment asks for news is settled when it is made.
    """
    page = desk.page

    def act(what: Callable[[Run], Any]) -> Callable[[], None]:
        def clicked() -> None:
            st.session_state.pop(f"{page}_epoch", None)  # back to where the run stands
            guarded(page, lambda: what(take(latest(page))))  # the settings may have moved on since
            redraw()

        return clicked

    def button(label: str, name: str, help: str, what: Callable[[Run], Any], **options: Any) -> None:
        st.button(label, key=f"{page}_{name}", help=help, on_click=act(what), **options)

    if look.playing:
        button("Pause", "play", "Stand still here", Run.pause, type="primary", shortcut="p")
    else:
        button(
            "Play",
            "play",
            "Go on until the stop condition",
            lambda run: run.play(st.session_state[f"{page}_speed"], steps.until(run.look().epoch)),
            type="primary",
            shortcut="p",
        )
    button("1 epoch", "one_epoch", "All the data once", Run.one_epoch, shortcut="e")
    if steps.name:
        button(f"1 {steps.name}", "one_step", f"One step of the optimiser: one {steps.name}", Run.one_step)
    fresh = not (look.epoch or look.step or look.busy)  # the row stands still while a run goes on
    button("Reset", "reset", "Back to where this run began", reset, disabled=fresh)
    st.selectbox(
        "Speed",
        SPEEDS,
        index=SPEEDS.index(steps.speed),
        format_func=NAMES.__getitem__,
        key=f"{page}_speed",
        label_visibility="collapsed",
        width=165,
        on_change=lambda: latest(page).run.set_speed(st.session_state[f"{page}_speed"]),
    )


def state_of_things(desk: Desk, look: Look, redraw: Callable[[], None]) -> None:
    """What there is to know about a run besides its numbers: why it stopped, what it waits for."""
    said(desk.page)
    if message := house().message:
        st.warning(message)
    if pages := elsewhere(desk):
        there = " and ".join(f"*{page.capitalize()}*" for page in pages)
        st.caption(f"A run on {there} goes on meanwhile, until its own stop condition.")
    if look.stopped:
        (st.warning if look.fault else st.info)(look.stopped)
    if look.fault and device(desk.run) != "cpu":

        def move() -> None:
            guarded(desk.page, change, desk.run, Device("cpu"))
            redraw()

        st.button("Go on on the CPU", key=f"{desk.page}_to_cpu", on_click=move)


def counter(look: Look, batches: int, steps: Steps, back: int | None = None) -> str:
    """Where the run stands, in words; ``back``: the epoch that is looked at instead."""
    epoch, loss = look.curves.points("loss")
    parts = [f"**epoch {look.epoch}**"]
    if back is not None:
        return f"**epoch {back}**, looked at; the run stands at {look.epoch}, and goes on from there"
    if look.step:
        many = "" if batches == 1 else "es" if steps.name.endswith("ch") else "s"
        parts.append(f"{look.step} of {batches} {steps.name}{many} of the next")
    if len(epoch):
        parts.append(f"loss {loss[-1]:.4f}{steps.loss}")
    at, right = look.curves.points("accuracy")
    if len(at):
        parts.append(f"{right[-1]:.0%} {steps.right}")
    at, right = look.curves.points("held_accuracy")
    if len(at) and steps.held:
        parts.append(f"{right[-1]:.0%} {steps.held}")
    if look.playing:
        parts.append(ending(look.until))
    if look.busy and not len(epoch):
        parts.append("the workers are loading PyTorch, once")
    return " · ".join(parts)


def ending(until: Stop | None) -> str:
    """What a run that plays will stop at, in words."""
    if until is None:
        return "until you pause"
    if until.epochs is not None:
        return f"until epoch {until.epochs:,}"
    return "until all is right" if until.all_right else f"until the loss is below {until.loss_below:g}"


def turn_to(desk: Desk) -> None:
    """Called before the row of buttons: where another run has come into view, it stands where it stands, and
    an epoch of the last one says nothing.
    """
    key = f"{desk.page}_before"
    if st.session_state.get(key) != desk.run.id:
        st.session_state[key] = desk.run.id
        st.session_state.pop(f"{desk.page}_epoch", None)


def rewound(desk: Desk, look: Look) -> int | None:
    """The epoch that is looked at, None for where the run stands."""
    chosen = st.session_state.get(f"{desk.page}_epoch")
    return None if look.busy or chosen is None or chosen >= look.epoch else int(chosen)


def rewind(desk: Desk, look: Look, on_change: Change = "rerun") -> int | None:
    """The slider back to the kept epochs; the epoch that was chosen, None for where the run stands."""
    key = f"{desk.page}_epoch"
    kept = sorted({*look.kept, look.epoch})
    if look.busy or len(kept) < 2:
        return None
    chosen = st.session_state.get(key)
    if chosen is not None:
        st.session_state[key] = min(kept, key=lambda epoch: (abs(epoch - chosen), epoch))
    st.select_slider(
        "Rewind",
        kept,
        value=look.epoch,
        key=key,
        help="Back to the epochs that are kept, with every picture. Nothing is lost: to the right is where "
        "the run stands.",
        on_change=on_change,
    )
    return rewound(desk, look)
