"""What if: edits made by buttons, kept as text, undone one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.edits import MAX_EDITS, clamp_range, clampable, parse
from rnnviz.gates import QUANTITIES
from rnnviz.screens import step as page
from rnnviz.shapes import parameters
from rnnviz.stepping import step_run
from rnnviz.ui import pickers
from rnnviz.ui.link import markdown

FIELD = pickers.by_key(page.FIELDS)
KINDS = ("A weight", "Forget bias", "Clamp", "Silence")


def editor(current: page.StepScreen, values: Mapping[str, Any]) -> None:
    """The choice of an edit, its button, the list as text, undo and reset. Acts on the layer and direction in
    view.
    """
    kinds = KINDS if current.config.kind == "LSTM" and current.config.bias else (KINDS[0], *KINDS[2:])
    chosen = st.selectbox(
        "Change", kinds, key="s_edit_kind", help="Each change adds one line to the list below."
    )
    layer, direction = page.lane(values)
    lane = f"l{layer}" + (" reverse" if direction else "")
    line = {"A weight": _weight, "Forget bias": _forget, "Clamp": _clamp, "Silence": _silence}[chosen](
        current, values, lane
    )
    full = len(values["s_edits"].splitlines()) >= MAX_EDITS
    st.button(
        "Apply",
        key="s_apply",
        on_click=_add,
        args=(line,),
        disabled=full,
        width="stretch",
        help=f"Adds: {markdown(line)}",
    )
    pickers.area(FIELD["s_edits"], height=90)
    for problem in parse(values["s_edits"], current.config, current.length)[1]:
        st.warning(markdown(problem))
    with st.container(horizontal=True):
        st.button(
            "Undo",
            key="s_undo",
            on_click=_undo,
            disabled=not values["s_edits"].strip(),
            help="Take the last line back",
        )
        st.button(
            "Reset",
            key="s_reset",
            on_click=_clear,
            disabled=not values["s_edits"].strip(),
            help="Take all edits back",
        )


def _weight(current: page.StepScreen, values: Mapping[str, Any], lane: str) -> str:
    here = [p for p in parameters(current.config) if (p.layer, p.direction) == page.lane(values)]
    name = st.selectbox("Parameter", [p.name for p in here], key="s_edit_name")
    shape = next((p.shape for p in here if p.name == name), here[0].shape)
    index = [_whole(label, size) for label, size in zip(("row", "column"), shape, strict=False)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        value = st.number_input("New value", -1000.0, 1000.0, 1.0, 0.1, key="s_edit_value", width=170)
        now = step_run(current).parameters[name][tuple(index)]
        st.markdown(f"now **{now:.4g}**", width="content", help="With the edits that are made already.")
    return f"{name}[{', '.join(map(str, index))}] = {value:g}"


def _whole(label: str, size: int) -> int:
    return int(st.number_input(label, 0, size - 1, 0, key=f"s_edit_{label}_{size}", help=f"0 to {size - 1}"))


def _forget(current: page.StepScreen, values: Mapping[str, Any], lane: str) -> str:
    value = st.slider(
        "b_if + b_hf",
        -6.0,
        6.0,
        2.0,
        0.5,
        key="s_edit_forget",
        help="Above 0 the gate starts open: it keeps.",
    )
    return f"forget_bias {lane} = {value:g}"


def _clamp(current: page.StepScreen, values: Mapping[str, Any], lane: str) -> str:
    letter = st.selectbox(
        "Quantity",
        clampable(current.config.kind),
        format_func=lambda letter: QUANTITIES[letter].name,
        key=f"s_edit_letter_{current.config.kind}",
    )
    low, high = clamp_range(letter)
    value = st.slider("Held at", low, high, high if letter == "f" else 0.0, 0.05, key=f"s_edit_hold_{letter}")
    last = current.length - 1
    first, until = (0, 0) if last == 0 else st.slider("Steps", 0, last, (0, last), key=f"s_edit_steps_{last}")
    only = st.toggle(
        f"Only unit {values['s_unit']}",
        key="s_edit_only",
        help="The unit chosen on the page; else all units.",
    )
    unit = f" unit {values['s_unit']}" if only else ""
    steps = "" if (first, until) == (0, last) else f" steps {first}-{until}"
    return f"clamp {letter} {lane}{unit}{steps} = {value:g}"


def _silence(current: page.StepScreen, values: Mapping[str, Any], lane: str) -> str:
    st.caption(f"Holds h of unit {values['s_unit']} (the unit chosen on the page) at 0.")
    return f"silence {lane} unit {values['s_unit']}"


def _add(line: str) -> None:
    before = st.session_state.get("s_edits", "").rstrip()
    st.session_state["s_edits"] = f"{before}\n{line}" if before else line


def _undo() -> None:
    st.session_state["s_edits"] = "\n".join(st.session_state["s_edits"].rstrip().split("\n")[:-1])


def _clear() -> None:
    st.session_state["s_edits"] = ""
