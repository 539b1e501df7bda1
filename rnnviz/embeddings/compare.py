"""One-hot vectors against embeddings: how large, how sparse, and how alike their tokens are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.embeddings.inputs import Table
from rnnviz.embeddings.lookup import lookup
from rnnviz.embeddings.pretrained import cosines, sample
from rnnviz.embeddings.words import PAD

BERT = (30_522, 768)
"""Rows and dimension of bert-base-uncased's word embeddings, for scale."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Cosines of the tokens' one-hot vectors and of their embeddings, (V, V) each.

    ``missing`` are words without a vector. ``closest`` says which two tokens are most alike. ``sizes`` are
    the lines of a table under ``heads``: what either way to the same embedding takes.
    """

    names: tuple[str, ...]
    one_hot: NDArray[np.float32]
    vectors: NDArray[np.float32]
    title: str
    missing: tuple[str, ...]
    closest: str
    heads: tuple[str, ...]
    sizes: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=32)
def compare(table: Table, trained: bool) -> Compared:
    """The comparison for the screen's table, or for the sample's vectors of its words."""
    missing: tuple[str, ...] = ()
    if trained:
        vectors = sample()
        words = tuple(word for word in table.names if word != PAD)
        found = {word: vectors.find(word) for word in words}
        names = tuple(word for word in words if found[word] is not None)
        missing = tuple(word for word in words if found[word] is None)
        matrix = vectors.matrix[[row for row in found.values() if row is not None]]
        title = "the sample vectors"
    else:
        matrix, title = lookup(table).weight, "weight, untrained"
        names = table.names or tuple(map(str, range(table.config.num_embeddings)))
    alike = cosines(matrix)
    return Compared(
        names,
        cosines(np.eye(len(names), dtype=np.float32)),
        alike,
        title,
        missing,
        _closest(names, alike, trained),
        ("one_hot @ weight: here / BERT", "lookup: here / BERT"),
        _sizes(max(len(names), 1), matrix.shape[1], table.positions),
    )


def _closest(names: tuple[str, ...], alike: NDArray[np.float32], trained: bool) -> str:
    if len(names) < 2:
        asked = "type words that the sample knows, such as cat, king, milk" if trained else "type more"
        return f"There are no two tokens to compare: {asked}."
    pairs = np.where(np.tri(len(names), k=-1, dtype=bool), np.nan_to_num(alike, nan=-2), -2)
    a, b = divmod(int(pairs.argmax()), len(names))
    why = "because they stand in the same places in text" if trained else "by chance: nothing was learned yet"
    return (
        f"One-hot vectors know no similarity: every two different tokens have cosine 0. Here “{names[b]}” "
        "and "
        f"“{names[a]}” are most alike, cosine {pairs[a, b]:.2f}, {why}."
    )


def _sizes(rows: int, dim: int, positions: int) -> tuple[tuple[str, ...], ...]:
    def both(here: int, there: int) -> str:
        return f"{here:,} / {there:,}"

    v, d = BERT
    weight = both(rows * dim, v * d)
    inputs = both(4 * positions * rows, 4 * positions * v)
    tokens = f"{positions} token{'s' * (positions != 1)}"
    return (
        ("numbers that go in for a token", both(rows, v), "1: its row number"),
        ("zeros among them", both(rows - 1, v - 1), "none needed"),
        ("numbers that come out for it", both(dim, d), both(dim, d)),
        ("numbers in the learnable weight", weight, f"{weight}: the same one"),
        (f"bytes that go in for {tokens}, float32 or int64", inputs, f"{8 * positions:,}"),
        ("multiplications for a token", weight, "none: a row is copied"),
    )
