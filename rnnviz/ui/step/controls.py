"""The sidebar of *Step through*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from rnnviz.screens import step as page
from rnnviz.table import Rows, edit_table, format_table, parse_table, read_table
from rnnviz.ui import pickers
from rnnviz.ui.link import markdown
from rnnviz.ui.page import unfold
from rnnviz.ui.step import what_if
from rnnviz.ui.step.redraw import moved

FIELD = pickers.by_key(page.FIELDS)
EDITS, MORE = "s_open_edits", "s_open_more"
MAX_UPLOAD = 200_000  # bytes: far more than the table that fits


def controls(current: page.StepScreen, values: Mapping[str, Any]) -> None:
    """Every control of the page's configuration."""
    more = any(values[k] != FIELD[k].default for k in ("s_pre", "s_state", "s_bias", "s_nonlin"))
    folded = not (values["s_edits"] or more or any(st.session_state.get(k) for k in (EDITS, MORE)))
    # What is folded away depends on these, so while it is drawn the sidebar runs as well.
    change: pickers.Change = moved if folded else "rerun"
    pickers.choice(FIELD["s_kind"])
    pickers.select(FIELD["s_source"])
    _INPUTS[values["s_source"]](values, change)
    for key in ("s_hidden", "s_layers"):
        pickers.slider(FIELD[key], on_change=change)
    pickers.switch(FIELD["s_bi"], on_change=change)
    pickers.number(FIELD["s_seed"], on_change=change)
    unfold("What if …", EDITS, bool(values["s_edits"]), lambda: what_if.editor(current, values))
    unfold("More", MORE, more, lambda: _more(values))


def _more(values: Mapping[str, Any]) -> None:
    pickers.switch(FIELD["s_pre"])
    pickers.switch(FIELD["s_state"])
    pickers.switch(FIELD["s_bias"])
    if values["s_kind"] == "RNN":
        pickers.choice(FIELD["s_nonlin"])


def _sentence(values: Mapping[str, Any], change: pickers.Change) -> None:
    pickers.line(FIELD["s_text"], on_change=change)
    pickers.slider(FIELD["s_in"], on_change=change)


def _characters(values: Mapping[str, Any], change: pickers.Change) -> None:
    pickers.line(FIELD["s_chars"], on_change=change)


def _random(values: Mapping[str, Any], change: pickers.Change) -> None:
    pickers.slider(FIELD["s_len"], on_change=change)
    pickers.slider(FIELD["s_in"], on_change=change)


def _table(values: Mapping[str, Any], change: pickers.Change) -> None:
    pickers.area(FIELD["s_table"], height=120)
    rows, problem = parse_table(values["s_table"])
    if problem:
        st.warning(markdown(problem))
    with st.popover("Edit as a grid", width="stretch"):
        key = (
            f"s_grid_{hash(rows)}"  # the grid starts anew from the text that its last change was written into
        )
        st.data_editor(
            [dict(enumerate(row)) for row in rows],
            key=key,
            num_rows="dynamic",
            width="stretch",
            on_change=lambda: _write(edit_table(rows, dict(st.session_state[key]))),
        )
    st.file_uploader(
        "Upload CSV", type=["csv", "tsv", "txt"], key="s_upload", on_change=_upload, max_upload_size=1
    )
    if said := st.session_state.pop("s_upload_problem", None):
        st.warning(markdown(said))


def _write(rows: Rows) -> None:
    st.session_state["s_table"] = format_table(rows)


def _upload() -> None:
    file = st.session_state["s_upload"]
    if file is None:
        return
    if file.size > MAX_UPLOAD:
        st.session_state["s_upload_problem"] = (
            f"{file.name} has {file.size:,} bytes: at most {MAX_UPLOAD:,} are read"
        )
        return
    try:
        text = file.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError:
        st.session_state["s_upload_problem"] = (
            f"{file.name} is not a text file in UTF-8: save the table as CSV"
        )
        return
    rows, problem = read_table(text)
    if rows:
        _write(rows)
    if problem:
        kept = f"its first {len(rows)} lines are used" if rows else "your table stays as it was"
        st.session_state["s_upload_problem"] = f"{file.name}: {problem}; {kept}"


_INPUTS: dict[str, Callable[[Mapping[str, Any], pickers.Change], None]] = {
    "Sentence": _sentence,
    "Characters": _characters,
    "Random": _random,
    "Table": _table,
}
