"""The typed sentences as a table to edit, in a dialog of its own: the sidebar is too narrow for it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.data import tagged
from rnnviz.screens import tagger as page
from rnnviz.ui.link import markdown

COLUMNS = ("sentence", "word", "tag")
LONGEST = next(f.max_chars for f in page.FIELDS if f.key == "t_text")


def button(current: page.TaggerScreen) -> None:
    """Opens the table."""
    if st.button("Edit as a table", key="t_table", width="stretch", help="Words and tags in rows"):
        _dialog(current)


@st.dialog("Words and tags", width="medium")
def _dialog(current: page.TaggerScreen) -> None:
    table = tagged.to_table((*current.config.sentences, *current.config.held_out))
    rows = [
        dict(zip(COLUMNS, map(str, row), strict=True))
        for row in zip(*(table[column] for column in COLUMNS), strict=True)
    ]
    st.caption("Rows with the same number of a sentence belong together. A row is added at the end.")
    edited: list[dict[str, Any]] = st.data_editor(
        rows,
        key=f"t_grid_{hash(current.config.text)}",
        num_rows="dynamic",
        width="stretch",
        height=420,
        column_config={name: st.column_config.TextColumn(name.capitalize()) for name in COLUMNS},
    )
    text = read(edited)
    if text is None:
        return
    st.button(
        "Use these sentences",
        key="t_table_use",
        type="primary",
        disabled=edited == rows,
        on_click=lambda: _use(text),
    )


def read(rows: list[dict[str, Any]]) -> str | None:
    """The table's rows as the text box takes them; None, and a warning, when they cannot be read."""
    try:
        sentences = tagged.from_table({name: [row.get(name) for row in rows] for name in COLUMNS})
    except ValueError as fault:
        st.warning(markdown(str(fault)))
        return None
    text = tagged.format_text(sentences)
    if len(text) > LONGEST:
        st.warning(f"The table has become too long for the address, {LONGEST:,} characters: use a file.")
        return None
    return text


def _use(text: str) -> None:
    st.session_state.pop("t_problem", None)
    st.session_state["t_text"] = text
    st.rerun()
