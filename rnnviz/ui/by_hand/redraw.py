"""What a moved control of *By hand* draws again: the numbers alone, unless more depends on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rnnviz.by_hand.experiment import operations
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import EXAMPLES, active_preset, preset_values
from rnnviz.ui import pickers
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.by_hand.pictures import prepare
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Arrived, handing_out, unframed

FIELD = pickers.by_key(page.FIELDS)
MORE = "b_open_more"


def read() -> Arrived:
    """The page's screen and values, for fragments that run alone: read by the first of them, for all."""
    context = get_script_run_ctx()
    run = None if context is None else context.fragment_ids_this_run  # a list of its own in every run
    held: tuple[object, Arrived] | None = st.session_state.get("b_read")
    if run is None or held is None or held[0] is not run:
        held = run, arrive(page.FIELDS, page.screen, "by-hand", alone=True)
        st.session_state["b_read"] = held
    return held[1]


def frame(current: page.ByHandScreen) -> tuple[Hashable, ...]:
    """What the presets, the faults that are offered and the details depend on."""
    return active_preset(current), current.experiment, current.kind, current.way


def rails(current: page.ByHandScreen) -> tuple[Hashable, ...]:
    """What the transport depends on."""
    recorded = operations(current)
    return len(recorded.operations), recorded.total


def more(values: Mapping[str, Any]) -> bool:
    """Whether a control that may be folded away stands elsewhere than at its default."""
    return any(values[key] != FIELD[key].default for key in ("b_bias", "b_dtype", "b_n"))


def side(current: page.ByHandScreen, values: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What decides which controls there are, and the bound of "Sequence shown"."""
    unfolded = st.session_state.get(MORE) or more(values)
    return current.experiment, current.batch if unfolded else None


def preset(row: str) -> None:
    """Set what a preset sets, and draw what follows from it."""
    pickers.assign(preset_values(EXAMPLES[row]))
    _draw(KEYS.sidebar)


def moved() -> None:
    """A control's ``on_change``."""
    _draw()


def _draw(*also: str) -> None:
    held = {f.key: st.session_state[f.key] for f in page.FIELDS if f.key in st.session_state}
    current, values, notes = page.screen(held)
    parts = [*also]
    if KEYS.sidebar not in parts and side(current, values) != st.session_state.get("b_side"):
        parts.append(KEYS.sidebar)
    if notes or handing_out("by-hand"):
        st.rerun([*parts, KEYS.canvas])
    if unframed("by-hand", *frame(current)):
        prepare(current, values)
        st.rerun([*parts, KEYS.head, KEYS.picture, KEYS.chosen])
    operation, gradients, weights = page.DETAILS
    detail = values["b_detail"]
    parts.append(KEYS.picture)
    if detail == operation:
        parts.append(KEYS.value if rails(current) == st.session_state.get("b_rails") else KEYS.stepper)
    elif detail != weights:  # that is source, which no number changes
        parts.append(KEYS.chosen if detail == gradients else KEYS.value)
    st.rerun(parts)
