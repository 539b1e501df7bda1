"""What a moved control of *Characters* draws again: the pictures alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import characters as page
from rnnviz.ui.characters import pictures, side
from rnnviz.ui.characters.reading import CANVAS, LIVE, PAGE, seat, usable
from rnnviz.ui.lab.desk import standing
from rnnviz.ui.page import unframed

SIDEBAR = "characters_sidebar"


def beside(current: page.CharsScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What the sidebar says of the strings, and which controls it has."""
    size = None if values["c_readout"] else current.config.hidden
    chosen = (values[key] for key in ("c_mode", "c_layer", "c_input", "c_opt", "c_until"))
    return current.problem, size, *chosen


def frame(current: page.CharsScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What everything but the pictures depends on: presets, buttons, the way back, branches, the choices."""
    shown = page.active_preset(current, values), current.problem, values["c_view"]
    if current.side:
        return *shown, *side.standing(current)
    here = seat(current)
    around = pictures.bound(current.config), current.config.num_layers
    return *shown, *around, standing(here, here.run.look())


def moved() -> None:
    """A control's ``on_change``. Where the sidebar depends on it, the whole page runs."""
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    screen, values, notes = page.screen(held)
    current = usable(screen)
    if notes or st.session_state.get(SIDEBAR) != beside(current, values):
        return
    st.rerun(CANVAS if unframed(PAGE, *frame(current, values)) else LIVE)
