"""A student's own vectors: read from what was uploaded, kept for as long as the tab is open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import streamlit as st

from rnnviz.data.vectors import MAX_NUMBERS, Vectors, read_safetensors, read_text_vectors, read_word_list
from rnnviz.ui.link import markdown
from rnnviz.ui.uploads import too_large

KEPT: Final = "e_kept_vectors"
_SAID, _ROUND = "e_upload_problem", "e_upload_round"
MEGABYTES: Final = 24
"""What one file may have; what is kept of it is bounded by `rnnviz.data.vectors.MAX_NUMBERS`."""


def kept() -> Vectors | None:
    """The vectors of this tab's last good upload."""
    found: Vectors | None = st.session_state.get(KEPT)
    return found


def show() -> None:
    """The uploader. Once read, the files are let go: only the numbers stay."""
    key = f"e_upload_{st.session_state.get(_ROUND, 0)}"
    st.file_uploader(
        "Vectors",
        type=["txt", "vec", "safetensors"],
        accept_multiple_files=True,
        max_upload_size=MEGABYTES,
        key=key,
        on_change=lambda: _take(key),
        help="word2vec's or GloVe's text format; or a .safetensors matrix together with a .txt word list, "
        "one word for each row (choose both files at once). Of a larger file keep the first lines: "
        f"head -n {MAX_NUMBERS // 50} large.txt > small.txt",
    )
    if said := st.session_state.pop(_SAID, None):
        st.warning(markdown(said))
    found = kept()
    if found is not None:
        rows, dim = found.matrix.shape
        st.caption(f"{markdown(found.name)}: {rows:,} words, {dim} numbers each")


def _take(key: str) -> None:
    files = st.session_state[key]
    if not files:
        return
    try:
        st.session_state[KEPT] = read(files)
    except ValueError as problem:
        st.session_state[_SAID] = f"{files[0].name}: {problem}"
    # A new key is a new uploader: the old one's files leave the server's memory.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def read(files: list[Any]) -> Vectors:
    """The vectors of what was chosen: one text file, or a matrix and a word list.

    Raises `ValueError` saying what is wrong with the files.
    """
    for file in files:
        if refusal := too_large(file, MEGABYTES):
            raise ValueError(refusal)
    matrices = [file for file in files if file.name.lower().endswith(".safetensors")]
    texts = [file for file in files if file not in matrices]
    if len(matrices) > 1 or len(texts) > 1:
        raise ValueError("choose one text file, or one .safetensors file together with one word list")
    if not matrices:
        return read_text_vectors(_lines(texts[0]), texts[0].name)
    if not texts:
        raise ValueError("a matrix alone names no words: choose its word list (.txt) together with it")
    return read_safetensors(matrices[0].getvalue(), read_word_list(_lines(texts[0])), matrices[0].name)


def _lines(file: Any) -> Iterable[bytes]:
    file.seek(0)
    lines: Iterable[bytes] = iter(file)
    return lines
