"""The pictures of one model: what it says at each epoch, its state, and the softmax of its scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from rnnviz.data.characters import shown
from rnnviz.figures.characters import ceiling, softmax_grid, state_grid
from rnnviz.figures.heatmap import step_heatmaps, step_maps
from rnnviz.figures.losses import Thinned
from rnnviz.figures.said import Said, said, said_figure, said_summary
from rnnviz.figures.tags import tag_summary
from rnnviz.figures.tags_drawn import tag_figure
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import Look
from rnnviz.ui.characters.reading import Moment
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.drawn import Drawn, kept_figure

HEIGHT = 350
NARROW, WIDE = (328, 376), (338, 600)
"""Pixels of the strings and of what is below them, in a column, and in a row with longer strings."""
MOST_CELLS = 144
LONG, LONGER = 10, 20
"""Characters that can be read in a third of the page's width, and in half of it."""


def strings(now: Moment, key: str, back_to: Callable[[int], None], height: int = HEIGHT) -> None:
    """The string of every epoch beside its loss; a click goes back to the model that said it."""

    record = spoken(now)

    def clicked(point: Point) -> None:
        if isinstance(point.y, float) and 0 <= point.y < len(record.epochs):
            back_to(record.epochs[int(point.y)] - 1)

    def draw() -> Drawn:
        return said_figure(record, current=now.epoch + 1, height=height), said_summary(record)

    what = record.epochs, record.until, now.epoch, height, now.strings, record.rows, record.loss.tobytes()
    figure, told = kept_figure("said", what, draw)
    chart(figure, key=f"{key}_said", name=f"What {_name(key)} says", summary=told, on_click=clicked)


def spoken(now: Moment) -> Said:
    """Each epoch's string, and a last row for the model as it stands."""
    epochs, rows = now.look.curves.rows("predicted")
    at, losses = now.look.curves.points("loss")
    if not len(rows):
        rows = rows.reshape(0, len(now.config.target))
    newest = now.newest
    return said(now.strings, rows, Thinned(at, losses), epochs, (newest["predicted"], float(newest["loss"])))


def large(config: CharsConfig) -> bool:
    """Whether one picture of positions and characters is enough to send twice a second."""
    return len(config.source) * len(config.characters) > MOST_CELLS


def state_and_softmax(now: Moment, key: str) -> None:
    """The last layer's h and the softmax, which alone is drawn of long strings."""
    if large(now.config):
        _softmax(now, key, HEIGHT)
    elif now.config.readout:
        share = HEIGHT * 9 // 20
        _state(now, key, share)
        _softmax(now, key, HEIGHT - share)
    else:
        _both(now, key, HEIGHT)


def softmax_and_state(now: Moment, key: str, height: int) -> None:
    """The same with the softmax above, as it fits a column whose end is out of sight."""
    if large(now.config):
        _softmax(now, key, height // 2)
    elif now.config.readout:
        _softmax(now, key, height // 2)
        _state(now, key, height - height // 2)
    else:
        _both(now, key, height, below=True)


def _both(now: Moment, key: str, height: int, *, below: bool = False) -> None:
    """Where h is the score, it and the softmax are two sides of one thing: one figure over the characters."""

    def draw() -> Drawn:
        grid = state_grid(now.strings, _h(now), now.arrays["probabilities"], below=below)
        return tag_figure(grid, height=height), f"{_when(now)}. {tag_summary(grid)}"

    words = "Softmax and state" if below else "State and softmax"
    figure, told = _kept(words, now, height, draw)
    chart(figure, key=f"{key}_state", name=f"{words}, {_name(key)}", summary=told)


def _softmax(now: Moment, key: str, height: int) -> None:
    """The softmax at each position, what is to be said outlined."""

    def draw() -> Drawn:
        name = "softmax(scores)" if now.config.readout else "softmax(hₜ)"
        grid = softmax_grid(now.strings, [(name, now.arrays["probabilities"])])
        return tag_figure(grid, height=height), f"{_when(now)}. {tag_summary(grid)}"

    figure, told = _kept("softmax", now, height, draw)
    chart(figure, key=f"{key}_softmax", name=f"Softmax, {_name(key)}", summary=told)


def _state(now: Moment, key: str, height: int) -> None:
    """The last layer's h over its own units."""

    def draw() -> Drawn:
        h = _h(now)
        figure = step_heatmaps(step_maps({"h": h}, [shown(c) for c in now.config.source]), height=height)
        told = f"h has {h.shape[1]} units, from {h.min():.3f} to {h.max():.3f}."
        return figure, f"{_when(now)}. {told}"

    figure, told = _kept("state", now, height, draw)
    chart(figure, key=f"{key}_h", name=f"State, {_name(key)}", summary=told)


def _kept(which: str, now: Moment, height: int, draw: Callable[[], Drawn]) -> Drawn:
    """A picture of the same numbers is the same for everybody who looks at it, and for D3 and D4."""
    numbers = _h(now).tobytes(), now.arrays["probabilities"].tobytes()
    return kept_figure(which, (now.strings, now.config.readout, now.epoch, height, numbers), draw)


def _h(now: Moment) -> NDArray[Any]:
    return now.arrays[f"h/{now.config.num_layers - 1}/0"]


def _name(key: str) -> str:
    return key.removeprefix("c_").replace("run", "this run")


def _when(now: Moment) -> str:
    return f"After epoch {now.epoch}" if now.epoch else "Before training"


def bound(config: CharsConfig) -> str:
    """In a sentence, what the scores can reach."""
    classes = len(config.characters)
    if config.readout:
        return "`nn.Linear` makes the scores of h: they have no bound."
    if classes == 1:
        return "One character alone: its softmax is 1, whatever h is."
    limit = ceiling(classes)
    return (
        f"h, in (−1, 1), is the score: no softmax above **{limit.probability:.2f}**, "
        f"no position's loss below **{limit.loss:.2f}**."
    )


def standing(look: Look) -> str:
    """Where a run stands, in words."""
    at, losses = look.curves.points("loss")
    return f"epoch {look.epoch}" + (f" · loss {losses[-1]:.4f}" if len(at) else "")
