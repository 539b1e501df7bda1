"""HTML that more than one page writes. Every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(label: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls where it is too wide: the first column left, the others right."""
    base = "padding:3px 16px 3px 0;white-space:nowrap"

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} style="{base};text-align:{"right" if k else "left"}">{escape(cell, quote=False)}</{tag}>'
            for k, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div style="overflow-x:auto" tabindex="0" role="group" aria-label="{escape(label)}">'
        '<table style="border-collapse:collapse;font-size:14px">'
        f"<thead><tr>{cells('th', heads)}</tr></thead><tbody>{body}</tbody></table></div>"
    )
