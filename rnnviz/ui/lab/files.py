"""Save and open: a run as one file, its weights as a state_dict."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.training.config import TrainConfig
from rnnviz.training.live import Run, Visit, house, runfile
from rnnviz.ui.lab.desk import config_of, guarded, rate, show, state_dict

LABEL = 24  # characters of a file's name that name its run

Accept = Callable[[TrainConfig, str], str]
"""Takes an opened run's configuration and its file's name over into the page's controls; a sentence why not,
else "".
"""


def files(run: Run, page: str, visit: Visit, canvas: str, accept: Accept) -> None:
    """Two downloads and an upload. A refusal is said by the page's canvas, which is drawn again."""
    short = page[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Save the run",
            lambda: runfile.to_bytes(run),
            file_name=f"rnnviz-{page}.run",
            key=f"{short}_save",
            on_click="ignore",
            help="Settings, data, weights, history and curves in one file, which this page opens again.",
        )
        st.download_button(
            "Save the weights",
            lambda: state_dict(run.state),
            file_name=f"rnnviz-{page}.safetensors",
            key=f"{short}_weights",
            on_click="ignore",
            help="The model's state_dict: safetensors.torch.load_file reads it. *Code* has the model.",
        )

    def opened() -> None:
        file = st.session_state[f"{short}_open"]
        if file is None:
            return
        st.session_state.pop(f"{page}_said", None)
        if refusal := _open(file, page, visit, accept):
            st.session_state[f"{page}_said"] = refusal
            st.rerun(canvas)
        st.rerun()

    st.file_uploader(
        "Open a run",
        type=["run"],
        key=f"{short}_open",
        on_change=opened,
        max_upload_size=max(1, runfile.LIMIT // 2**20),
        help="A file that was saved here.",
    )


def _open(file: UploadedFile, page: str, visit: Visit, accept: Accept) -> str:
    run = guarded(page, runfile.from_bytes, file.getvalue())
    if run is None:
        return str(st.session_state[f"{page}_said"])
    if refusal := accept(config_of(run), file.name):
        return refusal
    run.group, run.label = page, file.name.rsplit(".", 1)[0][:LABEL] or "opened"
    if guarded(page, house().lobby.add, visit, run) is None:
        return str(st.session_state[f"{page}_said"])
    show(page, run)
    st.session_state.pop(f"{page}_epoch", None)
    st.session_state[f"{page[0]}_lr"] = rate(run)
    return ""
