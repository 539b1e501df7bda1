"""What a state makes of a source: models, decodings, beams and studies, kept for whoever looks again.

Every number of the page comes from here: of real models, opened from the bytes of a run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from torch import Tensor

from rnnviz.kept import kept
from rnnviz.models.beam import BeamHow, BeamTree, beams, scored
from rnnviz.models.decoding import Decoded, How, decode, model_of, untrained
from rnnviz.models.explain import Explained, explain
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.studies import ByLength, Leak, by_length, leak
from rnnviz.training import RunState
from rnnviz.training.config import Optimiser
from rnnviz.training.pairs_config import Pair, Seq2SeqConfig

MODELS, BEGUN, RESULTS, TREES = 64_000_000, 64_000_000, 8_000_000, 4_000_000
"""Bytes: models, states before training, what they said, beams."""

LEAST = 2_000_000
"""Bytes that a model counts for at least. It is 300 objects, and the collection of garbage that follows every
rerun of everybody walks over all that are kept: over a thousand of them in 20 ms.
"""

State = bytes | Seq2SeqConfig
"""Of a model: a run's bytes; of one that nobody has trained `seed_of` its configuration, since a room looks
at the same one whatever each is about to do with it.
"""


@lru_cache(maxsize=256)
def seed_of(config: Seq2SeqConfig) -> Seq2SeqConfig:
    """The configuration without all that weights before training, and decoding, do not depend on."""
    return replace(
        config,
        dropout=0.0,
        teacher=1.0,
        teacher_end=0.0,
        teacher_epochs=0,
        teacher_reversed=False,
        batch=1,
        shuffle=False,
        optimiser=Optimiser("SGD", 0.1),
        device="cpu",
    )


@dataclass(frozen=True, eq=False)
class Opened:
    """A state's model in evaluation mode, on the CPU. ``random``: where nobody has trained it, the random
    state with which its training begins.
    """

    state: State
    config: Seq2SeqConfig
    model: Seq2Seq
    random: Tensor | None = None


def _of_model(found: Opened) -> int:
    weights = sum(weight.nbytes for weight in found.model.parameters())
    return max(LEAST, weights + _of_state(found.state))


def _of_state(state: State) -> int:
    return len(state) if isinstance(state, bytes) else 4 * len(state.text)


@kept(MODELS, size=_of_model)
def opened(state: State) -> Opened:
    """The model of a state."""
    if isinstance(state, Seq2SeqConfig):
        return Opened(state, state, *untrained(state))
    run = RunState.from_bytes(state)
    assert isinstance(run.config, Seq2SeqConfig)
    return Opened(state, run.config, model_of(run))


def _of_bytes(data: bytes) -> int:
    return len(data)


@kept(BEGUN, size=_of_bytes)
def begun(config: Seq2SeqConfig) -> bytes:
    """The bytes of a run before its first epoch. Not by count as other pages keep them: D6's take 27 MB."""
    found = opened(seed_of(config))
    assert found.random is not None
    weights, random = found.model.state_dict(), {"cpu": found.random}
    return RunState(config, 0, 0, (), weights=weights, optimizer={}, random=random).to_bytes()


def state_of(config: Seq2SeqConfig, epoch: int, state: bytes) -> State:
    """What a model is kept under, from the bytes of a run that began with this configuration."""
    return seed_of(config) if epoch == 0 and state == begun(config) else state


@dataclass(frozen=True)
class Asked:
    """A state, a source, and how it is decoded."""

    state: State
    source: tuple[str, ...]
    how: How = How()  # noqa: RUF009 - frozen


@dataclass(frozen=True, eq=False)
class _Answer:
    state: State
    decoded: Decoded


def _of_answer(found: _Answer) -> int:
    return _of_state(found.state) + sum(array.nbytes for array in found.decoded.arrays().values())


@kept(RESULTS, size=_of_answer)
def _said(asked: Asked) -> _Answer:
    found = opened(asked.state)
    return _Answer(asked.state, decode(found.model, found.config, asked.source, asked.how))


def said(asked: Asked) -> Decoded:
    """What the model says of the source, with all that it sees on the way."""
    return _said(asked).decoded


def _of_sums(found: Explained) -> int:
    arrays = (found.state, found.units, found.products, found.parts)
    return 2_000 + sum(array.nbytes for array in arrays if array is not None)


@kept(RESULTS, size=_of_sums)
def explained(asked: tuple[Asked, int]) -> Explained:
    """What led to one step."""
    how, step = asked
    found = opened(how.state)
    return explain(found.model, found.config, said(how), step, how.how)


def _of_trees(found: Searched) -> int:
    return _of_state(found.state) + sum(600 * len(tree.nodes) for tree in found.trees)


@dataclass(frozen=True, eq=False)
class Searched:
    """The trees of several widths, all with an alpha of 1."""

    state: State
    trees: tuple[BeamTree, ...]


@kept(TREES, size=_of_trees)
def _searched(asked: tuple[State, tuple[str, ...], tuple[int, ...]]) -> Searched:
    state, source, widths = asked
    found = opened(state)
    hows = [BeamHow(width=width) for width in widths]
    return Searched(state, beams(found.model, found.config, source, hows))


def searched(
    state: State, source: tuple[str, ...], widths: tuple[int, ...], alpha: float
) -> tuple[BeamTree, ...]:
    """The trees of beam searches of these widths."""
    found = _searched((state, source, widths)).trees
    return found if alpha == 1 else tuple(scored(tree, alpha) for tree in found)


def _of_leak(found: Leak) -> int:
    return 2_000 + 2 * found.masked.nbytes


@kept(RESULTS, size=_of_leak)
def leaked(asked: tuple[State, tuple[Pair, ...]]) -> Leak:
    """The weight on padding with and without the mask."""
    found = opened(asked[0])
    return leak(found.model, found.config, asked[1])


def _of_lengths(found: ByLength) -> int:
    return 2_000 + found.exact.nbytes


@kept(1_000_000, size=_of_lengths)
def reach(asked: tuple[State, tuple[int, ...], int]) -> ByLength:
    """The part of the strings of each length that is right."""
    state, lengths, count = asked
    found = opened(state)
    return by_length(found.model, found.config, lengths, count)


@lru_cache(maxsize=64)
def shapes_of(config: Seq2SeqConfig) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter, in the order of the model's state_dict."""
    return {name: tuple(value.shape) for name, value in opened(seed_of(config)).model.state_dict().items()}
