"""The sidebar of *Tagger*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.data import conllu, tagged
from rnnviz.data.samples import SAMPLES
from rnnviz.runs import usable_device
from rnnviz.screens import tagger as page
from rnnviz.training.config import WITH_MOMENTUM
from rnnviz.ui import pickers
from rnnviz.ui.lab.desk import latest, set_rate
from rnnviz.ui.link import markdown
from rnnviz.ui.page import unfold
from rnnviz.ui.tagger import table
from rnnviz.ui.tagger.reading import PAGE, UPLOAD
from rnnviz.ui.tagger.redraw import SIDEBAR, beside, moved
from rnnviz.ui.uploads import too_large

FIELD = pickers.by_key(page.FIELDS)
HALF = 121
MEGABYTES = 4
MORE = (
    *("t_layers", "t_bi", "t_drop", "t_mom", "t_wd"),
    *("t_clip", "t_batch", "t_shuffle", "t_unknown", "t_device"),
)


def show(current: page.TaggerScreen, values: Mapping[str, Any]) -> None:
    """Model, training, data; the rest in *More*."""
    st.session_state[SIDEBAR] = beside(current, values)
    pickers.choice(FIELD["t_kind"], on_change=moved)
    with st.container(horizontal=True, gap="xsmall"):
        for key in ("t_emb", "t_hidden"):
            pickers.number(FIELD[key], width=HALF, on_change=moved)
        pickers.select(FIELD["t_opt"], width=HALF)
        pickers.number(FIELD["t_lr"], width=HALF, step=0.01, on_change=_rate)
    pickers.number(FIELD["t_seed"], on_change=moved)
    pickers.choice(FIELD["t_until"])
    if values["t_until"] == "epochs":
        pickers.number(FIELD["t_epochs"], on_change=moved)
    if values["t_until"] == "loss below":
        pickers.number(FIELD["t_loss"], step=0.01, on_change=moved)
    unfold("Data", "t_open_data", _data_is_set(values), lambda: _data(current, values))
    more = any(values[key] != FIELD[key].default for key in MORE)
    unfold("More", "t_open_more", more, lambda: _more(current, values))


def _rate() -> None:
    """A new learning rate leaves the run as it is, and goes on from there."""
    set_rate(latest(PAGE), float(st.session_state["t_lr"]))
    moved()


def _data_is_set(values: Mapping[str, Any]) -> bool:
    return any(values[k] != FIELD[k].default for k in ("t_data", "t_text", "t_column", "t_held", "t_case"))


def _data(current: page.TaggerScreen, values: Mapping[str, Any]) -> None:
    pickers.choice(FIELD["t_data"])
    if values["t_data"] == "Typed":
        pickers.area(FIELD["t_text"], height=130)
        if not current.problem:
            table.button(current)
        st.caption("Up to 6,000 characters, which the address carries. Longer texts: under *File*.")
    if values["t_data"] == "File":
        st.text_area(
            "Paste",
            key="t_paste",
            height=90,
            max_chars=4_000_000,
            placeholder="CoNLL-U, or word and tag in columns",
            on_change=_pasted,
            help="Long texts come here: they are not part of the address.",
        )
        st.file_uploader(
            "CoNLL-U or TSV",
            type=["conllu", "conll", "tsv", "txt"],
            key="t_upload",
            on_change=_upload,
            max_upload_size=MEGABYTES,
            help="Word and tag in columns, an empty line between sentences; or CoNLL-U. Up to 20,000 words.",
        )
    if values["t_data"] != "Typed":
        pickers.choice(FIELD["t_column"])
        st.download_button(
            "Download a sample file",
            SAMPLES["tiny"].content,
            file_name=SAMPLES["tiny"].file,
            key="t_sample",
            on_click="ignore",
            width="stretch",
        )
    if current.problem:
        st.warning(f"{markdown(current.problem)}. The sentences of D1 are used until this is mended.")
    if refused := st.session_state.get("t_problem", ""):
        st.warning(f"{markdown(refused)}. What was here before is used on.")
    if current.about:
        st.caption(markdown(current.about))
    with st.container(horizontal=True, gap="xsmall"):
        pickers.number(FIELD["t_held"], width=HALF)
        pickers.select(FIELD["t_case"], width=HALF)
    config = current.config
    st.caption(
        f"To train on: {len(config.sentences):,} · held out: {len(config.held_out):,} · different words: "
        f"{len(config.vocabulary):,} · tags: {len(config.tags)}"
    )


def _upload() -> None:
    file = st.session_state["t_upload"]
    if file is None:
        return
    if refusal := too_large(file, MEGABYTES):
        st.session_state["t_problem"] = refusal
        return
    _take(file.name, file.getvalue())


def _pasted() -> None:
    if text := st.session_state["t_paste"].strip():
        _take("What was pasted", text.encode())


def _take(name: str, content: bytes) -> None:
    """Read a file with either column's tags; what cannot be read is named, and changes nothing."""
    found: dict[str, Any] = {}
    for column in page.COLUMNS:
        try:
            found[column] = _reading(content, column)
        except ValueError as fault:
            found[column] = str(fault)
    if all(isinstance(reading, str) for reading in found.values()):
        st.session_state["t_problem"] = f"{name}: {found['UPOS']}"
        return
    st.session_state.pop("t_problem", None)
    st.session_state[UPLOAD] = page.Upload(name, found)


def _reading(content: bytes, column: Any) -> conllu.Reading:
    """CoNLL-U where the lines have ten columns, else words and tags as the text box takes them."""
    head = next((line for line in content[:20_000].splitlines() if b"\t" in line), b"")
    if head.count(b"\t") >= 5 or content[:200].lstrip().startswith(b"# "):
        return conllu.read(content, column)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return conllu.read(content, column)  # says which line is not UTF-8
    return conllu.Reading(tagged.parse(text), 0, 0)


def _more(current: page.TaggerScreen, values: Mapping[str, Any]) -> None:
    pickers.number(FIELD["t_layers"], on_change=moved)
    pickers.switch(FIELD["t_bi"], on_change=moved)
    pickers.number(FIELD["t_drop"], on_change=moved)
    if values["t_opt"] in WITH_MOMENTUM:
        pickers.number(FIELD["t_mom"], on_change=moved)
    pickers.number(FIELD["t_wd"], step=0.001, on_change=moved)
    pickers.number(FIELD["t_clip"], step=0.5, on_change=moved)
    pickers.number(FIELD["t_batch"], on_change=moved)
    pickers.switch(FIELD["t_shuffle"], on_change=moved)
    pickers.number(FIELD["t_unknown"], on_change=moved)
    if usable_device("cuda") == "cuda":
        pickers.choice(FIELD["t_device"])
    elif current.config.device == "cuda":
        st.caption("This machine has no CUDA: the run is computed on the CPU.")
