"""The trained runs that come with the page, as runs that can be looked at, rewound and trained on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from rnnviz.models import shipped as files
from rnnviz.training import RunState
from rnnviz.training.live import Run, runfile
from rnnviz.training.live.curves import Curves
from rnnviz.training.live.history import History
from rnnviz.training.live.records import Origin
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.ui.attention.decoded import begun


@dataclass(frozen=True, eq=False)
class Shipped:
    """A trained run: its configuration, and where it stands with what it measured on the way.

    ``whole``: with its optimiser, so that it goes on as if it had never stopped.
    """

    config: Seq2SeqConfig
    origin: Origin
    whole: bool


@lru_cache(maxsize=1)
def shipped() -> tuple[Shipped, ...]:
    """Every trained state that is shipped, read once."""
    return tuple(_read(path.read_bytes()) for path in (files.ATTENTION, files.PLAIN))


@lru_cache(maxsize=128)
def trained(config: Seq2SeqConfig) -> Shipped | None:
    """The shipped run with these settings, whatever the learning rate of the field is now."""
    return next((one for one in shipped() if _settings(one.config) == _settings(config)), None)


def _settings(config: Seq2SeqConfig) -> dict[str, object]:
    rule = {f"optimiser {f.name}": getattr(config.optimiser, f.name) for f in fields(config.optimiser)}
    every = {f.name: getattr(config, f.name) for f in fields(config)} | rule
    return {k: v for k, v in every.items() if k not in ("optimiser", "optimiser lr", "device")}


def begins_with(config: Seq2SeqConfig) -> Seq2SeqConfig:
    """What the run for these settings begins with: a shipped one with its own learning rate."""
    found = trained(config)
    return found.config if found else config


def fresh(config: Seq2SeqConfig, page: str) -> Run:
    """A run for these settings that nobody has touched: a shipped one stands where it was trained to, with
    the way back to before its training; any other before its first epoch.
    """
    found = trained(config)
    run = Run(Origin(begun(begins_with(config)), 0), label="first run", group=page)
    if found is not None:
        run.restore(replace(found.origin, history=_whole(found.origin, run.origin.state)))
    return run


def _whole(end: Origin, first: bytes) -> History:
    """The way back from where a run stands, at least to its beginning."""
    if end.history is not None and 0 in end.history:
        return end.history
    found = History()
    found.put(0, first)
    found.put(end.epoch, end.state)
    return found


def _read(data: bytes) -> Shipped:
    try:
        saved = runfile.from_bytes(data).saved()
    except ValueError:  # a state alone
        state = RunState.from_bytes(data)
        log = {"epoch": np.arange(1, state.epoch + 1), "loss": np.asarray(state.losses)}
        curves = Curves()
        curves.extend(state.epoch, log)
        saved = Origin(data, state.epoch, state.step, curves=curves)
    state = RunState.from_bytes(saved.state)
    assert isinstance(state.config, Seq2SeqConfig)
    return Shipped(state.config, saved, bool(state.optimizer))
