"""What stands around the lines of the losses: names, marks where they were changed, the loss of guessing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import figure, short

if TYPE_CHECKING:
    from rnnviz.figures.losses import Curves

NAME = 24  # characters of a run's name that are shown
COLOURS: tuple[str, ...] = tuple(theme.template()["layout"]["colorway"])
BESIDE = 2  # so many names stand beside the lines; more would take half of their width
ENTRY, ROW, A_ROW = 100, 20, 2  # pixels of a name and of a row of names below the lines, and names in a row


def legend(names: Sequence[str]) -> tuple[dict[str, Any], int]:
    """The legend of so many lines, and the pixels that it takes below them."""
    if len(names) <= BESIDE:
        return {"font": {"size": 12}, "itemwidth": 30}, 0
    below = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"}
    return {
        **below,
        "font": {"size": 11},
        "itemwidth": 30,
        "tracegroupgap": 0,
        "entrywidth": ENTRY,
        "entrywidthmode": "pixels",
    }, ROW * -(-len(names) // A_ROW)


def marks(record: Curves) -> list[dict[str, Any]]:
    """What was changed by hand, and where a loss ceased to be a number, as lines down from the top."""
    found = [(run, epoch, text, "triangle-down") for run, epoch, text in record.marks]
    found += [(run, epoch, "the loss is not a number", "x") for run, epoch in record.broken]
    colours = [COLOURS[run % len(COLOURS)] for run, *_ in found]
    places = sorted(epoch / record.end for _, epoch, *_ in found)
    apart = all(after - before > 0.3 for before, after in pairwise(places))
    lines: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": [x for _, epoch, *_ in found for x in (epoch, epoch, None)],
        "y": [y for _ in found for y in (0, 1, None)],
        "yaxis": "y3",
        "line": {"color": theme.MUTED, "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"decoration": True},
    }
    heads = {
        "type": "scatter",
        "mode": "markers+text" if apart else "markers",
        "name": "changed",
        # A space, so that the head does not stand on the first letter; an ordinary one is cut off.
        "text": [f"\u00a0{short(text, NAME)}\u00a0" for _, _, text, _ in found] if apart else None,
        "textfont": {"color": theme.MUTED, "size": 11},
        "textposition": [
            "middle left" if epoch > 0.7 * record.end else "middle right" for _, epoch, *_ in found
        ],
        "x": [epoch for _, epoch, *_ in found],
        "y": [0.98] * len(found),
        "yaxis": "y3",
        "marker": {"symbol": [symbol for *_, symbol in found], "size": 10, "color": colours},
        "customdata": [short(text, 60) for _, _, text, _ in found],
        "hovertemplate": "epoch %{x:d}  %{customdata}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
    }
    return [lines, heads]


def guess_line(guess: tuple[float, str], end: int) -> dict[str, Any]:
    """The loss of a model that knows nothing, as a line up to the epoch ``end``."""
    loss, formula = guess
    return {
        "type": "scatter",
        "mode": "lines+text",
        "name": "guessing",
        **{"x": [0, end], "y": [loss, loss], "yaxis": "y"},
        **{"text": ["", f"guessing: {formula} = {loss:.3g}\u00a0\u00a0"], "textposition": "bottom left"},
        **{
            "textfont": {"color": theme.MUTED, "size": 11},
            "line": {"color": theme.MUTED, "width": 1, "dash": "dash"},
        },
        **{"hoverinfo": "skip", "showlegend": False, "meta": {"decoration": True}},
    }


def guessed(guess: tuple[float, str], words: str, height: int) -> go.Figure:
    """The axes before the first epoch: what a loss will be compared with."""
    note = {
        **{"text": words, "showarrow": False, "font": {"color": theme.MUTED}},
        **{"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.4},
    }
    layout = {
        "height": height,
        "margin": {"l": 52, "r": 10, "t": 26, "b": 36},
        "showlegend": False,
        "xaxis": {"range": [0, 10], "title": {"text": "epoch"}, "showgrid": False, "fixedrange": True},
        "yaxis": {"range": [0, 1.25 * guess[0] or 1.0], "title": {"text": "loss"}, "fixedrange": True},
        "annotations": [note],
    }
    return figure([guess_line(guess, 10)], layout)
