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
            pickers.slider(FIELD[key])
        elif name == "one-to-many":
            pickers.number(FIELD[key])
        else:
            pickers.line(FIELD[key])
    _examples(name, values)
    pickers.choice(FIELD["p_weights"], on_change=alone)
    st.caption(f"Trained by this repository with seed {current.config.seed}; see *Training* below.")


def _examples(name: str, values: Mapping[str, Any]) -> None:
    """Inputs worth trying; the shown one is marked."""
    given = {text: page.example_values(name, text) for text in EXAMPLES[name]}
    now = [text for text, found in given.items() if all(values[key] == v for key, v in found.items())]
    st.session_state[TRY] = now[0] if now else None

    def chosen() -> None:
        text = st.session_state[TRY]
        if text in given:
            pickers.assign(given[text])
            st.rerun()

    st.pills("Try", list(given), format_func=markdown, key=TRY, on_change=chosen)
