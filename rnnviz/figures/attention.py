"""Attention: target × source, how much of each source position goes into each token that is said.

`attention_map` makes the record of one map, `rnnviz.figures.attention_drawn` draws several side by side:
heads, original and changed, before and now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Places = int | None | Sequence[int]
"""The right source position of a step, several that are right, or none."""


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One map: ``weights`` (T, S) in [0, 1], a row NaN where nothing was said yet.

    ``truth``: for each step the positions that are right to look at, the best first; empty where none is
    known. ``outside``: for each position "", or why it is no token to look at ("padding", "masked").
    ``wrong``: for each step whether another token than the right one was said.
    """

    name: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: NDArray[np.float32]
    truth: tuple[tuple[int, ...], ...]
    outside: tuple[str, ...]
    wrong: tuple[bool, ...]

    @property
    def peaks(self) -> tuple[int, ...]:
        """For each step the position with the most weight, -1 where nothing was said yet."""
        if not self.source:
            return (-1,) * len(self.target)
        said = np.isfinite(self.weights).all(axis=1)
        top = np.where(np.isfinite(self.weights), self.weights, -1).argmax(axis=1)
        return tuple(np.where(said, top, -1).tolist())

    @property
    def right(self) -> tuple[int, int] | None:
        """How many peaks stand on a right position, of how many steps that have one; None if none has."""
        judged = [p in places for p, places in zip(self.peaks, self.truth, strict=True) if places and p >= 0]
        return (sum(judged), len(judged)) if judged else None

    @property
    def leak(self) -> float:
        """The mean weight a step that goes to positions that are no tokens."""
        out = [bool(word) for word in self.outside]
        rows = self.weights[np.isfinite(self.weights).all(axis=1)]
        return float(rows[:, out].sum(axis=1).mean()) if len(rows) and any(out) else 0.0

    @property
    def entropy(self) -> float:
        """The mean over steps of -Σ w ln w, in nats: 0 looks at one position, ln S at all alike."""
        rows = self.weights[np.isfinite(self.weights).all(axis=1)].astype(np.float64)
        if not rows.size:
            return 0.0
        return float(-(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1).mean()) + 0.0


def attention_map(
    name: str,
    tokens: tuple[Sequence[object], Sequence[object]],
    weights: ArrayLike,
    *,
    truth: Sequence[Places] | None = None,
    outside: Sequence[str | bool] | None = None,
    wrong: Sequence[bool] | None = None,
) -> AttentionMap:
    """The record of one map; ``tokens`` are source and target, ``weights`` (T, S).

    ``truth`` is what `rnnviz.data.pairs.alignment` or ``origins`` gives; shorter than T, the rest is not
    known. ``outside``: True is "padding". Raises `ValueError` for shapes that do not agree and for positions
    out of range.
    """
    source, target = (tuple(map(str, side)) for side in tokens)
    array = np.asarray(weights, dtype=np.float32)
    if array.size == 0 and not (source and target):
        array = array.reshape(len(target), len(source))
    if array.shape != (len(target), len(source)):
        raise ValueError(f"weights have shape {array.shape}: expected ({len(target)}, {len(source)})")
    for what, given, length in (("outside", outside, len(source)), ("wrong", wrong, len(target))):
        if given is not None and len(given) != length:
            raise ValueError(f"{what} has {len(given)} values: expected {length}")
    known = [_places(places) for places in (truth or ())][: len(target)]
    if any(not 0 <= p < len(source) for places in known for p in places):
        raise ValueError(f"truth names a position outside 0..{len(source) - 1}")
    known += [()] * (len(target) - len(known))
    return AttentionMap(
        name,
        source,
        target,
        array,
        tuple(known),
        tuple(word if isinstance(word, str) else "padding" * word for word in outside or ("",) * len(source)),
        tuple(map(bool, wrong or (False,) * len(target))),
    )


def _places(given: Places) -> tuple[int, ...]:
    if given is None:
        return ()
    return (int(given),) if isinstance(given, int | np.integer) else tuple(map(int, given))


def attention_summary(maps: Sequence[AttentionMap]) -> str:
    """The text alternative: what each map looks at most, and how right that is."""
    said = []
    for one in maps[:4]:
        parts = [
            f"{one.target[t]} from {one.source[p]} at position {p} ({one.weights[t, p]:.2f})"
            for t, p in enumerate(one.peaks)
            if p >= 0
        ]
        counts = [f"{one.right[0]} of {one.right[1]} peaks right"] if one.right else []
        if any(one.outside):
            counts.append(f"{one.leak:.1%} of the weight on {next(filter(None, one.outside))}")
        listed = ", ".join(parts[:12]) + (" …" if len(parts) > 12 else "") or "nothing was said yet"
        said.append(f"{one.name}: {': '.join([*(['; '.join(counts)] if counts else []), listed])}.")
    if len(maps) > 4:
        said.append(f"And {len(maps) - 4} more.")
    return " ".join(said) or "There is no attention to show."
