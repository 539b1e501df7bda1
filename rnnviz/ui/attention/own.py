"""One's own pairs: a text, a table, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.data import pairs_text
from rnnviz.data.pairs_text import UNITS
from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import BY_KEY, FILE, MAX_TEXT
from rnnviz.ui import pickers
from rnnviz.ui.attention.reading import UPLOAD
from rnnviz.ui.attention.redraw import moved
from rnnviz.ui.link import markdown
from rnnviz.ui.uploads import too_large

FIELD = BY_KEY
PROBLEM = "a_own_problem"
MEGABYTES = 4


def show(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    """The controls for these pairs, and what is wrong with them."""
    pickers.choice(FIELD["a_unit"])
    if values["a_task"] == FILE:
        st.file_uploader(
            "Tab-separated pairs",
            type=["tsv", "txt"],
            key="a_upload",
            on_change=_uploaded,
            max_upload_size=MEGABYTES,
            help="A line a pair: source, tab, target. At most 5,000.",
        )
    else:
        pickers.area(FIELD["a_pairs"], height=120)
        if not current.problem:
            label, told = "Edit as a table", "Sources and targets in rows"
            if st.button(label, key="a_table", width="stretch", help=told):
                _grid(values["a_pairs"], values["a_unit"])
    if current.problem:
        st.warning(f"{markdown(current.problem)}. Example pairs are used until this is mended.")
    if refused := st.session_state.get(PROBLEM, ""):
        st.warning(f"{markdown(refused)}. What was here before is used on.")
    if current.about:
        st.caption(markdown(current.about))
    pickers.number(FIELD["a_part"], on_change=moved)
    config = current.config
    st.caption(
        f"To train on: {len(config.pairs):,} · held out: {len(config.held):,} · different tokens: "
        f"{len(config.source_symbols) - 1:,} read, {len(config.target_symbols) - 3:,} said"
    )


@st.dialog("Sources and targets", width="medium")
def _grid(text: str, unit: pairs_text.Unit) -> None:
    table = pairs_text.to_table(pairs_text.parse(page.tabbed(text) or page.EXAMPLE_PAIRS, unit), unit)
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    edited: list[dict[str, Any]] = st.data_editor(
        rows,
        key=f"a_grid_{hash((text, unit))}",
        num_rows="dynamic",
        width="stretch",
        height=420,
        column_config={name: st.column_config.TextColumn(name.capitalize()) for name in pairs_text.COLUMNS},
    )
    written = read(edited, unit)
    if written is None:
        return
    st.button(
        "Use these pairs",
        key="a_table_use",
        type="primary",
        disabled=edited == rows,
        on_click=lambda: _use(written),
    )


def read(rows: list[dict[str, Any]], unit: pairs_text.Unit) -> str | None:
    """The table's rows as the text box takes them; None, and a warning, when they cannot be used."""
    try:
        pairs = pairs_text.from_table({c: [row.get(c) for row in rows] for c in pairs_text.COLUMNS}, unit)
    except ValueError as fault:
        st.warning(markdown(str(fault)))
        return None
    text = pairs_text.format_pairs(pairs, unit)
    if len(text) > MAX_TEXT:
        st.warning(f"The table has become too long for the address, {MAX_TEXT:,} characters: use a file.")
        return None
    return text


def _use(text: str) -> None:
    st.session_state["a_pairs"] = text
    st.rerun()


def _uploaded() -> None:
    file = st.session_state["a_upload"]
    if file is None:
        return
    if refusal := too_large(file, MEGABYTES):
        st.session_state[PROBLEM] = refusal
        return
    data = file.getvalue()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        st.session_state[PROBLEM] = f"{file.name}: line {line} is not UTF-8 text"
        return
    found: dict[str, Any] = {}
    for unit in UNITS:
        try:
            found[unit] = pairs_text.parse(text, unit)
        except ValueError as fault:
            found[unit] = str(fault)
    if all(isinstance(each, str) for each in found.values()):
        st.session_state[PROBLEM] = f"{file.name}: {found['word']}"
        return
    st.session_state.pop(PROBLEM, None)
    st.session_state[UPLOAD] = page.Upload(file.name, found)
