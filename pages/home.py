"""Home: a small LSTM reads a sentence, and the pages as cards."""

import streamlit as st

from rnnviz.export import home_script, notebook
from rnnviz.figures.home import memory, memory_heatmap
from rnnviz.home import hidden, read
from rnnviz.link import query
from rnnviz.screens import home as page
from rnnviz.ui import pickers
from rnnviz.ui.chart import chart
from rnnviz.ui.home import page_cards, reader
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Footer, footer, question

FIELD = pickers.by_key(page.FIELDS)

current, values = arrive(page.FIELDS, page.screen, "home")

question("What does a recurrent layer keep of a sentence?")
left, middle, right = st.columns([3, 4, 1])
with left:
    pickers.slider(FIELD["h_hidden"])
with middle:
    pickers.line(FIELD["h_text"])
with right:
    pickers.number(FIELD["h_seed"])

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
page_cards(current)

footer(
    Footer(
        page="home",
        query=query(page.FIELDS, values),
        script=lambda: home_script(current),
        notebook=lambda: notebook(home_script(current), "A small LSTM reads a sentence"),
        data=lambda: read(current).frame().to_csv(index=False),
    )
)
