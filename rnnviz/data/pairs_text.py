"""People's own pairs: tab-separated text, rows of a table, a source that somebody types.

A pair is a line: source, tab, target. Nothing else means anything: a quotation mark is a token or a part of
one, and there are no comments. Tokens are characters (code points of Unicode's normal form C) or words
(between white space).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from rnnviz.data.checks import MAX_CHARS, MAX_SIZE, cell, tidy
from rnnviz.data.pairs import Pair, Tokens

Unit = Literal["character", "word"]
UNITS: tuple[Unit, ...] = ("character", "word")
COLUMNS = ("source", "target")
MAX_OWN = 5_000
MAX_TOKENS = 64  # of one side
MAX_DIFFERENT = 1_990
MAX_ALL = 100_000  # tokens of all pairs
RESERVED = ("<pad>", "<start>", "<end>")


def tokens(text: str, unit: Unit) -> Tokens:
    """The tokens of a text; white space around it is dropped, and within it is one space."""
    tidied = tidy(text)
    return tuple(tidied) if unit == "character" else tuple(tidied.split())


def joined(found: Sequence[str], unit: Unit) -> str:
    """The text that `tokens` reads as these."""
    return ("" if unit == "character" else " ").join(found)


def parse(text: str, unit: Unit) -> tuple[Pair, ...]:
    """The pairs of a text. Empty lines are skipped, and so is a first line of the headings source and target.

    Raises `ValueError` naming the line and saying what is allowed.
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"the text has {len(text):,} characters: at most {MAX_SIZE:,} are allowed")
    lines = enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1)
    filled = ((n, line.split("\t")) for n, line in lines if line.strip())
    return _checked(_rows(filled), unit)


def _rows(lines: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[str, str, str]]:
    for i, (n, cells) in enumerate(lines):
        if i == 0 and [cell.strip().lower() for cell in cells] == list(COLUMNS):
            continue
        while len(cells) > 2 and not cells[-1].strip():  # spreadsheets pad their rows
            cells.pop()
        if len(cells) != 2:
            tabs = len(cells) - 1
            told = "no tab" if tabs == 0 else f"{tabs} tabs"
            raise ValueError(f"line {n} has {told}: a line is source, one tab, target")
        yield cells[0], cells[1], f"line {n}"


def from_table(table: Mapping[str, Iterable[Any]] | Any, unit: Unit) -> tuple[Pair, ...]:
    """The pairs of a table with the columns of `COLUMNS` (a mapping of lists or a pandas DataFrame); empty
    rows are left out. Raises `ValueError` naming the missing column, or the row at fault from 1 on.
    """
    names = {str(name).strip().lower(): name for name in table}
    for wanted in COLUMNS:
        if wanted not in names:
            raise ValueError(f"the table has no column “{wanted}”: it needs {', '.join(COLUMNS)}")
    columns = [[cell(value) for value in table[names[wanted]]] for wanted in COLUMNS]
    rows = enumerate(zip(*columns, strict=True), 1)
    return _checked(((one, other, f"row {n}") for n, (one, other) in rows if one or other), unit)


def to_table(pairs: Sequence[Pair], unit: Unit) -> dict[str, list[str]]:
    """The columns of a table with a row a pair."""
    return {name: [joined(pair[k], unit) for pair in pairs] for k, name in enumerate(COLUMNS)}


def format_pairs(pairs: Sequence[Pair], unit: Unit) -> str:
    """Tab-separated values with headings, which `parse` and any spreadsheet read."""
    rows = [COLUMNS, *((joined(source, unit), joined(target, unit)) for source, target in pairs)]
    return "".join("\t".join(row) + "\n" for row in rows)


def typed(text: str, unit: Unit, known: Iterable[str]) -> Tokens:
    """The tokens of a source that somebody typed for a model that has the tokens ``known``.

    Raises `ValueError` for an empty or too long source, and for tokens that the model has never seen.
    """
    found = _side(text, "source", "", unit)
    allowed = list(known)
    missing = [token for token in dict.fromkeys(found) if token not in allowed]
    if missing:
        named = _listed(missing, 5)
        raise ValueError(
            f"{named} {'is' if len(missing) == 1 else 'are'} unknown to this model: "
            f"it knows {_listed(allowed, 30)}"
        )
    return found


def _listed(items: Sequence[str], most: int) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return " ".join(f"“{item[:20]}”" for item in items[:most]) + more


def _checked(rows: Iterable[tuple[str, str, str]], unit: Unit) -> tuple[Pair, ...]:
    found: list[Pair] = []
    seen: tuple[set[str], set[str]] = (set(), set())
    total = 0
    for source, target, place in rows:
        if len(found) == MAX_OWN:
            raise ValueError(f"{place}: more than {MAX_OWN:,} pairs: use a part of them")
        pair = _side(source, "source", f"{place}: ", unit), _side(target, "target", f"{place}: ", unit)
        total += sum(map(len, pair))
        if total > MAX_ALL:
            raise ValueError(f"{place}: more than {MAX_ALL:,} tokens in all: use fewer pairs")
        for name, side, known in zip(COLUMNS, pair, seen, strict=True):
            known.update(side)
            if len(known) > MAX_DIFFERENT:
                raise ValueError(
                    f"{place}: more than {MAX_DIFFERENT:,} different {unit}s in the {name}s: use fewer"
                )
        found.append(pair)
    if not found:
        raise ValueError("there are no pairs yet: write at least one source with its target")
    return tuple(found)


def _side(text: str, name: str, place: str, unit: Unit) -> Tokens:
    found = tokens(text, unit)
    if not found:
        raise ValueError(f"{place}the {name} is empty: write at least one {unit}")
    if len(found) > MAX_TOKENS:
        raise ValueError(f"{place}the {name} has {len(found)} {unit}s: at most {MAX_TOKENS} are allowed")
    for token in found:
        if token in RESERVED:
            raise ValueError(
                f"{place}the {name} has the word {token}, which the model uses itself: write another"
            )
        if len(token) > MAX_CHARS:
            raise ValueError(
                f"{place}the {name} has a word of {len(token)} characters, “{token[:20]}…”: "
                f"at most {MAX_CHARS} are allowed"
            )
        kinds = [unicodedata.category(c) for c in token.replace(" ", "_")]  # a space is a character
        if any(kind in ("Cc", "Cs") for kind in kinds) or all(kind[0] in "CZ" for kind in kinds):
            raise ValueError(f"{place}the {name} has what cannot be shown: {ascii(token)[:40]}")
    return found
