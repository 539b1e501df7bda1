"""What every part of the page starts from: the screen, and the moment of a run that is looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.figures.characters import Strings
from rnnviz.runs import usable_device
from rnnviz.screens import characters as page
from rnnviz.training import parameter_names
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import Look, Run, Visit
from rnnviz.training.live.engine import Arrays
from rnnviz.ui.lab.desk import Desk, arrays_at, desk, untrained
from rnnviz.ui.lab.tab import visit
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived

PAGE = "characters"
CANVAS, LIVE = "characters_canvas", "characters_live"
NOW = "characters_now"
"""Where the session has the screen that was drawn last: what stands around the pictures may be older."""
VIEW = "{}"
"""What a slice brings a snapshot of: the pair that is trained on."""


def read(*, alone: bool = True) -> Arrived:
    """The page's screen and values."""
    current, values = arrive(page.FIELDS, page.screen, PAGE, alone=alone)
    return usable(current), values


def usable(current: page.CharsScreen) -> page.CharsScreen:
    """The screen with a device that is here: a link may come from a machine with another one."""
    device = usable_device(current.config.device)
    config = replace(current.config, device=device)
    return replace(current, config=config, three=tuple(replace(c, device=device) for c in current.three))


@dataclass(frozen=True)
class Moment:
    """What is looked at: a run as it stands, or at an earlier epoch. ``state``: the run's bytes then.

    ``newest``: the arrays of where it stands.
    """

    values: Mapping[str, Any]
    run: Run
    config: CharsConfig
    look: Look
    epoch: int
    rewound: bool
    state: bytes
    arrays: Arrays
    newest: Arrays

    @property
    def strings(self) -> Strings:
        """What is read, what is to be said, and the characters there are."""
        return Strings(self.config.source, self.config.target, self.config.characters)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's parameters."""
        return parameter_names(self.config)

    def arrays_of(self, text: str) -> Arrays:
        """The arrays of a string that is read."""
        if text == self.config.source:
            return self.arrays
        return arrays_at(self.run, self.epoch, self.state, json.dumps({"text": text}))


def fresh(config: CharsConfig) -> bytes:
    """The bytes of a run before its first epoch."""
    return untrained((config, VIEW))[0]


def moment(values: Mapping[str, Any], run: Run, config: CharsConfig, epoch: int | None) -> Moment:
    """The kept epoch of a run nearest to ``epoch``, None for where it stands."""
    run.watch(VIEW)
    look = run.look()
    at, state = run.seek(None)
    newest = look.snapshot if look.snapshot and at == look.epoch else arrays_at(run, at, state, VIEW)
    arrays, rewound = newest, epoch is not None and epoch < look.epoch
    if rewound:
        at, state = run.seek(epoch)
        arrays = arrays_at(run, at, state, VIEW)
    return Moment(values, run, config, look, at, rewound, state, arrays, newest)


@dataclass(frozen=True)
class Places:
    """Where the live part draws: beside the buttons, above and below what does not move. It is made above,
    since each place outside of it costs a message at every picture.
    """

    counter: DeltaGenerator
    top: DeltaGenerator
    bottom: DeltaGenerator


def seat(current: page.CharsScreen) -> Desk:
    """The desk of this tab: the runs of the model that the controls describe."""
    return desk(PAGE, visit_once(), current.config, lambda: fresh(current.config))


def visit_once() -> Visit:
    """The tab; it tells the browser its key in the page's own run, not in a fragment's."""
    found: Visit = st.session_state[f"{PAGE}_visit"]
    return found


def enter() -> None:
    """Called by the page before anything is drawn."""
    st.session_state[f"{PAGE}_visit"] = visit()


def redraw() -> None:
    """A callback: the canvas again, with its live part."""
    st.rerun(CANVAS)
