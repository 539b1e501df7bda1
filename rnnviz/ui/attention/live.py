"""The live part of *Attention*: transport, heatmap, curves, the way back, and one view more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import BY_KEY, VIEWS
from rnnviz.ui import pickers
from rnnviz.ui.attention import curves, pictures, saving, stepper, studies, tree, what_if
from rnnviz.ui.attention.reading import (
    CANVAS,
    DETAIL,
    LIVE,
    PAGE,
    VIEW,
    Moment,
    moment,
    read,
    redraw,
    seat,
    steps,
)
from rnnviz.ui.attention.redraw import moved, note
from rnnviz.ui.lab import branches
from rnnviz.ui.lab.desk import set_rate
from rnnviz.ui.lab.news import drawn, settle
from rnnviz.ui.lab.transport import counter, rewind, rewound, state_of_things, transport, turn_to

FIELD = BY_KEY
SHOWN: dict[str, Callable[[Moment], None]] = {
    "Step": stepper.show,
    "What if": what_if.show,
    "Beam": tree.show,
    "Padding": studies.padding,
    "Length": studies.length,
    "Model": studies.model,
    "Curves": curves.show,
    "Save": saving.show,
}


@dataclass(frozen=True)
class Places:
    """Where the live part draws: beside the buttons, above the way back and below the choice of a view."""

    counter: DeltaGenerator
    words: DeltaGenerator
    map: DeltaGenerator
    curves: DeltaGenerator
    bottom: DeltaGenerator


def frame(current: page.AttentionScreen, values: Mapping[str, Any]) -> Places:
    """What stands still while a run goes on: buttons, the way back, branches, the choice of a view."""
    here = seat(current)
    turn_to(here)
    look = here.run.look()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        transport(here, look, steps(current), redraw)
        spot = st.container()
    state_of_things(here, look, redraw)
    branches.waiting(here, saving.accept)
    words = st.container()
    with st.grid(2 if current.attends else 1, min_column_width=380):
        heatmap = st.container() if current.attends else words
        beside = st.container(gap="xsmall")
    # A run that is only looked at has no branches, whose button names the epoch.
    back = rewind(here, look, "rerun" if here.runs else pickers.only(LIVE))
    branches.show(here, here.run.seek(back)[0], back is not None, CANVAS)
    pickers.choice(FIELD["a_view"], views(current), collapsed=True, on_change=moved)
    return Places(spot, words, heatmap, beside, st.container())


def views(current: page.AttentionScreen) -> tuple[str, ...]:
    """The views there are for this model."""
    return VIEWS if current.attends else tuple(v for v in VIEWS if v != "Padding")


def busy(current: page.AttentionScreen) -> bool:
    """Whether a run of this page goes on, so that there will be news."""
    return seat(current).run.look().busy


def show(current: page.AttentionScreen, values: dict[str, Any], places: Places) -> None:
    """Everything that moves while a run goes on. What follows the step is a fragment of its own."""
    note(current, values)
    here = seat(current)
    drawn(LIVE, here.visit)
    set_rate(here, float(values["a_lr"]))
    look = here.run.look()
    if look.playing:
        here.run.set_until(current.stop(look.epoch))
    settle(PAGE, look.busy)
    now = moment(current, values, rewound(here, look))
    batches = -(-len(current.config.pairs) // current.config.batch)
    with places.counter:
        st.markdown(counter(look, batches, steps(current), now.epoch if now.rewound else None))
    high = pictures.room(now)
    both = current.attends and values["a_view"] == "Step"  # above another view there is no room for two
    with places.curves:
        curves.learnt(now, high // 2 if both else high)
        if both:
            curves.looking(now, high // 2)
    first = [now]

    @st.fragment(key=DETAIL, run_every=stepper.playing_tick())
    def detail() -> None:
        following(first.pop() if first else _again(), places)

    with places.bottom, st.container():
        detail()


def _again() -> Moment:
    """The moment anew, for the part that follows the step."""
    current, values = read()
    note(current, values)
    here = seat(current)
    return moment(current, values, rewound(here, here.run.look()))


def following(now: Moment, places: Places) -> None:
    """The heatmap, and the view under it. Only *Step* frames a row of the heatmap: in the others nothing that
    is moved there changes it.
    """
    stepping = now.values["a_view"] == "Step"
    with places.words:
        pictures.words(now)
    if now.current.attends:
        with places.map:
            pictures.heatmap(now, stepper.step_of(now) if stepping else None)
    if stepping:
        stepper.show(now)
        return
    first = [now]

    @st.fragment(key=VIEW)
    def view() -> None:
        chosen = first.pop() if first else _again()
        SHOWN[chosen.values["a_view"]](chosen)

    view()
