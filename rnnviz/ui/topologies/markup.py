"""The few lines of HTML around the pictures. What a user typed is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rnnviz.figures import theme
from rnnviz.topologies.kits import Score
from rnnviz.topologies.record import Look

_LINE = "font-size:14px;line-height:1.4;padding:0 4px;overflow-wrap:anywhere"


def headline(look: Look, fact: str) -> str:
    """What came out, and the one thing to see in this shape."""
    colour = f"light-dark({theme.ACCENT}, {theme.DARK[theme.ACCENT]})"
    return (
        f'<div style="{_LINE}"><b style="color:{colour}">{escape(look.says, quote=False)}</b>. {fact}</div>'
    )


def scores(before: Sequence[Score], after: Sequence[Score]) -> str:
    """A training's table, a row a set of items. Names wrap and numbers do not, so that the last column is in
    sight on a narrow page too.
    """
    rows = [
        (
            now.name,
            f"{now.asked:,} of {now.items:,}",
            f"{was.accuracy:.1%} → {now.accuracy:.1%}",
            f"{was.loss:.3f} → {now.loss:.4f}",
        )
        for was, now in zip(before, after, strict=True)
    ]
    heads = ("items", "asked", "right,\nbefore → after", "loss,\nbefore → after")

    def cells(tag: str, row: Sequence[str]) -> str:
        found = []
        for k, cell in enumerate(row):
            space = "normal" if k == 0 else "pre"  # a head is broken where it says so
            style = f"padding:3px {0 if k == len(row) - 1 else 10}px 3px 0;vertical-align:bottom"
            found.append(
                f'<{tag} style="{style};white-space:{space};text-align:{"right" if k else "left"}">'
                f"{escape(cell, quote=False)}</{tag}>"
            )
        return "".join(found)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        '<div style="overflow-x:auto" tabindex="0" role="group" aria-label="Loss and accuracy">'
        '<table style="border-collapse:collapse;font-size:14px">'
        f"<thead><tr>{cells('th', heads)}</tr></thead><tbody>{body}</tbody></table></div>"
    )
