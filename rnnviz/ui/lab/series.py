"""A run's curves, as the figures and the download take them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnnviz.figures.losses import History, Thinned
from rnnviz.training import Device, Edit, LearningRate, Silence, TrainConfig
from rnnviz.training.guessing import guess
from rnnviz.training.live import Look, Run
from rnnviz.ui.lab.desk import journal

PROMISE = (
    "the same settings, and the model as it is before anybody here trains it: its losses will be the same "
    "again; a trained run is handed on as a file (*Save*, under the pictures)"
)
"""What the link of a training page shows."""


def history(run: Run, look: Look) -> History:
    """A run's curves as the figure takes them, thinned by the run itself."""

    def series(name: str) -> Thinned | None:
        epochs, values = look.curves.points(name)
        return Thinned(epochs, values) if len(epochs) else None

    changes = tuple((at, told(what)) for at, _, what in journal(run))
    empty = Thinned(np.zeros(0, np.int32), np.zeros(0))
    return History(
        run.label,
        (),
        series("loss") or empty,
        series("accuracy"),
        series("held_loss"),
        series("held_accuracy"),
        since=run.origin.epoch,
        changes=changes,
    )


def told_apart(runs: Sequence[Run], looks: Sequence[Look], log: bool) -> Hashable:
    """What the picture of these runs' curves depends on: nothing while none has been trained."""
    if not any(look.curves.names for look in looks):
        return ()
    return log, tuple((run.id, run.label, look.version) for run, look in zip(runs, looks, strict=True))


def guessing(config: TrainConfig) -> tuple[float, str]:
    """The loss of a model that knows nothing, and its formula."""
    found = guess(config)
    return found.loss, found.formula


def told(what: Any) -> str:
    """A change in two words."""
    if isinstance(what, LearningRate):
        return f"lr {what.lr:g}"
    if isinstance(what, Edit):
        return f"{what.name}{list(what.index)} = {what.value:g}"
    if isinstance(what, Silence):
        return f"unit {what.unit} {'silent' if what.on else 'back'}"
    assert isinstance(what, Device)
    return what.device


def table(run: Run) -> pd.DataFrame:
    """Every series of a run as drawn: one row an epoch that is kept."""
    look = run.look()
    parts = []
    for name in ("loss", "accuracy", "held_loss", "held_accuracy", "lr"):
        epochs, found = look.curves.points(name)
        if len(epochs):
            parts.append(pd.Series(found, index=pd.Index(epochs, name="epoch"), name=name))
    if not parts:
        return pd.DataFrame({"epoch": [], "loss": []})
    return pd.concat(parts, axis=1).reset_index()
