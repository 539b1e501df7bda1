"""What every part of the page starts from: the screen, the desk, and the moment that is looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from rnnviz.data.split import Split
from rnnviz.presets import SENTENCES
from rnnviz.screens import tagger as page
from rnnviz.training import parameter_names
from rnnviz.training.config import Sentence, TaggerConfig
from rnnviz.training.live import Look, house
from rnnviz.training.live.engine import Arrays
from rnnviz.training.slices import Stop
from rnnviz.ui.lab.desk import Desk, arrays_at, config_of, desk, picture, untrained
from rnnviz.ui.lab.device import usable
from rnnviz.ui.lab.tab import visit
from rnnviz.ui.lab.transport import Steps
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived

PAGE = "tagger"
CANVAS, LIVE = "tagger_canvas", "tagger_live"
UPLOAD = "t_uploaded"
NOW = "tagger_now"
"""Where the session has the screen that was drawn last: what stands around the pictures may be older."""
EXTRA = {"Map": ["embeddings", "states"], "Confusion": ["confusion"]}
"""What a view wants in a snapshot beside the sentence."""


def read(*, alone: bool = True) -> Arrived:
    """The page's screen and values."""
    screen = partial(page.screen, upload=st.session_state.get(UPLOAD))
    current, values = arrive(page.FIELDS, screen, PAGE, alone=alone)
    return usable(current), values


@dataclass(frozen=True)
class Moment:
    """What is looked at: a run as it stands, or at an earlier epoch."""

    current: page.TaggerScreen
    values: Mapping[str, Any]
    desk: Desk
    look: Look
    epoch: int
    rewound: bool
    arrays: Arrays
    before: Arrays

    @property
    def config(self) -> TaggerConfig:
        return self.current.config

    @property
    def sentence(self) -> Sentence:
        """The sentence in view."""
        return self.current.shown[self.current.sentence]

    @property
    def words(self) -> tuple[str, ...]:
        """Its words."""
        return tuple(word for word, _ in self.sentence)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's parameters."""
        return parameter_names(self.config)

    def arrays_of(self, **view: Any) -> Arrays:
        """The arrays of another view of the same moment."""
        at, state = self.desk.run.seek(self.epoch if self.rewound else None)
        return arrays_at(self.desk.run, at, state, _text(view))


def moment(current: page.TaggerScreen, values: Mapping[str, Any], epoch: int | None) -> Moment:
    """The moment at ``epoch``, None for where the run stands."""
    here = seat(current)
    view = sentence_view(current, EXTRA.get(values["t_view"], ()))
    look, at, arrays = picture(here.run, view, epoch)
    before = untrained((current.config, view))[1]
    return Moment(current, values, here, look, at, epoch is not None, arrays, before)


def sentence_view(current: page.TaggerScreen, parts: Sequence[str] = ()) -> str:
    """The view of the sentence on screen, and what else is wanted."""
    held_out = current.part == "held out"
    return _text({"sentence": current.sentence, "held_out": held_out, "parts": list(parts)})


def seat(current: page.TaggerScreen) -> Desk:
    """The desk of this tab."""
    config = current.config
    view = sentence_view(current, EXTRA.get(st.session_state.get("t_view", ""), ()))
    return desk(PAGE, visit_once(), config, lambda: untrained((config, view))[0])


def visit_once() -> Any:
    """The tab; it tells the browser its key in the page's own run, not in a fragment's."""
    return st.session_state[f"{PAGE}_visit"]


def enter() -> None:
    """Called by the page before anything is drawn."""
    here = st.session_state[f"{PAGE}_visit"] = visit()
    if UPLOAD not in st.session_state:  # a reload: the file is gone from the session, not from its run
        own = [config_of(run) for run in house().lobby.runs(here, PAGE)]
        kept = [c for c in own if isinstance(c, TaggerConfig) and c.sentences != SENTENCES]
        if kept:
            parts = Split(kept[-1].sentences, kept[-1].held_out)
            st.session_state[UPLOAD] = page.Upload("the run that was left here", {}, parts)


def steps(current: page.TaggerScreen) -> Steps:
    """How this page calls a step, and when its runs end."""

    def until(done: int) -> Stop | None:
        newest: page.TaggerScreen = st.session_state[NOW]
        return newest.stop(done)

    return Steps("sentence" if current.config.batch == 1 else "batch", until)


def redraw() -> None:
    """A callback: the canvas again, with its live part."""
    st.rerun(CANVAS)


def _text(view: Mapping[str, Any]) -> str:
    return json.dumps(view, sort_keys=True)
