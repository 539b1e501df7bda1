"""What a run measured over its epochs: loss and exact match, entropy and right places."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnnviz.figures.attention_lines import OVER_EPOCHS
from rnnviz.figures.losses import GROUP, MOST_RUNS, History, Thinned, curves, losses_figure, losses_summary
from rnnviz.training.live import Look, Run
from rnnviz.ui.attention.reading import Moment
from rnnviz.ui.chart import Mark, Point, chart
from rnnviz.ui.lab.desk import journal
from rnnviz.ui.lab.series import told

SERIES = ("loss", "accuracy", "held_loss", "held_accuracy", "alignment", "entropy", "lr")
EXACT = {"loss": "loss", "accuracy": "exact match"}


def runs(now: Moment) -> list[Run]:
    """The runs to compare; the first one stays, it is what the others are compared with."""
    found = [*now.desk.others, now.run]
    return found if len(found) <= MOST_RUNS else [found[0], *found[1 - MOST_RUNS :]]


def learnt(now: Moment, height: int, *, key: str = "a_learnt") -> None:
    """The loss, and how many held-out strings are decoded without a fault."""
    record = curves(
        [_history(run, run.look(), ("loss", None, "held_loss", "held_accuracy")) for run in runs(now)]
    )
    chart(
        losses_figure(record, log=bool(now.values["a_log"]), height=height, words=EXACT),
        key=key,
        name="Loss and exact match",
        summary=losses_summary(record, words=EXACT),
        mark=Mark(GROUP, now.epoch),
    )


def looking(now: Moment, height: int, *, key: str = "a_looking") -> None:
    """The attention's entropy, and how many of its peaks are on the true source position."""
    record = curves([_history(run, run.look(), ("entropy", "alignment", None, None)) for run in runs(now)])
    chart(
        losses_figure(record, height=height, words=OVER_EPOCHS),
        key=key,
        name="Entropy and right places",
        summary=losses_summary(record, words=OVER_EPOCHS),
        mark=Mark(GROUP, now.epoch),
    )


def _history(run: Run, look: Look, names: tuple[str | None, ...]) -> History:
    def series(name: str | None) -> Thinned | None:
        epochs, values = look.curves.points(name) if name else ([], [])
        return Thinned(epochs, values) if len(epochs) else None

    loss, accuracy, held_loss, held_accuracy = map(series, names)
    return History(
        run.label,
        (),
        loss or Thinned(np.zeros(0, np.int32), np.zeros(0)),
        accuracy,
        held_loss,
        held_accuracy,
        since=run.origin.epoch,
        changes=tuple((at, told(what)) for at, _, what in journal(run)),
    )


def back_to(point: Point) -> int | None:
    """The epoch of a click."""
    return int(point.x) if isinstance(point.x, float) and point.x >= 0 else None


def table(run: Run) -> pd.DataFrame:
    """Every series of a run as drawn: one row an epoch that is kept."""
    look = run.look()
    parts = []
    for name in SERIES:
        epochs, found = look.curves.points(name)
        if len(epochs):
            parts.append(pd.Series(found, index=pd.Index(epochs, name="epoch"), name=name))
    if not parts:
        return pd.DataFrame({"epoch": [], "loss": []})
    return pd.concat(parts, axis=1).reset_index()
