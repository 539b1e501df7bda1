"""What a click on a picture changes: the page's values after it, as its own text fields hold them."""

from __future__ import annotations

from typing import Any

from rnnviz.embeddings.inputs import MAX_BAGS, Bags, Table
from rnnviz.embeddings.words import written


def with_row(table: Table, position: int, row: int) -> dict[str, Any]:
    """After a click on a row of the table: its word at the end of the sentence that is marked, or, where bare
    indices are looked up, its number at the marked position, and the mark one further.
    """
    length = len(table.indices[0])
    if table.names:
        lines = [list(line) for line in table.indices]
        marked = lines[min(position // length, len(lines) - 1)]
        while marked and marked[-1] == 0:
            marked.pop()  # what only filled it up
        marked.append(row)
        longest = max(map(len, lines))
        at = lines.index(marked) * longest + len(marked) - 1
        return {"e_text": "\n".join(_sentence(table, line) for line in lines), "e_pos": at}
    flat = [i for line in table.indices for i in line]
    flat[position] = row
    chunks = tuple(tuple(flat[at : at + length]) for at in range(0, len(flat), length))
    return {"e_indices": written(chunks), "e_pos": (position + 1) % len(flat)}


def _sentence(table: Table, line: list[int]) -> str:
    kept = list(line)
    while len(kept) > 1 and kept[-1] == 0:
        kept.pop()
    return " ".join(table.names[i] for i in kept)


def with_start(bags: Bags, position: int) -> str | None:
    """The offsets after a click on a position: a bag starts there, or no longer does. None: nothing changes,
    because the first bag always starts at 0, an input of several lines has no offsets, or there are too many.
    """
    if len(bags.items) != 1 or not 0 < position < len(bags.flat):
        return None
    before = sorted(offset for offset in bags.offsets or (0,) if offset >= 0)
    if before[:1] != [0]:
        before.insert(0, 0)
    after = [offset for offset in before if offset != position]
    if len(after) == len(before):
        after = sorted([*before, position])
    return " ".join(map(str, after)) if len(after) <= MAX_BAGS else None
