"""The weights of one step as bars that can be moved, beside those that the model gives by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, labels, plain, tokens_axis

TOP, BOTTOM, LEFT, RIGHT = 44, 34, 44, 10  # pixels
NUMBERED = 16  # bars: with more, their numbers are in the hover text alone
GRIPS = 0
"""The trace whose bars can be moved."""
SEEN = 0.005
"""The least difference of a weight to the model's own that is drawn."""


@dataclass(frozen=True, eq=False)
class Given:
    """What a step looks at: ``used`` (S,) weights, and ``own`` (S,), what the softmax of its energies gives.

    ``outside``: for each position "", or why attention may not look at it ("masked"); those cannot be moved.
    """

    step: int
    said: str
    source: tuple[str, ...]
    used: NDArray[np.float32]
    own: NDArray[np.float32]
    outside: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether somebody gave the step other weights than its own."""
        return bool(np.abs(self.used - self.own).max(initial=0.0) > SEEN)


def given(
    step: int,
    said: object,
    source: Sequence[object],
    weights: tuple[ArrayLike, ArrayLike],
    *,
    outside: Sequence[str] | None = None,
) -> Given:
    """The record; ``weights`` are those used and the model's own, both (S,).

    Raises `ValueError` for other shapes.
    """
    used, own = (np.asarray(part, np.float32) for part in weights)
    for name, part in (("used", used), ("own", own)):
        if part.shape != (len(source),):
            raise ValueError(f"{name} has shape {part.shape}: expected ({len(source)},)")
    words = tuple(outside or ("",) * len(source))
    if len(words) != len(source):
        raise ValueError(f"outside has {len(words)} values: expected {len(source)}")
    return Given(step, str(said), tuple(map(str, source)), used, own, words)


def given_figure(record: Given, *, height: int = 230) -> go.Figure:
    """A bar for each source position ("weights", x the position), the model's own outlined where
    it differs ("by itself").
    """
    count = len(record.source)
    if not count:
        return empty("There is no source to look at.", height=height)
    places = np.arange(count, dtype=np.uint16)
    hover = "“%{customdata[0]}” (position %{x:d})%{customdata[1]}<br>weight %{y:.3f}"
    notes = [f"<br>{plain(word)}" if word else "" for word in record.outside]
    bars: dict[str, Any] = {
        **{"type": "bar", "name": "weights", "x": places, "y": record.used},
        "marker": {"color": theme.UNIT[6]},
        "customdata": [[token, note] for token, note in zip(labels(record.source), notes, strict=True)],
        "hovertemplate": f"{hover}<extra></extra>",
    }
    if count <= NUMBERED:
        bars |= {"texttemplate": "%{y:.2f}", "textposition": "outside", "textfont": {"size": 11}}
        bars["cliponaxis"] = False
    own = {
        **{"type": "bar", "name": "by itself", "x": places},
        "y": np.where(np.abs(record.used - record.own) > SEEN, record.own, np.nan),
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 2, "color": theme.SIGNED[-1]}},
        "hovertemplate": "by itself %{y:.3f}<extra></extra>",
    }
    step = f"<b>step {record.step}</b> says <b>{plain(record.said)}</b>"
    moved = "; outlined: its own weights" if record.changed else "; a bar can be moved"
    layout = {
        "height": height,
        "margin": {"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "bargap": 0.3,
        "barmode": "overlay",
        "dragmode": False,
        **{"hovermode": "x", "hoverdistance": -1},
        "uirevision": f"{record.step}.{count}",
        "meta": {
            "labels": {"x": labels(record.source)},
            "grips": {"trace": GRIPS, "fixed": [j for j, word in enumerate(record.outside) if word]},
        },
        "xaxis": tokens_axis(record.source) | {"ticks": "", "fixedrange": True},
        "yaxis": {"range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickfont": {"size": 11}, "fixedrange": True},
        "annotations": [
            {
                "text": f"{step}{moved}",
                **{"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"},
                **{"x": 0, "y": 1, "yshift": 16, "showarrow": False, "borderpad": 1},
            }
        ],
    }
    return figure([bars, own], layout)


def given_summary(record: Given) -> str:
    """The text alternative."""
    if not record.source:
        return "There is no source to look at."
    top = int(record.used.argmax())
    moved = (
        f" By itself it would look most at {record.source[int(record.own.argmax())]} "
        f"at position {int(record.own.argmax())} ({record.own.max():.2f})."
        if record.changed
        else " Nobody has moved them."
    )
    return (
        f"The weights of step {record.step}, which says {record.said}: most on {record.source[top]} at "
        f"position {top} ({record.used[top]:.2f}).{moved} Each bar has a handle: "
        "the arrows up and down move it, left and right go to the next one."
    )
