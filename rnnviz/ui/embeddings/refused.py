"""What a call that PyTorch refuses looks like: its own words, and ours."""

from __future__ import annotations

import streamlit as st

from rnnviz.embeddings.lookup import Refusal


def show(refusal: Refusal) -> None:
    """The rule in words; PyTorch's error under it, where it was asked."""
    st.warning(refusal.rule.words.replace("*", "\\*").replace("_", "\\_"))
    if refusal.error:
        st.code(refusal.error, language=None, wrap_lines=True)
