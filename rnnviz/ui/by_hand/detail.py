"""Under the picture of *By hand*: the run operation by operation, the gradients, the long sequence."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.by_hand.experiment import operations, outcome
from rnnviz.by_hand.memory import split, with_tanh
from rnnviz.by_hand.norms import norms
from rnnviz.by_hand.recipes import sources
from rnnviz.by_hand.recorder import Operation
from rnnviz.by_hand.source import text
from rnnviz.figures.by_hand_steps import (
    growth,
    growth_figure,
    growth_summary,
    operation_figure,
    operation_value,
)
from rnnviz.screens import by_hand as page
from rnnviz.ui import pickers
from rnnviz.ui.by_hand import markup, redraw
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.chart import chart
from rnnviz.ui.markup import table
from rnnviz.ui.page import canvas
from rnnviz.ui.transport import Line, position, tick, transport

FIELD = pickers.by_key(page.FIELDS)


def show(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The choice of a detail, and the detail."""
    options, chosen = page.details(current.experiment), pickers.only(KEYS.chosen)
    pickers.choice(FIELD["b_detail"], options, collapsed=True, on_change=chosen)
    operation, gradient, weights = page.DETAILS
    shown = {operation: stepper, gradient: gradients, weights: share, page.LONG: long}
    shown[values["b_detail"]](current, values)


def stepper(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The fragment that walks through the operations, and in it that of the one it stands at."""
    first = [(current, values)]

    @st.fragment(key=KEYS.stepper, run_every=tick(KEYS.page))
    def body() -> None:
        current, values = first.pop() if first else redraw.read()
        recorded = operations(current)
        st.session_state["b_rails"] = redraw.rails(current)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            transport(_line(current))
        canvas(KEYS.value, (current, values), redraw.read, _operation)
        if recorded.total > len(recorded.operations):
            st.caption(
                f"The first {len(recorded.operations):,} of {recorded.total:,} operations: smaller sizes "
                "show all."
            )

    body()


def _line(current: page.ByHandScreen) -> Line:
    return Line(KEYS.page, FIELD["b_op"], len(operations(current).operations), unit="operation")


def _operation(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    at, recorded = position(_line(current)), operations(current)
    operation = recorded.operations[at]
    row = st.container(horizontal=True)  # one under the other where there is no room for both
    said = _headline(operation, at, recorded.total)
    box = markup.Box("The hand-written side, the operation marked")
    row.html(said + markup.code(*sources(current)["hand"], box, operation), width=490)
    with row.container(width=300):
        figure, note = _value(current, at, values["b_n"])
        chart(
            figure,
            key="b_value",
            name=f"Result of operation {at}",
            summary=f"{operation.code} gives the shape {operation.shapes[0]}. {note}",
        )
        if note:
            st.caption(note)


def _headline(operation: Operation, at: int, total: int) -> str:
    where = "".join(f", {name} = {value}" for name, value in operation.where.items())
    shapes = " and ".join(str(shape) for shape in operation.shapes)
    name = f"{operation.name} = " if operation.name else ""
    return markup.headline(f"Operation {at} of {total:,}{where}", f"{name}{operation.code}", shapes)


@lru_cache(maxsize=128)  # 3 kB of text each
def _value(current: page.ByHandScreen, at: int, n: int) -> tuple[go.Figure, str]:
    record = operation_value(operations(current).operations[at].values, n)
    note = ", ".join(part for part in (record.shown and f"Drawn: {record.shown}", record.left_out) if part)
    return operation_figure(record), note


def share(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The source of what copies PyTorch's weights."""
    st.html(markup.code(*sources(current)["share"], markup.Box("Where the weights come from")))


def gradients(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """Every parameter's gradient on both sides, as numbers."""
    found = outcome(current)
    st.markdown(
        "The gradient of the squared error of all results against a ramp from −1 to 1, by autograd on both "
        "sides: backpropagation through time runs through the hand-written loop as well. Of each the largest "
        "|number| is shown."
    )
    rows = []
    for one in found.gradients:
        apart = f"{markup.number(one.largest)} {'✓' if one.equal else '✗'}"
        mine = "none" if one.name in found.missing else f"{one.hand:.4g}"
        rows.append((one.name, str(one.shape), mine, f"{one.torch:.4g}", apart))
    heads = ("parameter", "shape", "by hand", "PyTorch", "max |difference|")
    st.html(table("Gradients", heads, rows))
    if found.missing:
        st.caption("“none”: nothing that this parameter does reaches a result, so it would never learn.")


def long(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The norm of the state over a long sequence, with and without tanh."""
    alone = pickers.only(KEYS.value)
    with st.container(horizontal=True, gap="medium"):
        for key in ("b_radius", "b_steps"):
            with st.container(width=205):
                pickers.slider(FIELD[key], on_change=alone)
        pickers.choice(FIELD["b_drive"], on_change=alone)
    row = st.container(horizontal=True)  # one under the other where there is no room for both
    with row.container(width=490):
        canvas(KEYS.value, (current, values), redraw.read, _norms)
    with row.container(width=300):
        before = text(split).replace("def split(", "def with_tanh(")
        box = markup.Box("Memory with tanh, beside memory without", wrap=True, fault=False)
        st.html(markup.code(text(with_tanh), before, box))


def _norms(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    figure, summary = _growth(page.memory(values))
    chart(figure, key="b_growth", name="Norm of the state", summary=summary)


@lru_cache(maxsize=64)
def _growth(setting: page.Memory) -> tuple[go.Figure, str]:
    found = norms(setting)
    record = growth(found.curves, found.radius, guided=setting.drive == page.DRIVES[0])
    return growth_figure(record), growth_summary(record)
