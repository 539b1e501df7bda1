"""Save and open: what a file's run means for this page's controls."""

from __future__ import annotations

import streamlit as st

from rnnviz.screens.attention_examples import values_of
from rnnviz.screens.attention_fields import FILE
from rnnviz.training.config import TrainConfig
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.ui import pickers
from rnnviz.ui.attention.reading import CANVAS, PAGE, UPLOAD, Moment, carried, visit_once
from rnnviz.ui.lab.files import files


def show(now: Moment) -> None:
    """Two downloads and an upload."""
    files(now.run, PAGE, visit_once(), CANVAS, accept)


def accept(config: TrainConfig, name: str) -> str:
    """The page's controls as they were for a run of this configuration; a sentence why not, else ""."""
    if not isinstance(config, Seq2SeqConfig):
        return f"{name} is no run of this page: open it under Tagger or Characters."
    values = values_of(config)
    if values["a_task"] == FILE:
        st.session_state[UPLOAD] = carried(name, config)
    pickers.assign(values)
    return ""
