"""The beam as a tree: where each hypothesis of each step stands. `rnnviz.figures.beam_drawn` draws it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fate = Literal["kept", "finished", "pruned"]

MOST_STEPS = 14  # side by side
MOST_NODES = 330  # 45 kB on the way to the browser
MOST_PRUNED = 4  # of one step


@dataclass(frozen=True)
class Hypothesis:
    """A string that the search looked at: its parent's ``id`` (negative or None for the first token), its
    last ``token``, the ``step`` at which that was said (0 the first), the sum of its log probabilities, and
    ``score``, the same after normalising for length, by which hypotheses are compared.
    """

    id: int
    parent: int | None
    step: int
    token: str
    log_prob: float
    score: float
    fate: Fate


@dataclass(frozen=True)
class Placed:
    """A hypothesis at height ``y``, rows from the top. ``best``: it leads to the best finished one."""

    node: Hypothesis
    y: float
    best: bool
    chosen: bool


@dataclass(frozen=True)
class BeamTree:
    """The steps ``first`` to ``last`` of a search. ``left_out``: pruned hypotheses that are not drawn."""

    nodes: tuple[Placed, ...]
    first: int
    last: int
    steps: int
    width: int
    left_out: int
    best: Hypothesis | None

    @property
    def rows(self) -> tuple[float, float]:
        """The lowest and the highest y."""
        heights = [placed.y for placed in self.nodes]
        return (min(heights), max(heights)) if heights else (0.0, 0.0)

    def string(self, id: int) -> tuple[str, ...]:
        """The tokens from the first that is drawn to this hypothesis' own."""
        by_id = {placed.node.id: placed.node for placed in self.nodes}
        found: list[str] = []
        at = by_id.get(id)
        while at is not None and len(found) <= len(by_id):
            found.append(at.token)
            at = None if at.parent is None else by_id.get(at.parent)
        return tuple(reversed(found))


def beam_tree(
    hypotheses: Iterable[Hypothesis], *, best: int | None = None, chosen: int | None = None, first: int = 0
) -> BeamTree:
    """The record: at most `MOST_STEPS` steps from ``first`` on, of each step all that were kept or finished,
    and of the pruned ones the best few. ``best``: the id of the winner; without it, the finished hypothesis
    with the largest score, or the kept one of the last step. ``chosen``: the id that was clicked.

    Raises `ValueError` for two hypotheses of one id, or a parent that stands at no earlier step.
    """
    every = sorted(hypotheses, key=lambda node: node.step)
    by_id = {node.id: node for node in every}
    if len(by_id) != len(every):
        raise ValueError("two hypotheses have the same id")
    for node in every:
        parent = None if node.parent is None else by_id.get(node.parent)
        if parent is not None and parent.step >= node.step:
            raise ValueError(f"hypothesis {node.id} of step {node.step} comes from one of step {parent.step}")
    steps = every[-1].step + 1 if every else 0
    first = max(0, min(first, steps - 1))
    last = min(steps, first + MOST_STEPS) - 1
    winner = by_id.get(best) if best is not None else _winner(every, steps)
    spared = _lineage(by_id, None if winner is None else winner.id) | _lineage(by_id, chosen)
    shown = [node for node in every if first <= node.step <= last]
    kept = _thinned(shown, spared)
    heights = _heights(kept)
    way = _lineage(by_id, None if winner is None else winner.id)
    picked = _lineage(by_id, chosen)
    return BeamTree(
        tuple(Placed(node, heights[node.id], node.id in way, node.id in picked) for node in kept),
        first,
        last,
        steps,
        max((sum(n.step == s and n.fate != "pruned" for n in every) for s in range(steps)), default=0),
        len(shown) - len(kept),
        winner,
    )


def _winner(every: Sequence[Hypothesis], steps: int) -> Hypothesis | None:
    done = [node for node in every if node.fate == "finished"]
    alive = done or [node for node in every if node.fate == "kept" and node.step == steps - 1]
    return max(alive, key=lambda node: node.score, default=None)


def _lineage(by_id: dict[int, Hypothesis], start: int | None) -> set[int]:
    found: set[int] = set()
    node = None if start is None else by_id.get(start)
    while node is not None:
        found.add(node.id)
        node = None if node.parent is None else by_id.get(node.parent)
    return found


def _thinned(shown: Sequence[Hypothesis], spared: set[int]) -> list[Hypothesis]:
    """Without most of the pruned ones: the best of each step stay, fewer where there are many others."""
    sure = [node for node in shown if node.fate != "pruned" or node.id in spared]
    steps = len({node.step for node in shown}) or 1
    room = max(0, min(MOST_PRUNED, (MOST_NODES - len(sure)) // steps))
    taken = {node.id for node in sure}
    for step in {node.step for node in shown}:
        lost = [node for node in shown if node.step == step and node.id not in taken]
        taken |= {node.id for node in sorted(lost, key=lambda node: -node.score)[:room]}
    return [node for node in shown if node.id in taken]


# ---- where they stand


def _heights(nodes: Sequence[Hypothesis]) -> dict[int, float]:
    """A height for each node, in no more rows than the fullest step needs, so that no edges cross: the nodes
    of a step stand in the order of their parents, the likelier child above, one apart at least, and otherwise
    as near to their parents as can be.
    """
    rows = max(
        (sum(node.step == step for node in nodes) for step in {node.step for node in nodes}), default=0
    )
    heights: dict[int, float] = {}
    order: dict[int, int] = {}
    for step in sorted({node.step for node in nodes}):
        column = [node for node in nodes if node.step == step]
        column.sort(key=lambda node: (order.get(_parent(node), -1), -node.score, node.id))
        wanted = [heights.get(_parent(node), (rows - 1) / 2) for node in column]
        families = [_parent(node) for node in column]
        for parent in dict.fromkeys(families):  # children stand around their parent's height
            own = [i for i, family in enumerate(families) if family == parent]
            for k, i in enumerate(own):
                wanted[i] += k - (len(own) - 1) / 2
        for i, (node, y) in enumerate(zip(column, _apart(np.array(wanted), rows), strict=True)):
            heights[node.id] = float(y)
            order[node.id] = i
    return {id: round(y, 3) for id, y in heights.items()}


def _parent(node: Hypothesis) -> int:
    return -1 if node.parent is None else node.parent


def _apart(wanted: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """The heights from 0 to rows - 1 nearest to ``wanted`` (least squares) that rise by at least 1 each (pool
    adjacent violators; clipping its result is right for bounds, too).
    """
    gaps = wanted - np.arange(len(wanted))
    pools: list[tuple[float, int]] = []
    for value in gaps.tolist():
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, n), (other, m) = pools[-2], pools[-1]
            pools[-2:] = [((one * n + other * m) / (n + m), n + m)]
    levels = np.concatenate([np.full(n, value) for value, n in pools]) if pools else np.zeros(0)
    return np.clip(levels, 0, rows - len(wanted)) + np.arange(len(wanted))


def beam_summary(record: BeamTree) -> str:
    """The text alternative."""
    if not record.nodes:
        return "There is no search to show yet."
    counts = {
        fate: sum(placed.node.fate == fate for placed in record.nodes)
        for fate in ("kept", "finished", "pruned")
    }
    told = f"A beam of width {record.width} over {record.steps} steps: {counts['kept']} kept, "
    told += f"{counts['finished']} finished and {counts['pruned']} pruned hypotheses are drawn."
    if record.best is not None:
        path = " ".join(p.node.token for p in record.nodes if p.best)
        told += f" The best is {path}, score {record.best.score:.3f}."
    return told
