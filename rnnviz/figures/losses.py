"""Loss and accuracy over the epochs, of one run or of several that branch from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, in_template, short
from rnnviz.figures.losses_marks import COLOURS, NAME, guess_line, guessed, legend, marks
from rnnviz.figures.thinning import MOST_POINTS, kept

GROUP = "epoch"
"""The cursor group of every picture over epochs."""

MOST_RUNS = 7  # as many as there are colours
ALL_POINTS = 5000  # of all lines together: 40 kB on the way to the browser
MOST_MARKS = 60
NEAR = 20  # pixels from a point along the epochs at which it is in the hover text
PANELS = ("loss", "accuracy")
NOTHING = "No epoch has been trained yet."
WORDS = {panel: panel for panel in PANELS}
"""What the two panels are called; pages that draw other quantities in them give words of their own."""


@dataclass(frozen=True, eq=False)
class Thinned:
    """A series that was thinned already, with epochs of its own."""

    epochs: ArrayLike
    values: ArrayLike


Series = ArrayLike | Thinned


@dataclass(frozen=True, eq=False)
class History:
    """What a page gives of a run: arrays of one value an epoch in ``epochs`` (E,), the first after training
    for one epoch. ``since``: where it branched off, 0 for the original. ``changes``: what was changed by hand
    and when. None where there is no held-out part, or no accuracy. A series that was thinned already comes as
    `Thinned`, with epochs of its own.
    """

    name: str
    epochs: ArrayLike
    loss: Series
    accuracy: Series | None = None
    held_loss: Series | None = None
    held_accuracy: Series | None = None
    since: int = 0
    changes: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Line:
    """One line to draw: ``panel`` is "loss" or "accuracy"; NaN in ``values`` is a gap."""

    run: int
    panel: str
    held_out: bool
    epochs: NDArray[np.integer[Any]]
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Curves:
    """The lines of up to `MOST_RUNS` runs, ``left_out`` more not being drawn. ``marks``: (run, epoch, text)
    of what was changed; ``broken``: (run, epoch) of the first loss of a run that is not finite; ``last``:
    each run's newest values {"loss": …} and its epoch; ``guess``: the loss of a model that knows nothing and
    its formula, None where the loss is something else.
    """

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    marks: tuple[tuple[int, int, str], ...]
    broken: tuple[tuple[int, int], ...]
    last: tuple[dict[str, float], ...]
    end: int
    left_out: int = 0
    guess: tuple[float, str] | None = None


def curves(histories: Sequence[History], *, guess: tuple[float, str] | None = None) -> Curves:
    """The record of several runs: a branch is drawn from the epoch where it left its parent.

    A line has at most 600 points, fewer when there are many lines: each bucket's smallest and largest value,
    and the first and last of the line. Of more than `MOST_RUNS` runs the last ones are drawn. Raises
    `ValueError` if a run's arrays differ in length.
    """
    shown = list(histories)[-MOST_RUNS:]
    given = [(run, *part) for run, history in enumerate(shown) for part in _parts(history)]
    most = max(8, min(MOST_POINTS, ALL_POINTS // max(1, len(given))))
    lines = []
    for run, panel, held_out, epochs, values in given:
        places = kept(values, most)
        found = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
        lines.append(Line(run, panel, held_out, _small(epochs[places]), found[places]))
    marks = [(run, epoch, text) for run, history in enumerate(shown) for epoch, text in history.changes]
    ends = [int(line.epochs[-1]) for line in lines if len(line.epochs)]
    return Curves(
        tuple(history.name for history in shown),
        tuple(lines),
        tuple(marks[-MOST_MARKS:]),
        tuple(_broken(shown)),
        tuple(map(_last, shown)),
        max(ends, default=0),
        len(histories) - len(shown),
        guess,
    )


def _parts(history: History) -> list[tuple[str, bool, NDArray[np.int32], NDArray[np.float64]]]:
    found = []
    for panel, held_out, given in (
        ("loss", False, history.loss),
        ("loss", True, history.held_loss),
        ("accuracy", False, history.accuracy),
        ("accuracy", True, history.held_accuracy),
    ):
        if given is None:
            continue
        epochs, values = _series(history, given)
        if values.shape != epochs.shape or epochs.ndim != 1:
            what = f"{'held-out ' if held_out else ''}{panel}"
            raise ValueError(f"{history.name}: {what} has shape {values.shape}, epochs {epochs.shape}")
        # From where it is its parent still: the last point at or before the branching.
        own = slice(max(0, int(np.searchsorted(epochs, history.since, side="right")) - 1), None)
        if held_out and not np.isfinite(values).any():
            continue  # nothing is held out
        found.append((panel, held_out, epochs[own], values[own]))
    return found


def _series(history: History, given: Series) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    epochs, values = (given.epochs, given.values) if isinstance(given, Thinned) else (history.epochs, given)
    return np.asarray(epochs, np.int32), np.asarray(values, np.float64)


def _small(epochs: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
    return epochs.astype(np.uint16) if (epochs < 2**16).all() else epochs


def _broken(histories: Sequence[History]) -> list[tuple[int, int]]:
    found = []
    for run, history in enumerate(histories):
        epochs, loss = _series(history, history.loss)
        bad = ~np.isfinite(loss)
        if bad.any():
            found.append((run, int(epochs[bad.argmax()])))
    return found


def _last(history: History) -> dict[str, float]:
    series = {
        "loss": history.loss,
        "accuracy": history.accuracy,
        "held-out loss": history.held_loss,
        "held-out accuracy": history.held_accuracy,
    }
    arrays = {name: _series(history, v)[1] for name, v in series.items() if v is not None}
    found = {name: float(v[-1]) for name, v in arrays.items() if len(v) and not np.isnan(v[-1])}
    epochs = _series(history, history.loss)[0]
    return {"epoch": float(epochs[-1]) if len(epochs) else 0.0, **found}


def losses_summary(record: Curves, *, words: Mapping[str, str] = WORDS) -> str:
    """The text alternative: where every run stands, and what was changed."""
    known = f"Guessing has a {words['loss']} of {record.guess[0]:.4g}." if record.guess else ""
    if not any(last["epoch"] for last in record.last):
        return f"{NOTHING} {known}".rstrip()
    said = [known] if known else []
    for run, (name, last) in enumerate(zip(record.names, record.last, strict=True)):
        numbers = [
            f"{_named(what, words)} {value:{'.0%' if 'accuracy' in what else '.4g'}}"
            for what, value in last.items()
            if what != "epoch"
        ]
        changed = [f"{text} at epoch {epoch}" for of, epoch, text in record.marks if of == run]
        stopped = [f"not a number at epoch {epoch}" for of, epoch in record.broken if of == run]
        said.append(f"{name}, epoch {last['epoch']:.0f}: {', '.join([*numbers, *stopped, *changed[-3:]])}.")
    if record.left_out:
        said.append(f"{record.left_out} earlier runs are not drawn.")
    return " ".join(said)


def _named(what: str, words: Mapping[str, str]) -> str:
    *held_out, panel = what.split(" ")
    return " ".join((*held_out, words[panel]))


def losses_figure(
    record: Curves, *, log: bool = False, height: int = 360, words: Mapping[str, str] = WORDS
) -> go.Figure:
    """The loss above, the accuracy below (if there is one) over one axis of epochs.

    Held-out lines are dotted. The figure belongs to the cursor group `GROUP`; a click gives the epoch as the
    point's x. With ``log`` the loss has a logarithmic axis, on which a loss of 0 is a gap. ``words``: what
    the panels "loss" (any number) and "accuracy" (a share in [0, 1]) show, if it is something else.
    """
    if not record.end:
        return guessed(record.guess, NOTHING, height) if record.guess else empty(NOTHING, height=height)
    panels = [panel for panel in PANELS if any(line.panel == panel for line in record.lines)]
    low = 0.36 if len(panels) > 1 else 0.0
    axes = {"loss": "y", "accuracy": "y2"}
    data = [_line(record, line, axes[line.panel], words[line.panel]) for line in record.lines]
    if any(line.held_out for line in record.lines):
        data.append(_held_out_key())
    if record.guess:
        data.append(guess_line(record.guess, record.end))
    entries = [*record.names, *(["held out"] if any(line.held_out for line in record.lines) else [])]
    places, below = legend(entries)
    layout: dict[str, Any] = {
        "height": height + below,
        "margin": {"l": 52, "r": 10, "t": 26, "b": 36 + below},
        "hovermode": "x unified",
        "hoverdistance": NEAR,
        "showlegend": len(entries) > 1,
        "legend": places,
        "uirevision": f"{log}{len(panels)}",
        "xaxis": {
            "range": [0, record.end * 1.01],
            "title": {"text": "epoch"},
            "anchor": axes[panels[-1]],
            "showgrid": False,
            "rangemode": "nonnegative",
            "minallowed": 0,
            **({"dtick": 1} if record.end <= 12 else {}),
            "unifiedhovertitle": {"text": " "},  # thinned lines do not meet at one epoch: each says its own
        },
        "yaxis": _loss_axis(words["loss"], log) | {"domain": [low + 0.05 if low else 0, 1]},
        "meta": {"cursor": {"group": GROUP, "line": True, "axes": [["x", axes[p], False] for p in panels]}},
    }
    if low:
        layout["yaxis2"] = {
            "domain": [0, low - 0.05],
            "range": [-0.04, 1.06],
            "tickvals": [0, 0.5, 1],
            "tickformat": ".0%",
            "title": {"text": words["accuracy"]},
        }
    if record.marks or record.broken:
        layout["yaxis3"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
        data += marks(record)
    if record.left_out:
        note = f"{record.left_out} earlier run{'s' if record.left_out > 1 else ''} not drawn"
        layout["annotations"] = [
            {
                **{"text": note, "xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right"},
                **{"yanchor": "bottom", "showarrow": False, "font": {"color": theme.MUTED, "size": 12}},
            }
        ]
    return figure(data, layout)


def _line(record: Curves, line: Line, axis: str, word: str) -> dict[str, Any]:
    name = short(record.names[line.run], NAME)
    colour = COLOURS[line.run % len(COLOURS)]
    few = len(line.values) < 30
    said = f"{'held out: ' if line.held_out else ''}{word}"
    number = ".1%" if line.panel == "accuracy" else ".4g"
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": name + (", held out" if line.held_out else ""),
        "legendgroup": str(line.run),
        "showlegend": line.panel == "loss" and not line.held_out,
        "x": line.epochs,
        "y": line.values,
        "yaxis": axis,
        "line": {
            "color": colour,
            "width": 1.6 if line.held_out else 2,
            "dash": "dot" if line.held_out else "solid",
        },
        "marker": {"size": 5},
        "hovertemplate": f"epoch %{{x:d}}  {in_template(name)}: {said} %{{y:{number}}}<extra></extra>",
    }


def _held_out_key() -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "held out",
        "x": [None],
        "y": [None],
        "line": {"color": theme.MUTED, "width": 1.6, "dash": "dot"},
        "hoverinfo": "skip",
        "meta": {"decoration": True},
    }


def _loss_axis(word: str, log: bool) -> dict[str, Any]:
    title = {"title": {"text": word}}
    if log:
        return {**title, "type": "log", "dtick": 1, "exponentformat": "power", "minor": {"dtick": "D1"}}
    return {**title, "rangemode": "tozero", "zeroline": True, "exponentformat": "e"}
