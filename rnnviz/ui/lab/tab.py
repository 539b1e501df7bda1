"""Which browser tab this is, so that a reload finds the runs that it left behind."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from rnnviz.assets import asset_url
from rnnviz.training.live import Visit, house
from rnnviz.training.live.lobby import PATIENCE

HEARTBEAT = 30.0
"""Seconds; a tab's runs are forgotten after `PATIENCE` without one."""

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
        self.lost = 0

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
            self.lost = lobby.lost(key)

    def stayed(self) -> None:
        """A sign of life. Where none came for longer than anybody waits (a laptop slept), it enters anew."""
        lobby = house().lobby
        if not lobby.heartbeat(self.visit):
            self.lost = lobby.lost(self.visit.key)
            self.visit = lobby.enter()

    def leave(self) -> None:
        """The session is over."""
        house().lobby.leave(self.visit)


def visit() -> Visit:
    """This tab, as the lobby knows it. Draws the part that tells the browser its key, once a page."""
    stay = _stay()
    stay.stayed()
    said = st.session_state.get("lab_tab", {}).get("key")
    if isinstance(said, str) and _KEY.fullmatch(said) and said not in (stay.visit.key, stay.refused):
        stay.come_back(said)
    house().warm()  # the workers load PyTorch while the page is looked at
    _beat()
    if stay.lost:
        gone = f"{stay.lost} trained runs of it are" if stay.lost > 1 else "a trained run of it is"
        st.warning(
            f"This tab was away for more than {PATIENCE / 60:g} minutes: {gone} gone. A run that was saved "
            "(*Save*, under the pictures) can be opened again."
        )
        stay.lost = 0
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
