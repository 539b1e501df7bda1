"""Figures kept for whoever looks at the same numbers again."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import plotly.graph_objects as go

from rnnviz.figures.base import sendable
from rnnviz.kept import Shelf

Drawn = tuple[go.Figure, str]
"""A figure and its summary."""


def _size(drawn: Drawn) -> int:
    return len(sendable(drawn[0]).text)


_DRAWN: Shelf[tuple[str, Hashable], Drawn] = Shelf(8_000_000, _size)


def kept_figure(name: str, what: Hashable, draw: Callable[[], Drawn], *, passing: bool = False) -> Drawn:
    """The picture ``name`` of ``what``, which is all that it depends on: the same object for everybody.

    An untrained model's is looked at by a whole room, and that of a slow run is asked for more often than it
    moves. ``passing``: nobody will ask for it again, as of a run that goes on; it is not kept.
    """
    key = name, what
    return _DRAWN.known(key) or draw() if passing else _DRAWN.get(key, draw)
