"""One run: transport, pictures, the way back, branches, and what lies under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import characters as page
from rnnviz.training.slices import Stop
from rnnviz.ui import pickers
from rnnviz.ui.characters import details, pictures, saving
from rnnviz.ui.characters.reading import CANVAS, NOW, PAGE, Moment, Places, moment, redraw, seat
from rnnviz.ui.lab import branches
from rnnviz.ui.lab.desk import set_rate
from rnnviz.ui.lab.transport import Steps, counter, rewind, rewound, state_of_things, transport, turn_to

FIELD = pickers.by_key(page.FIELDS)


def busy(current: page.CharsScreen) -> bool:
    """Whether the run in view goes on."""
    return seat(current).run.look().busy


def frame(current: page.CharsScreen, values: Mapping[str, Any]) -> Places:
    """What stands still while a run goes on: buttons, the way back, branches, the choice of a view."""
    here = seat(current)
    turn_to(here)
    look = here.run.look()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        transport(here, look, _steps(), redraw)
        spot = st.container()
    state_of_things(here, look, redraw)
    branches.waiting(here, saving.accept)
    top = st.container()
    back = rewind(here, look)
    st.caption(
        "A string is what the network says before that epoch's step; *now* is after the last. "
        + pictures.bound(current.config)
    )
    branches.show(here, here.run.seek(back)[0], back is not None, CANVAS)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pickers.choice(FIELD["c_view"], collapsed=True)
        details.options(current.config, values["c_view"])
    return Places(spot, top, st.container())


def show(current: page.CharsScreen, values: dict[str, Any], places: Places) -> None:
    """Everything that moves while a run goes on."""
    here = seat(current)
    set_rate(here, float(values["c_lr"]))
    look = here.run.look()
    if look.playing:
        here.run.set_until(current.stop(look.epoch))
    now = moment(values, here.run, current.config, rewound(here, look))
    with places.counter:
        st.markdown(counter(look, 1, _steps(), now.epoch if now.rewound else None))
    long = len(current.config.source) > pictures.LONGER
    with st.grid(1 if long else 2, min_column_width=330):
        pictures.strings(now, "c_run", _back_to)
        with st.container(gap="xsmall"):
            pictures.state_and_softmax(now, "c_run")
    with places.bottom:
        if values["c_view"] == "Curves":
            details.losses(now, [*here.others, here.run])
        else:
            VIEWS[values["c_view"]](now)


def _steps() -> Steps:
    def until(done: int) -> Stop | None:
        newest: page.CharsScreen = st.session_state[NOW]
        return newest.stop(done)

    return Steps("", until, speed=5.0, loss=" before its step")


VIEWS: dict[str, Callable[[Moment], None]] = {
    "Reshape": details.reshaped,
    "Inside": details.inside,
    "Weights": details.weights,
    "Try": details.trying,
    "Save": saving.show,
}


def _back_to(epoch: int) -> None:
    st.session_state[f"{PAGE}_epoch"] = epoch
    st.rerun(CANVAS)
