"""Widgets made from `rnnviz.link.Field`: the same label, help, bounds and address key everywhere.

Their return values are not used: `rnnviz.ui.link.arrive` has read and checked them before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from rnnviz.link import Field

Change = Callable[[], None] | Literal["rerun"]
"""What a moved control does: run the page again, or a callback, such as `only`."""


def only(*fragments: str) -> Callable[[], None]:
    """A control's ``on_change`` that runs these fragments again instead of the whole page."""
    return lambda: st.rerun(fragments)


def number(
    field: Field,
    *,
    high: int | None = None,
    width: int | Literal["stretch"] = "stretch",
    step: float = 0.05,
    on_change: Change = "rerun",
) -> None:
    """A number input; ``high`` narrows the field's own bound, and a value beyond it is pulled back. ``step``
    is what a click on + adds to a number that is not whole.
    """
    top = field.high if high is None else high
    kind: Any = int if isinstance(field.default, int) else float
    if high is not None and field.key in st.session_state:
        st.session_state[field.key] = min(st.session_state[field.key], high)
    st.number_input(
        field.label,
        min_value=None if field.low is None else kind(field.low),
        max_value=None if top is None else kind(top),
        value=kind(field.default) if top is None else min(kind(field.default), kind(top)),
        step=1 if kind is int else step,
        format=None if kind is int else "%.6g",
        width=width,
        key=field.key,
        help=field.help,
        on_change=on_change,
        bind="query-params",
    )


def slider(
    field: Field, *, high: int | None = None, collapsed: bool = False, on_change: Change = "rerun"
) -> None:
    """A slider; ``high`` narrows the field's own bound, and a value beyond it is pulled back."""
    kind: Any = int if isinstance(field.default, int) else float
    low, top = kind(field.low or 0), kind(high if high is not None else field.high)
    if field.key in st.session_state:
        st.session_state[field.key] = min(max(st.session_state[field.key], low), top)
    st.slider(
        field.label,
        low,
        max(top, low + 1) if kind is int else top,
        min(kind(field.default), top),
        key=field.key,
        help=None if collapsed else field.help,
        label_visibility="collapsed" if collapsed else "visible",
        on_change=on_change,
        bind="query-params",
        disabled=top <= low,
    )


def choice(
    field: Field,
    options: Sequence[str] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    collapsed: bool = False,
    on_change: Change = "rerun",
) -> None:
    """A segmented control of a few options, one of which is always chosen.

    ``options`` narrows the field's own, ``names`` says what they are called on screen.
    """
    shown = list(options or field.options)
    st.segmented_control(
        field.label,
        shown,
        default=str(field.default) if field.default in shown else shown[0],
        required=True,
        format_func=names.__getitem__ if names else str,
        key=field.key,
        help=None if collapsed else field.help,
        label_visibility="collapsed" if collapsed else "visible",
        on_change=on_change,
        bind="query-params",
    )


def select(
    field: Field,
    options: Sequence[str] | None = None,
    *,
    width: int | Literal["stretch"] = "stretch",
    on_change: Change = "rerun",
) -> None:
    """A drop-down list; ``options`` narrows the field's own."""
    shown = list(options or field.options)
    st.selectbox(
        field.label,
        shown,
        index=shown.index(str(field.default)) if field.default in shown else 0,
        width=width,
        key=field.key,
        help=field.help,
        on_change=on_change,
        bind="query-params",
    )


def listed(field: Field, names: Sequence[str]) -> None:
    """A drop-down list of texts for a field that holds the number of one, from 0. Not bound: Streamlit would
    write the text into the address; `rnnviz.ui.link` writes the number.
    """
    st.selectbox(
        field.label,
        range(len(names)),
        index=min(int(field.default), len(names) - 1),
        format_func=names.__getitem__,
        key=field.key,
        label_visibility="collapsed",
    )


def switch(field: Field, *, on_change: Change = "rerun") -> None:
    """A toggle."""
    st.toggle(
        field.label,
        value=bool(field.default),
        key=field.key,
        help=field.help,
        on_change=on_change,
        bind="query-params",
    )


def line(field: Field, *, on_change: Change = "rerun") -> None:
    """One line of text."""
    st.text_input(
        field.label,
        value=str(field.default),
        max_chars=field.max_chars,
        key=field.key,
        help=field.help,
        on_change=on_change,
        bind="query-params",
    )


def area(field: Field, *, height: int = 100, on_change: Change = "rerun") -> None:
    """Several lines of text."""
    st.text_area(
        field.label,
        value=str(field.default),
        max_chars=field.max_chars,
        key=field.key,
        help=field.help,
        height=height,
        on_change=on_change,
        bind="query-params",
    )


def presets(options: Mapping[str, str], active: str | None, key: str, apply: Callable[[str], None]) -> None:
    """One pill a preset (row -> name), the shown one marked; a click on one calls ``apply`` with its row."""
    st.session_state[key] = active

    def chosen() -> None:
        row = st.session_state[key]
        if row in options:  # None when the active pill was clicked off: nothing changes
            apply(row)
            st.rerun()  # the whole page: the sidebar shows the preset's values too

    st.pills(
        "Presets",
        list(options),
        format_func=lambda row: f"**{row}** {options[row]}",
        key=key,
        label_visibility="collapsed",
        on_change=chosen,
    )


def assign(values: Mapping[str, Any]) -> None:
    """Set widgets from a callback, such as a preset's."""
    for key, value in values.items():
        st.session_state[key] = value


def by_key(fields: Iterable[Field]) -> dict[str, Field]:
    return {f.key: f for f in fields}
