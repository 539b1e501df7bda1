"""Two traps on the current layer: the last output is not the final state; padding without packing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.assets import read_text
from rnnviz.figures.drift import drift_figure, drift_maps, drift_summary
from rnnviz.figures.traps import equality_figure, equality_maps, equality_summary
from rnnviz.runs import run
from rnnviz.screens.layers import FIELDS, TRAPS, LayersScreen
from rnnviz.traps import Drift, TwoRuns, drift, padded_screen, read_out
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart

FIELD = pickers.by_key(FIELDS)


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """One of the two traps, measured on the screen's own run."""
    pickers.choice(FIELD["l_trap"], collapsed=True)
    if values["l_trap"] == TRAPS[0]:
        _last_output(current)
    else:
        _padding(current, values["l_seq"])


def _last_output(current: LayersScreen) -> None:
    if current.too_large:
        st.info(f"The trap is measured on a real run. Not run here: {current.too_large}.")
        return
    result = run(current)
    read = read_out(current, result.output, result.h_n)
    record = equality_maps(read, current.lengths)
    (st.warning if read.trapped else st.success)(f"{read.headline}  \n{read.why}")
    chart(
        equality_figure(record),
        key="l_equality",
        name="Last output against h_n",
        summary=equality_summary(record),
    )
    st.caption("“Off by” is max |difference| over all sequences and units. " + (record.left_out or ""))
    st.code(read.right, language="python")
    st.markdown(read_text("traps_last_output"))


def _padding(current: LayersScreen, wanted: int) -> None:
    padded, note = padded_screen(current)
    if padded.too_large:
        st.info(f"The trap is measured on a real run. Not run here: {padded.too_large}.")
        return
    result = run(padded)
    assert result.unpacked_output is not None and result.unpacked_h_n is not None  # the screen has lengths
    sequence = min(wanted, padded.batch - 1)  # the default may be beyond a batch of two
    if sequence != wanted:
        st.session_state["l_seq"] = sequence
    both = TwoRuns(result.output, result.h_n, result.unpacked_output, result.unpacked_h_n)
    found = drift(padded, both, sequence)
    record = drift_maps(found)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=140):
            pickers.number(FIELD["l_seq"], high=padded.batch - 1)
        with st.container(width="stretch"):
            _said(found)
    chart(
        drift_figure(record),
        key="l_drift",
        name="Padded and packed",
        summary=drift_summary(record),
        on_click=_chosen,
    )
    if remarks := [text for text in (note, record.left_out) if text]:
        st.caption(" ".join(remarks))
    st.markdown(read_text("traps_padding"))


def _chosen(point: Point) -> None:
    if len(point.custom) == 1 and isinstance(point.custom[0], float):
        st.session_state["l_seq"] = int(point.custom[0])


def _said(found: Drift) -> None:
    end, length = found.lengths[found.sequence], found.length
    start = f"Sequence {found.sequence} has {end} of {length} steps"
    if end == length:
        st.success(f"{start}: no padding, so nothing drifts. {_to_see_it(found)}")
        return
    wrong = f"taken at step {length - 1} instead of {end - 1}"
    padding = f"in {length - end} steps of padding"
    if len(found.lanes) > 1 and found.layers > 1:
        wrong = f"its forward rows are {wrong}, its backward rows start {padding}"
    elif len(found.lanes) > 1:
        wrong = f"its forward half is {wrong}, its backward half starts {padding}"
    else:
        wrong = f"it is {wrong}"
    rows = found.layers * len(found.lanes)
    over = f" (the largest over all {rows} rows)" if rows > 1 else ""
    off = f"{found.drifts[found.sequence]:.3g}"
    st.warning(f"{start}. Without packing its `h_n` is off by **{off}**{over}: {wrong}.")


def _to_see_it(found: Drift) -> str:
    if found.length == 1:
        return "Raise L: one step leaves no room for padding."
    if min(found.lengths) == found.length:
        return "No sequence here is shorter than L: lower one of the true lengths."
    return "Choose a shorter one."
