"""View *Feeding order*: which tokens enter together, and as what."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from rnnviz.feeding import batch, entering, vectors
from rnnviz.figures.feeding import HEIGHT, Entering, feeding_grids, feeding_picture
from rnnviz.screens.layers import FIELDS, SENTENCES, LayersScreen
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.link import markdown

FIELD = pickers.by_key(FIELDS)


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """The batch in both layouts, the step that is fed, and the sentences under it."""
    found = batch(values["l_text"], SENTENCES)
    step = min(values["l_step"], found.length - 1)
    if step != values["l_step"]:  # the sentences have become shorter
        st.session_state["l_step"] = step
    size = current.config.input_size
    pickers.slider(FIELD["l_step"], high=found.length - 1)
    refused, fed = "", Entering(step, None, 1.0)
    try:
        known = vectors(found, size, current.seed)
    except ValueError as reason:  # more numbers than a shared machine should draw
        refused = f"The vectors are not drawn: {reason}."
    else:
        limit = max(float(np.abs(vector).max()) for vector in known.values())
        fed = Entering(step, entering(found, step, known, size), limit)
    first = current.config.batch_first
    record = feeding_picture(found.rows, found.lengths, fed, size=size, batch_first=first)
    chart(
        feeding_grids(record),
        key="layers_feeding",
        name="Feeding order",
        summary=f"At step {step} of {found.length} enter together: {', '.join(found.tokens_at(step)[:20])}.",
        on_click=_choose,
        height=HEIGHT,
    )
    said = [note for note in (record.cropped, refused, *found.notes) if note]
    st.caption(
        f"Step {step} takes one token of every sentence: a matrix ({len(found.rows)}, {size}). "
        "Equal tokens have equal vectors; a sentence that has ended gives zeros. "
        f"L and N come from the sentences below. {markdown(' '.join(said))}"
    )
    pickers.area(FIELD["l_text"])


def _choose(point: Point) -> None:
    at = {0: point.y, 1: point.x}.get(point.curve)
    if isinstance(at, float) and 0 <= at <= 511:
        st.session_state["l_step"] = int(at)
