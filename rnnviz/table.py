"""A table of numbers that a person typed, pasted or uploaded: read, written back, and changed in a grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Rows = tuple[tuple[float, ...], ...]
"""One row a step, one number a feature; never ragged, never empty."""

MAX_STEPS = 128
MAX_COLUMNS = 32
MAX_CELLS = 1024  # what fits into an address
TABLE = "1 0\n0 1\n0 0\n0 0\n0 0\n1 1"


def read_table(text: str) -> tuple[Rows, str | None]:
    """The rows of a pasted table, and a sentence on why the rest of it was not read.

    What stands between the numbers is a tab, a semicolon, a comma or white space: the first of these that
    occurs. With tabs or semicolons a number may be written with a decimal comma. A first line without any
    number is a heading. Reading ends at the first line that is ragged, not numeric or one too many; there may
    be no rows.
    """
    between = next((mark for mark in ("\t", ";", ",") if mark in text), None)
    rows: list[tuple[float, ...]] = []
    lines = [(i, line.strip(" \r")) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    for i, line in lines:
        words = [w.strip() for w in line.split(between)]
        numbers = [_float(w.replace(",", ".") if between in ("\t", ";") else w) for w in words]
        if not rows and all(n is None for n in numbers) and i == lines[0][0]:
            continue
        if problem := _problem(words, numbers, rows):
            return tuple(rows), f"Table, line {i}{problem}"
        rows.append(tuple(n for n in numbers if n is not None))
    return tuple(rows), None if rows else "Table has no numbers"


def _problem(words: list[str], numbers: list[float | None], rows: list[tuple[float, ...]]) -> str | None:
    if "" in words:
        return f" has no number in column {words.index('') + 1}"
    if None in numbers:
        return f": “{words[numbers.index(None)][:20]}” is not a number of at most ±1000"
    if rows and len(numbers) != len(rows[0]):
        return f" has {len(numbers)} numbers, the lines above have {len(rows[0])}"
    if len(numbers) > MAX_COLUMNS:
        return f" has {len(numbers)} numbers: at most {MAX_COLUMNS} are allowed"
    if len(rows) == MAX_STEPS or (rows and (len(rows) + 1) * len(rows[0]) > MAX_CELLS):
        return f" is too much: at most {MAX_STEPS} lines and {MAX_CELLS} numbers are allowed"
    return None


def parse_table(text: str) -> tuple[Rows, str | None]:
    """A table to work with, and a sentence if the text was not one: its first good rows, else the example."""
    rows, problem = read_table(text)
    if not rows:
        return read_table(TABLE)[0], f"{problem}: the example is used"
    used = (
        "only the line above it is used"
        if len(rows) == 1
        else f"only the {len(rows)} lines above it are used"
    )
    return rows, problem and f"{problem}: {used}"


def format_table(rows: Rows) -> str:
    """A table as the text that `parse_table` reads."""
    return "\n".join(" ".join(f"{v:.7g}" for v in row) for row in rows)


def edit_table(rows: Rows, changes: Mapping[str, Any]) -> Rows:
    """The table after what a grid reports: ``edited_rows`` {row: {column: value}}, ``added_rows`` and
    ``deleted_rows``.

    A cell that is empty or no number counts as 0; the last row cannot be deleted.
    """
    width = len(rows[0])
    table = [list(row) for row in rows]
    for row, cells in changes.get("edited_rows", {}).items():
        for column, value in cells.items():
            if int(row) < len(table) and str(column).isdecimal() and int(column) < width:
                table[int(row)][int(column)] = _float(str(value)) or 0.0
    deleted = {int(row) for row in changes.get("deleted_rows", ())}
    kept = [row for i, row in enumerate(table) if i not in deleted] or table[:1]
    added = [
        [_float(str(cells.get(str(k)))) or 0.0 for k in range(width)]
        for cells in changes.get("added_rows", ())
    ]
    return tuple(tuple(row) for row in (kept + added)[:MAX_STEPS])


def _float(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= 1000 else None
