"""The picture of a run: the heatmap with the right alignment, and what was said beside what is right."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from rnnviz.figures.attention import AttentionMap, attention_map, attention_summary
from rnnviz.figures.attention_drawn import Chosen, attention_figure
from rnnviz.models.decoding import Decoded
from rnnviz.screens import attention as page
from rnnviz.ui.attention.reading import Moment, kept
from rnnviz.ui.attention.stepper import go, place_of
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.drawn import Drawn
from rnnviz.ui.link import markdown

HEIGHT, LOW, LEAST, ROW, SEVERAL = 460, 320, 170, 60, 200
"""Pixels: the picture at most, and above a view that has pictures of its own; with few steps; a step; a row
of several maps at least."""
LARGE = 1000
"""Cells of a map that is not sent twice."""
BESIDE = 2000
"""Cells of several heads above a view that has maps of its own."""
SAID = 60
"""Characters of what was said that stand in a line."""


def maps_of(current: page.AttentionScreen, decoded: Decoded, name: str, fed: bool) -> list[AttentionMap]:
    """A map, or one a head. ``fed``: true tokens were fed, so wrong is what would have been said instead."""
    if decoded.weights is None:
        return []
    tokens = (current.source, decoded.target)
    wrong = (decoded.predicted != decoded.ids).tolist() if fed else page.said_right(current, decoded.target)
    one = decoded.weights.ndim == 2
    each = [decoded.weights] if one else list(decoded.weights.transpose(1, 0, 2))
    names = [name] if one else [f"head {h}" for h in range(len(each))]
    truth = current.truth
    return [attention_map(n, tokens, w, truth=truth, wrong=wrong) for n, w in zip(names, each, strict=True)]


def heatmap(now: Moment, step: int | None) -> None:
    """The attention of the decoding in view; a click chooses a step and a source position."""
    decoded, most = now.decoded, room(now)
    place = None if step is None else place_of(now)

    def draw() -> Drawn:
        name = f"epoch {now.epoch}" if now.epoch else "not trained"
        maps = maps_of(now.current, decoded, name, now.fed)
        figure = attention_figure(
            maps,
            chosen=None if step is None else Chosen(step, place),
            height=_height(len(maps), len(decoded.ids), most),
            columns=_columns(len(maps)),
            most=None if len(maps) == 1 or most == HEIGHT else BESIDE,
        )
        return figure, attention_summary(maps)

    picture = kept("map", now, (now.asked.how, now.epoch, step, place, most), draw)
    drawn(picture, key="a_map", name="Attention", length=len(decoded.ids))


def room(now: Moment) -> int:
    """The height of the pictures above the view: in *Step* they are what one looks at."""
    return HEIGHT if now.values["a_view"] == "Step" else LOW


def _height(maps: int, steps: int, most: int) -> int:
    return max(min(most, LEAST + ROW * steps), SEVERAL * -(-maps // _columns(maps)) * (maps > 1))


def _columns(maps: int) -> int:
    return 1 if maps == 1 else 2 if maps <= 4 else 4


def drawn(picture: Drawn, *, key: str, name: str, length: int = 0) -> None:
    """Maps side by side. With ``length`` a click chooses step and place."""

    def clicked(point: Point) -> None:
        if len(point.index) == 2:
            go(length, point.index[0], point.index[1])

    chart(picture[0], key=key, name=name, summary=picture[1], on_click=clicked if length else None)


def beside(maps: Sequence[AttentionMap], chosen: Chosen | None = None) -> Drawn:
    """Maps side by side, and their summary."""
    return attention_figure(maps, chosen=chosen), attention_summary(maps)


def spoken(current: page.AttentionScreen, decoded: Decoded) -> str:
    """Source, what was said, and whether it is right, as a line of Markdown."""
    said = markdown(current.said(decoded.text, SAID)) or "nothing"
    end = "" if decoded.finished else " (cut at the limit)"
    line = f"{markdown(current.text(current.source))} → **{said}**{end}"
    if current.right is None:
        return line
    if decoded.finished and decoded.text == current.right:
        return f"{line} ✓"
    return f"{line} ✗ right: {markdown(current.said(current.right, 2 * SAID))}"


def words(now: Moment) -> None:
    """What was said, above the picture."""
    decoded, current = now.decoded, now.current
    if not now.fed:
        st.markdown(spoken(current, decoded))
        return
    whole = current.text(current.source)
    read = markdown(whole if len(whole) <= SAID else f"{whole[:SAID]}…")
    right = int((decoded.predicted == decoded.ids).sum())
    st.markdown(
        f"{read} → {markdown(current.said(decoded.text, SAID))}, fed. "
        f"Right by itself: **{right} of {len(decoded.ids)}** steps"
    )
