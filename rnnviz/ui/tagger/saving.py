"""Save and open: a run as one file, its weights as a state_dict."""

from __future__ import annotations

import streamlit as st

from rnnviz.data.split import Split
from rnnviz.data.tagged import format_text
from rnnviz.presets import SENTENCES
from rnnviz.screens import tagger as page
from rnnviz.training.config import TaggerConfig
from rnnviz.training.live import house, runfile
from rnnviz.ui.lab.desk import config_of, guarded, rate, state_dict
from rnnviz.ui.lab.desk import show as bring
from rnnviz.ui.tagger.reading import CANVAS, PAGE, UPLOAD, Moment, visit_once

LIMIT = runfile.LIMIT


def show(now: Moment) -> None:
    """Two downloads and an upload."""
    run = now.desk.run
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Save the run",
            lambda: runfile.to_bytes(run),
            file_name="rnnviz-tagger.run",
            key="t_save",
            on_click="ignore",
            help="Settings, data, weights, history and curves in one file, which this page opens again.",
        )
        st.download_button(
            "Save the weights",
            lambda: state_dict(run.state),
            file_name="rnnviz-tagger.safetensors",
            key="t_weights",
            on_click="ignore",
            help="The model's state_dict: safetensors.torch.load_file reads it. *Code* has the model.",
        )
    st.file_uploader(
        "Open a run",
        type=["run"],
        key="t_open",
        on_change=_open,
        max_upload_size=max(1, LIMIT // 2**20),
        help="A file that was saved here.",
    )


def _open() -> None:
    file = st.session_state["t_open"]
    if file is None:
        return
    st.session_state.pop(f"{PAGE}_said", None)
    run = guarded(PAGE, runfile.from_bytes, file.getvalue())
    if run is None:
        st.rerun(CANVAS)  # where it is said why
    config = config_of(run)
    if not isinstance(config, TaggerConfig):
        st.session_state[f"{PAGE}_said"] = f"{file.name} is a run of another page: open it on *Characters*."
        st.rerun(CANVAS)
    run.group, run.label = PAGE, file.name.rsplit(".", 1)[0][:24] or "opened"
    if guarded(PAGE, house().lobby.add, visit_once(), run) is None:
        st.rerun(CANVAS)
    bring(PAGE, run)
    for key, value in page.values_of(config).items():
        st.session_state[key] = value
    st.session_state["t_lr"] = rate(run)
    if config.sentences == SENTENCES and not config.held_out:
        st.session_state["t_data"], st.session_state["t_text"] = "Typed", format_text(SENTENCES)
        st.session_state["t_held"] = 0.0
    else:
        st.session_state[UPLOAD] = page.Upload(file.name, {}, Split(config.sentences, config.held_out))
        st.session_state["t_data"] = "File"
    st.rerun()
