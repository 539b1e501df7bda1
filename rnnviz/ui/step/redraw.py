"""What a moved control of *Step through* draws again: the numbers alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from rnnviz.screens import step as page
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived, unframed
from rnnviz.ui.step.keys import KEYS

FOLLOWING = ("Path", "Text")
"""Views whose mark the browser cannot move by itself: they are drawn anew at every step."""


def read() -> Arrived:
    """The page's screen and values, for a fragment that runs alone."""
    return arrive(page.FIELDS, page.screen, "step", alone=True)


def frame(current: page.StepScreen) -> tuple[Hashable, ...]:
    """What the presets and the choices above the picture depend on."""
    config = current.config
    return (
        page.active_preset(current),
        config.kind,
        config.num_layers,
        config.bidirectional,
        bool(current.edits),
    )


def rails(current: page.StepScreen, backward: bool) -> tuple[Hashable, ...]:
    """What the transport depends on."""
    return current.length, backward


def moved() -> None:
    """A control's ``on_change``."""
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    current, values, notes = page.screen(held)
    if notes or unframed("step", *frame(current)):
        st.rerun(KEYS.canvas)
    along = rails(current, page.lane(values)[1] == 1) == st.session_state.get("s_rails")
    alone = along and values["s_view"] not in FOLLOWING
    st.rerun([KEYS.picture, KEYS.sums if alone else KEYS.detail])
