"""From a source to a target, one token at a time, with everything that was seen on the way (row D7).

`greedy` is for many sources at once and returns tokens alone. `decode` is for one source and records all;
what a person would change in it (weights, tokens, hidden positions) is part of the question, `How`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.config import whole
from rnnviz.models.attention import Memory
from rnnviz.models.seq2seq import Look, Seq2Seq, State, top
from rnnviz.training.config import MAX_SEED, number, one_of, refuse
from rnnviz.training.pairs_config import END, MAX_LENGTH, START, Seq2SeqConfig
from rnnviz.training.state import RunState
from rnnviz.training.task import Arrays, read_only

Array = NDArray[Any]


@dataclass(frozen=True)
class How:
    """How one source is decoded, and what is changed in it.

    ``method``: the most likely token, or one drawn from softmax(logits / ``temperature``), ``seed`` being the
    draws'; each step has its own draw, so that a change at one step leaves the later draws alone. ``limit``:
    the most tokens, the end symbol included, 0 for `usual_limit`. ``target``: these tokens are said and fed,
    whatever the model would say.

    ``weights``: (step, a weight for each source position); they are divided by their sum and used in place of
    the attention's. ``masked``: source positions that attention may not look at. ``tokens``: (step, token)
    said in place of the model's.
    """

    method: Literal["greedy", "sample"] = "greedy"
    temperature: float = 1.0
    seed: int = 0
    limit: int = 0
    target: tuple[str, ...] | None = None
    weights: tuple[tuple[int, tuple[float, ...]], ...] = ()
    masked: tuple[int, ...] = ()
    tokens: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        one_of("method", self.method, ("greedy", "sample"))
        number("temperature", self.temperature, 0.01, 100.0)
        whole("seed", self.seed, 0, MAX_SEED)
        whole("limit", self.limit, 0, MAX_LENGTH + 1)


@dataclass(frozen=True, eq=False)
class Decoded:
    """One decoding, read-only numpy. T steps, L source tokens, S the decoder's units, C the encoder's width.

    ``source`` and ``target``: tokens, the target's last being ``<end>`` when it was said (``finished``).
    ``ids`` (T): what was said; ``predicted`` (T): what has the largest logit; ``log_probs`` (T): of what was
    said, without temperature. ``fed`` (T): the token that each step was given, ``embedded`` (T, E) its
    vector. ``states`` (T, S): the top layer's h after each step, ``first`` (S) before all. ``encoded``
    (L, C): the encoder's outputs. ``logits`` (T, V).

    ``energies`` and ``weights`` (T, L), for several heads (T, heads, L), and ``context`` (T, C); None
    without attention. A weight given in `How` stands in ``weights``, its energy is the attention's own.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    finished: bool
    source_ids: Array
    ids: Array
    predicted: Array
    fed: Array
    embedded: Array
    first: Array
    states: Array
    encoded: Array
    logits: Array
    log_probs: Array
    energies: Array | None
    weights: Array | None
    context: Array | None

    @property
    def text(self) -> tuple[str, ...]:
        """The target without its end symbol."""
        return self.target[:-1] if self.finished else self.target

    @property
    def log_prob(self) -> float:
        """Of the whole target."""
        return float(self.log_probs.sum())

    def before(self, t: int) -> Array:
        """The state s that attention compares at step t."""
        return self.states[t - 1] if t else self.first

    def joined(self) -> Array | None:
        """The weights (T, L), of several heads their mean."""
        if self.weights is None or self.weights.ndim == 2:
            return self.weights
        return read_only(self.weights.mean(1))

    def arrays(self) -> Arrays:
        """The arrays by their names, without those that are None."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}


def model_of(state: RunState) -> Seq2Seq:
    """The model of a run at this moment, in evaluation mode. It shares the run's tensors: do not train it."""
    from rnnviz.training import task as tasks

    model = tasks.skeleton(tasks.named(state.config.task), state.config)
    assert isinstance(model, Seq2Seq)
    model.load_state_dict(state.weights, assign=True)
    return model.eval().requires_grad_(False)


def untrained(config: Seq2SeqConfig) -> tuple[Seq2Seq, Tensor]:
    """The model before training as `model_of` gives it, and the random state of `rnnviz.training.start`, the
    weights being drawn once for both. Do not train it.
    """
    from rnnviz.training.opened import seeded

    with seeded(config.seed):
        model = Seq2Seq(config)
        random = torch.get_rng_state()
    return model.eval().requires_grad_(False), random


def usual_limit(config: Seq2SeqConfig, source: Sequence[str]) -> int:
    """The longest trained target with its end symbol; more when the source is longer than that."""
    return min(MAX_LENGTH, max(config.longest_target, 2 * len(source))) + 1


@torch.no_grad()
def greedy(model: Seq2Seq, source: Tensor, lengths: Tensor, limit: int) -> Tensor:
    """The most likely token at every step, (N, limit): after a string's end symbol, end symbols."""
    state, memory, _ = model.read(source, lengths)
    decoder = model.decoder
    token = torch.full((len(source),), START, device=source.device)
    ended = torch.zeros_like(token, dtype=torch.bool)
    said = torch.full((len(source), limit), END, device=source.device)
    for t in range(limit):
        look = decoder.step(decoder.embedding(token), state, memory)
        state, token = look.state, decoder.out(look.features).argmax(-1)
        said[:, t] = token.masked_fill(ended, END)
        ended |= token == END
        if ended.all():
            break
    return said


@torch.inference_mode()
def faultless(model: Seq2Seq, reading: tuple[State, Memory | None], targets: Tensor) -> Tensor:
    """(N): whether greedy decoding says the targets (N, T) up to their end symbol, after ``model.read``.

    A string is left alone after its first wrong token, which for a model that knows little is the first.
    """
    (state, memory), decoder = reading, model.decoder
    right = torch.zeros(len(targets), dtype=torch.bool, device=targets.device)
    rows = torch.arange(len(targets), device=targets.device)
    token = torch.full_like(rows, START)
    for t in range(targets.shape[1]):
        look = decoder.step(decoder.embedding(token), state, memory)
        state, token = look.state, decoder.out(look.features).argmax(-1)
        good = token == targets[rows, t]
        ended = good & (token == END)
        right[rows[ended]] = True
        going = (good & ~ended).nonzero().squeeze(1)
        if not len(going):
            break
        if len(going) < len(rows):
            rows, token = rows[going], token[going]
            state, memory = picked(state, going), None if memory is None else memory.rows(going)
    return right


def picked(state: State, rows: Tensor | list[int]) -> State:
    """These rows of a batch's state."""
    if isinstance(state, tuple):
        return state[0][:, rows].contiguous(), state[1][:, rows].contiguous()
    return state[:, rows].contiguous()


@dataclass(frozen=True)
class Reading:
    """A source as the decoder finds it, N = 1."""

    ids: tuple[int, ...]
    state: State
    memory: Memory | None
    encoded: Tensor


def read(model: Seq2Seq, config: Seq2SeqConfig, source: Sequence[str], masked: Sequence[int] = ()) -> Reading:
    """Run the encoder. Raises ValueError for unknown tokens, none or too many, or positions not there."""
    ids = config.source_ids(source)
    device = model.encoder.embedding.weight.device
    state, memory, encoded = model.read(torch.tensor([ids], device=device), torch.tensor([len(ids)]))
    if masked:
        for position in masked:
            whole("masked", position, 0, len(ids) - 1)
        if len({*masked}) == len(ids):
            raise refuse("masked", masked, "at least one source token must stay visible")
        if memory is not None:
            seen = torch.ones(1, len(ids), dtype=torch.bool, device=device)
            seen[0, list(masked)] = False
            heads = memory.h.dim() == 4
            memory = Memory(memory.h, memory.keys, seen.unsqueeze(1) if heads else seen)
    return Reading(ids, state, memory, encoded)


@torch.inference_mode()
def decode(model: Seq2Seq, config: Seq2SeqConfig, source: Sequence[str], how: How | None = None) -> Decoded:
    """Decode one source. The model must be in evaluation mode (`model_of`).

    Raises ValueError, naming what is wrong, for tokens the model does not know, steps or positions that are
    not there, weights that are negative or all 0.
    """
    how = how or How()
    plan = _Plan(model, config, tuple(source), how)
    reading = read(model, config, source, how.masked)
    state, decoder = reading.state, model.decoder
    token, looks, logits, embedded = START, list[Look](), list[Tensor](), list[Tensor]()
    said, fed = list[int](), list[int]()
    for t in range(plan.limit):
        e = decoder.embedding(torch.tensor([token], device=reading.encoded.device))  # (1, E)
        look = _step(model, e, (state, reading.memory), plan.weights.get(t))
        scores = decoder.out(look.features)  # (1, V)
        fed.append(token)
        state, token = look.state, plan.choose(t, scores[0])
        looks.append(look)
        logits.append(scores)
        embedded.append(e)
        said.append(token)
        if token == END:
            break
    table = torch.cat(logits)  # (T, V)
    log_probs = torch.log_softmax(table.double(), dim=-1)[range(len(said)), said]
    return Decoded(
        source=tuple(source),
        target=config.target_text(said),
        finished=said[-1] == END,
        source_ids=read_only(np.array(reading.ids)),
        ids=read_only(np.array(said)),
        predicted=read_only(table.argmax(-1)),
        fed=read_only(np.array(fed)),
        embedded=read_only(torch.cat(embedded)),
        first=read_only(top(reading.state)[0]),
        states=read_only(torch.cat([look.s for look in looks])),
        encoded=read_only(reading.encoded[0]),
        logits=read_only(table),
        log_probs=read_only(log_probs),
        energies=_stacked([look.energies for look in looks]),
        weights=_stacked([look.weights for look in looks]),
        context=_stacked([look.context for look in looks]),
    )


def _stacked(parts: list[Tensor | None]) -> Array | None:
    found = [part for part in parts if part is not None]
    return read_only(torch.cat(found)) if found else None


def _step(model: Seq2Seq, e: Tensor, now: tuple[State, Memory | None], given: Tensor | None) -> Look:
    """One step, with given weights in place of the attention's."""
    state, memory = now
    attend = model.decoder.attention
    if given is None or attend is None or memory is None:
        return model.decoder.step(e, state, memory)
    energies = attend.energies(top(state), memory.keys)
    weights = given.expand_as(energies).contiguous()
    if memory.mask is not None:
        weights = weights * memory.mask
        weights = weights / weights.sum(-1, keepdim=True)
    context = attend.context(weights, memory)
    return model.decoder.move(e, torch.cat([context, e], dim=-1), state, (context, weights, energies))


class _Plan:
    """What is to be said and looked at, step by step, checked."""

    def __init__(self, model: Seq2Seq, config: Seq2SeqConfig, source: tuple[str, ...], how: How) -> None:
        self.how = how
        self.limit = how.limit or usual_limit(config, source)
        self.forced: dict[int, int] = {}
        if how.target is not None:
            ids = config.target_ids(how.target) if how.target else ()
            self.forced = dict(enumerate((*ids, END)))
            self.limit = len(self.forced)
        for step, token in how.tokens:
            whole("tokens", step, 0, MAX_LENGTH)
            self.forced[step] = config.target_ids([token])[0]
        device = model.encoder.embedding.weight.device
        self.weights = {}
        for step, row in how.weights:
            whole("weights", step, 0, MAX_LENGTH)
            self.weights[step] = _weights(row, len(source), how.masked).to(device)
        self.draws = np.random.default_rng(how.seed).random(self.limit)

    def choose(self, t: int, logits: Tensor) -> int:
        """The token of step t."""
        if t in self.forced:
            return self.forced[t]
        if self.how.method == "greedy":
            return int(logits.argmax())
        chances = torch.softmax(logits.double().cpu() / self.how.temperature, dim=-1).cumsum(0)
        place = torch.searchsorted(chances, torch.tensor(self.draws[t], dtype=torch.float64), right=True)
        return min(int(place), len(logits) - 1)


def _weights(row: Sequence[float], count: int, masked: Sequence[int]) -> Tensor:
    if len(row) != count:
        raise refuse("weights", row, f"one for each of the {count} source tokens")
    values = [number("weights", value, 0.0, 1e9) for value in row]
    total = sum(value for j, value in enumerate(values) if j not in masked)
    if not total:
        raise refuse("weights", row, "at least one above 0 where attention may look")
    return torch.tensor([value / total for value in values])
