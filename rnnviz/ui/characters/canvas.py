"""The canvas of *Characters*: presets, and the live part that goes on while something trains."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.export_training import training_notebook, training_script
from rnnviz.link import query
from rnnviz.screens import characters as page
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import Run, house
from rnnviz.ui import pickers
from rnnviz.ui.characters import alone, redraw, side
from rnnviz.ui.characters.reading import LIVE, NOW, PAGE, Places, read, seat, visit_once
from rnnviz.ui.lab import series
from rnnviz.ui.lab.desk import config_of, journal
from rnnviz.ui.lab.news import drawn, settle, tick
from rnnviz.ui.page import Footer, footer, frame, hand_out, notice, question


def show(current: page.CharsScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("How does a network learn to say one string after another?")
    row = page.active_preset(current, values)
    pickers.presets(
        {row: example.title for row, example in page.EXAMPLES.items()},
        row,
        "characters_preset",
        lambda row: pickers.assign(page.preset_values(page.EXAMPLES[row])),
    )
    if row is not None and page.EXAMPLES[row].fact:
        st.markdown(f"**{row}** {page.EXAMPLES[row].fact}")
    _quiet(current)
    frame(PAGE, *redraw.frame(current, values))
    places = (side.frame if current.side else alone.frame)(current, values)
    first = [(current, values)]

    @st.fragment(key=LIVE, run_every=tick(PAGE, _busy(current)))
    def going() -> None:
        screen, chosen = first.pop() if first else read()
        _live(screen, chosen, places)

    with places.top:
        going()
    notice(PAGE)
    footer(handout(current, values))


def _live(current: page.CharsScreen, values: dict[str, Any], places: Places) -> None:
    drawn(LIVE, visit_once())
    settle(PAGE, _busy(current))
    st.session_state[NOW] = current
    if current.side:
        side.show(current, values, places)
    else:
        alone.show(current, values, places)
    hand_out(handout(current, values))


def _busy(current: page.CharsScreen) -> bool:
    return side.busy(current) if current.side else alone.busy(current)


def _quiet(current: page.CharsScreen) -> None:
    """What nobody sees does not take the room's time."""
    for run in house().lobby.runs(visit_once(), PAGE if current.side else side.GROUP):
        run.pause()


def in_view(current: page.CharsScreen) -> Run:
    """The run whose script and data the footer gives."""
    return side.runs(current)[current.which] if current.side else seat(current).run


def handout(current: page.CharsScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives: the script of the run in view, with all that was changed on the way."""
    run = in_view(current)

    def done() -> int:
        return max(run.look().epoch, 1)

    return Footer(
        page=PAGE,
        query=query(page.FIELDS, values),
        script=lambda: training_script(config_of(run), done(), journal(run)),
        notebook=lambda: training_notebook(config_of(run), done(), journal(run)),
        data=lambda: table(run).to_csv(index=False),
        columns="epoch, loss, accuracy, said",
        promise=series.PROMISE,
        prints="every loss of this run",
    )


def table(run: Run) -> pd.DataFrame:
    """Every epoch that is kept: its loss, how many characters were right, the string that was said."""
    config = config_of(run)
    assert isinstance(config, CharsConfig)
    epochs, rows = run.look().curves.rows("predicted")
    words = ["".join(config.characters[k] for k in row) for row in rows]
    said = pd.DataFrame({"epoch": pd.Series(epochs, dtype="int64"), "said": pd.Series(words, dtype="str")})
    found = series.table(run)
    return found.astype({"epoch": "int64"}).merge(said, on="epoch", how="outer")
