"""Reach in: set a weight, silence a unit, then look, or train on."""

from __future__ import annotations

import streamlit as st

from rnnviz.figures.weights import weights, weights_figure, weights_summary
from rnnviz.gates import DIRECTION_NAMES
from rnnviz.screens import tagger as page
from rnnviz.training import Edit, Silence
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.desk import change, guarded, journal, take, weights_of
from rnnviz.ui.tagger.reading import CANVAS, PAGE, Moment

FIELD = pickers.by_key(page.FIELDS)


def show(now: Moment) -> None:
    """The chosen parameter as a heatmap; a click chooses the number to set."""
    if now.rewound:
        st.caption("Changes are made where a run stands: continue from this epoch first.")
        return
    if now.look.playing:
        st.caption("Pause the run to reach in: its weights move at every step.")
        return
    known = weights_of(now.desk.run.state)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox("Parameter", now.names, key="t_edit_name", width=210)
        values = known[name]
        rows = [str(i) for i in range(values.shape[0])]
        if name == "embedding.weight":
            rows = list(now.config.vocabulary)
        row = st.selectbox(
            "Row", range(len(rows)), format_func=rows.__getitem__, key=f"t_edit_row_{name}", width=150
        )
        column = 0
        if values.ndim == 2:
            column = int(
                st.number_input("Column", 0, values.shape[1] - 1, key=f"t_edit_column_{name}", width=110)
            )
        place = (row, column) if values.ndim == 2 else (row,)
        old = float(values[place])
        new = st.number_input(
            "Value",
            -1e4,
            1e4,
            value=old,
            step=0.1,
            format="%.4f",
            key=f"t_edit_value_{name}_{place}_{now.look.version}",  # a moved weight is shown as it is
            width=140,
        )
        st.button(
            "Set",
            key="t_edit_set",
            help="The run goes on from the changed number; it stands in the exported script.",
            disabled=float(new) == old,
            on_click=lambda: _apply(now, Edit(name, place, float(new))),
        )
    record = weights(name, values, rows, (row, column))
    chart(
        weights_figure(record),
        key="t_edit_map",
        name=f"Values of {name}",
        summary=weights_summary(record),
        on_click=lambda point: _choose(point, name, (len(rows), record.values.shape[1])),
    )
    _silence(now)


def _silence(now: Moment) -> None:
    config = now.config
    silent = _silent(now)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        unit = int(st.number_input("Unit", 0, config.hidden - 1, key="t_silence_unit", width=110))
        layer = 0
        if config.num_layers > 1:
            layer = int(st.number_input("Layer", 0, config.num_layers - 1, key="t_silence_layer", width=110))
        direction = 0
        if config.bidirectional:
            direction = int(
                st.selectbox(
                    "Reader",
                    (0, 1),
                    format_func=DIRECTION_NAMES.__getitem__,
                    key="t_silence_dir",
                    width=130,
                )
            )
        on = (unit, layer, direction) not in silent
        st.button(
            "Silence" if on else "Let it speak",
            key="t_silence",
            help="A silent unit's h is 0 at every step, and stays so while the run trains on.",
            on_click=lambda: _apply(now, Silence(unit, layer, direction, on)),
        )
        if silent:
            st.markdown("silent: " + " · ".join(_named(now, place) for place in sorted(silent)))


def _named(now: Moment, place: tuple[int, int, int]) -> str:
    unit, layer, direction = place
    where = [f"layer {layer}"] if now.config.num_layers > 1 else []
    where += [DIRECTION_NAMES[direction]] if now.config.bidirectional else []
    return f"unit {unit}" + (f" ({', '.join(where)})" if where else "")


def _silent(now: Moment) -> set[tuple[int, int, int]]:
    found: set[tuple[int, int, int]] = set()
    for _, _, what in journal(now.desk.run):
        if isinstance(what, Silence):
            place = (what.unit, what.layer, what.direction)
            (found.add if what.on else found.discard)(place)
    return found


def _apply(now: Moment, what: Edit | Silence) -> None:
    guarded(PAGE, lambda: change(take(now.desk), what))
    st.rerun(CANVAS)


def _choose(point: Point, name: str, shape: tuple[int, int]) -> None:
    if isinstance(point.x, float) and isinstance(point.y, float):
        if 0 <= point.y < shape[0]:
            st.session_state[f"t_edit_row_{name}"] = int(point.y)
        if 0 <= point.x < shape[1]:
            st.session_state[f"t_edit_column_{name}"] = int(point.x)
