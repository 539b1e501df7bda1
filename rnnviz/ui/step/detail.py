"""Under the picture: the transport above it, and the arithmetic of the chosen step, redrawn alone when the
step moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz import arithmetic, sums
from rnnviz.figures.chains import Bars, bars_figure, chain_figure, chain_maps
from rnnviz.gates import BLOCKS, QUANTITIES
from rnnviz.screens import step as page
from rnnviz.stepping import Stepping
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart, cursor
from rnnviz.ui.link import markdown
from rnnviz.ui.step.keys import KEYS
from rnnviz.ui.transport import playing, position, tick, transport

FIELD = pickers.by_key(page.FIELDS)


def stepper(
    current: page.StepScreen,
    values: Mapping[str, Any],
    run: Stepping,
    boxes: tuple[DeltaGenerator, DeltaGenerator],
) -> None:
    """The fragment that follows the step. ``boxes``: where the transport and the arithmetic go."""
    above, below = boxes
    st.session_state["s_bounds"] = (current.length, current.config.hidden_size)
    lane = page.lane(values)

    @st.fragment(key=KEYS.fragment, run_every=tick(KEYS.page))
    def body() -> None:
        with above:
            transport(KEYS.page, FIELD["s_step"], current.length)
        with below:
            _arithmetic(current, run, (*lane, position(KEYS.page, FIELD["s_step"], current.length)))

    body()


def _arithmetic(current: page.StepScreen, run: Stepping, where: tuple[int, int, int]) -> None:
    layer, _, step = where
    config = current.config
    m = arithmetic.moment(config, run.trace, run.parameters, run.initial, where)
    st.markdown(_headline(current, m))
    if run.clamped:
        st.caption("A clamped quantity stands at its held value: its sum is still what the weights give.")
    unit = min(int(st.session_state.get("s_unit", 0)), config.hidden_size - 1)
    maps = chain_maps(arithmetic.chains(m))
    chart(
        chain_figure(maps, unit),
        key="s_chains",
        name="The arithmetic of this step",
        summary=f"Step {step}: each gate of layer {layer} as the sum of its terms, "
        f"for {config.hidden_size} units.",
        on_click=_choose,
    )
    if not playing(KEYS.page):
        _one_unit(m, unit)
    cursor("step", step, unit)


def _choose(point: Point) -> None:
    _, units = st.session_state["s_bounds"]
    if isinstance(point.y, float) and 0 <= point.y < units:
        st.session_state["s_unit"] = int(point.y)


def _headline(current: page.StepScreen, m: arithmetic.Moment) -> str:
    def named(step: int) -> str:
        return f"step {step}" + (f", “{markdown(current.tokens[step])}”" if current.ids is not None else "")

    came = "the initial state h\\_0" if m.before is None else named(m.before)
    way = " The backward reader comes from the right." if m.direction else ""
    below = "" if m.layer == 0 else f" Its x is layer {m.layer - 1}'s h."
    return f"**The arithmetic of {named(m.step)}**: h comes from {came}.{way}{below}"


def _one_unit(m: arithmetic.Moment, unit: int) -> None:
    letters = BLOCKS[m.config.kind]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        pickers.number(FIELD["s_unit"], high=m.config.hidden_size - 1, width=130)
        letter = letters[0]
        if len(letters) > 1:
            letter = st.segmented_control(
                "Gate",
                letters,
                default=letters[0],
                required=True,
                format_func=lambda k: QUANTITIES[k].name,
                key=f"s_gate_{m.config.kind}",
                help="Whose sum is written out product by product.",
            )
    written = sums.unit_sum(m, letter, unit)
    bars = Bars(
        f"{QUANTITIES[letter].symbol}[{unit}]: what each term contributes to the sum",
        tuple(t.label for t in written.terms),
        tuple(t.source for t in written.terms),
        tuple(t.product for t in written.terms),
        written.total,
    )
    with st.grid(2, min_column_width=400):
        chart(
            bars_figure(bars),
            key="s_bars",
            name=f"Contributions to {letter}, unit {unit}",
            summary=f"{len(bars.heights)} terms that add up to {written.total:.4f}.",
        )
        with st.container(height=250):
            st.markdown(_table(written))
    st.latex(_formulas(written, sums.state_lines(m, unit)))


def _formulas(written: sums.Sum, state: tuple[tuple[str, str, str], ...]) -> str:
    gate = f"{written.letter}_{{{written.unit}}}"
    lines = [rf"{gate} &= {_LATEX[written.activation]}({written.total:.4f}) = {written.result:.4f}"]
    for left, formula, numbers in state:
        lines += [rf"{left} &= {formula}", rf"&= {numbers}"]
    return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


_LATEX = {"σ": r"\sigma", "tanh": r"\tanh", "ReLU": r"\operatorname{ReLU}"}


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
