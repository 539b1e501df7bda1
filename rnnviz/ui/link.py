"""The address bar: what a page finds there is checked before any widget is drawn, and corrected out loud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rnnviz.link import Field
from rnnviz.ui import pickers

S = TypeVar("S")


def arrive(
    fields: Iterable[Field],
    screen: Callable[[Mapping[str, Any]], tuple[S, dict[str, Any], dict[str, str]]],
    page: str,
    *,
    alone: bool = False,
) -> tuple[S, dict[str, Any]]:
    """The page's screen and clean values, from its widgets if they exist already, else from the address.

    Call it before the page draws anything. What had to be corrected is put back where it came from and said
    in a warning; all other values stand. ``alone``: called in a fragment that runs without the rest of the
    page; after a correction the whole page runs, because the corrected control may stand outside.
    """
    fields = tuple(fields)
    keys = [f.key for f in fields]
    state, address = st.session_state.to_dict(), st.query_params.to_dict()  # a look at each costs 20 µs
    held = set() if _went_back() or _called_anew(page, keys) else state.keys() & keys
    found = {k: state[k] if k in held else address[k] for k in keys if k in held or k in address}
    current, values, notes = screen(found)
    said_before = f"{page}_corrections"
    addressed = [k for k in keys if k not in held and k in address]
    by_key = {f.key: f for f in fields}
    if wrong := [k for k in addressed if by_key[k].clean(address[k]) != (values[k], None)]:
        # Corrected in the address itself, before a widget is bound to it: a bound widget would fall back to
        # its default and say nothing.
        for key in wrong:
            field, shown, note = by_key[key], _written(values[key]), notes.get(key, "")
            free_text = isinstance(field.default, str) and not field.options  # its own check has said enough
            if not free_text and (not note or shown not in note):
                notes[key] = f"{field.label} “{address[key][:40]}” does not fit here: {shown} is used"
            st.query_params[key] = shown
        pickers.assign({k: values[k] for k in keys if k in state})
        st.session_state[said_before] = list(notes.values())
        st.rerun()
    for key in keys:
        # Also what came from the address: code that runs before its widget is drawn finds it here.
        if key in addressed or (key in state and state[key] != values[key]):
            st.session_state[key] = values[key]
    if alone and notes:
        st.session_state[said_before] = list(notes.values())
        st.rerun()
    _complete({f.key: None if values[f.key] == f.default else _written(values[f.key]) for f in fields})
    warned = f"{page}_warned"
    if alone:
        if warned in state and st.session_state[warned][0] != values:
            st.rerun()  # the warning stands outside of the fragment, and belongs to what was there before
        return current, values
    # A run that nobody asked for, such as that of a tab that is known again, must not take the words away.
    before, words = st.session_state.pop(warned, ({}, []))
    said = [*st.session_state.pop(said_before, ()), *notes.values()]
    if said := said or (words if before == values else []):
        st.session_state[warned] = (dict(values), said)
        st.warning("\n".join(f"- {markdown(note)}" for note in said), title="Corrected")
    return current, values


def _called_anew(page: str, keys: list[str]) -> bool:
    # Another page was shown last, and this one was called by an address of its own, such as a card's: the
    # address is the whole configuration. Without one, as from the menu, the page comes back as it was left.
    before = st.session_state.get("shown_page")
    st.session_state["shown_page"] = page
    if before != page:
        st.session_state.pop(f"{page}_warned", None)  # what was corrected in an earlier visit has been said
    return before not in (None, page) and any(k in st.query_params for k in keys)


def _went_back() -> bool:
    # After the browser's back or forward the address counts, not what the widgets held; Streamlit (1.67) says
    # so only here, and resets the bound widgets when they are drawn: after the page has been computed.
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _complete(wanted: Mapping[str, str | None]) -> None:
    # Streamlit (1.67) keeps a bound widget in the address while it is drawn, and leaves out one that code
    # set before it was drawn first. What belongs to a folded or unseen part of the page is written here.
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as address:
        unseen = {k: v for k, v in wanted.items() if not address.is_bound(k)}
        # A bound widget that is drawn first now would take what stood in the address when this run was asked
        # for (Streamlit 1.67), also where a preset has set another value meanwhile.
        address.set_initial_query_params(urlencode({k: v for k, v in wanted.items() if v is not None}))
    written = st.query_params.to_dict()
    for key, value in unseen.items():
        if written.get(key) != value:
            if value is None:
                del st.query_params[key]
            else:
                st.query_params[key] = value


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def markdown(text: str) -> str:
    """The text as Markdown that shows it literally: what a user typed must not become a link or a picture."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:@&^=" else c for c in text.replace("\n", " "))
