"""In which order a batch of sentences enters a layer: step t feeds the t-th token of every sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.layers import stream

PAD = "<pad>"
MAX_STEPS, MAX_SENTENCES = 512, 256
MAX_NUMBERS = 2_000_000

# Han and kana are written without spaces between words: there, one character is one token.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True)
class Batch:
    """N sentences padded to the longest.

    ``rows[n]`` are the L tokens of sentence n and ``lengths`` the true lengths. ``notes`` say what was
    special about the text.
    """

    rows: tuple[tuple[str, ...], ...]
    lengths: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def length(self) -> int:
        """L."""
        return max(self.lengths)

    def tokens_at(self, step: int) -> tuple[str, ...]:
        """The N tokens that enter together at a step."""
        return tuple(row[step] for row in self.rows)


def batch(text: str, fallback: str) -> Batch:
    """The batch of a text, one sentence a line; ``fallback`` is read where the text has no word."""
    notes = []
    lines = _lines(text)
    if not lines:
        lines = _lines(fallback)
        notes.append(f"There is no word in the text: {len(lines)} sentences stand in for it.")
    if len(lines) > MAX_SENTENCES:
        notes.append(f"There are {len(lines):,} sentences: the first {MAX_SENTENCES} are read.")
        lines = lines[:MAX_SENTENCES]
    longest = max(map(len, lines))
    if longest > MAX_STEPS:
        notes.append(f"The longest sentence has {longest:,} tokens: the first {MAX_STEPS} are read.")
        lines, longest = [line[:MAX_STEPS] for line in lines], MAX_STEPS
    if len(lines) == 1:
        notes.append("One sentence is a batch of one: a single token enters at each step.")
    if re.search(f"[{_UNSPACED}]", text):
        notes.append("Writing without spaces is cut into single characters: each is a token.")
    rows = tuple(line + (PAD,) * (longest - len(line)) for line in lines)
    return Batch(rows, tuple(map(len, lines)), tuple(notes))


def _lines(text: str) -> list[tuple[str, ...]]:
    return [tokens for line in text.splitlines() if (tokens := tuple(_TOKEN.findall(line)))]


@lru_cache(maxsize=4)  # at most 32 MB; a step through a long text asks for the same again
def vectors(found: Batch, size: int, seed: int) -> Mapping[str, NDArray[np.float32]]:
    """One seeded vector of ``size`` numbers for each different token that is not padding.

    Raises ValueError if that is more than `MAX_NUMBERS` numbers.
    """
    pairs = zip(found.rows, found.lengths, strict=True)
    words = list(dict.fromkeys(token for row, length in pairs for token in row[:length]))
    if len(words) * size > MAX_NUMBERS:
        raise ValueError(
            f"{len(words):,} tokens × input_size {size:,}: at most {MAX_NUMBERS:,} numbers are drawn"
        )
    with stream(seed):
        drawn = torch.randn(len(words), size).numpy()  # (tokens, H_in)
    drawn.flags.writeable = False
    return MappingProxyType(dict(zip(words, drawn, strict=True)))


def entering(
    found: Batch, step: int, known: Mapping[str, NDArray[np.float32]], size: int
) -> NDArray[np.float32]:
    """The (N, size) matrix that goes in at a step: a row of zeros for a sentence that has ended."""
    matrix = np.zeros((len(found.rows), size), dtype=np.float32)
    for n, (row, length) in enumerate(zip(found.rows, found.lengths, strict=True)):
        if step < length:
            matrix[n] = known[row[step]]
    return matrix
