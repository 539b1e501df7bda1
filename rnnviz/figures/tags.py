"""Words × tags: how likely each tag is for each word, which one is true, and which one is said.

The same picture serves characters × classes. One row of panels is one model, or one moment of it; one column
is one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures.base import signed_limit

MOST_CELLS = 6000  # 32 kB on the way to the browser


@dataclass(frozen=True, eq=False)
class Tagged:
    """One sentence as one model sees it: ``scores`` (L, K), ``truth`` (L,) ids of the true tags, -1 where
    none is known, or None if none is.

    ``said`` (L,) is the tag of the largest score, -1 where a score is not a number; ``known`` (L,) False for
    words that the model does not know.
    """

    words: tuple[str, ...]
    scores: NDArray[np.float32]
    truth: tuple[int, ...] | None
    said: tuple[int, ...]
    known: tuple[bool, ...]

    @property
    def wrong(self) -> tuple[bool, ...]:
        """For each word, whether another tag than the true one is said; False where none is known."""
        truth = self.said if self.truth is None else self.truth
        return tuple(t >= 0 and s != t for s, t in zip(self.said, truth, strict=True))

    @property
    def right(self) -> tuple[int, int] | None:
        """How many tags are right, of how many that are known; None if none is."""
        if self.truth is None:
            return None
        known = sum(t >= 0 for t in self.truth)
        return known - sum(self.wrong), known


@dataclass(frozen=True, eq=False)
class Row:
    """Panels in one row, a sentence each, and their scale: "unit" for probabilities, "signed" for scores."""

    name: str
    panels: tuple[Tagged, ...]
    scale: str = "unit"
    limit: float = 1.0


@dataclass(frozen=True, eq=False)
class TagGrid:
    """Rows of equally many panels over the same tags. ``places``: which of the K tags are drawn, in order."""

    tags: tuple[str, ...]
    rows: tuple[Row, ...]
    places: tuple[int, ...]


def tagged(
    words: Sequence[object],
    scores: ArrayLike,
    *,
    truth: Sequence[int] | None = None,
    known: Sequence[bool] | None = None,
) -> Tagged:
    """The record of one sentence; a negative id in ``truth`` says that the word's tag is not known.

    Raises `ValueError` for shapes that do not agree, and for ids out of range.
    """
    array = np.asarray(scores, dtype=np.float32)
    length = len(words)
    if array.ndim != 2 or len(array) != length or not array.shape[1]:
        raise ValueError(f"scores have shape {array.shape}: expected ({length}, tags)")
    if truth is not None and (len(truth) != length or not all(t < array.shape[1] for t in truth)):
        raise ValueError(f"truth has {len(truth)} ids: expected {length}, less than {array.shape[1]}")
    if known is not None and len(known) != length:
        raise ValueError(f"known has {len(known)} values: expected {length}")
    finite = np.isfinite(array).all(axis=1)
    said = np.where(finite, np.where(np.isfinite(array), array, -np.inf).argmax(axis=1), -1)
    return Tagged(
        tuple(map(str, words)),
        array,
        None if truth is None or all(t < 0 for t in truth) else tuple(max(-1, int(t)) for t in truth),
        tuple(map(int, said)),
        (True,) * length if known is None else tuple(map(bool, known)),
    )


def tag_row(name: str, panels: Sequence[Tagged], *, signed: bool = False, limit: float | None = None) -> Row:
    """A row of panels: probabilities in [0, 1], or scores of either sign in [-limit, limit]."""
    if not signed:
        return Row(name, tuple(panels))
    reach = limit or signed_limit(np.concatenate([np.ravel(panel.scores) for panel in panels]))
    return Row(name, tuple(panels), "signed", reach)


def tag_grid(rows: Sequence[Row], tags: Sequence[object]) -> TagGrid:
    """The record of several rows. Of tags too many to send, those that are true, said or likeliest are kept.

    Raises `ValueError` if the rows do not show the same sentences over these tags.
    """
    words = [tuple(panel.words for panel in row.panels) for row in rows]
    if any(found != words[0] for found in words) or any(not row.panels for row in rows):
        raise ValueError("every row needs a panel for each of the same sentences")
    panels = [panel for row in rows for panel in row.panels]
    for panel in panels:
        if panel.scores.shape[1] != len(tags):
            raise ValueError(f"scores have shape {panel.scores.shape}: expected (L, {len(tags)})")
    room = max(4, MOST_CELLS // max(1, sum(len(panel.words) for panel in panels)))
    places: Sequence[int] = range(len(tags))
    if panels and room < len(tags):
        needed = {tag for panel in panels for tag in (*panel.said, *(panel.truth or ())) if tag >= 0}
        top = np.max([np.nan_to_num(panel.scores).max(axis=0) for panel in panels], axis=0)
        order = sorted(places, key=lambda k: (k not in needed, -top[k]))
        places = sorted(order[:room])
    return TagGrid(tuple(map(str, tags)), tuple(rows), tuple(places))


def tag_summary(grid: TagGrid) -> str:
    """The text alternative: what each row says and what is wrong in it."""
    said = []
    for row in grid.rows:
        parts = []
        for panel in row.panels:
            total = len(panel.words)
            told = [_told(panel, grid.tags, i) for i in range(total)]
            right = f"{panel.right[0]} of {panel.right[1]} right: " if panel.right else ""
            parts.append(right + ", ".join(told[:12]) + (" …" if total > 12 else ""))
        said.append(f"{row.name}: {'; '.join(parts[:4])}.")
    return " ".join(said)


def _told(panel: Tagged, tags: Sequence[str], i: int) -> str:
    said = tags[panel.said[i]] if panel.said[i] >= 0 else "no number"
    true = f" instead of {tags[panel.truth[i]]}" if panel.truth is not None and panel.wrong[i] else ""
    return f"{panel.words[i]}: {said}{true}{'' if panel.known[i] else ' (unknown word)'}"
