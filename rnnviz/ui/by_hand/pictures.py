"""The picture of *By hand*, kept for whoever asks again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from rnnviz.by_hand.experiment import TOLERANCE, operations, outcome, times
from rnnviz.figures.by_hand import compared_figure, compared_maps, compared_summary
from rnnviz.screens import by_hand as page

HEIGHT = 285  # pixels


def prepare(current: page.ByHandScreen, values: Mapping[str, Any]) -> None:
    """Run what is going to be shown, before any widget is drawn.

    B8 takes half a second. Widgets that a preset sets reach the address when they are drawn, and what comes
    later than that would be a second entry in the browser's history.
    """
    picture(current, values["b_n"])
    times(current)
    if values["b_detail"] == page.DETAILS[0]:
        operations(current)


@lru_cache(maxsize=128)  # 20 kB of text each
def picture(current: page.ByHandScreen, n: int) -> tuple[go.Figure, str]:
    """The maps of the sequence n, and their text alternative."""
    maps = compared_maps(
        [(one.name, one.hand, one.torch) for one in outcome(current).results],
        n,
        TOLERANCE[current.dtype],
        steps_first=current.experiment == "Loop over a cell",
    )
    left, right = page.sides(current.experiment)
    heads = (left.lower(), right if right == "PyTorch" else right.lower(), "difference")
    return compared_figure(maps, HEIGHT, heads), compared_summary(maps)
