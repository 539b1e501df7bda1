"""Training as pure functions of a run's state.

`start` makes a run, `advance` and `step` move it on, `change` reaches in, `snapshot` looks at it. None of
them changes what it is given, and all give the same bits in any process, however the way is cut into pieces.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from rnnviz.training import task as tasks
from rnnviz.training.changes import MAX_CHANGES, Change, Device, Edit, Entry, LearningRate, Silence
from rnnviz.training.config import TrainConfig, number, refuse
from rnnviz.training.loop import Limits, run
from rnnviz.training.opened import Live, held_rows, on_device, seeded
from rnnviz.training.state import RunState
from rnnviz.training.storage import check_change, shapes, weights_to_bytes
from rnnviz.training.task import Arrays


def parameter_names(config: TrainConfig) -> tuple[str, ...]:
    """The model's parameters in the order of its state_dict; a log's columns are in this order."""
    return tuple(shapes(config))


def task_of(state: RunState) -> tasks.Task:
    """The task of a run."""
    return tasks.named(state.config.task)


def start(config: TrainConfig) -> RunState:
    """The run before its first epoch: weights drawn from ``torch.manual_seed(config.seed)``, on the CPU.

    The global random state is left as it was.
    """
    return _started(config)[0]


def started(config: TrainConfig, view: str) -> tuple[RunState, Arrays]:
    """`start`, and the `snapshot` of that moment: the model is made once for both."""
    state, model = _started(config)
    if config.device != "cpu":
        return state, snapshot(state, view)
    with seeded(config.seed), torch.no_grad():
        return state, tasks.named(config.task).snapshot(model.eval(), config, _looked(view))


def _started(config: TrainConfig) -> tuple[RunState, nn.Module]:
    with seeded(config.seed):
        model = tasks.named(config.task).model(config)
        random = {"cpu": torch.get_rng_state()}
    weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return RunState(config, epoch=0, step=0, losses=(), weights=weights, optimizer={}, random=random), model


def advance(state: RunState, epochs: int = 1, seconds: float | None = None) -> RunState:
    """The run after at most ``epochs`` more epochs, or at the end of the one in which ``seconds`` are over.

    From within an epoch, finishing it counts as one. A stopped run is returned as it is. A run whose loss is
    no longer a meaningful number is returned as it was at the last good epoch, ``stopped`` saying why.
    Raises DeviceLost when its device is lost, full or not there.
    """
    time = math.inf if seconds is None else number("seconds", seconds, 0.0, math.inf)
    return run(state, Limits(epochs=epochs, seconds=time))


def step(state: RunState) -> RunState:
    """The run after one more optimiser step: one sentence, or one batch. As `advance` otherwise."""
    return run(state, Limits(epochs=1, steps=1))


def change(state: RunState, what: Change) -> RunState:
    """The run with a change made now, added to its journal. A stopped run can go on after one.

    Raises ValueError for a change that this model cannot have.
    """
    if not isinstance(what, LearningRate | Edit | Silence | Device):
        raise refuse("change", what, "a LearningRate, an Edit, a Silence or a Device")
    check_change(state.config, what)
    entry: Entry = (state.epoch, state.step, what)
    if len(state.changes) >= MAX_CHANGES:
        raise ValueError(f"a run can have {MAX_CHANGES} changes, not more")
    state = replace(state, changes=(*state.changes, entry), stopped="")
    if not isinstance(what, Edit | Silence):
        return state
    weights = {name: value.clone() for name, value in state.weights.items()}
    if isinstance(what, Edit):
        weights[what.name][what.index] = what.value
    for name, rows in held_rows(state).items():
        weights[name][rows] = 0.0
    return replace(state, weights=weights)


def weights(state: RunState) -> Arrays:
    """Every weight by its name, read-only."""
    return {name: tasks.read_only(value) for name, value in state.weights.items()}


def state_dict_bytes(state: RunState) -> bytes:
    """The model's state_dict as a safetensors file, which ``safetensors.torch.load`` reads."""
    return weights_to_bytes(state.weights)


def snapshot(state: RunState, view: Mapping[str, Any] | str = "{}") -> Arrays:
    """The arrays of the pictures of this moment, with dropout off. ``view``: what to look at, or its JSON.

    See `rnnviz.models.tagger.TaggerTask.snapshot` and `rnnviz.models.chars.CharsTask.snapshot` for the views
    and the arrays. Raises ValueError for a view that asks for what is not there, DeviceLost as `advance`.
    """
    looked = _looked(view)
    with seeded(state.config.seed), on_device(state.device):  # one thread: the same bits wherever it is drawn
        return Live.open(state).snapshot(looked)


def _looked(view: Mapping[str, Any] | str) -> Mapping[str, Any]:
    looked = json.loads(view) if isinstance(view, str) else view
    if not isinstance(looked, Mapping):
        raise refuse("view", looked, "an object")
    return looked
