"""Under the picture: the transport above it, and the arithmetic of the chosen step, redrawn alone when the
step moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz import arithmetic, sums
from rnnviz.edits import held
from rnnviz.figures.chains import Bars, bars_figure, chain_figure, chain_maps
from rnnviz.gates import BLOCKS, QUANTITIES
from rnnviz.screens import step as page
from rnnviz.stepping import step_run
from rnnviz.ui import pickers
from rnnviz.ui.chart import Mark, Point, chart
from rnnviz.ui.link import markdown
from rnnviz.ui.page import Arrived, canvas
from rnnviz.ui.step import redraw
from rnnviz.ui.step.keys import KEYS
from rnnviz.ui.transport import Line, position, tick, transport

FIELD = pickers.by_key(page.FIELDS)


@dataclass(frozen=True)
class Places:
    """Where the fragment draws: the transport, the picture if it follows the step, the arithmetic."""

    transport: DeltaGenerator
    picture: DeltaGenerator
    arithmetic: DeltaGenerator


def stepper(
    arrived: Arrived, places: Places, draw: Callable[[page.StepScreen, Mapping[str, Any], int], None]
) -> None:
    """The fragment that follows the step, and in it that of the arithmetic. ``draw`` draws a picture that is
    drawn anew at every step.
    """
    first = [arrived]

    @st.fragment(key=KEYS.detail, run_every=tick(KEYS.page))
    def body() -> None:
        current, values = first.pop() if first else redraw.read()
        line = _line(current, values)
        st.session_state["s_rails"] = redraw.rails(current, line.backward)
        with places.transport:
            transport(line)
        if values["s_view"] in redraw.FOLLOWING:
            with places.picture:
                draw(current, values, position(line))
        with places.arithmetic, st.container():
            canvas(KEYS.sums, (current, values), redraw.read, _sums)

    body()


def _line(current: page.StepScreen, values: Mapping[str, Any]) -> Line:
    return Line(KEYS.page, FIELD["s_step"], current.length, backward=page.lane(values)[1] == 1)


def _sums(current: page.StepScreen, values: Mapping[str, Any]) -> None:
    st.session_state["s_bounds"] = (current.length, current.config.hidden_size)
    _arithmetic(current, (*page.lane(values), position(_line(current, values))))


def _arithmetic(current: page.StepScreen, where: tuple[int, int, int]) -> None:
    layer, _, step = where
    config = current.config
    unit = min(int(st.session_state.get("s_unit", 0)), config.hidden_size - 1)
    one = st.session_state.get("s_detail") == page.DETAILS[1]
    more = "" if one else " A click on a row writes its sum out."
    st.markdown(_headline(current, _moment(current, where)) + more)
    pickers.choice(FIELD["s_detail"], collapsed=True)
    if one:
        _one_unit(current, where, unit)
    else:
        figure, letters = _chains(current, where, unit)
        chart(
            figure,
            key="s_chains",
            name="The arithmetic of this step",
            summary=f"Step {step}: each gate of layer {layer} as the sum of its terms, "
            f"for {config.hidden_size} units. Choose a row to see its unit's sum written out.",
            on_click=lambda point: _choose(point, letters),
            mark=Mark("step", step, unit),
        )


def _choose(point: Point, letters: tuple[str, ...]) -> None:
    _, units = st.session_state["s_bounds"]
    if isinstance(point.y, float) and 0 <= point.y < units:
        st.session_state["s_unit"] = int(point.y)
        st.session_state["s_detail"] = page.DETAILS[1]
        if point.curve < len(letters) and letters[point.curve] in BLOCKS[st.session_state["s_kind"]]:
            st.session_state["s_gate"] = letters[point.curve]


def _headline(current: page.StepScreen, m: arithmetic.Moment) -> str:
    def named(step: int) -> str:
        return f"step {step}" + (f", “{markdown(current.tokens[step])}”" if current.ids is not None else "")

    came = "the initial state h\\_0" if m.before is None else named(m.before)
    way = " The backward reader comes from the right." if m.direction else ""
    below = "" if m.layer == 0 else f" Its x is layer {m.layer - 1}'s h."
    start = f"**The arithmetic of {named(m.step)}**: h comes from {came}."
    return f"{start}{way}{below}"


def _moment(current: page.StepScreen, where: tuple[int, int, int]) -> arithmetic.Moment:
    run = step_run(current)
    plain = arithmetic.moment(current.config, run.trace, run.parameters, run.initial, where)
    return replace(plain, held=held(current.edits, where, current.config.hidden_size))


@lru_cache(maxsize=128)
def _chains(
    current: page.StepScreen, where: tuple[int, int, int], unit: int
) -> tuple[go.Figure, tuple[str, ...]]:
    """The figure, and the letter of each of its traces."""
    maps = chain_maps(arithmetic.chains(_moment(current, where)))
    return chain_figure(maps, unit), tuple(m.letter for m in maps for _ in m.blocks)


@dataclass(frozen=True)
class _Written:
    """One unit's sum, drawn and written out."""

    figure: go.Figure
    summary: str
    table: str
    formulas: str


@lru_cache(maxsize=128)
def _written(current: page.StepScreen, where: tuple[int, int, int], letter: str, unit: int) -> _Written:
    m = _moment(current, where)
    total = sums.unit_sum(m, letter, unit)
    bars = Bars(
        f"{QUANTITIES[letter].symbol}[{unit}]: what each term contributes to the sum",
        tuple(t.label for t in total.terms),
        tuple(t.source for t in total.terms),
        tuple(t.product for t in total.terms),
        total.total,
    )
    summary = f"{len(bars.heights)} terms that add up to {total.total:.4f}."
    return _Written(bars_figure(bars), summary, _table(total), _formulas(m, total))


def _one_unit(current: page.StepScreen, where: tuple[int, int, int], unit: int) -> None:
    letters = BLOCKS[current.config.kind]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        pickers.number(FIELD["s_unit"], high=current.config.hidden_size - 1, width=130)
        if len(letters) > 1:
            pickers.choice(FIELD["s_gate"], letters, names={k: QUANTITIES[k].name for k in letters})
    chosen = st.session_state.get("s_gate")
    letter = chosen if chosen in letters else letters[0]
    written = _written(current, where, letter, unit)
    with st.grid(2, min_column_width=400):
        chart(
            written.figure,
            key="s_bars",
            name=f"Contributions to {letter}, unit {unit}",
            summary=written.summary,
            mark=Mark("step", where[2], unit),
        )
        with st.container(height=250):
            st.markdown(written.table)
    st.latex(written.formulas)


def _formulas(m: arithmetic.Moment, written: sums.Sum) -> str:
    lines = [sums.gate_line(m, written)]
    for left, formula, numbers in sums.state_lines(m, written.unit):
        lines += [rf"{left} &= {formula}", rf"&{numbers}"]
    return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def _weights(written: sums.Sum) -> str:
    return f"weight, row {written.unit}"


def _table(written: sums.Sum) -> str:
    rows = [f"| term | {_weights(written)} | value | product |", "|:--|--:|--:|--:|"]
    rows += [
        f"| `{line.label}` | {line.weight} | {line.value} | {line.product} |"
        for line in sums.written_out(written)
    ]
    rows.append(f"| **sum** | | | **{written.total:.4f}** |")
    return "\n".join(rows)
