"""Which browser tab this is, so that a reload finds the runs that it left behind."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from rnnviz.assets import asset_url
from rnnviz.training.live import Visit, house

HEARTBEAT = 30.0
"""Seconds; a tab's runs are forgotten after two minutes without one."""

_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")
_TAB = st.components.v2.component(
    "rnnviz_tab",
    js="""
export default async (component) => {
  const module = await import(new URL(component.data.module, document.baseURI).href);
  return module.default(component);
};
""",
    isolate_styles=False,
)


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda stay: stay.leave())
def _stay() -> Stay:
    return Stay()


class Stay:
    """This session's visit to the lobby. Ends with the session: its runs pause at once."""

    def __init__(self) -> None:
        self.visit: Visit = house().lobby.enter()
        self.refused = ""

    def come_back(self, key: str) -> None:
        """Be the tab with this key, if it is still known; else go on as who we are."""
        lobby = house().lobby
        found = lobby.enter(key)
        if found.key == key:
            lobby.move(self.visit, found)
            lobby.leave(self.visit)
            self.visit = found
        else:
            lobby.leave(found)
            self.refused = key

    def leave(self) -> None:
        """The session is over."""
        house().lobby.leave(self.visit)


def visit() -> Visit:
    """This tab, as the lobby knows it. Draws the part that tells the browser its key, once a page."""
    stay = _stay()
    if not house().lobby.heartbeat(stay.visit):  # a laptop slept for longer than anybody waits
        stay.visit = house().lobby.enter()
    said = st.session_state.get("lab_tab", {}).get("key")
    if isinstance(said, str) and _KEY.fullmatch(said) and said not in (stay.visit.key, stay.refused):
        stay.come_back(said)
    house().warm()  # the workers load PyTorch while the page is looked at
    _beat()
    return stay.visit


@st.fragment(run_every=HEARTBEAT)
def _beat() -> None:
    stay = _stay()
    house().lobby.heartbeat(stay.visit)
    data: dict[str, Any] = {
        "key": stay.visit.key,
        "refused": stay.refused,
        "module": asset_url("tab.js"),
    }
    _TAB(key="lab_tab", data=data, on_key_change=_changed)


def _changed() -> None:
    """The whole page runs: what it shows is the runs of another key."""
    st.rerun()
