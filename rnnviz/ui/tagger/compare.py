"""Side by side: the same data and seed with an RNN, an LSTM and a GRU, trained at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from rnnviz.figures.losses import curves, losses_figure, losses_summary
from rnnviz.figures.tags import tag_grid, tag_row, tag_summary, tagged
from rnnviz.figures.tags_drawn import readable, tag_figure
from rnnviz.gates import KINDS
from rnnviz.training import LearningRate
from rnnviz.training.config import TaggerConfig
from rnnviz.training.live import Look, Run, Visit, house
from rnnviz.training.live.engine import Arrays
from rnnviz.ui.chart import chart
from rnnviz.ui.lab import series
from rnnviz.ui.lab.desk import (
    change,
    config_of,
    guarded,
    picture,
    rate,
    reset,
    settings,
    started,
    untrained,
)
from rnnviz.ui.lab.drawn import Drawn, kept_figure
from rnnviz.ui.tagger.reading import PAGE, Moment, redraw, sentence_view, visit_once

GROUP = "tagger side by side"


def show(now: Moment) -> None:
    """A row a kind, and their losses in one plot."""
    runs = _runs(now)
    busy = any(run.look().playing for run in runs)

    def act(what: Callable[[Run], Any]) -> Callable[[], None]:
        def clicked() -> None:
            for run in _runs(now, make=True):
                guarded(PAGE, what, run)
            redraw()

        return clicked

    def go(run: Run) -> None:
        run.play(st.session_state[f"{PAGE}_speed"], now.current.stop(run.look().epoch))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Pause all" if busy else "Train all three",
            key="t_side_play",
            on_click=act(Run.pause if busy else go),
            help="With the speed and the stop condition above.",
        )
        st.button("Reset all", key="t_side_reset", on_click=act(reset), disabled=not runs)
        st.markdown("The same sentences, sizes and seed.")
    looks = [run.look() for run in runs]
    with st.grid(2, min_column_width=400):
        _losses(now, runs, looks)
        _tags(now, _states(now, runs), {look.label: look.epoch for look in looks})


def _losses(now: Moment, runs: Sequence[Run], looks: Sequence[Look]) -> None:
    blind = series.guessing(now.config)

    def draw() -> Drawn:
        found = [series.history(run, look) for run, look in zip(runs, looks, strict=True)]
        record = curves(found, guess=blind)
        return losses_figure(record, log=bool(now.values["t_log"]), height=420), losses_summary(record)

    what = series.told_apart(runs, looks, now.values["t_log"])
    figure, told = kept_figure("side losses", (what, blind), draw)
    chart(figure, key="t_side_losses", name="Losses side by side", summary=told)


def _tags(now: Moment, states: Mapping[str, Arrays], epochs: Mapping[str, int]) -> None:
    named = {f"{kind}, epoch {epochs.get(kind, 0)}": state for kind, state in states.items()}

    def draw() -> Drawn:
        rows = []
        for name, state in named.items():
            truth, known = [int(i) for i in state["tags"]], [bool(k) for k in state["known"]]
            found = tagged(now.words, state["probabilities"], truth=truth, known=known)
            rows.append(tag_row(name, [found]))
        grid = tag_grid(rows, now.config.tags)
        return tag_figure(grid, height=max(420, readable(grid))), tag_summary(grid)

    scores = tuple((name, state["probabilities"].tobytes()) for name, state in named.items())
    known = next(iter(states.values()))["known"].tobytes()
    figure, told = kept_figure("side", (now.sentence, now.config.tags, known, scores), draw)
    chart(figure, key="t_side_tags", name="Tags side by side", summary=told)


def _states(now: Moment, runs: tuple[Run, ...]) -> dict[str, Any]:
    view = sentence_view(now.current)
    if runs:
        return {run.label: picture(run, view, None)[2] for run in runs}
    return {kind: untrained((replace(now.config, kind=kind), view))[1] for kind in KINDS}


def _runs(now: Moment, make: bool = False) -> tuple[Run, ...]:
    """The three runs for these settings; those of other settings go."""
    visit: Visit = visit_once()
    lobby = house().lobby
    wanted: dict[str, TaggerConfig] = {kind: replace(now.config, kind=kind) for kind in KINDS}
    found = {run.label: run for run in lobby.runs(visit, GROUP)}
    if any(settings(config_of(run)) != settings(wanted[label]) for label, run in found.items()):
        for run in found.values():
            lobby.remove(visit, run.id)
        found = {}
    if make and len(found) < len(KINDS):
        for kind in KINDS:
            run = guarded(
                PAGE, lambda kind=kind: lobby.new(visit, started(wanted[kind]), label=kind, group=GROUP)
            )
            if run is not None:
                found[kind] = run
    for run in found.values():
        if rate(run) != now.config.optimiser.lr:
            change(run, LearningRate(now.config.optimiser.lr))
        if run.look().playing:
            run.set_speed(st.session_state[f"{PAGE}_speed"])
            run.set_until(now.current.stop(run.look().epoch))
    return tuple(found[kind] for kind in KINDS if kind in found)


def busy() -> bool:
    """Whether one of them goes on."""
    return any(run.look().busy for run in house().lobby.runs(visit_once(), GROUP))
