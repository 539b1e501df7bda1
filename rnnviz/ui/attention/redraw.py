"""What a moved control of *Attention* draws again: the live part alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from rnnviz.screens import attention as page
from rnnviz.screens.attention_examples import active_preset
from rnnviz.screens.attention_fields import FIELDS, FILE, LOOKED, OWN
from rnnviz.training.live import Look, house
from rnnviz.ui.attention.decoded import seed_of
from rnnviz.ui.attention.handing import handout
from rnnviz.ui.attention.reading import CANVAS, DETAIL, LIVE, NOW, PAGE, QUIET, UPLOAD, seat
from rnnviz.ui.attention.shipped import trained
from rnnviz.ui.lab.desk import Desk, others
from rnnviz.ui.lab.device import usable
from rnnviz.ui.page import hand_out, unframed

SIDEBAR, SEEN = "attention_sidebar", "attention_seen"


def beside(current: page.AttentionScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What the sidebar says, and which controls it has."""
    own = current.config.data if values["a_task"] in (OWN, FILE) else ()
    fitted = values["a_dhid"], values["a_heads"], values["a_score"], values["a_bi"]
    said = current.problem, current.trouble, current.about, current.unit
    folded = values["a_tover"] > 0, len(current.config.held or current.config.pairs)
    return said, fitted, own, values["a_task"], values["a_opt"], values["a_until"], folded


UNSEEN = ("a_until", "a_epochs", "a_loss")
"""Values that no picture shows."""


def frame(current: page.AttentionScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What everything but the pictures depends on: presets, buttons, the way back, branches, the choices."""
    here = seat(current)
    view = values["a_view"], current.attends, current.right is not None
    return active_preset(current, values), view, standing(here, here.run.look())


def standing(here: Desk, look: Look) -> tuple[Hashable, ...]:
    """What the buttons, the way back and the branches say of the runs."""
    named = tuple((run.id, run.label) for run in here.runs)
    waiting = tuple(run.id for run in others(here) if run.look().epoch > 0)
    said = look.stopped, look.fault, house().message, waiting
    return named, here.run.id if here.runs else "", look.epoch, look.step > 0, look.busy, look.playing, said


@dataclass(frozen=True)
class Seen:
    """What the pictures were drawn from: ``run`` the curves, the rest what follows the step."""

    run: Hashable
    model: Hashable
    batch: int
    values: tuple[Any, ...]


def seen(current: page.AttentionScreen, values: Mapping[str, Any]) -> Seen:
    """From now on. A run that nobody has touched has no curves, or those that it came with."""
    here = seat(current)
    config = current.config
    found = tuple(v for k, v in values.items() if k in LOOKED and k not in UNSEEN)
    batch = config.batch if values["a_view"] == "Model" else 0
    if here.run in here.runs:
        return Seen((here.run.id, config), config, batch, found)
    came = trained(config)
    if came is not None:
        return Seen(came.origin.state, came.origin.state, batch, found)
    return Seen(None, seed_of(config), batch, found)


def moved() -> None:
    """A control's ``on_change``. Where the sidebar depends on it, the whole page runs."""
    held = {f.key: st.session_state[f.key] for f in FIELDS if f.key in st.session_state}
    screen, values, notes = page.screen(held, st.session_state.get(UPLOAD))
    current = usable(screen)
    if notes or st.session_state.get(SIDEBAR) != beside(current, values):
        return
    if unframed(PAGE, *frame(current, values)):
        st.rerun(CANVAS)
    before, now = st.session_state.get(SEEN), seen(current, values)
    if before == now:
        st.rerun(QUIET)
    st.rerun(DETAIL if isinstance(before, Seen) and before.run == now.run else LIVE)


def note(current: page.AttentionScreen, values: dict[str, Any]) -> None:
    """What is on the screen from now on. Where no picture depends on what was moved, this is all."""
    st.session_state[NOW] = current
    st.session_state[SEEN] = seen(current, values)
    hand_out(handout(current, values))
