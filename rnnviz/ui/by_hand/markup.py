"""Code as HTML: what a fault changed is marked, and what the stepper stands at.

Written from this program's own source and numbers only: nothing that a user typed as text comes here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from rnnviz.by_hand.experiment import Outcome, Times
from rnnviz.by_hand.recorder import Operation
from rnnviz.figures import theme

_MONO = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_PANEL = (
    f"font-family:{_MONO};font-size:12px;line-height:1.45;overflow:auto;padding:5px 0;"
    f"background:{theme.MUTED}14;border-radius:6px"
)
_LINE = "padding:0 10px 0 7px;border-left:3px solid "
_LOUD = f"light-dark({theme.MISMATCH}, {theme.DARK[theme.MISMATCH]})"
_BROKEN = f"{_LINE}{theme.MISMATCH};background:{theme.MISMATCH}2b"
_GONE = f"{_LINE}transparent;opacity:.6"
_HERE = f"{_LINE}{theme.ACCENT};background:{theme.ACCENT}1c"
_PLAIN = f"{_LINE}transparent"
_MARK = f"color:inherit;background:{theme.ACCENT}55;border-radius:3px"
_KEYWORDS = re.compile(r"\b(def|for|in|return|if|else)\b")


@dataclass(frozen=True)
class Box:
    """How code is shown: its accessible name, whether long lines wrap, whether what differs is a fault."""

    label: str
    wrap: bool = False
    fault: bool = True


@lru_cache(maxsize=128)
def code(now: str, right: str, box: Box, at: Operation | None = None) -> str:
    """The source ``now``, its differences from ``right`` marked, and the operation ``at`` which it stands."""
    new, old = now.rstrip().splitlines(), right.rstrip().splitlines()
    lines: list[str] = []
    differs, was, now_ = (_BROKEN, "right: ", "broken: ") if box.fault else (_HERE, "before: ", "now: ")
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [_line(text, _GONE, said=was) for text in old[first:last]]
        for k in range(begin, end):
            style, said = (_PLAIN, "") if tag == "equal" else (differs, now_)
            if at is not None and at.line == k:
                lines.append(_line_at(new[k], at, style if tag != "equal" else _HERE))
            else:
                lines.append(_line(new[k], style, said=said))
    # As wide as its longest line, so that a mark reaches across when the box scrolls.
    wrapping = "white-space:pre-wrap" if box.wrap else "white-space:pre;min-width:max-content"
    body = f'<div style="{wrapping}">{"".join(lines)}</div>'
    return f'<div style="{_PANEL}" role="group" aria-label="{escape(box.label)}" tabindex="0">{body}</div>'


def _line(text: str, style: str, *, said: str = "") -> str:
    spoken = f'<span style="position:absolute;clip-path:inset(50%)">{said}</span>' if said else ""
    if style == _GONE:
        indent = len(text) - len(text.lstrip())
        return f'<div style="{style}">{spoken}{" " * indent}<s>{_coloured(text[indent:])}</s></div>'
    return f'<div style="{style}">{spoken}{_coloured(text) or " "}</div>'


def _line_at(text: str, at: Operation, style: str) -> str:
    marked = f'<mark style="{_MARK}">{_coloured(text[at.start : at.stop])}</mark>'
    return f'<div style="{style}">{_coloured(text[: at.start])}{marked}{_coloured(text[at.stop :])}</div>'


@lru_cache(maxsize=2048)  # of a few hundred lines in all: most of what a rerun writes
def _coloured(text: str) -> str:
    before, mark, comment = text.partition("#")
    if not mark and text.lstrip().startswith('"""'):
        return f'<span style="opacity:.65">{escape(text, quote=False)}</span>'
    shown = _KEYWORDS.sub(r"<b>\1</b>", escape(before, quote=False))
    return shown + (f'<span style="opacity:.65">#{escape(comment, quote=False)}</span>' if mark else "")


def head(title: str, seconds: float, repeats: int) -> str:
    """The name of a side and its time."""
    runs = "One warm run" if repeats == 1 else f"Median of {repeats} warm runs"
    note = f"{runs}, forward only, one core"
    return (
        f'<div style="display:flex;justify-content:space-between;padding:0 4px 3px"><b>{title}</b>'
        f'<span style="opacity:.75" title="{note}">{_time(seconds)}</span></div>'
    )


def headline(said: str, code: str, shapes: str) -> str:
    """Which operation it is, and the shape of what comes out."""
    style = "padding:0 4px 5px;font-size:14px;line-height:1.45"
    shown = f'<span style="font-family:{_MONO};font-size:12px">{escape(code, quote=False)}</span>'
    return f'<div style="{style}">{said}<br>{shown} → <b>{shapes}</b></div>'


def verdict(outcome: Outcome) -> str:
    """max |difference| of each result and of all gradients, each with its verdict."""
    rows = [
        (one.name, one.largest, one.equal, f"{one.hand.shape} ≠ {one.torch.shape}") for one in outcome.results
    ]
    largest = max(one.largest for one in outcome.gradients)
    rows.append(("gradients", largest, all(one.equal for one in outcome.gradients), ""))
    cells = "".join(
        f'<span><b>{name}</b> <span style="{_verdict_style(equal)}">'
        f"{'shapes differ: ' + shapes if apart is None else number(apart)} "
        f"{'✓' if equal else '✗'}</span></span>"
        for name, apart, equal, shapes in rows
    )
    note = "✓: equal up to rounding, which is at most 1e-5 (float64: 1e-11) of the largest number"
    flow = "display:flex;flex-wrap:wrap;gap:0 18px;padding:6px 4px 0;font-size:14px;line-height:1.4"
    return f'<div style="{flow}"><span title="{note}">max |difference|</span>{cells}</div>'


def number(value: float) -> str:
    """A difference in a few characters: 0, 6.0e-08, 0.348."""
    return f"{value:.1e}" if 0 < value < 1e-3 else f"{value:.3g}"


def _verdict_style(equal: bool) -> str:
    return "" if equal else f"color:{_LOUD};font-weight:700"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.0f} µs"


@dataclass(frozen=True)
class Side:
    """One side as it is shown: its name, its code as HTML, its time, and how many pixels it would have."""

    title: str
    code: str
    seconds: float
    width: int


def both(left: Side, right: Side, times: Times, said: str) -> str:
    """Two sides beside each other, or one above the other; under the right what is said."""
    below = f'<div style="padding:8px 4px 0;font-size:14px;line-height:1.4">{escape(said, quote=False)}</div>'
    columns = "".join(
        f'<div style="flex:{side.width} 1 {side.width}px;min-width:0">'
        f"{head(side.title, side.seconds, times.repeats)}{side.code}{more}</div>"
        for side, more in ((left, ""), (right, below * bool(said)))
    )
    style = "display:flex;flex-wrap:wrap;gap:10px;align-items:flex-start"
    return f'<div style="{style}">{columns}</div>'
