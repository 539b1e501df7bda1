"""Which sentences are held out: not trained on, so that they show what was learnt rather than remembered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.training.config import Sentence


@dataclass(frozen=True)
class Split:
    """The sentences to train on and those held out, each in the order given."""

    train: tuple[Sentence, ...]
    held_out: tuple[Sentence, ...]


def split(sentences: Sequence[Sentence], fraction: float, seed: int = 0) -> Split:
    """About ``fraction`` of the sentences held out, chosen by ``seed``; at least one on each side.

    The same sentences, fraction and seed give the same split on every machine, and with a larger fraction the
    sentences held out before stay so. 0 holds nothing out. Raises `ValueError` for a fraction outside [0, 1),
    and for fewer than two sentences to split.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction={fraction!r} is not allowed: a number from 0 to less than 1")
    count = len(sentences)
    if fraction == 0:
        return Split(tuple(sentences), ())
    if count < 2:
        raise ValueError(
            f"{count} sentence{'' if count == 1 else 's'} cannot be split: there must be one to train on and "
            "one to hold out"
        )
    # `random()` is the one method that Python promises to keep the same for a seed; `sample` is not.
    draw = random.Random(seed)
    order = sorted(range(count), key=lambda _: draw.random())
    held = set(order[: min(max(round(fraction * count), 1), count - 1)])
    return Split(
        tuple(s for i, s in enumerate(sentences) if i not in held),
        tuple(s for i, s in enumerate(sentences) if i in held),
    )
