"""The runs of one page in this tab: the one in view, its branches, and those of settings that were left."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from rnnviz.kept import kept
from rnnviz.training import Change, Device, LearningRate, RunState, TrainConfig, engine, snapshot, start
from rnnviz.training.changes import Entry
from rnnviz.training.engine import state_dict_bytes, weights
from rnnviz.training.live import Gone, Look, NoRoom, Run, Visit, house
from rnnviz.training.live.engine import Arrays
from rnnviz.training.live.records import Origin
from rnnviz.ui.link import markdown

KEPT = 8
"""Runs that a tab keeps before the oldest of other settings makes room."""

_CONFIGS: WeakKeyDictionary[Run, TrainConfig] = WeakKeyDictionary()
_JOURNALS: WeakKeyDictionary[Run, tuple[Entry, ...]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Desk:
    """``runs``: those with the settings on screen, oldest first; ``run``: the one in view, perhaps not yet in
    the lobby, since looking is free.
    """

    page: str
    visit: Visit
    config: TrainConfig
    run: Run
    runs: tuple[Run, ...]

    @property
    def rate_key(self) -> str:
        """The page's field of the learning rate."""
        return f"{self.page[0]}_lr"

    @property
    def others(self) -> tuple[Run, ...]:
        """The runs with these settings but the one in view."""
        return tuple(run for run in self.runs if run.id != self.run.id)


def desk(page: str, visit: Visit, config: TrainConfig, begin: Callable[[], bytes] | None = None) -> Desk:
    """What lies on the page's desk for these settings. The learning rate is none of them: it may change while
    a run goes on. ``begin``: the bytes of a run before its first epoch, where the page has a way of its own.
    """
    runs = [run for run in house().lobby.runs(visit, page) if settings(config_of(run)) == settings(config)]
    wanted = st.session_state.get(f"{page}_run")
    wanted = wanted or house().lobby.noted(visit, f"{page}_run")  # a reload: the session is a new one
    run = next((run for run in runs if run.id == wanted), runs[-1] if runs else None)
    for other in house().lobby.runs(visit, page):
        if other not in runs:
            other.pause()  # what nobody sees does not take the room's time
    made = Desk(page, visit, config, run or _preview(page, config, begin), tuple(runs))
    st.session_state[f"{page}_desk"] = made
    return made


def latest(page: str) -> Desk:
    """The desk as it was last: the buttons may have been drawn before that."""
    found: Desk = st.session_state[f"{page}_desk"]
    return found


def others(desk: Desk) -> list[Run]:
    """The tab's runs of this page with other settings, which wait."""
    return [run for run in house().lobby.runs(desk.visit, desk.page) if run not in desk.runs]


def elsewhere(desk: Desk) -> tuple[str, ...]:
    """The other pages of this tab on which a run goes on."""
    groups = [run.group.split(" ")[0] for run in house().lobby.runs(desk.visit) if run.due() is not None]
    return tuple(dict.fromkeys(group for group in groups if group != desk.page))


def standing(desk: Desk, look: Look) -> tuple[Hashable, ...]:
    """What the buttons, the way back and the branches say of the runs."""
    named = tuple((run.id, run.label) for run in desk.runs)
    waiting = tuple(run.id for run in others(desk) if run.look().epoch > 0)
    said = look.stopped, look.fault, house().message, elsewhere(desk), waiting
    return named, desk.run.id if desk.runs else "", look.epoch, look.step > 0, look.busy, look.playing, said


def take(desk: Desk) -> Run:
    """The run in view, to be set going: it moves into the lobby. Raises NoRoom with a sentence."""
    lobby = house().lobby
    if desk.run not in lobby.runs(desk.visit, desk.page):
        make_room(desk)
        lobby.add(desk.visit, desk.run)
    show(desk.page, desk.run)
    return desk.run


def make_room(desk: Desk) -> None:
    """Let go of the oldest run of other settings, of whatever page, when the tab keeps as many as it may."""
    lobby = house().lobby
    mine = lobby.runs(desk.visit)
    if len(mine) >= KEPT and (old := [run for run in mine if run not in desk.runs]):
        lobby.remove(desk.visit, old[0].id)


def branch(desk: Desk, epoch: int | None, label: str, change: Any = None) -> Run:
    """A new run from an epoch of the one in view, which comes into view. Raises NoRoom with a sentence."""
    run = take(desk)
    make_room(desk)
    made = house().lobby.branch(desk.visit, run.id, epoch, change, label=label)
    _CONFIGS[made] = desk.config
    show(desk.page, made)
    return made


def show(page: str, run: Run) -> None:
    """Bring a run into view. The lobby knows it too, for a reload."""
    st.session_state[f"{page}_run"] = run.id
    house().lobby.note(st.session_state[f"{page}_visit"], f"{page}_run", run.id)


def remove(desk: Desk, run: Run) -> None:
    """Throw a run away."""
    try:
        house().lobby.remove(desk.visit, run.id)
    except Gone:
        st.session_state[f"{desk.page}_said"] = "That run was gone already."


def guarded(page: str, act: Any, *arguments: Any) -> Any:
    """Do what a button says; a refusal is said on the page, by `said`, and nothing is lost."""
    try:
        return act(*arguments)
    except (NoRoom, Gone, ValueError) as refusal:
        st.session_state[f"{page}_said"] = str(refusal)
        return None


def said(page: str) -> None:
    """What a button could not do."""
    if text := st.session_state.pop(f"{page}_said", None):
        st.warning(markdown(text))


def bring(desk: Desk, run: Run) -> None:
    """Bring a run into view, from a callback: the field shows its learning rate."""
    show(desk.page, run)
    st.session_state[desk.rate_key] = rate(run)


def set_rate(desk: Desk, lr: float) -> None:
    """The learning rate of the field for a run that has begun; one that has not begins with it anyway. After
    a reset, a branch or a preset it is the field that counts.
    """
    if desk.run in desk.runs and rate(desk.run) != lr:
        guarded(desk.page, change, desk.run, LearningRate(lr))


def change(run: Run, what: Change) -> None:
    """Reach into a run. Raises ValueError for what its model does not have."""
    run.change(what)
    _JOURNALS.pop(run, None)


def reset(run: Run) -> None:
    """Back to where the run began, with what was changed there."""
    run.reset()
    _JOURNALS.pop(run, None)


def journal(run: Run) -> tuple[Entry, ...]:
    """What was changed in a run, and when. Only a person does that, so its bytes are read once a change."""
    if run not in _JOURNALS:
        _JOURNALS[run] = _opened(run.state).changes
    return _JOURNALS[run]


def rate(run: Run) -> float:
    """The learning rate now."""
    found = [what.lr for _, _, what in journal(run) if isinstance(what, LearningRate)]
    return found[-1] if found else config_of(run).optimiser.lr


def device(run: Run) -> str:
    """The device that the run goes on on."""
    found = [what.device for _, _, what in journal(run) if isinstance(what, Device)]
    return found[-1] if found else config_of(run).device


@lru_cache(maxsize=64)
def settings(config: TrainConfig) -> TrainConfig:
    """The configuration with one learning rate for all."""
    return replace(config, optimiser=replace(config.optimiser, lr=0.1))


def config_of(run: Run) -> TrainConfig:
    """What a run was started with."""
    if run not in _CONFIGS:
        _CONFIGS[run] = RunState.from_bytes(run.origin.state).config
    return _CONFIGS[run]


@lru_cache(maxsize=16)
def _opened(state: bytes) -> RunState:
    return RunState.from_bytes(state)


@lru_cache(maxsize=64)
def pictured(state: bytes, view: str) -> Arrays:
    """The arrays of the pictures of one state."""
    return snapshot(_opened(state), view)


def picture(run: Run, view: str, epoch: int | None) -> tuple[Look, int, Arrays]:
    """A look at a run, and the arrays of the pictures at the kept epoch nearest to ``epoch``, None for where
    it stands; and that epoch. A run that goes on brings its own.
    """
    run.watch(view)
    look = run.look()
    if epoch is None and look.snapshot:
        return look, look.epoch, look.snapshot
    at, state = run.seek(epoch)
    return look, at, arrays_at(run, at, state, view)


def arrays_at(run: Run, epoch: int, state: bytes, view: str) -> Arrays:
    """The arrays of a view of a run's state. What nobody has trained yet is the same for everybody."""
    if epoch == 0:
        begun, arrays = untrained((config_of(run), view))
        if begun == state:  # no step was done, and nobody has reached in
            return arrays
    return pictured(state, view)


@lru_cache(maxsize=8)
def weights_of(state: bytes) -> Arrays:
    """Every weight of a state by its name."""
    return weights(_opened(state))


def state_dict(state: bytes) -> bytes:
    """The weights of a state as a safetensors file."""
    return state_dict_bytes(RunState.from_bytes(state))


@lru_cache(maxsize=32)
def started(config: TrainConfig) -> bytes:
    """The bytes of a run before its first epoch."""
    return start(config).to_bytes()


def _size(found: tuple[bytes, Arrays]) -> int:
    state, arrays = found
    return len(state) + sum(array.nbytes for array in arrays.values())


@kept(16_000_000, _size)
def untrained(asked: tuple[TrainConfig, str]) -> tuple[bytes, Arrays]:
    """A run before its first epoch: its bytes, and the arrays of a view."""
    state, arrays = engine.started(*asked)
    return state.to_bytes(), arrays


def unplayed(config: TrainConfig, begun: bytes, label: str, group: str) -> Run:
    """A run to be looked at; the lobby has no place for it yet."""
    run = Run(Origin(begun, 0), label=label, group=group)
    _CONFIGS[run] = config
    return run


def _preview(page: str, config: TrainConfig, begin: Callable[[], bytes] | None) -> Run:
    held = st.session_state.get(f"{page}_preview")
    if held is None or held[0] != config:
        run = unplayed(config, begin() if begin else started(config), "first run", page)
        held = st.session_state[f"{page}_preview"] = (config, run)
    found: Run = held[1]
    return found
