"""What only Home has: the reader that goes through the sentence in the browser, and the cards."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from rnnviz.assets import FOLDER, asset_url
from rnnviz.figures import cards
from rnnviz.figures.home import GROUP
from rnnviz.home import read, sentences
from rnnviz.presets import EXAMPLES
from rnnviz.runs import run
from rnnviz.screens import home, layers

INTERVAL = 550
"""Milliseconds from one word to the next."""

PICTURE_WIDTH = 430
"""Pixels; less on a phone."""

_READER = st.components.v2.component(
    "rnnviz_reader",
    js="""
export default async (component) => {
  const module = await import(new URL(component.data.urls.reader, document.baseURI).href);
  return module.default(component);
};
""",
    css=(FOLDER / "reader.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def reader(screen: home.HomeScreen) -> None:
    """The button and the one line of what is seen; moves the cursor of the picture without a rerun."""
    _READER(
        key="home_reader",
        data={
            "group": GROUP,
            "sentence": " ".join(screen.words),
            "lines": sentences(screen),
            "interval": INTERVAL,
            "urls": {"reader": asset_url("reader.js"), "module": asset_url("chart.js")},
        },
    )


def page_cards(screen: home.HomeScreen) -> None:
    """A card for each page of `screens.home.CARDS`: its name, its question, its picture.

    *Step through* opens with the very run that is on the screen.
    """
    for column, card in zip(st.columns(len(home.CARDS)), home.CARDS, strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            carried = home.step_values(screen) if card.page == "step.py" else None
            st.page_link(card.page, label=f"**{card.title}**", query_params=carried)
            st.markdown(card.question)
            picture = _PICTURES[card.picture]()
            st.image(picture.svg, width=PICTURE_WIDTH, alt=picture.label)


@lru_cache(maxsize=1)
def _tensors() -> cards.Picture:
    found = run(layers.screen(layers.preset_values(EXAMPLES["A1"]))[0])
    return cards.tensors_card(
        (
            cards.Sheets("input", "x", ("L", "N", "H_in"), found.x),
            cards.Sheets("output", "h", ("L", "N", "H_out"), found.output),
            cards.Sheets("h_n", "h", ("layers", "N", "H_out"), found.h_n),
        )
    )


@lru_cache(maxsize=1)
def _gates() -> cards.Picture:
    screen = home.HomeScreen(tuple(home.SENTENCE.split()), 8, 0)
    values = {letter: read(screen).sel(letter)[:, 0] for letter in ("i", "f", "g", "o", "c", "h")}
    return cards.gates_card(values, screen.words, 5)


_PICTURES = {"tensors": _tensors, "gates": _gates}
