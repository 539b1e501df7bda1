"""Code as HTML: what a fault changed is marked, and what the stepper stands at.

Written from this program's own source and numbers only: nothing that a user typed as text comes here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from html import escape

from rnnviz.by_hand.experiment import Outcome, Times
from rnnviz.by_hand.recorder import Operation
from rnnviz.figures import theme

_MONO = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_PANEL = (
    f"font-family:{_MONO};font-size:12.5px;line-height:1.45;white-space:pre;overflow:auto;padding:6px 0;"
    "background:var(--st-secondary-background-color);border-radius:6px"
)
_LINE = "padding:0 10px 0 7px;border-left:3px solid "
_BROKEN = f"{_LINE}{theme.MISMATCH};background:{theme.MISMATCH}2b"
_GONE = f"{_LINE}transparent;text-decoration:line-through;opacity:.55"
_HERE = f"{_LINE}var(--st-primary-color);background:color-mix(in srgb, var(--st-primary-color) 12%, transparent)"
_PLAIN = f"{_LINE}transparent"
_MARK = "color:inherit;background:color-mix(in srgb, var(--st-primary-color) 38%, transparent);border-radius:3px"
_KEYWORDS = re.compile(r"\b(def|for|in|return|if|else)\b")


def code(now: str, right: str, label: str, at: Operation | None = None, height: int | None = None) -> str:
    """The source ``now``, its differences from ``right`` marked, and the operation ``at`` which it stands."""
    new, old = now.rstrip().splitlines(), right.rstrip().splitlines()
    lines: list[str] = []
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [_line(text, _GONE, said="right: ") for text in old[first:last]]
        for k in range(begin, end):
            style, said = (_PLAIN, "") if tag == "equal" else (_BROKEN, "broken: ")
            if at is not None and at.line == k:
                lines.append(_line_at(new[k], at, style if tag != "equal" else _HERE))
            else:
                lines.append(_line(new[k], style, said=said))
    limit = f";max-height:{height}px" if height else ""
    # As wide as its longest line, so that a mark reaches across when the box scrolls.
    body = f'<div style="min-width:max-content">{"".join(lines)}</div>'
    return f'<div style="{_PANEL}{limit}" role="group" aria-label="{escape(label)}" tabindex="0">{body}</div>'


def _line(text: str, style: str, *, said: str = "") -> str:
    spoken = f'<span style="position:absolute;clip-path:inset(50%)">{said}</span>' if said else ""
    return f'<div style="{style}">{spoken}{_coloured(text) or " "}</div>'


def _line_at(text: str, at: Operation, style: str) -> str:
    marked = f'<mark style="{_MARK}">{_coloured(text[at.start : at.stop])}</mark>'
    return f'<div style="{style}">{_coloured(text[: at.start])}{marked}{_coloured(text[at.stop :])}</div>'


def _coloured(text: str) -> str:
    before, mark, comment = text.partition("#")
    if not mark and text.lstrip().startswith('"""'):
        return f'<span style="opacity:.65">{escape(text)}</span>'
    shown = _KEYWORDS.sub(r"<b>\1</b>", escape(before, quote=False))
    return shown + (f'<span style="opacity:.65">#{escape(comment, quote=False)}</span>' if mark else "")


def pair(left: str, right: str) -> str:
    """Two parts side by side, one above the other where there is no room."""
    style = "display:flex;flex-wrap:wrap;gap:10px;align-items:flex-start"
    return (
        f'<div style="{style}"><div style="flex:3 1 430px;min-width:0">{left}</div>'
        f'<div style="flex:2 1 300px;min-width:0">{right}</div></div>'
    )


def head(title: str, seconds: float, repeats: int) -> str:
    """The name of a side and its time."""
    note = f"Median of {repeats} warm runs, forward only, one core"
    return (
        f'<div style="display:flex;justify-content:space-between;padding:0 4px 3px"><b>{title}</b>'
        f'<span style="opacity:.75" title="{note}">{_time(seconds)}</span></div>'
    )


def verdict(outcome: Outcome) -> str:
    """max |difference| of each result and of all gradients, each with its verdict."""
    rows = [(one.name, one.largest, one.equal, f"{one.hand.shape} ≠ {one.torch.shape}") for one in outcome.results]
    largest = max((one.largest for one in outcome.gradients if one.largest is not None), default=0.0)
    rows.append(("gradients", largest, all(one.equal for one in outcome.gradients), ""))
    cells = "".join(
        f'<span><b>{name}</b></span><span style="{_verdict_style(equal)}">'
        f"{'shapes differ: ' + shapes if apart is None else f'{apart:.1e}'} {'✓' if equal else '✗'}</span>"
        for name, apart, equal, shapes in rows
    )
    grid = "display:grid;grid-template-columns:max-content 1fr;gap:0 12px;padding:6px 4px 0;font-size:13.5px;line-height:1.4"
    return f'<div style="{grid}"><span>max |difference|</span><span></span>{cells}</div>'


def _verdict_style(equal: bool) -> str:
    return "" if equal else f"color:{theme.MISMATCH};font-weight:700"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.0f} µs"


def both(hand: str, call: str, times: Times, outcome: Outcome) -> str:
    """The hand-written side left; right PyTorch's, and how far they are apart."""
    left = head("By hand", times.hand, times.repeats) + hand
    right = head("PyTorch", times.torch, times.repeats) + call + verdict(outcome)
    return pair(left, right)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column left, the others right."""
    lines = [f"| {' | '.join(heads)} |", "|:--" + "|--:" * (len(heads) - 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
