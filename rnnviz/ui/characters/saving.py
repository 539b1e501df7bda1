"""Save and open: a run as one file, its weights as a state_dict."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.screens import characters as page
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import house, runfile
from rnnviz.ui import pickers
from rnnviz.ui.characters.reading import PAGE, Moment, redraw, visit_once
from rnnviz.ui.lab.desk import config_of, guarded, rate, state_dict
from rnnviz.ui.lab.desk import show as bring
from rnnviz.ui.link import markdown


def show(now: Moment) -> None:
    """Two downloads and an upload."""
    run = now.run
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Save the run",
            lambda: runfile.to_bytes(run),
            file_name="rnnviz-characters.run",
            key="c_save",
            on_click="ignore",
            help="Settings, strings, weights, history and curves in one file, which this page opens again.",
        )
        st.download_button(
            "Save the weights",
            lambda: state_dict(run.state),
            file_name="rnnviz-characters.safetensors",
            key="c_weights",
            on_click="ignore",
            help="The model's state_dict: safetensors.torch.load_file reads it. *Code* has the model.",
        )
    st.file_uploader(
        "Open a run",
        type=["run"],
        key="c_open",
        on_change=_open,
        max_upload_size=max(1, runfile.LIMIT // 2**20),
        help="A file that was saved here.",
    )


def _open() -> None:
    file = st.session_state["c_open"]
    if file is not None and not _opened(file):
        redraw()  # what is wrong is said above, outside of the live part


def _opened(file: UploadedFile) -> bool:
    run = guarded(PAGE, runfile.from_bytes, file.getvalue())
    if run is None:
        return False
    config = config_of(run)
    if not isinstance(config, CharsConfig):
        st.session_state[f"{PAGE}_said"] = (
            f"{markdown(file.name)} is a run of the page *Tagger*: open it there."
        )
        return False
    run.group = PAGE
    if guarded(PAGE, house().lobby.add, visit_once(), run) is None:
        return False
    bring(PAGE, run)
    st.session_state.pop(f"{PAGE}_epoch", None)
    pickers.assign(page.values_of(config) | {"c_mode": page.ALONE, "c_lr": rate(run)})
    st.rerun()
    return True
