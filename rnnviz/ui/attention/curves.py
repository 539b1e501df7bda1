"""What a run measured over its epochs: loss and exact match, entropy and right places."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.figures.attention_lines import OVER_EPOCHS
from rnnviz.figures.losses import GROUP, MOST_RUNS, History, Thinned, curves, losses_figure, losses_summary
from rnnviz.figures.norms import norms, norms_figure, norms_summary
from rnnviz.screens.attention_fields import BY_KEY
from rnnviz.training import parameter_names
from rnnviz.training.live import Look, Run
from rnnviz.ui import pickers
from rnnviz.ui.attention.reading import CANVAS, LIVE, PAGE, Moment
from rnnviz.ui.chart import Mark, Point, chart
from rnnviz.ui.lab.desk import journal, latest
from rnnviz.ui.lab.series import guessing, told

SERIES = ("loss", "accuracy", "held_loss", "held_accuracy", "alignment", "entropy", "lr")
EXACT = {"loss": "loss", "accuracy": "exact match"}
SHORT = {"loss": "loss", "accuracy": "exact"}, {"loss": "entropy", "accuracy": "right"}
"""The same beside a small axis, and the names of the other picture."""


def runs(now: Moment) -> list[Run]:
    """The runs to compare; the first one stays, it is what the others are compared with."""
    found = [*now.desk.others, now.run]
    return found if len(found) <= MOST_RUNS else [found[0], *found[1 - MOST_RUNS :]]


def learnt(now: Moment, height: int, *, key: str = "a_learnt") -> None:
    """The loss, and how many held-out strings are decoded without a fault."""
    found = [_history(run, run.look(), ("loss", None, "held_loss", "held_accuracy")) for run in runs(now)]
    record = curves(found, guess=guessing(now.config))
    chart(
        losses_figure(record, log=bool(now.values["a_log"]), height=height, words=SHORT[0]),
        key=key,
        name="Loss and exact match",
        summary=losses_summary(record, words=EXACT),
        on_click=_back_to,
        mark=Mark(GROUP, now.epoch),
    )


def looking(now: Moment, height: int, *, key: str = "a_looking") -> None:
    """The attention's entropy, and how many of its peaks are on the true source position."""
    record = curves([_history(run, run.look(), ("entropy", "alignment", None, None)) for run in runs(now)])
    chart(
        losses_figure(record, height=height, words=SHORT[1]),
        key=key,
        name="Entropy and right places",
        summary=losses_summary(record, words=OVER_EPOCHS),
        on_click=_back_to,
        mark=Mark(GROUP, now.epoch),
    )


def _back_to(point: Point) -> None:
    if isinstance(point.x, float) and point.x >= 0:
        epoch = latest(PAGE).run.look().epoch
        st.session_state[f"{PAGE}_epoch"] = min(int(point.x), epoch)
        st.rerun(CANVAS)


def _history(run: Run, look: Look, names: tuple[str | None, ...]) -> History:
    def series(name: str | None) -> Thinned | None:
        if name is None:
            return None
        epochs, values = look.curves.points(name)
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
        changes=tuple((at, told(what)) for at, _, what in journal(run)) if look.epoch else (),
    )


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


def show(now: Moment) -> None:
    """The view *Curves*: the same larger, a click rewinds; and how far each parameter goes."""
    pickers.switch(BY_KEY["a_log"], on_change=pickers.only(LIVE))
    with st.grid(2, min_column_width=380):
        learnt(now, 320, key="a_learnt_large")
        looking(now, 320, key="a_looking_large")
    found = now.look.curves.curves
    if "grad_norm" not in found:
        return
    names = parameter_names(now.config)
    with st.grid(2, min_column_width=380):
        for name, what in (("grad_norm", "Norm of the gradient"), ("change", "Way in one epoch")):
            curve = found[name]
            record = norms(
                what, np.where(np.isfinite(curve.high), curve.high, np.nan), names, width=curve.width
            )
            chart(
                norms_figure(record),
                key=f"a_{name}",
                name=what,
                summary=norms_summary(record),
                mark=Mark(GROUP, now.epoch),
            )
