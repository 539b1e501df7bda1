"""Branches: going on from an earlier epoch, and which of the runs is in view."""

from __future__ import annotations

import re

import streamlit as st

from rnnviz.ui.lab.desk import Desk, branch, bring, guarded, latest, others, remove

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


def waiting(desk: Desk) -> None:
    """Where the trained runs of other settings are."""
    if count := sum(run.look().epoch > 0 for run in others(desk)):
        they = f"{count} earlier runs wait" if count > 1 else "1 earlier run waits"
        st.caption(f"New settings, a new run. {they}, paused: with their settings they are back.")


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
