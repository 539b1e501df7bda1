"""What a moved control of *Tagger* draws again: the live part alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import tagger as page
from rnnviz.ui.lab.desk import standing
from rnnviz.ui.lab.device import usable
from rnnviz.ui.page import unframed
from rnnviz.ui.tagger.reading import CANVAS, LIVE, PAGE, UPLOAD, seat

SIDEBAR = "tagger_sidebar"


def beside(current: page.TaggerScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What the sidebar says of the data, and which controls it has."""
    config = current.config
    data = len(config.sentences), len(config.held_out), len(config.vocabulary), len(config.tags)
    return current.problem, current.about, data, values["t_opt"], values["t_until"], values["t_data"]


def frame(current: page.TaggerScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What everything but the pictures depends on: presets, buttons, the way back, branches, the choices."""
    here = seat(current)
    shown = current.shown if len(current.shown) <= page.LISTED else len(current.shown)
    return (
        page.active_preset(current),
        current.config.batch == 1,
        bool(current.config.held_out),
        shown,
        values["t_view"],
        standing(here, here.run.look()),
    )


def moved() -> None:
    """A control's ``on_change``. Where the sidebar depends on it, the whole page runs."""
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    screen, values, notes = page.screen(held, st.session_state.get(UPLOAD))
    current = usable(screen)
    if notes or st.session_state.get(SIDEBAR) != beside(current, values):
        return
    st.rerun(CANVAS if unframed(PAGE, *frame(current, values)) else LIVE)
