"""Save and open: what a file's run means for this page's controls."""

from __future__ import annotations

import streamlit as st

from rnnviz.data.split import Split
from rnnviz.data.tagged import format_text
from rnnviz.presets import SENTENCES
from rnnviz.screens import tagger as page
from rnnviz.training.config import TaggerConfig, TrainConfig
from rnnviz.ui import pickers
from rnnviz.ui.lab.files import files
from rnnviz.ui.tagger.reading import CANVAS, PAGE, UPLOAD, Moment, visit_once


def show(now: Moment) -> None:
    """Two downloads and an upload."""
    files(now.desk.run, PAGE, visit_once(), CANVAS, accept)


def accept(config: TrainConfig, name: str) -> str:
    """The page's controls as they were for a run of this configuration; a sentence why not, else ""."""
    if not isinstance(config, TaggerConfig):
        return f"{name} is a run of the page Characters: open it there."
    pickers.assign(page.values_of(config))
    if config.sentences == SENTENCES and not config.held_out:
        pickers.assign({"t_data": "Typed", "t_text": format_text(SENTENCES), "t_held": 0.0})
    else:
        st.session_state[UPLOAD] = page.Upload(name, {}, Split(config.sentences, config.held_out))
        st.session_state["t_data"] = "File"
    return ""
