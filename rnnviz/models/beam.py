"""Beam search: the best few beginnings are kept at every step, and all that were considered are a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.config import whole
from rnnviz.models.attention import Memory
from rnnviz.models.decoding import picked, read, usual_limit
from rnnviz.models.seq2seq import Seq2Seq, State
from rnnviz.training.config import number
from rnnviz.training.pairs_config import END, MAX_LENGTH, START, Seq2SeqConfig
from rnnviz.training.task import read_only

Fate = Literal["kept", "finished", "limit", "dropped"]
MAX_WIDTH = 4096
MAX_GROWN = 4_000_000
"""At most so many continuations are scored at one step."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One beginning of a target. The root has id 0, no parent (-1) and no token.

    ``log_prob``: of all its tokens; ``score``: that divided by (number of tokens) ** alpha. ``fate``: "kept"
    and continued, "finished" with the end symbol, cut at the "limit", or "dropped". ``weights`` (L) or
    (heads, L): the attention with which its last token was chosen, None without attention. ``rank``: its
    place among all continuations of its step, from 0.
    """

    id: int
    parent: int
    token: int
    step: int
    log_prob: float
    score: float
    fate: Fate
    rank: int
    weights: NDArray[Any] | None


@dataclass(frozen=True)
class BeamHow:
    """How a beam searches: ``width`` beginnings stay; ``alpha``: of the length's power by which the answer's
    log probability is divided, 0 for not at all; ``limit``: the most tokens, 0 for `usual_limit`;
    ``dropped``: how many times ``width`` of a step's dropped ones are kept in the tree.
    """

    width: int = 3
    alpha: float = 1.0
    limit: int = 0
    dropped: int = 2

    def __post_init__(self) -> None:
        whole("width", self.width, 1, MAX_WIDTH)
        number("alpha", self.alpha, 0.0, 10.0)
        whole("limit", self.limit, 0, MAX_LENGTH + 1)
        whole("dropped", self.dropped, 0, 100)


@dataclass(frozen=True, eq=False)
class BeamTree:
    """Every hypothesis that was kept, and of the dropped ones the best of each step. ``best``: the id of the
    answer; ``answers``: all that ended, best first.
    """

    source: tuple[str, ...]
    how: BeamHow
    limit: int
    nodes: tuple[Hypothesis, ...]
    answers: tuple[int, ...]

    @property
    def best(self) -> Hypothesis:
        """The ended hypothesis with the highest score."""
        return self.nodes[self.answers[0]]

    def path(self, id: int) -> tuple[Hypothesis, ...]:
        """From the first token to this hypothesis; the root is left out."""
        found = []
        while id > 0:
            found.append(self.nodes[id])
            id = self.nodes[id].parent
        return tuple(reversed(found))

    def ids(self, id: int) -> tuple[int, ...]:
        """The tokens' rows up to this hypothesis."""
        return tuple(node.token for node in self.path(id))

    def tokens(self, config: Seq2SeqConfig, id: int) -> tuple[str, ...]:
        """The tokens up to this hypothesis."""
        return config.target_text(self.ids(id))


def beam(
    model: Seq2Seq, config: Seq2SeqConfig, source: Sequence[str], how: BeamHow | None = None
) -> BeamTree:
    """Search a source's target; the model must be in evaluation mode.

    At each step all continuations of the kept beginnings are ranked by their probability and the best
    ``width`` stay; one that ends takes its place of that step out of the beam. The search ends when the beam
    is empty, when ``width`` hypotheses have ended, or at the limit, where what is kept ends too. The answer
    is the one with the highest score. Width 1 is `decode`'s greedy way.

    Raises ValueError for tokens that the model does not know, and sizes beyond what is allowed.
    """
    return beams(model, config, source, (how or BeamHow(),))[0]


@torch.inference_mode()
def beams(
    model: Seq2Seq, config: Seq2SeqConfig, source: Sequence[str], hows: Sequence[BeamHow]
) -> tuple[BeamTree, ...]:
    """Several searches of one source, which go on together: the rows of all are one batch."""
    for how in hows:
        if how.width * config.target_rows > MAX_GROWN:
            most = MAX_GROWN // config.target_rows
            raise ValueError(
                f"width={how.width} is not allowed: at most {most} with {config.target_rows} symbols"
            )
    reading = read(model, config, source)
    limits = [how.limit or usual_limit(config, source) for how in hows]
    searches = [_Search(how, limit) for how, limit in zip(hows, limits, strict=True)]
    _run(model, searches, picked(reading.state, [0] * len(hows)), reading.memory)
    return tuple(
        BeamTree(tuple(source), search.how, search.limit, tuple(search.nodes), _ranked(search.nodes))
        for search in searches
    )


def scored(tree: BeamTree, alpha: float) -> BeamTree:
    """The same search with other scores: the length's power decides only which answer is the best."""
    nodes = tuple(replace(n, score=n.log_prob / max(1, n.step) ** alpha) for n in tree.nodes)
    return replace(tree, how=replace(tree.how, alpha=alpha), nodes=nodes, answers=_ranked(nodes))


def _ranked(nodes: Sequence[Hypothesis]) -> tuple[int, ...]:
    """Of the ended ones, the best first."""
    ended = [n.id for n in nodes if n.fate in ("finished", "limit")]
    return tuple(sorted(ended, key=lambda id: (-nodes[id].score, id)))


class _Search:
    """A beam on its way: ``live`` are the beginnings that stay."""

    def __init__(self, how: BeamHow, limit: int) -> None:
        self.how, self.limit, self.ended = how, limit, 0
        self.nodes = [Hypothesis(0, -1, START, 0, 0.0, 0.0, "kept", 0, None)]
        self.live = [self.nodes[0]]

    def grow(self, step: int, totals: Tensor, weights: NDArray[Any] | None) -> list[int]:
        """One step on: ``totals`` (live, V) are the log probabilities of all continuations, ``weights`` the
        attention of each live row. Gives the rows that go on, none when the search is over.
        """
        kept = self._best(step, totals, weights)
        self.ended += sum(node.fate != "kept" for node, _ in kept)
        going = [(node, row) for node, row in kept if node.fate == "kept"]
        if self.ended >= self.how.width:
            for node, _ in going:  # enough have ended: what was still on its way is dropped
                self.nodes[node.id] = replace(node, fate="dropped")
            going = []
        self.live = [node for node, _ in going]
        return [row for _, row in going]

    def _best(self, step: int, totals: Tensor, weights: NDArray[Any] | None) -> list[tuple[Hypothesis, int]]:
        """The best continuations with the rows that they come from; the next best go into the tree."""
        width, live = self.how.width, self.live
        count = min(width * (1 + self.how.dropped), totals.numel())
        # A stable sort: of equals the first, which is also what argmax gives
        order = totals.flatten().sort(descending=True, stable=True)
        kept = []
        for rank, (total, place) in enumerate(
            zip(order.values[:count].tolist(), order.indices[:count].tolist(), strict=True)
        ):
            row, token = divmod(place, totals.shape[1])
            fate: Fate = "dropped"
            if rank < width:
                fate = "finished" if token == END else "limit" if step == self.limit else "kept"
            seen = None if weights is None else weights[row]
            score = total / step**self.how.alpha
            node = Hypothesis(len(self.nodes), live[row].id, token, step, total, score, fate, rank, seen)
            self.nodes.append(node)
            if rank < width:
                kept.append((node, row))
        return kept


def _run(model: Seq2Seq, searches: Sequence[_Search], state: State, memory: Memory | None) -> None:
    """All searches to their ends; ``state`` has a row for each."""
    decoder = model.decoder
    device = decoder.embedding.weight.device
    going, step = list(searches), 0
    while going:
        step += 1
        live = [node for search in going for node in search.live]
        tokens = torch.tensor([node.token for node in live], device=device)
        look = decoder.step(decoder.embedding(tokens), state, _repeated(memory, len(live)))
        before = torch.tensor([[node.log_prob] for node in live], dtype=torch.float64, device=device)
        totals = torch.log_softmax(decoder.out(look.features).double(), dim=-1) + before
        weights = None if look.weights is None else read_only(look.weights)
        rows: list[int] = []
        first = 0
        for search in going:
            last = first + len(search.live)
            own = None if weights is None else weights[first:last]
            rows += [first + row for row in search.grow(step, totals[first:last], own)]
            first = last
        going = [search for search in going if search.live]
        state = picked(look.state, rows)


def _repeated(memory: Memory | None, count: int) -> Memory | None:
    """One source's memory for each row of the beam."""
    if memory is None:
        return None
    h, keys = (part.expand(count, *part.shape[1:]) for part in (memory.h, memory.keys))
    return Memory(h, keys, memory.mask)
