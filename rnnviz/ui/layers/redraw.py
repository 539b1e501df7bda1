"""What a moved control of *Layers & shapes* draws again: the view alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from rnnviz.screens.layers import FIELDS, LayersScreen, active_preset, screen
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived, unframed

CANVAS, VIEW = "layers_canvas", "layers_view"
"""The page's fragments, the inner one second."""


def read() -> Arrived:
    """The page's screen and values, for a fragment that runs alone."""
    return arrive(FIELDS, screen, "layers", alone=True)


def frame(current: LayersScreen) -> tuple[Hashable, ...]:
    """What the presets and the footer depend on."""
    return active_preset(current), current.no_data


def moved() -> None:
    """A control's ``on_change``."""
    current, _, notes = screen({f.key: st.session_state[f.key] for f in FIELDS if f.key in st.session_state})
    st.rerun(CANVAS if notes or unframed("layers", *frame(current)) else VIEW)
