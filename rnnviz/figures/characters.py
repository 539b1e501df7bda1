"""The grids of *Characters*: the softmax at each position, and a state that is itself the score (D3, D4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from numpy.typing import ArrayLike

from rnnviz.data.characters import shown
from rnnviz.figures.tags import TagGrid, tag_grid, tag_row, tagged


@dataclass(frozen=True)
class Strings:
    """What enters, what is to be said, and the characters that could be: `CharsConfig`'s, in its order."""

    source: str
    target: str
    classes: tuple[str, ...]

    @property
    def truth(self) -> tuple[int, ...]:
        """The target's classes (L,)."""
        return tuple(map(self.classes.index, self.target))


def softmax_grid(strings: Strings, moments: Sequence[tuple[str, ArrayLike]]) -> TagGrid:
    """Positions × classes at one or more moments (name, probabilities (L, C)), for `tag_figure`."""
    words = [shown(c) for c in strings.source]
    rows = [tag_row(name, [tagged(words, values, truth=strings.truth)]) for name, values in moments]
    return tag_grid(rows, [shown(c) for c in strings.classes])


def state_grid(strings: Strings, h: ArrayLike, probabilities: ArrayLike, *, below: bool = False) -> TagGrid:
    """The hidden state h (L, C), whose unit k is the score of class k, above the softmax of it (L, C), or
    ``below`` it.
    """
    words = [shown(c) for c in strings.source]
    scores, softmax = (tagged(words, values, truth=strings.truth) for values in (h, probabilities))
    rows = [
        tag_row("hₜ, the score", [scores], signed=True, limit=1.0),
        tag_row("softmax(hₜ)", [softmax]),
    ]
    return tag_grid(
        rows[::-1] if below else rows, [f"h[{k}]: {shown(c)}" for k, c in enumerate(strings.classes)]
    )


@dataclass(frozen=True)
class Ceiling:
    """What a state with all units in (-1, 1) can reach as a score: the right class's probability stays below
    the one, a position's cross entropy above the other.
    """

    probability: float
    loss: float


def ceiling(classes: int) -> Ceiling:
    """The bounds for h in (-1, 1), from the softmax of (1, -1, …, -1). For 4 classes 0.71 and 0.34."""
    probability = exp(1) / (exp(1) + (classes - 1) * exp(-1))
    return Ceiling(probability, -log(probability))
