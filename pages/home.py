"""Home: a small LSTM reads a sentence, and the pages as cards."""

from functools import partial
from typing import Any

import streamlit as st

from rnnviz.export import home_script, notebook
from rnnviz.figures.home import memory, memory_heatmap
from rnnviz.home import hidden, read
from rnnviz.link import query
from rnnviz.screens import home as page
from rnnviz.ui import pickers
from rnnviz.ui.chart import chart
from rnnviz.ui.home import LIVE, moved, page_cards, reader
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Footer, canvas, footer, frame, hand_out, question

FIELD = pickers.by_key(page.FIELDS)


def handout(current: page.HomeScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives."""
    return Footer(
        page="home",
        query=query(page.FIELDS, values),
        script=lambda: home_script(current),
        notebook=lambda: notebook(home_script(current), "A small LSTM reads a sentence"),
        data=lambda: read(current).frame().to_csv(index=False),
    )


def live(current: page.HomeScreen, values: dict[str, Any]) -> None:
    """What follows the controls."""
    reader(current)
    chart(
        memory_heatmap(memory(hidden(current), current.words)),
        key="home_memory",
        name="Hidden state word by word",
        summary=f"h of an untrained LSTM: {current.hidden} units after each of {len(current.words)} words.",
    )
    st.caption(
        f"Live from PyTorch: `{current.config.call()}` with random weights and word vectors. Not trained: "
        "what you see is memory, not meaning. *Step through* opens this very run."
    )
    hand_out(handout(current, values))


again = partial(arrive, page.FIELDS, page.screen, "home", alone=True)
current, values = arrive(page.FIELDS, page.screen, "home")

question("What does a recurrent layer keep of a sentence?")
frame("home")
left, middle, right = st.columns([3, 4, 1])
with left:
    pickers.slider(FIELD["h_hidden"], on_change=moved)
with middle:
    pickers.line(FIELD["h_text"], on_change=moved)
with right:
    pickers.number(FIELD["h_seed"], on_change=moved)

canvas(LIVE, (current, values), again, live)
page_cards((current, values), again)
footer(handout(current, values))
