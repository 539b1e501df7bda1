"""One run: transport, pictures, the way back, branches, and what lies under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.screens import characters as page
from rnnviz.ui import pickers
from rnnviz.ui.characters import details, pictures, saving
from rnnviz.ui.characters.reading import CANVAS, PAGE, Moment, moment, redraw, seat
from rnnviz.ui.lab import branches
from rnnviz.ui.lab.desk import said
from rnnviz.ui.lab.transport import Steps, counter, rewind, transport

FIELD = pickers.by_key(page.FIELDS)


def busy(current: page.CharsScreen) -> bool:
    """Whether the run in view goes on."""
    return seat(current).run.look().busy


def show(current: page.CharsScreen, values: dict[str, Any]) -> None:
    """Everything that moves while a run goes on."""
    here = seat(current)
    look = here.run.look()
    steps = Steps("pair", current.stop)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        transport(here, look, steps, redraw)
        st.markdown(counter(look, 1, steps))
    said(PAGE)
    if look.stopped:
        (st.warning if look.fault else st.info)(look.stopped)
    place = st.container()
    now = moment(values, here.run, current.config, rewind(here, look))
    long = len(current.config.source) > pictures.LONGER
    with place, st.grid(1 if long else 2, min_column_width=330):
        pictures.strings(now, "c_run", _back_to)
        with st.container(gap="xsmall"):
            pictures.state_and_softmax(now, "c_run")
    st.caption(
        "A string is what the network says before that epoch's step; *now* is after the last. "
        + pictures.bound(now)
    )
    branches.show(here, now.epoch, now.rewound, CANVAS)
    pickers.choice(FIELD["c_view"], collapsed=True)
    if values["c_view"] == "Curves":
        details.losses(now, [*here.others, here.run])
    else:
        VIEWS[values["c_view"]](now)


VIEWS: dict[str, Callable[[Moment], None]] = {
    "Reshape": details.reshaped,
    "Inside": details.inside,
    "Weights": details.weights,
    "Try": details.trying,
    "Save": saving.show,
}


def _back_to(epoch: int) -> None:
    st.session_state[f"{PAGE}_epoch"] = epoch
