"""The skeleton that every page shares: question on top, what to notice and the footer below."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.assets import read_text

Arrived = tuple[Any, dict[str, Any]]
QUIET = "rnnviz_quiet"
"""Where a session has, for each fragment that runs by itself, whether it may be spared that."""
POPOVERS = ("link", "code")


def question(text: str) -> None:
    """The one sentence that the page answers."""
    st.markdown(f"##### {text}")


def notice(name: str) -> None:
    """*What to notice*: the page's prose, assets/text/<name>.md."""

    def prose() -> None:
        st.markdown(read_text(name))

    unfold("What to notice", f"{name}_notice", False, prose)


def canvas(key: str, arrived: Arrived, arrive: Callable[[], Arrived], show: Callable[..., None]) -> None:
    """Everything but the sidebar, or a part of it, as the fragment ``key``: a control made with
    `rnnviz.ui.pickers.only` runs it alone. Fragments lie inside each other.

    ``arrived`` is what the run of what lies around it has read already; where only the fragment runs,
    ``arrive`` reads again.
    """
    first = [arrived]

    @st.fragment(key=key)
    def draw() -> None:
        show(*(first.pop() if first else arrive()))

    draw()


def spared(fragment: str, quiet: Callable[[], bool]) -> None:
    """While ``quiet()`` a fragment's ``run_every`` does not run it: it would draw what is there already.

    ``quiet`` is called in the server's event loop (`rnnviz.ui.server.polling`), so it must be quick.
    """
    st.session_state[QUIET] = {**st.session_state.get(QUIET, {}), fragment: quiet}


def frame(page: str, *what: Hashable) -> None:
    """Note what the parts of a page that seldom change were drawn from, for `unframed`."""
    st.session_state[f"{page}_frame"] = what


def unframed(page: str, *what: Hashable) -> bool:
    """Whether the frame has to be drawn again: it was drawn from something else, or holds an open popover
    whose content depends on everything.
    """
    return st.session_state.get(f"{page}_frame") != what or handing_out(page)


def handing_out(page: str) -> bool:
    """Whether one of the footer's popovers is open: its content depends on everything."""
    return any(st.session_state.get(f"{page}_{name}") for name in POPOVERS)


def unfold(label: str, key: str, kept: bool, draw: Callable[[], None]) -> None:
    """An expander whose content is drawn when it is open, or when ``kept``.

    A dozen widgets cost as much as a picture, so what is folded away is left out. ``kept`` must be True when
    one of its widgets is not at its default: a bound widget that is not drawn drops out of the address
    (Streamlit 1.67).
    """
    box = st.expander(label, key=key, on_change="rerun")
    if box.open or kept:
        with box:
            draw()


@dataclass(frozen=True)
class Footer:
    """What the footer hands out. The callables run only when somebody asks: ``script`` and ``notebook`` give
    text, ``data`` CSV.

    ``query`` is the page's whole configuration as a query string; ``blocked`` says why there is no data to
    hand out, or None; ``columns`` are the table's.
    """

    page: str
    query: str
    script: Callable[[], str]
    notebook: Callable[[], str]
    data: Callable[[], str]
    blocked: str | None = None
    columns: str = "quantity, layer, direction, step, batch, unit, value"
    promise: str = "the same numbers"
    """What the link shows in another browser."""
    prints: str = "the same numbers"
    """What the script prints."""


def hand_out(parts: Footer) -> None:
    """What the page's footer gives from now on. A part of the page that is drawn again without the footer
    calls it, since the footer's download is a promise that was made earlier.
    """
    st.session_state.setdefault(f"{parts.page}_handed_out", {})["now"] = parts


def footer(parts: Footer) -> None:
    """Link · Code · Data."""
    hand_out(parts)
    current: dict[str, Footer] = st.session_state[f"{parts.page}_handed_out"]
    with st.container(horizontal=True, key=f"{parts.page}_footer"):
        # Filled when it is opened: a fragment may have moved on since the page was drawn.
        link = st.popover(
            "Link", help="The address of exactly this screen", key=f"{parts.page}_link", on_change="rerun"
        )
        if link.open:
            _link(link, parts)
        code = st.popover(
            "Code",
            help=f"A script that prints {parts.prints}",
            key=f"{parts.page}_code",
            on_change="rerun",
        )
        if code.open:
            with code:
                _code(parts)
        if parts.blocked is None:
            st.download_button(
                "Data",
                lambda: current["now"].data(),
                file_name=f"rnnviz-{parts.page}.csv",
                mime="text/csv",
                help=f"Every quantity as tidy CSV: {parts.columns}",
                key=f"{parts.page}_data",
                on_click="ignore",
            )
        else:
            st.button("Data", disabled=True, help=parts.blocked, key=f"{parts.page}_no_data")


def _link(box: DeltaGenerator, parts: Footer) -> None:
    root, query = (st.context.url or "").split("?")[0], parts.query
    box.caption(f"Pasted into any browser that reaches this server, it shows {parts.promise}.")
    box.code(f"{root}?{query}" if query else root, language=None, wrap_lines=True)


def _code(parts: Footer) -> None:
    script = parts.script()
    with st.container(horizontal=True):
        st.download_button(
            "Script (.py)",
            script,
            file_name=f"rnnviz_{parts.page}.py",
            mime="text/x-python",
            key=f"{parts.page}_script",
            on_click="ignore",
        )
        st.download_button(
            "Notebook (.ipynb)",
            parts.notebook(),
            file_name=f"rnnviz_{parts.page}.ipynb",
            mime="application/x-ipynb+json",
            key=f"{parts.page}_notebook",
            on_click="ignore",
        )
    st.code(script, language="python", height=420)
