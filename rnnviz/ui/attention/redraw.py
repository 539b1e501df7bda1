"""What a moved control of *Attention* draws again: the live part alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import attention as page
from rnnviz.screens.attention_examples import active_preset
from rnnviz.screens.attention_fields import FIELDS, FILE, OWN
from rnnviz.training.live import Look, house
from rnnviz.ui.attention.reading import CANVAS, DETAIL, LIVE, NOW, PAGE, UPLOAD, seat, usable
from rnnviz.ui.lab.desk import Desk, others
from rnnviz.ui.page import unframed

SIDEBAR = "attention_sidebar"


def beside(current: page.AttentionScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What the sidebar says, and which controls it has."""
    own = current.config.data if values["a_task"] in (OWN, FILE) else ()
    fitted = values["a_dhid"], values["a_heads"], values["a_score"], values["a_bi"]
    said = current.problem, current.trouble, current.about, current.unit
    folded = values["a_tover"] > 0, len(current.config.held or current.config.pairs)
    return said, fitted, own, values["a_task"], values["a_opt"], values["a_until"], folded


def frame(current: page.AttentionScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What everything but the pictures depends on: presets, buttons, the way back, branches, the choices."""
    here = seat(current)
    view = values["a_view"], current.attends, current.right is not None
    return active_preset(current, values), view, current.config.batch, standing(here, here.run.look())


def standing(here: Desk, look: Look) -> tuple[Hashable, ...]:
    """What the buttons, the way back and the branches say of the runs."""
    named = tuple((run.id, run.label) for run in here.runs)
    waiting = sum(run.look().epoch > 0 for run in others(here))
    said = look.stopped, look.fault, house().message, waiting
    return named, here.run.id if here.runs else "", look.epoch, look.step > 0, look.busy, look.playing, said


def moved() -> None:
    """A control's ``on_change``. Where the sidebar depends on it, the whole page runs."""
    held = {f.key: st.session_state[f.key] for f in FIELDS if f.key in st.session_state}
    screen, values, notes = page.screen(held, st.session_state.get(UPLOAD))
    current = usable(screen)
    if notes or st.session_state.get(SIDEBAR) != beside(current, values):
        return
    if unframed(PAGE, *frame(current, values)):
        st.rerun(CANVAS)
    before: page.AttentionScreen = st.session_state[NOW]
    st.rerun(DETAIL if current.config == before.config else LIVE)
