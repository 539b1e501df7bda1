"""What-if changes of a decoding as plain text, one a line; standard library only.

    attention 3 = 0 0 1 0     the weights of step 3, one for each source position; divided by their sum
    mask 2                    attention may not look at source position 2
    say 1 = b                 step 1 says b, and the decoder goes on from there

The text is the change: it stands in the address and in the box on the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

MAX_LINES = 40
_ATTENTION = re.compile(r"attention\s+(100|\d{1,2})\s*=\s*(.*)")
_MASK = re.compile(r"mask\s+(\d{1,3})")
_SAY = re.compile(r"say\s+(100|\d{1,2})\s*=\s*(.+)")


@dataclass(frozen=True)
class Changes:
    """What is changed: ``weights`` (step, one weight for each source position), ``masked`` positions,
    ``tokens`` (step, token); as `rnnviz.models.decoding.How` takes them.
    """

    weights: tuple[tuple[int, tuple[float, ...]], ...] = ()
    masked: tuple[int, ...] = ()
    tokens: tuple[tuple[int, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.weights or self.masked or self.tokens)


def parse(
    text: str, length: int, known: frozenset[str] | None, attends: bool = True
) -> tuple[Changes, list[str]]:
    """The changes of a text for a source of ``length`` tokens, and a sentence for each line that cannot be
    done; the others count. ``known``: what can be said. A later line of the same step counts.
    """
    weights: dict[int, tuple[float, ...]] = {}
    masked: dict[int, None] = {}
    tokens: dict[int, str] = {}
    wrong: list[str] = []
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for line in lines[:MAX_LINES]:
        short = f"“{line[:40]}”"
        if (found := _ATTENTION.fullmatch(line)) and attends:
            row = _row(found[2], length)
            if isinstance(row, str):
                wrong.append(f"{short}: {row}")
            else:
                weights[int(found[1])] = row
        elif (found := _MASK.fullmatch(line)) and attends:
            if int(found[1]) >= length:
                wrong.append(f"{short}: the source has positions 0 to {length - 1}")
            else:
                masked[int(found[1])] = None
        elif found := _SAY.fullmatch(line):
            if known is not None and found[2] not in known:
                listed = " ".join(sorted(known)[:30])
                wrong.append(f"{short}: this model can say {listed}{' …' if len(known) > 30 else ''}")
            else:
                tokens[int(found[1])] = found[2]
        elif not attends and not _SAY.fullmatch(line):
            wrong.append(f"{short}: without attention only “say 1 = b” can be done")
        else:
            wrong.append(f"{short} is none of: attention 3 = 0 0 1 0, mask 2, say 1 = b")
    if len(lines) > MAX_LINES:
        wrong.append(f"at most {MAX_LINES} lines are done: the rest is left out")
    if masked and len(masked) == length:
        wrong.append("every source position is masked: one must stay, so none is masked")
        masked = {}
    for step, row in [*weights.items()]:
        if not sum(w for j, w in enumerate(row) if j not in masked):
            wrong.append(f"attention {step}: all of its weight is on masked positions, so it is left out")
            del weights[step]
    return Changes(
        tuple(sorted(weights.items())), tuple(sorted(masked)), tuple(sorted(tokens.items()))
    ), wrong


def _row(text: str, length: int) -> tuple[float, ...] | str:
    try:
        row = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        return "the weights are numbers with spaces between them"
    if len(row) != length:
        return f"{len(row)} weights, and the source has {length} tokens"
    if not all(math.isfinite(w) and 0 <= w <= 1e9 for w in row):
        return "a weight is a finite number, 0 or more"
    return row if sum(row) else "at least one weight must be above 0"


def moved_weight(row: list[float], place: int, weight: float, fixed: Collection[int] = ()) -> list[float]:
    """The row with another weight at a place, cut to [0, 1]; the others keep their proportions, and the sum
    stays 1. ``fixed``: positions that stay at 0.
    """
    weight = min(1.0, max(0.0, weight))
    others = [j for j in range(len(row)) if j != place and j not in fixed]
    rest = sum(row[j] for j in others)
    moved = [weight if j == place else 0.0 for j in range(len(row))]
    for j in others:
        moved[j] = (1 - weight) * row[j] / rest if rest else (1 - weight) / len(others)
    return moved


def attention_line(step: int, row: list[float]) -> str:
    """The line that gives a step these weights."""
    return f"attention {step} = " + " ".join(f"{w:.3f}".rstrip("0").rstrip(".") or "0" for w in row)


def replaced(text: str, line: str) -> str:
    """The text with a line added, in place of the one about the same step or position."""
    head = re.match(r"(attention|mask|say)\s+\d+", line)
    assert head is not None
    same = re.compile(re.escape(head[0]) + r"(?!\d)")
    kept = [old for old in text.split("\n") if old.strip() and not same.match(old.strip())]
    return "\n".join([*kept, line])
