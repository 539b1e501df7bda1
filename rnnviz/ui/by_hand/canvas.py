"""The picture of *By hand*: both sides as code, their results, and their difference."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rnnviz.by_hand.experiment import TOLERANCE, Outcome, outcome, sources, times
from rnnviz.export import notebook
from rnnviz.export_by_hand import by_hand_script, csv, setup_lines
from rnnviz.figures.by_hand import compared_figure, compared_maps, compared_summary
from rnnviz.link import query
from rnnviz.screens import by_hand as page
from rnnviz.ui import pickers
from rnnviz.ui.by_hand import detail, markup
from rnnviz.ui.chart import chart
from rnnviz.ui.page import Footer, footer, notice, question, unfold

FIELD = pickers.by_key(page.FIELDS)
HEIGHT, TALLEST_CODE = 285, 262  # pixels


def show(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("Is there any magic in nn.RNN?")
    pickers.presets(
        {row: example.title for row, example in page.EXAMPLES.items()},
        page.active_preset(current),
        "by_hand_preset",
        lambda row: pickers.assign(page.preset_values(page.EXAMPLES[row])),
    )
    found = outcome(current)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Break it**", width="content")
        options = (page.INTACT, *page.faults(current.experiment, current.kind, current.way))
        pickers.choice(FIELD["b_fault"], options, collapsed=True)
    said(current, found)
    st.html(both(current, found))
    figure, summary = picture(current, values["b_n"])
    chart(figure, key="b_maps", name="By hand and PyTorch", summary=summary)
    detail.show(current, values)
    unfold("Where the weights by hand come from", "b_open_share", False, lambda: share(current))
    notice("by_hand")
    script = partial(by_hand_script, current, tuple(one.name for one in found.results))
    footer(
        Footer(
            page="by-hand",
            query=query(page.FIELDS, values),
            script=script,
            notebook=lambda: notebook(script(), "By hand"),
            data=lambda: csv(found),
        )
    )


def said(current: page.ByHandScreen, found: Outcome) -> None:
    """The one thing to see, or what the fault does."""
    if found.fault is None:
        row = page.active_preset(current)
        if row is not None:
            st.markdown(f"**{row}** {page.EXAMPLES[row].fact}")
    elif found.harmless:
        st.info(f"**{found.fault.name} changes nothing here:** {found.harmless}.")
    else:
        st.warning(f"**{found.fault.name}.** {found.fault.why}")


def both(current: page.ByHandScreen, found: Outcome) -> str:
    """The code of both sides, and the verdict."""
    code = sources(current)
    hand = markup.code(*code["hand"], "The hand-written side", height=TALLEST_CODE)
    now, right = (
        "\n".join([*setup_lines(screen), "", text])
        for screen, text in zip((current, current.intact()), code["call"], strict=True)
    )
    return markup.both(hand, markup.code(now, right, "PyTorch's side"), times(current), found)


@lru_cache(maxsize=24)
def picture(current: page.ByHandScreen, n: int) -> tuple[go.Figure, str]:
    """The maps of the sequence n, and their text alternative."""
    maps = compared_maps(
        [(one.name, one.hand, one.torch) for one in outcome(current).results],
        n,
        TOLERANCE[current.dtype],
        steps_first=current.experiment == "Loop over a cell",
    )
    return compared_figure(maps, HEIGHT), compared_summary(maps)


def share(current: page.ByHandScreen) -> None:
    """The source of what copies PyTorch's weights."""
    st.code(sources(current)["share"][0], language="python")
