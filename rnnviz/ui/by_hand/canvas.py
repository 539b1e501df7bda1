"""The picture of *By hand*: both sides as code, their results, and their difference."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.by_hand.experiment import Outcome, outcome, times
from rnnviz.by_hand.recipes import sources
from rnnviz.export import notebook
from rnnviz.export_by_hand import by_hand_script, csv, setup_lines
from rnnviz.link import query
from rnnviz.screens import by_hand as page
from rnnviz.screens import by_hand_examples as examples
from rnnviz.ui import pickers
from rnnviz.ui.by_hand import detail, markup, redraw
from rnnviz.ui.by_hand.keys import KEYS
from rnnviz.ui.by_hand.pictures import picture
from rnnviz.ui.chart import chart
from rnnviz.ui.page import Footer, footer, frame, hand_out, notice, question
from rnnviz.ui.page import canvas as fragment

FIELD = pickers.by_key(page.FIELDS)


def show(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("Is there any magic in nn.RNN?")
    fragment(KEYS.head, (current, values), redraw.read, head)
    fragment(KEYS.picture, (current, values), redraw.read, compared)
    fragment(KEYS.chosen, (current, values), redraw.read, detail.show)
    notice("by_hand")
    footer(handout(current, values))


def head(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """The presets, and the faults that there are."""
    pickers.presets(
        {row: example.title for row, example in examples.EXAMPLES.items()},
        examples.active_preset(current),
        "by_hand_preset",
        redraw.preset,
    )
    frame("by-hand", *redraw.frame(current))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Break it**", width="content")
        options = (page.INTACT, *page.faults(current.experiment, current.kind, current.way))
        with st.container(width="content"):  # directly in a horizontal row the choices would not wrap
            pickers.choice(FIELD["b_fault"], options, collapsed=True, on_change=redraw.moved)


def compared(current: page.ByHandScreen, values: dict[str, Any]) -> None:
    """Both sides and the picture: what depends on every number."""
    found = outcome(current)
    said(found)
    st.html(both(current, found))
    figure, summary = picture(current, values["b_n"])
    chart(figure, key="b_maps", name="Both results and their difference", summary=summary)
    hand_out(handout(current, values))


def handout(current: page.ByHandScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives."""

    def script() -> str:
        return by_hand_script(current, tuple(one.name for one in outcome(current).results))

    return Footer(
        page="by-hand",
        query=query(page.FIELDS, values),
        script=script,
        notebook=lambda: notebook(script(), "By hand"),
        data=lambda: csv(current),
        columns="result, index, by_hand, pytorch, difference",
    )


def said(found: Outcome) -> None:
    """What the fault does, or why it does nothing."""
    if found.fault is None:
        return
    if found.harmless:
        st.info(f"**{found.fault.name} changes nothing here:** {found.harmless}.")
    else:
        st.warning(f"**{found.fault.name}.** {found.fault.why}")


def both(current: page.ByHandScreen, found: Outcome) -> str:
    """The code of both sides, and the verdict."""
    code, spent = sources(current), times(current)
    row = examples.active_preset(current)
    now, right = (
        "\n".join([*setup_lines(screen), "", text])
        for screen, text in zip((current, current.intact()), code["call"], strict=True)
    )
    names = page.sides(current.experiment)
    alike = current.experiment == "Memory without activation"
    wide = (340, 340) if alike else (450, 262)
    boxes = [markup.Box(name, wrap=alike or k == 1) for k, name in enumerate(names)]
    left = markup.Side(names[0], markup.code(*code["hand"], boxes[0]), spent.hand, wide[0])
    other = markup.Side(names[1], markup.code(now, right, boxes[1]), spent.torch, wide[1])
    return markup.both(left, other, spent, examples.EXAMPLES[row].fact if row else "") + markup.verdict(found)
