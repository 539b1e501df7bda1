"""Try a sentence: the tags of typed words, with the model as it is at this epoch."""

from __future__ import annotations

import streamlit as st

from rnnviz.data.tagged import typed_words
from rnnviz.figures.tags import tag_grid, tag_row, tag_summary, tagged
from rnnviz.figures.tags_drawn import tag_figure
from rnnviz.screens import tagger as page
from rnnviz.ui import pickers
from rnnviz.ui.chart import chart
from rnnviz.ui.link import markdown
from rnnviz.ui.tagger.reading import Moment

NAMED = 12
"""So many unknown words are named; each has its mark in the picture."""
FIELD = pickers.by_key(page.FIELDS)


def show(now: Moment) -> None:
    """Words to type, and how likely each tag is for each."""
    pickers.line(FIELD["t_try"])
    try:
        words = typed_words(now.values["t_try"])
    except ValueError as fault:
        st.warning(markdown(str(fault)))
        return
    if not words:
        st.caption("Type a word or more.")
        return
    arrays = now.arrays_of(words=list(words), parts=[])
    known = [bool(k) for k in arrays["known"]]
    grid = tag_grid(
        [tag_row(f"Epoch {now.epoch}", [tagged(words, arrays["probabilities"], known=known)])],
        now.config.tags,
    )
    chart(tag_figure(grid), key="t_tried", name="Tags of your words", summary=tag_summary(grid))
    unknown = list(dict.fromkeys(word for word, k in zip(words, known, strict=True) if not k))
    if len(unknown) > NAMED:
        unknown[NAMED:] = [f"and {len(unknown) - NAMED} more"]
    if unknown:
        read = (
            "read as <unk>"
            if "<unk>" in now.config.vocabulary
            else "its vector is all zeros (with Rare words at 2 or more there is one that is trained)"
        )
        st.caption(markdown(f"Not seen in training, so {read}: {', '.join(unknown)}."))
