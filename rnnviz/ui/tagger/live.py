"""The live part of *Tagger*: transport, curves, the sentence before and now, the way back, and one more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.figures.losses import GROUP, MOST_RUNS, curves, losses_figure, losses_summary
from rnnviz.figures.tags import TagGrid, tag_grid, tag_row, tag_summary, tagged
from rnnviz.figures.tags_drawn import readable, tag_figure
from rnnviz.screens import tagger as page
from rnnviz.training.live.engine import Arrays
from rnnviz.ui import pickers
from rnnviz.ui.chart import Mark, Point, chart
from rnnviz.ui.lab import branches, series
from rnnviz.ui.lab.desk import set_rate
from rnnviz.ui.lab.drawn import Drawn, kept_figure
from rnnviz.ui.lab.news import drawn, settle
from rnnviz.ui.lab.transport import counter, rewind, rewound, state_of_things, transport, turn_to
from rnnviz.ui.tagger import compare, details, reach, saving, trying
from rnnviz.ui.tagger.reading import CANVAS, LIVE, NOW, PAGE, Moment, moment, redraw, seat, steps

FIELD = pickers.by_key(page.FIELDS)
HEIGHT = 300
VIEWS: dict[str, Callable[[Moment], None]] = {
    "Inside": details.inside,
    "Map": details.plane,
    "Confusion": details.confused,
    "Weights": details.weights,
    "Reach in": reach.show,
    "Side by side": compare.show,
    "Try": trying.show,
    "Save": saving.show,
}


@dataclass(frozen=True)
class Places:
    """Where the live part draws: beside the buttons, above and below what does not move. It is made above,
    since each place outside of it costs a message at every picture.
    """

    counter: DeltaGenerator
    top: DeltaGenerator
    bottom: DeltaGenerator


def frame(current: page.TaggerScreen, values: Mapping[str, Any]) -> Places:
    """What stands still while a run goes on: buttons, the way back, the choices. Thirty runs are drawn twice
    a second, so what need not be drawn again is kept out of it.
    """
    here = seat(current)
    turn_to(here)
    look = here.run.look()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        transport(here, look, steps(current), redraw)
        spot = st.container()
    state_of_things(here, look, redraw)
    branches.waiting(here, saving.accept)
    top = st.container()
    back = rewind(here, look)
    branches.show(here, here.run.seek(back)[0], back is not None, CANVAS)
    _choices(current)
    pickers.choice(FIELD["t_view"], collapsed=True)
    return Places(spot, top, st.container())


def show(current: page.TaggerScreen, values: Mapping[str, Any], places: Places) -> None:
    """Everything that moves while a run goes on."""
    st.session_state[NOW] = current
    here = seat(current)
    drawn(LIVE, here.visit)
    set_rate(here, float(values["t_lr"]))
    look = here.run.look()
    if look.playing:
        here.run.set_until(current.stop(look.epoch))
    settle(PAGE, busy(current))
    now = moment(current, values, rewound(here, look))
    batches = -(-len(current.config.sentences) // current.config.batch)
    with places.counter:
        st.markdown(counter(look, batches, steps(current), now.epoch if now.rewound else None))
    with st.grid(2, min_column_width=400):
        _losses(now)
        _sentence(now)
    with places.bottom:
        VIEWS[values["t_view"]](now)


def _choices(current: page.TaggerScreen) -> None:
    """The loss's axis, and which sentence is drawn."""
    shown, which = current.shown, page.CHOSEN[current.part]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pickers.switch(FIELD["t_log"])
        if current.config.held_out:
            pickers.choice(FIELD["t_part"], collapsed=True)
        if 1 < len(shown) <= page.LISTED:
            _listed(which, [" ".join(word for word, _ in s) for s in shown], current.sentence)
        elif len(shown) > 1:
            pickers.number(FIELD[which], high=len(shown) - 1, width=170)
        st.caption("Outlined: the true tag. ● the tag that is said, ✕ when it is wrong.")


def _listed(key: str, names: list[str], chosen: int) -> None:
    if st.session_state.get(f"{key}_names") != names:
        # The browser holds a text of the list that was there before, and would send it as one of this list.
        st.session_state[f"{key}_names"] = names
        st.session_state[key] = chosen
    pickers.listed(FIELD[key], names)


def busy(current: page.TaggerScreen) -> bool:
    """Whether a run of this page goes on, so that there will be news."""
    return seat(current).run.look().busy or compare.busy()


def _losses(now: Moment) -> None:
    st.session_state["t_seen"] = now.look.epoch
    runs = [*now.desk.others, now.desk.run]
    if len(runs) > MOST_RUNS:  # the first one stays: it is what the others are compared with
        runs = [runs[0], *runs[1 - MOST_RUNS :]]
    looks = [now.look if run is now.desk.run else run.look() for run in runs]

    blind = series.guessing(now.config)

    def draw() -> Drawn:
        found = [series.history(run, look) for run, look in zip(runs, looks, strict=True)]
        record = curves(found, guess=blind)
        return losses_figure(record, log=bool(now.values["t_log"]), height=HEIGHT), losses_summary(record)

    what = series.told_apart(runs, looks, now.values["t_log"])
    figure, told = kept_figure("t_losses", (what, blind), draw)
    chart(
        figure,
        key="t_losses",
        name="Loss and accuracy",
        summary=told,
        on_click=_back_to,
        mark=Mark(GROUP, now.epoch),
    )


def _back_to(point: Point) -> None:
    if isinstance(point.x, float) and "t_seen" in st.session_state:
        st.session_state[f"{PAGE}_epoch"] = max(0, min(int(point.x), st.session_state["t_seen"]))
        st.rerun(CANVAS)


def _sentence(now: Moment) -> None:
    def draw() -> Drawn:
        grid = before_and_now(now)
        return tag_figure(grid, height=max(HEIGHT, readable(grid))), tag_summary(grid)

    scores = (each["probabilities"].tobytes() for each in (now.before, now.arrays))
    said = (now.sentence, now.config.tags, now.arrays["known"].tobytes(), now.epoch, *scores)
    figure, told = kept_figure("sentence", said, draw)
    chart(figure, key="t_sentence", name="Tags of the sentence", summary=told)


def before_and_now(now: Moment) -> TagGrid:
    """The notebook's two print-outs as one picture: the scores before training, and those of the moment."""
    rows = [
        tag_row("Before training", [_panel(now, now.before)]),
        tag_row(f"Epoch {now.epoch}", [_panel(now, now.arrays)]),
    ]
    return tag_grid(rows, now.config.tags)


def _panel(now: Moment, arrays: Arrays) -> Any:
    return tagged(
        now.words,
        arrays["probabilities"],
        truth=[int(i) for i in arrays["tags"]],
        known=[bool(known) for known in arrays["known"]],
    )
