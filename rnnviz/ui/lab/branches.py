"""Branches: going on from an earlier epoch, and which of the runs is in view."""

from __future__ import annotations

import re
from dataclasses import fields

import streamlit as st

from rnnviz.training import TrainConfig
from rnnviz.training.live import Run
from rnnviz.ui.lab.desk import Desk, branch, bring, config_of, guarded, latest, others, remove
from rnnviz.ui.lab.files import Accept
from rnnviz.ui.link import markdown

MOST_WAITING, MOST_WORDS, LONGEST = 3, 2, 12
"""Runs of other settings that have a button, differences that name one, and the characters of a value."""

_NUMBER = re.compile(r"run (\d+)")


def show(desk: Desk, epoch: int, rewound: bool, canvas: str) -> None:
    """The button that goes on from ``epoch``, and the runs to choose from when there are several."""
    page = desk.page
    if not desk.runs:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if rewound:
            st.button(
                f"Continue from epoch {epoch}",
                key=f"{page}_branch",
                help="A new run that begins here, beside the old one. Change the learning rate, or reach in, "
                "before you train on.",
                on_click=_branched,
                args=(desk, epoch, canvas),
            )
        if len(desk.runs) > 1:
            names = {run.id: run.label for run in desk.runs}
            key = f"{page}_in_view"
            st.session_state[key] = desk.run.id

            def chosen() -> None:
                found = [run for run in desk.runs if run.id == st.session_state[key]]
                if found:
                    bring(desk, found[0])
                    st.session_state.pop(f"{page}_epoch", None)
                st.rerun()  # the whole page: the sidebar shows that run's learning rate

            st.pills(
                "Runs",
                list(names),
                format_func=names.__getitem__,
                key=key,
                label_visibility="collapsed",
                on_change=chosen,
            )
            st.button(
                "Remove",
                key=f"{page}_remove_{desk.run.id}",  # a second click must not remove the next one
                help="Throws away the run in view",
                on_click=_removed,
                args=(desk,),
            )


def waiting(desk: Desk, accept: Accept) -> None:
    """The trained runs of other settings, each with the way back to it."""
    found = [run for run in others(desk) if run.look().epoch > 0]
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Of other settings, paused:")
        for run in found[-MOST_WAITING:]:
            st.button(
                f"{_differs(config_of(run), desk.config)}, epoch {run.look().epoch}",
                key=f"{desk.page}_back_{run.id}",
                help="Sets the controls as they were for this run",
                on_click=_back_to,
                args=(desk, run, accept),
            )
        if len(found) > MOST_WAITING:
            st.caption(f"and {len(found) - MOST_WAITING} older")


def _back_to(desk: Desk, run: Run, accept: Accept) -> None:
    if refusal := accept(config_of(run), "the earlier run"):
        st.session_state[f"{desk.page}_said"] = refusal
    else:
        bring(desk, run)
    st.rerun()


def _differs(one: TrainConfig, other: TrainConfig) -> str:
    """What the first has that the other has not, in a few words of Markdown."""
    if type(one) is not type(other):
        return "another task"
    found = []
    for f in fields(one):
        value = getattr(one, f.name)
        if value == getattr(other, f.name) or f.name == "optimiser":
            continue
        plain = isinstance(value, str | int | float) and len(str(value)) <= LONGEST
        found.append(f"{f.name} {markdown(str(value))}" if plain else f"other {f.name}")
    return ", ".join(found[:MOST_WORDS]) + " …" * (len(found) > MOST_WORDS) or f"{one.optimiser.name}"


def _branched(desk: Desk, epoch: int, canvas: str) -> None:
    numbers = [int(found[1]) for run in desk.runs if (found := _NUMBER.match(run.label))]
    number = max((1, *numbers)) + 1
    guarded(desk.page, branch, latest(desk.page), epoch, f"run {number}, from {epoch}")
    st.session_state.pop(f"{desk.page}_epoch", None)
    st.rerun(canvas)


def _removed(desk: Desk) -> None:
    remove(desk, desk.run)
    if desk.others:
        bring(desk, desk.others[-1])
    st.session_state.pop(f"{desk.page}_epoch", None)
    st.rerun()
