"""The canvas of *Embeddings*: the chosen view, what to notice, and the footer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.embeddings.frames import COLUMNS, frame
from rnnviz.export import notebook
from rnnviz.export_embeddings import embeddings_script
from rnnviz.link import query
from rnnviz.screens import embeddings as page
from rnnviz.ui import pickers
from rnnviz.ui.embeddings import bags, gradient, lookup, one_hot, pretrained
from rnnviz.ui.page import Footer, footer, notice, question

FIELD = pickers.by_key(page.FIELDS)
View = Callable[[page.EmbeddingsScreen, dict[str, Any]], None]
SHOW: dict[str, View] = {
    "Lookup": lookup.show,
    "One-hot": one_hot.show,
    "Gradient": gradient.show,
    "Bags": bags.show,
    "Pretrained": pretrained.show,
}


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """Question and presets, then the one view that is chosen: only it is computed and sent."""
    question("How does a word become a vector that learns?")
    row = page.active_preset(current)
    pickers.presets(
        {key: example.title for key, example in page.EXAMPLES.items()},
        row,
        "embeddings_preset",
        lambda key: pickers.assign(page.preset_values(page.EXAMPLES[key])),
    )
    # The whole page runs: each view has a sidebar of its own.
    pickers.choice(FIELD["e_view"], collapsed=True, on_change=lambda: st.rerun())
    if row is not None:
        st.markdown(f"**{row}** {page.EXAMPLES[row].fact}")
    SHOW[current.view](current, values)
    notice("embeddings")
    vectors = pretrained.vectors(current.pretrained) if current.view == "Pretrained" else None
    footer(
        Footer(
            page="embeddings",
            query=query(page.FIELDS, values),
            script=lambda: embeddings_script(current, vectors),
            notebook=lambda: notebook(embeddings_script(current, vectors), f"Embeddings: {current.view}"),
            data=lambda: frame(current, vectors).to_csv(index=False),
            blocked=pretrained.blocked(current, vectors),
            columns=COLUMNS,
        )
    )
