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

FIELD = BY_KEY
PROBLEM = "a_own_problem"
MOST_BYTES = 4_000_000


def show(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    """The controls for these pairs, and what is wrong with them."""
    pickers.choice(FIELD["a_unit"])
    if values["a_task"] == FILE:
        st.file_uploader(
            "Tab-separated pairs",
            type=["tsv", "txt"],
            key="a_upload",
            on_change=_uploaded,
            max_upload_size=4,
            help="A line a pair: source, tab, target. At most 5,000.",
        )
    else:
        pickers.area(FIELD["a_pairs"], height=120)
        if not current.problem:
            with st.popover("Edit as a table", width="stretch"):
                _grid(current, values)
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


def _grid(current: page.AttentionScreen, values: Mapping[str, Any]) -> None:
    unit = values["a_unit"]
    pairs = pairs_text.parse(page.tabbed(values["a_pairs"]) or page.EXAMPLE_PAIRS, unit)
    table = pairs_text.to_table(pairs, unit)
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    key = f"a_grid_{hash(pairs)}"

    def edited() -> None:
        change = st.session_state[key]
        for place, cells in change.get("edited_rows", {}).items():
            rows[int(place)].update(cells)
        kept = [row for i, row in enumerate(rows) if i not in set(change.get("deleted_rows", ()))]
        kept += change.get("added_rows", [])
        try:
            found = pairs_text.from_table({c: [row.get(c) for row in kept] for c in pairs_text.COLUMNS}, unit)
        except ValueError as fault:
            st.session_state[PROBLEM] = str(fault)
            return
        text = pairs_text.format_pairs(found, unit)
        if len(text) > MAX_TEXT:
            st.session_state[PROBLEM] = "The table has become too long for the address: use a file"
            return
        st.session_state.pop(PROBLEM, None)
        st.session_state["a_pairs"] = text

    columns = {name: st.column_config.TextColumn(width=110) for name in pairs_text.COLUMNS}
    st.data_editor(
        rows,
        key=key,
        num_rows="dynamic",
        width="stretch",
        on_change=edited,
        column_config=columns,
        height=260,
    )


def _uploaded() -> None:
    file = st.session_state["a_upload"]
    if file is None:
        return
    data = file.getvalue()
    try:
        text = data[: MOST_BYTES + 1].decode("utf-8-sig")
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
