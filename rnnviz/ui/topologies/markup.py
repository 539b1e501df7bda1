"""The few lines of HTML around the pictures. What a user typed is escaped."""

from __future__ import annotations

from html import escape

from rnnviz.figures import theme
from rnnviz.topologies.record import Look

_LINE = "font-size:14px;line-height:1.4;padding:0 4px;overflow-wrap:anywhere"


def headline(look: Look, fact: str) -> str:
    """What came out, and the one thing to see in this shape."""
    colour = f"light-dark({theme.ACCENT}, {theme.DARK[theme.ACCENT]})"
    return (
        f'<div style="{_LINE}"><b style="color:{colour}">{escape(look.says, quote=False)}</b>. {fact}</div>'
    )
