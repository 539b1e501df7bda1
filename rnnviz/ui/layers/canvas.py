"""The canvas of *Layers & shapes*: the chosen view, what to notice, and the footer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.export import layers_script, notebook
from rnnviz.link import query
from rnnviz.presets import EXAMPLES
from rnnviz.runs import run_trace, usable_device
from rnnviz.screens.layers import FIELDS, LayersScreen, active_preset, preset_values
from rnnviz.ui import pickers
from rnnviz.ui.layers import feeding, parameters, quiz, redraw, tensors, traps, unrolled
from rnnviz.ui.page import Footer, canvas, footer, frame, hand_out, notice, question

View = Callable[[LayersScreen, dict[str, Any]], None]
SHOW: dict[str, View] = {
    "Tensors": tensors.show,
    "Unrolled": unrolled.show,
    "Parameters": parameters.show,
    "Feeding order": feeding.show,
    "Traps": traps.show,
    "Quiz": quiz.show,
}


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """Question and presets, then the one view that is chosen: only it is computed and sent."""
    question("What goes in, what comes out, and where does each number live?")
    pickers.presets(
        {row: example.title for row, example in EXAMPLES.items()},
        active_preset(current),
        "layers_preset",
        lambda row: pickers.assign(preset_values(EXAMPLES[row], st.session_state["l_view"])),
    )
    frame("layers", *redraw.frame(current))
    pickers.choice(pickers.by_key(FIELDS)["l_view"], collapsed=True)
    canvas(redraw.VIEW, (current, values), redraw.read, view)
    notice("layers")
    footer(handout(current, values))


def view(current: LayersScreen, values: dict[str, Any]) -> None:
    """What depends on every number of the layer."""
    _remarks(current)
    SHOW[values["l_view"]](current, values)
    hand_out(handout(current, values))


def handout(current: LayersScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives."""
    return Footer(
        page="layers",
        query=query(FIELDS, values),
        script=lambda: layers_script(current),
        notebook=lambda: notebook(layers_script(current), f"Layers & shapes: {current.config.call()}"),
        data=lambda: run_trace(current).frame().to_csv(index=False),
        blocked=current.no_data,
    )


def _remarks(current: LayersScreen) -> None:
    row = active_preset(current)
    remarks = [f"**{row}** {EXAMPLES[row].fact}"] if row else []
    if current.too_large:
        remarks.append(f"Not run here ({current.too_large}); its shapes hold all the same.")
    if current.lengths is not None:
        shown = ", ".join(map(str, current.lengths[:12])) + (", …" if len(current.lengths) > 12 else "")
        is_, would = ("would be", "would be") if current.too_large else ("is", "is")
        remarks.append(f"True lengths {shown}: the run {is_} packed, and output {would} zero after each end.")
    if current.device != usable_device(current.device):
        remarks.append(f"This machine has no {current.device}: it runs on the CPU.")
    if remarks:
        st.markdown("  \n".join(remarks))
