"""The beam as a tree: where each hypothesis of each step stands. `rnnviz.figures.beam_drawn` draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Fate = Literal["kept", "finished", "limit", "dropped"]
FATES: tuple[Fate, ...] = ("kept", "finished", "limit", "dropped")

MOST_STEPS = 14  # side by side
MOST_ROWS = 16  # with all steps 48 kB on the way to the browser
MOST_DROPPED = 4  # of one step


class Node(Protocol):
    """What a hypothesis must offer; `rnnviz.models.beam.Hypothesis` does. ``parent`` of the root, which has
    said nothing, is negative; ``log_prob`` is of all its tokens, ``score`` the same normalised for length.
    """

    @property
    def id(self) -> int: ...
    @property
    def parent(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def log_prob(self) -> float: ...
    @property
    def score(self) -> float: ...
    @property
    def fate(self) -> Fate: ...


@dataclass(frozen=True)
class Hypothesis:
    """One beginning that the search looked at and the last token it says."""

    id: int
    parent: int
    step: int
    token: str
    log_prob: float
    score: float
    fate: Fate


@dataclass(frozen=True)
class Placed:
    """A hypothesis at height ``y``, in rows from the top. ``best``: it leads to the answer."""

    node: Hypothesis
    y: float
    best: bool
    chosen: bool


@dataclass(frozen=True)
class BeamTree:
    """The steps ``first`` to ``last`` of a search. ``left_out``: how many of them are not drawn."""

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
            at = by_id.get(at.parent)
        return tuple(reversed(found))


def beam_tree(
    nodes: Sequence[Node],
    tokens: Sequence[object],
    *,
    best: int | None = None,
    chosen: int | None = None,
    first: int = 0,
) -> BeamTree:
    """The record of a search's hypotheses and their last tokens: at most `MOST_STEPS` steps from ``first``
    on, of each step what ended, what was kept, and the best few that were dropped. ``best``: the id of the
    answer; without it, the ended hypothesis with the largest score. ``chosen``: the id that was clicked.

    Raises `ValueError` for two hypotheses of one id, an unknown fate, or a parent at no earlier step.
    """
    if len(tokens) != len(nodes):
        raise ValueError(f"{len(tokens)} tokens for {len(nodes)} hypotheses")
    hypotheses = [_hypothesis(node, token) for node, token in zip(nodes, tokens, strict=True)]
    every = sorted(hypotheses, key=lambda node: node.step)
    by_id = {node.id: node for node in every}
    if len(by_id) != len(every):
        raise ValueError("two hypotheses have the same id")
    for node in every:
        parent = by_id.get(node.parent)
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
        max((sum(n.step == s and n.fate != "dropped" for n in every) for s in range(steps)), default=0),
        len(shown) - len(kept),
        winner,
    )


def _hypothesis(node: Node, token: object) -> Hypothesis:
    if node.fate not in FATES:
        raise ValueError(f"fate={node.fate!r} is not allowed: one of {', '.join(FATES)}")
    numbers = int(node.id), int(node.parent), int(node.step)
    return Hypothesis(*numbers, str(token), float(node.log_prob), float(node.score), node.fate)


def _winner(every: Sequence[Hypothesis], steps: int) -> Hypothesis | None:
    done = [node for node in every if node.fate in ("finished", "limit")]
    alive = done or [node for node in every if node.fate == "kept" and node.step == steps - 1]
    return max(alive, key=lambda node: node.score, default=None)


def _lineage(by_id: dict[int, Hypothesis], start: int | None) -> set[int]:
    found: set[int] = set()
    node = None if start is None else by_id.get(start)
    while node is not None:
        found.add(node.id)
        node = by_id.get(node.parent)
    return found


def _thinned(shown: Sequence[Hypothesis], spared: set[int]) -> list[Hypothesis]:
    """Of each step at most `MOST_ROWS`: those spared, then what ended, what was kept, and a few dropped ones,
    the best of each; none whose parent is not there.
    """
    rank = {"finished": 1, "limit": 1, "kept": 2, "dropped": 3}
    taken: set[int] = set()
    first = shown[0].step if shown else 0
    for step in sorted({node.step for node in shown}):
        column = [n for n in shown if n.step == step and (step == first or n.parent in taken or n.parent < 0)]
        column.sort(key=lambda n: (0 if n.id in spared else rank[n.fate], -n.score, n.id))
        lost = [node for node in column if node.fate == "dropped" and node.id not in spared]
        over = {node.id for node in lost[MOST_DROPPED:]}
        taken |= {node.id for node in [n for n in column if n.id not in over][:MOST_ROWS]}
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
        column.sort(key=lambda node: (order.get(node.parent, -1), -node.score, node.id))
        wanted = [heights.get(node.parent, (rows - 1) / 2) for node in column]
        families = [node.parent for node in column]
        for parent in dict.fromkeys(families):  # children stand around their parent's height
            own = [i for i, family in enumerate(families) if family == parent]
            for k, i in enumerate(own):
                wanted[i] += k - (len(own) - 1) / 2
        for i, (node, y) in enumerate(zip(column, _apart(np.array(wanted), rows), strict=True)):
            heights[node.id] = float(y)
            order[node.id] = i
    return {id: round(y, 3) for id, y in heights.items()}


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
    counts = {fate: sum(placed.node.fate == fate for placed in record.nodes) for fate in FATES}
    told = f"A beam of width {record.width} over {record.steps} steps: {counts['kept']} kept, "
    told += f"{counts['finished'] + counts['limit']} ended and {counts['dropped']} dropped hypotheses."
    if record.best is not None:
        path = " ".join(p.node.token for p in record.nodes if p.best)
        told += f" The best is {path}, score {record.best.score:.3f}."
    return told
