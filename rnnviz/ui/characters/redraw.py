"""What a moved control of *Characters* draws again: the pictures alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import characters as page
from rnnviz.ui.characters import side
from rnnviz.ui.characters.reading import LIVE, PAGE, usable
from rnnviz.ui.page import unframed


def frame(current: page.CharsScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What everything but the pictures depends on: presets, buttons, the way back, branches, the choices."""
    # A run by itself has more around it that depends on its model: all of that is drawn again.
    around = side.standing(current) if current.side else current
    return page.active_preset(current, values), current.problem, current.mode, around


def moved() -> None:
    """A control's ``on_change``. Where more than the pictures depends on it, the whole page runs."""
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    current, values, notes = page.screen(held)
    if not notes and not unframed(PAGE, *frame(usable(current), values)):
        st.rerun(LIVE)
