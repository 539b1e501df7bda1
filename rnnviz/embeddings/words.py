"""Typed text to row numbers: sentences with their vocabulary, lists of indices, offsets and weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

PAD = "<pad>"
MAX_ROWS, MAX_DIM = 64, 24
MAX_TOKENS = 64
"""N · L: positions that are looked up at once."""

SEPARATORS = str.maketrans(dict.fromkeys("[](),;", " "))
BRACKETS = str.maketrans(dict.fromkeys("[](),", " "))

Indices = tuple[tuple[int, ...], ...]
"""(N, L): row numbers, all sequences equally long."""


@dataclass(frozen=True)
class Sentences:
    """Sentences as row numbers. ``names`` says which word each row stands for; row 0 is `PAD`."""

    names: tuple[str, ...]
    indices: Indices
    note: str | None


def sentences(text: str) -> Sentences:
    """One sentence a line: each different word gets a row, in the order in which they first come.

    Shorter sentences are filled up with `PAD`, row 0. Without any word there is one sentence of one `PAD`.
    ``note`` says what was cut off to stay within `MAX_TOKENS` positions and `MAX_ROWS` rows.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    names: dict[str, int] = {PAD: 0}
    kept: list[list[int]] = []
    longest, cut = 0, False
    for line in lines:
        row: list[int] = []
        for word in line:
            fits = (len(kept) + 1) * max(longest, len(row) + 1) <= MAX_TOKENS
            if not fits or (word not in names and len(names) == MAX_ROWS):
                cut = True
                break
            row.append(names.setdefault(word, len(names)))
        if not row:
            break
        kept.append(row)
        longest = max(longest, len(row))
    padded = tuple(tuple(row + [0] * (longest - len(row))) for row in kept) or ((0,),)
    most = f"at most {MAX_TOKENS} positions and {MAX_ROWS} rows are shown: the rest is left out"
    return Sentences(tuple(names), padded, f"Sentences: {most}" if cut else None)


def whole_numbers(text: str, what: str) -> tuple[tuple[tuple[int, ...], ...], str | None]:
    """Lines of whole numbers, also in Python's brackets and with ``;`` between lines, empty lines left out;
    and a sentence naming what is no whole number. Such words are left out.
    """
    rows: list[tuple[int, ...]] = []
    wrong: list[str] = []
    text = text.replace("],", "]\n").replace(";", "\n")
    for line in text.splitlines():
        numbers = []
        for word in line.translate(BRACKETS).split():
            try:
                number = int(word)
            except ValueError:
                wrong.append(word)
                continue
            if abs(number) >= 2**31:
                wrong.append(word)
            else:
                numbers.append(number)
        if numbers:
            rows.append(tuple(numbers))
    return tuple(rows), _left_out(what, wrong, "a whole number")


def numbers(text: str, what: str) -> tuple[tuple[float, ...], str | None]:
    """Finite numbers of a text, also in Python's brackets, and a sentence naming what is none."""
    found: list[float] = []
    wrong: list[str] = []
    for word in text.translate(SEPARATORS).split():
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and abs(number) <= 1000:
            found.append(number)
        else:
            wrong.append(word)
    return tuple(found), _left_out(what, wrong, "a number of at most ±1000")


def written(rows: tuple[tuple[int, ...], ...]) -> str:
    """Lines of whole numbers as `whole_numbers` reads them."""
    return "\n".join(" ".join(map(str, row)) for row in rows)


def _left_out(what: str, wrong: list[str], kind: str) -> str | None:
    if not wrong:
        return None
    named = ", ".join(f"“{word[:20]}”" for word in wrong[:3]) + (", …" if len(wrong) > 3 else "")
    is_ = "is not" if len(wrong) == 1 else "are not each"
    return f"{what}: {named} {is_} {kind}, and left out"
