"""A table of numbers that a person typed, pasted or uploaded: read, written back, and changed in a grid."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Rows = tuple[tuple[float, ...], ...]
"""One row a step, one number a feature; never ragged, never empty."""

MAX_STEPS = 128
MAX_COLUMNS = 32
MAX_CELLS = 1024  # what fits into an address
TABLE = "1 0\n0 1\n0 0\n0 0\n0 0\n1 1"


def parse_table(text: str) -> tuple[Rows, str | None]:
    """The rows of a pasted table (spaces, tabs, commas or semicolons between numbers), and a sentence if it
    was not one.

    A first line without any number is taken for a heading. A table that is ragged, not numeric or too large
    is cut down to its good part: the first rows that can be used; an empty one gives the default table.
    """
    rows: list[tuple[float, ...]] = []
    note = None
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    for i, line in lines:
        words = [w for w in re.split(r"[\s,;]+", line.strip()) if w]
        numbers = [_float(w) for w in words]
        if not rows and all(n is None for n in numbers) and i == lines[0][0]:
            continue
        wrong = next((w for w, n in zip(words, numbers, strict=True) if n is None), None)
        if wrong is not None:
            note = f"Table, line {i}: “{wrong[:20]}” is not a number of at most ±1000"
        elif rows and len(numbers) != len(rows[0]):
            note = f"Table, line {i} has {len(numbers)} numbers, the lines above have {len(rows[0])}"
        elif len(numbers) > MAX_COLUMNS:
            note = f"Table, line {i} has {len(numbers)} numbers: at most {MAX_COLUMNS} are allowed"
        elif len(rows) == MAX_STEPS or (rows and (len(rows) + 1) * len(rows[0]) > MAX_CELLS):
            note = f"Table: at most {MAX_STEPS} lines and {MAX_CELLS} numbers are allowed"
        if note:
            break
        rows.append(tuple(n for n in numbers if n is not None))
    if not rows:
        rows = list(parse_table(TABLE)[0])
        return tuple(rows), (note or "Table has no numbers") + ": the example is used"
    return tuple(rows), note and f"{note}: only the {len(rows)} lines above it are used"


def format_table(rows: Rows) -> str:
    """A table as the text that `parse_table` reads."""
    return "\n".join(" ".join(f"{v:.7g}" for v in row) for row in rows)


def has_numbers(text: str) -> bool:
    """Whether `parse_table` finds at least one row in a text."""
    return any(_float(word) is not None for word in re.split(r"[\s,;]+", text))


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
