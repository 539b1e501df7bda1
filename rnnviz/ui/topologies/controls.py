"""The sidebar of *Topologies*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import topologies as page
from rnnviz.topologies.reading import EXAMPLES
from rnnviz.ui import pickers
from rnnviz.ui.link import markdown
from rnnviz.ui.topologies.keys import KEYS

FIELD = pickers.by_key(page.FIELDS)
TRY = "p_try"


def controls(current: page.TopologiesScreen, values: Mapping[str, Any]) -> None:
    """Every control of the page's configuration."""
    alone = pickers.only(KEYS.canvas)
    pickers.choice(FIELD["p_view"])
    if current.shares:
        with st.grid(2, min_column_width=100):
            for key in page.SIZES:
                pickers.number(FIELD[key], on_change=alone)
        return
    pickers.select(FIELD["p_shape"])
    name = current.config.name
    for key in page.INPUTS[name]:
        if name == "one-to-one":
            pickers.slider(FIELD[key], on_change=moved)
        elif name == "one-to-many":
            pickers.number(FIELD[key], on_change=moved)
        else:
            pickers.line(FIELD[key], on_change=moved)
    _examples(name, values)
    pickers.choice(FIELD["p_weights"])  # the whole page: what stands below follows it
    st.caption(page.origin(current))


def moved() -> None:
    """An input's ``on_change``: the canvas alone, unless what is marked beside it changes too."""
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    current, values, notes = page.screen(held)
    if notes or _example(current.config.name, values) != st.session_state.get(TRY):
        st.rerun()
    st.rerun(KEYS.canvas)


def _example(name: str, values: Mapping[str, Any]) -> str | None:
    """The example that the input is, if it is one."""
    for text in EXAMPLES[name]:
        if all(values[key] == value for key, value in page.example_values(name, text).items()):
            return text
    return None


def _examples(name: str, values: Mapping[str, Any]) -> None:
    """Inputs worth trying; the shown one is marked."""
    given = {text: page.example_values(name, text) for text in EXAMPLES[name]}
    st.session_state[TRY] = _example(name, values)

    def chosen() -> None:
        text = st.session_state[TRY]
        if text in given:
            pickers.assign(given[text])
            st.rerun()

    st.pills("Try", list(given), format_func=markdown, key=TRY, on_change=chosen)
