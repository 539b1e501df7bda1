"""The string a model says at each epoch, letter by letter beside the loss, down to the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.data.characters import shown
from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, short, tokens_axis
from rnnviz.figures.characters import Strings
from rnnviz.figures.losses import Series, Thinned

ROW, TOP, BOTTOM = 21, 26, 38  # pixels
LINE = 16  # pixels more above, where a label has two lines
ONE_LINE = 8  # so many labels have room for "h→o"; of more, the target stands under the source
MOST_ROWS, MOST_LETTERS = 40, 800
"""Rows that are drawn, fewer of long strings: three of these pictures travel twice a second."""


@dataclass(frozen=True, eq=False)
class Said:
    """A row for each epoch shown: what was said (rows of L), which of it is right (rows, L), and the loss.

    A row stands for the epochs from ``epochs`` to ``until``, between which the string did not change or was
    left out; its loss is that of its last epoch. ``now``: the last row is no epoch yet, but what the model
    says as it stands, which is what the next epoch would begin with.
    """

    source: str
    target: str
    rows: tuple[tuple[str, ...], ...]
    right: NDArray[np.bool_]
    loss: NDArray[np.float64]
    epochs: tuple[int, ...]
    until: tuple[int, ...]
    now: bool = False

    def row_of(self, epoch: int) -> int:
        """The row that shows an epoch: the last that begins at or before it."""
        return max(0, int(np.searchsorted(self.epochs, epoch, side="right")) - 1)


def said(
    strings: Strings,
    predicted: ArrayLike,
    loss: Series,
    epochs: ArrayLike | None = None,
    now: tuple[ArrayLike, float] | None = None,
) -> Said:
    """The record of the class ids said (E, L) and the losses (E,) at ``epochs``, 1, 2 … unless given. A loss
    that was `Thinned` gives a row the last value known before the next row, NaN if there is none. ``now``:
    the ids (L,) and the loss of the model as it stands, for a row of their own.

    Of more epochs than are drawn (`most_rows`) those stay at which it changes; of more changes, evenly
    many, with the first and the last. Raises `ValueError` for shapes that do not agree.
    """
    length = len(strings.target)
    ids = np.asarray(predicted, np.int64)
    at = np.arange(1, len(ids) + 1) if epochs is None else np.asarray(epochs, np.int64)
    known = loss if isinstance(loss, Thinned) else Thinned(at, loss)
    losses, measured = np.asarray(known.values, np.float64), np.asarray(known.epochs, np.int64)
    if ids.shape != (len(ids), length) or len(at) != len(ids) or len(losses) != len(measured):
        raise ValueError(
            f"predicted {ids.shape}, loss {losses.shape}, epochs {at.shape}: "
            f"expected (E, {length}), (E,), (E,)"
        )
    places = _places(ids)
    ends = np.append(places[1:] - 1, len(ids) - 1)[: len(places)]
    shown, first, last = ids[places], at[places], at[ends]
    known_losses = _last_known(losses, measured, first)
    if now is not None:
        coming = (at[-1] if len(at) else 0) + 1
        shown = np.vstack([shown.reshape(-1, length), np.asarray(now[0], np.int64)])
        first, last = np.append(first, coming), np.append(last, coming)
        known_losses = np.append(known_losses, now[1])
    return Said(
        strings.source,
        strings.target,
        tuple(tuple(strings.classes[k] for k in row) for row in shown),
        shown == np.array(strings.truth),
        known_losses,
        tuple(map(int, first)),
        tuple(map(int, last)),
        now is not None,
    )


def most_rows(length: int) -> int:
    """How many strings of this length are drawn."""
    return min(MOST_ROWS, max(10, MOST_LETTERS // length))


def _places(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that are shown."""
    places = np.arange(len(ids))
    most = most_rows(ids.shape[1])
    if len(ids) > most:
        changed = (ids[1:] != ids[:-1]).any(axis=1)
        places = np.concatenate([[0], 1 + np.flatnonzero(changed)])
        if len(places) > most:
            places = places[np.linspace(0, len(places) - 1, most).round().astype(int)]
    return places


def _last_known(
    losses: NDArray[np.float64], measured: NDArray[np.int64], begin: NDArray[np.int64]
) -> NDArray[np.float64]:
    """For each row, which begins at an epoch and ends before the next begins, the last loss known in it."""
    if not len(losses):
        return np.full(len(begin), np.nan)
    end = np.append(begin[1:] - 1, np.iinfo(np.int64).max)[: len(begin)]
    last = np.searchsorted(measured, end, side="right") - 1
    return np.where((last >= 0) & (measured[last] >= begin), losses[last], np.nan)


def said_summary(record: Said) -> str:
    """The text alternative: the goal, when it was first reached, and what is said now."""
    goal = f"{record.source} to {record.target}"
    if not record.rows:
        return f"{goal}: no epoch has been trained yet."
    whole = record.right.all(axis=1)
    reached = (
        f"first right at epoch {record.epochs[int(whole.argmax())]}" if whole.any() else "never right so far"
    )
    text = f"{''.join(record.rows[-1])}, {int(record.right[-1].sum())} of {len(record.target)} right"
    when = "now" if record.now else f"at epoch {record.until[-1]}"
    return f"{goal}: {reached}; {when} it says {text}, loss {record.loss[-1]:.4g}."


def said_figure(record: Said, *, current: int | None = None, height: int | None = None) -> go.Figure:
    """A row an epoch: its letters, right ones on blue and bold, and its loss as a point on a line beside
    them.

    ``current`` is the epoch to mark; a click on a point gives its row as y. In a given ``height``
    few rows stay low, and there is room for more to come.
    """
    count, length = len(record.rows), len(record.target)
    if not count:
        return empty("No epoch has been trained yet.")
    rights: list[list[bool]] = record.right.tolist()
    bold = length <= 2 * ONE_LINE  # of long strings the marks would be most of what is sent
    letters = [
        [
            f"<b>{short(shown(c))}</b>" if good and bold else short(shown(c))
            for c, good in zip(row, right, strict=True)
        ]
        for row, right in zip(record.rows, rights, strict=True)
    ]
    top = TOP if length <= ONE_LINE else TOP + LINE
    inside = (height or 0) - top - BOTTOM
    room = max(count, inside // ROW)
    heat = {
        "type": "heatmap",
        "name": "said",
        "z": record.right.astype(np.uint8),
        "text": letters,
        "texttemplate": "%{text}",
        "textfont": {"size": _letters(inside / room if height else ROW)},
        "colorscale": [[0, theme.MISMATCH], [0.5, theme.MISMATCH], [0.5, theme.MATCH], [1, theme.MATCH]],
        **{"zmin": 0, "zmax": 1, "showscale": False},
        **dict.fromkeys(("xgap", "ygap"), 1),
        "hovertemplate": "epoch %{y}: %{text} at position %{x}<extra></extra>",
    }
    bottom = {**_epochs(record, room), "anchor": "x"}
    between = "→" if length <= ONE_LINE else "<br>"
    axis = tokens_axis(range(length), max_ticks=length) | {
        "ticktext": [
            f"{short(shown(a))}{between}{short(shown(b))}"
            for a, b in zip(record.source, record.target, strict=True)
        ],
        **{"tickangle": 0, "tickfont": {"size": 12 if length <= 2 * ONE_LINE else 11}},
    }
    layout: dict[str, Any] = {
        "height": height or top + BOTTOM + ROW * count,
        "margin": {"l": 40, "r": 8, "t": top, "b": BOTTOM},
        "showlegend": False,
        "uirevision": f"{room}.{length}",
        "xaxis": axis | {"side": "top", "domain": [0, 0.66], "ticks": "", "fixedrange": True},
        "xaxis2": {
            **{"domain": [0.7, 1], "rangemode": "tozero", "nticks": 4, "exponentformat": "e"},
            **{"title": {"text": "loss", "font": {"size": 12}, "standoff": 2}, "tickfont": {"size": 11}},
        },
        "yaxis": bottom,
    }
    if record.now and count == 1 and room > 6:
        layout["annotations"] = [
            {
                **{"text": "each epoch adds a row", "showarrow": False, "font": {"color": theme.MUTED}},
                **{"x": (length - 1) / 2, "y": room / 2},
            }
        ]
    if current is not None:
        row = record.row_of(current)
        layout["shapes"] = [
            {
                **{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row + 0.5},
                "line": {"color": theme.ACCENT, "width": 2},
            }
        ]
    return figure([heat, _losses(record)], layout)


def _letters(row: float) -> int:
    """The size of letters that do not touch those of the next row; a row is so many pixels high."""
    return 14 if row >= 18 else 12 if row >= 14 else max(7, min(11, int(row) - 1))


def _epochs(record: Said, room: int) -> dict[str, Any]:
    names = [
        f"{first}" if first == last else f"{first}–{last}"
        for first, last in zip(record.epochs, record.until, strict=True)
    ]
    if record.now:
        names[-1] = "now"
    places = sorted({*range(0, len(names), -(-len(names) // 24)), *([len(names) - 1] if record.now else ())})
    return {
        **{"range": [room - 0.5, -0.5], "fixedrange": True, "showgrid": False, "zeroline": False},
        **{"tickmode": "array", "tickvals": places, "ticktext": [names[i] for i in places]},
        **{"title": {"text": "epoch", "font": {"size": 12}, "standoff": 4}, "ticks": ""},
        "tickfont": {"size": 11},
    }


def _losses(record: Said) -> dict[str, Any]:
    count = len(record.rows)
    counts: list[int] = record.right.sum(axis=1).tolist()
    whole = [count == len(record.target) for count in counts]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "loss",
        "xaxis": "x2",
        "connectgaps": True,
        "x": np.where(np.isfinite(record.loss), record.loss, np.nan),
        "y": np.arange(count, dtype=np.uint8),
        "customdata": [
            [epoch, f"{n} of {len(record.target)} right"]
            for epoch, n in zip(record.epochs, counts, strict=True)
        ],
        "text": [
            "now" if record.now and i == count - 1 else f"epoch {epoch}"
            for i, epoch in enumerate(record.epochs)
        ],
        "line": {"color": theme.MUTED, "width": 1.5},
        "marker": {
            "size": 8,
            "symbol": ["circle" if one else "x" for one in whole],
            "color": [theme.ACCENT if one else theme.MISMATCH for one in whole],
        },
        "hovertemplate": "%{text}: loss %{x:.4g}<br>%{customdata[1]}<extra></extra>",
        "cliponaxis": False,
    }
