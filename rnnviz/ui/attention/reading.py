"""What every part of the page starts from: the screen, the desk, and the moment that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.models.decoding import Decoded, How
from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import FIELDS, FILE
from rnnviz.training.live import Look, Run, Visit, house
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.training.slices import Stop
from rnnviz.ui.attention.decoded import Asked, State, said, state_of
from rnnviz.ui.attention.shipped import begins_with, fresh
from rnnviz.ui.lab.desk import Desk, config_of, desk
from rnnviz.ui.lab.device import usable
from rnnviz.ui.lab.drawn import Drawn, kept_figure
from rnnviz.ui.lab.tab import visit
from rnnviz.ui.lab.transport import Steps
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived

PAGE = "attention"
CANVAS, LIVE, DETAIL, VIEW, QUIET = (
    f"attention_{part}" for part in ("canvas", "live", "detail", "view", "quiet")
)
UPLOAD = "a_uploaded"
NOW = "attention_now"
"""Where the session has the screen that was drawn last: what stands around the pictures may be older."""


def read(*, alone: bool = True) -> Arrived:
    """The page's screen and values."""
    screen = partial(page.screen, upload=st.session_state.get(UPLOAD))
    current, values = arrive(FIELDS, screen, PAGE, alone=alone)
    return usable(current), values


@dataclass(frozen=True)
class Moment:
    """What is looked at: a run as it stands, or at an earlier epoch. ``state``: the model then."""

    current: page.AttentionScreen
    values: Mapping[str, Any]
    desk: Desk
    look: Look
    epoch: int
    rewound: bool
    state: State

    @property
    def run(self) -> Run:
        return self.desk.run

    @property
    def config(self) -> Seq2SeqConfig:
        return self.current.config

    @property
    def asked(self) -> Asked:
        """The decoding of the picture: the model's own tokens, or the true ones, are fed."""
        target = self.current.right if self.fed else None
        return Asked(self.state, self.current.source, How(target=target))

    @property
    def fed(self) -> bool:
        """Whether the true tokens are fed."""
        return bool(self.values["a_feed"]) and self.current.right is not None

    @property
    def decoded(self) -> Decoded:
        return said(self.asked)


def kept(name: str, now: Moment, what: Hashable, draw: Callable[[], Drawn]) -> Drawn:
    """A picture of the model in view and its source, which depends on ``what`` besides."""
    # A key must not hold a run's bytes: a room's are a thousand times as large as the pictures.
    model = now.state if isinstance(now.state, Seq2SeqConfig) else (hash(now.state), len(now.state))
    key = model, now.current.source, what
    return kept_figure(f"attention {name}", key, draw, passing=now.look.busy)


def moment(current: page.AttentionScreen, values: Mapping[str, Any], epoch: int | None) -> Moment:
    """The kept epoch of the run in view nearest to ``epoch``, None for where it stands."""
    here = seat(current)
    look = here.run.look()
    at, state = here.run.seek(epoch)
    model = state_of(began_with(here), at, state)
    return Moment(current, values, here, look, at, epoch is not None, model)


def began_with(here: Desk) -> Seq2SeqConfig:
    """The configuration of the run in view as it began. One that nobody has touched need not be opened."""
    assert isinstance(here.config, Seq2SeqConfig)
    if here.run not in here.runs:
        return begins_with(here.config)
    config = config_of(here.run)
    assert isinstance(config, Seq2SeqConfig)
    return config


def seat(current: page.AttentionScreen) -> Desk:
    """The desk of this tab. A run that comes with the page lies on it as it was trained."""
    key = f"{PAGE}_preview"
    held = st.session_state.get(key)
    if held is None or held[0] != current.config:
        st.session_state[key] = (current.config, fresh(current.config, PAGE))
    return desk(PAGE, visit_once(), current.config)


def visit_once() -> Visit:
    """The tab; it tells the browser its key in the page's own run, not in a fragment's."""
    found: Visit = st.session_state[f"{PAGE}_visit"]
    return found


def enter() -> None:
    """Called by the page before anything is drawn."""
    here = st.session_state[f"{PAGE}_visit"] = visit()
    if UPLOAD not in st.session_state and st.query_params.get("a_task") == FILE:
        # A reload: the file is gone from the session, not from its run.
        kept = [config_of(run) for run in house().lobby.runs(here, PAGE)]
        own = [c for c in kept if isinstance(c, Seq2SeqConfig) and isinstance(c.data, tuple)]
        if own:
            st.session_state[UPLOAD] = carried("the run that was left here", own[-1])


def carried(name: str, config: Seq2SeqConfig) -> page.Upload:
    """A run's own pairs in place of a file."""
    assert isinstance(config.data, tuple)
    return page.Upload(name, {"character": config.data, "word": config.data}, config.held_out)


def steps(current: page.AttentionScreen) -> Steps:
    """How this page calls a step, and when its runs end."""

    def until(done: int) -> Stop | None:
        newest: page.AttentionScreen = st.session_state[NOW]
        return newest.stop(done)

    right, held = "of tokens", "of unseen strings right"
    return Steps("batch", until, float("inf"), right=right, held=held)


def redraw() -> None:
    """A callback: the canvas again, with its live part."""
    st.rerun(CANVAS)
