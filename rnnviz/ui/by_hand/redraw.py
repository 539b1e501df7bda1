"""What a moved control of *By hand* draws again: the numbers alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from rnnviz.by_hand.experiment import operations
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import active_preset
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived, unframed


def read() -> Arrived:
    """The page's screen and values, for a fragment that runs alone."""
    return arrive(page.FIELDS, page.screen, "by-hand", alone=True)


def frame(current: page.ByHandScreen) -> tuple[Hashable, ...]:
    """What the presets, the faults that are offered and the details depend on."""
    return active_preset(current), current.experiment, current.kind, current.way


def rails(current: page.ByHandScreen) -> tuple[Hashable, ...]:
    """What the transport depends on."""
    recorded = operations(current)
    return len(recorded.operations), recorded.total


def moved() -> None:
    """A control's ``on_change``."""
    current, values, notes = page.screen(
        {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    )
    if notes or unframed("by-hand", *frame(current)):
        st.rerun(KEYS.canvas)
    operation, gradients, weights = page.DETAILS
    detail = values["b_detail"]
    if detail == weights:  # source that no number changes
        st.rerun(KEYS.picture)
    if detail == operation and rails(current) != st.session_state.get("b_rails"):
        st.rerun([KEYS.picture, KEYS.stepper])
    st.rerun([KEYS.picture, KEYS.chosen if detail == gradients else KEYS.value])
