"""Home's small LSTM, really run, and what is said at each of its steps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from rnnviz.layers import make, stream
from rnnviz.recovery import Array
from rnnviz.screens.home import INPUT_SIZE, HomeScreen
from rnnviz.tracing import Trace, trace


@lru_cache(maxsize=64)
def read(screen: HomeScreen) -> Trace:
    """The trace of an untrained nn.LSTM over the words: the weights, then a vector a word, from one seed."""
    with stream(screen.seed):
        module = make(screen.config)
        vectors = torch.randn(len(screen.vocabulary), INPUT_SIZE)  # (vocabulary, H_in)
    x = vectors[[screen.vocabulary.index(word) for word in screen.words]].unsqueeze(1)  # (L, 1, H_in)
    return trace(module, x)


def hidden(screen: HomeScreen) -> Array:
    """h after each word, (L, H)."""
    return read(screen).sel("h")[:, 0]


def sentences(screen: HomeScreen) -> tuple[str, ...]:
    """One line for each step: what is seen while that word is read."""
    return tuple(_sentence(screen, step) for step in range(len(screen.words)))


def shorten(word: str, limit: int = 20) -> str:
    """The word, cut so that a line of text stays one."""
    return word if len(word) <= limit else word[: limit - 1] + "…"


def _sentence(screen: HomeScreen, step: int) -> str:
    word, last = shorten(screen.words[step]), len(screen.words) - 1
    before = f"{step + 1} of {last + 1}"
    if step == 0:
        numbers = "one number comes" if screen.hidden == 1 else f"{screen.hidden} numbers come"
        return (
            f"{before}: “{word}” enters an empty memory; {numbers} out, the first column: the hidden state."
        )
    earlier = screen.words.index(screen.words[step])
    if earlier < step:
        gap = float(np.abs(np.subtract(*hidden(screen)[[earlier, step]])).max())
        return (
            f"{before}: “{word}” again, the same vector as at {earlier + 1}, yet its column is another "
            f"(by up to {gap:.2f}): the LSTM remembers what came between."
        )
    if step == last:
        return f"{before}: “{word}”. The last column is h_n: with c_n, all that is left of the sentence."
    return f"{before}: “{word}” enters with what is remembered: the column before it, and the cell state c."
