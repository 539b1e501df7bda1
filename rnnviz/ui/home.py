"""What only Home has: the reader that goes through the sentence in the browser, and the cards."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rnnviz.assets import FOLDER, asset_url
from rnnviz.by_hand.experiment import outcome
from rnnviz.embeddings.lookup import lookup
from rnnviz.figures import cards
from rnnviz.figures.home import GROUP
from rnnviz.home import read, sentences
from rnnviz.models.decoding import decode, model_of
from rnnviz.models.shipped import REVERSE
from rnnviz.presets import CHARS_PRESETS, EPOCHS, EXAMPLES, SENTENCES, SEQ2SEQ_PRESETS, TRAINING_PRESETS
from rnnviz.runs import run
from rnnviz.screens import by_hand, embeddings, home, layers
from rnnviz.topologies.config import topology
from rnnviz.topologies.kits import shipped
from rnnviz.topologies.look import look
from rnnviz.training import Order, advance, snapshot, start, work
from rnnviz.ui.page import Arrived, canvas, unframed

INTERVAL = 550
"""Milliseconds from one word to the next."""

LIVE, CARRIED = "home_live", "home_carried"
"""The parts of the page that follow its controls."""

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


def moved() -> None:
    """A control's ``on_change``: the run alone, unless the footer is open, which holds its script."""
    held = {f.key: st.session_state[f.key] for f in home.FIELDS if f.key in st.session_state}
    _, _, notes = home.screen(held)
    st.rerun("app" if notes or unframed("home") else [LIVE, CARRIED])


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


def page_cards(arrived: Arrived, arrive: Callable[[], Arrived]) -> None:
    """A card for each page of `screens.home.CARDS`: its name, its question, its picture.

    *Step through* opens with the very run that is on the screen: its link is the fragment ``CARRIED``.
    """
    grid = st.grid(4, min_column_width=210)
    for card in home.CARDS:
        with grid, st.container(border=True, height="stretch", gap="xsmall"):
            if card.page == "step.py":
                canvas(CARRIED, arrived, arrive, partial(_carrying, card))
            else:
                st.page_link(card.page, label=f"**{card.title}**")
            st.markdown(card.question)
            picture = _PICTURES[card.picture]()
            st.image(picture.svg, width=PICTURE_WIDTH, alt=picture.label)


def _carrying(card: home.Card, screen: home.HomeScreen, _values: dict[str, Any]) -> None:
    context = get_script_run_ctx()
    if context is None or len(context.pages_manager.get_pages()) < 2:
        # AppTest (1.67) forgets the pages when a fragment runs alone, and a link to none is an exception.
        st.markdown(f"**{card.title}**")
        return
    st.page_link(card.page, label=f"**{card.title}**", query_params=home.step_values(screen))


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


@lru_cache(maxsize=1)
def _equality() -> cards.Picture:
    output = outcome(by_hand.screen({"b_len": 8})[0]).results[0]
    return cards.equality_card(output.hand[0].T, output.torch[0].T)


@lru_cache(maxsize=1)
def _lookup() -> cards.Picture:
    table = embeddings.screen({"e_text": "the cat sat on the mat", "e_dim": 6})[0].table
    return cards.lookup_card(lookup(table).weight, table.indices[0])


@lru_cache(maxsize=1)
def _tags() -> cards.Picture:
    config = TRAINING_PRESETS["D1"]
    began = start(config)
    first, last = (snapshot(state, {"parts": []})["probabilities"] for state in (began, advance(began, 300)))
    return cards.tags_card(first, last, [word for word, _ in SENTENCES[0]])


@lru_cache(maxsize=1)
def _strings() -> cards.Picture:
    config = CHARS_PRESETS["D3"]
    log = work(start(config).to_bytes(), Order(EPOCHS["D3"], seconds=60.0)).log
    texts = ["".join(config.characters[k] for k in ids) for ids in log["predicted"]]
    return cards.strings_card(texts, config.target)


def prepare_cards() -> None:
    """Draw the pictures before the first visitor comes: one of them trains a model."""
    for picture in _PICTURES.values():
        picture()


@lru_cache(maxsize=1)
def _answer() -> cards.Picture:
    config = topology("many-to-one")
    found = look(config, shipped(config)[0], "([()])")
    return cards.answer_card(found.h, "([()])", found.columns[-1].wrote)


@lru_cache(maxsize=1)
def _looks() -> cards.Picture:
    config, state = SEQ2SEQ_PRESETS["D7"], REVERSE.state()
    found = decode(model_of(state), config, config.held[0][0])
    assert found.weights is not None
    return cards.attention_card(found.weights[: len(found.text)], found.source, found.text)


_PICTURES = {
    "tensors": _tensors,
    "gates": _gates,
    "equality": _equality,
    "lookup": _lookup,
    "answer": _answer,
    "tags": _tags,
    "strings": _strings,
    "looks": _looks,
}
