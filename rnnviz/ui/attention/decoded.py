"""What a state makes of a source: models, decodings, beams and studies, kept for whoever looks again.

Every number of the page comes from here: of real models, opened from the bytes of a run.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.kept import kept
from rnnviz.models.beam import BeamHow, BeamTree, beam
from rnnviz.models.decoding import Decoded, How, decode, model_of
from rnnviz.models.explain import Explained, explain
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.studies import ByLength, Leak, by_length, leak
from rnnviz.training import RunState, start
from rnnviz.training.pairs_config import Pair, Seq2SeqConfig

MODELS, BEGUN, RESULTS = 64_000_000, 64_000_000, 32_000_000
"""Bytes: opened models, states before training, what they said."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A state's model in evaluation mode, on the CPU or where the run is."""

    state: bytes
    config: Seq2SeqConfig
    model: Seq2Seq


def _of_model(found: Opened) -> int:
    return 2 * len(found.state)


@kept(MODELS, size=_of_model)
def opened(state: bytes) -> Opened:
    """The model of a run's bytes."""
    run = RunState.from_bytes(state)
    assert isinstance(run.config, Seq2SeqConfig)
    return Opened(state, run.config, model_of(run))


def _of_state(state: bytes) -> int:
    return len(state)


@kept(BEGUN, size=_of_state)
def begun(config: Seq2SeqConfig) -> bytes:
    """The bytes of a run before its first epoch. Not by count as other pages keep them: D6's take 27 MB."""
    return start(config).to_bytes()


@dataclass(frozen=True)
class Asked:
    """A state, a source, and how it is decoded."""

    state: bytes
    source: tuple[str, ...]
    how: How = How()  # noqa: RUF009 - frozen


@dataclass(frozen=True, eq=False)
class _Answer:
    state: bytes
    decoded: Decoded


def _of_answer(found: _Answer) -> int:
    return len(found.state) + sum(array.nbytes for array in found.decoded.arrays().values())


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
    return explain(found.model, found.config, said(how), step, how.how.temperature)


def _of_tree(tree: BeamTree) -> int:
    return 400 * len(tree.nodes)


@kept(RESULTS, size=_of_tree)
def searched(asked: tuple[bytes, tuple[str, ...], BeamHow]) -> BeamTree:
    """The tree of a beam search."""
    state, source, how = asked
    found = opened(state)
    return beam(found.model, found.config, source, how)


def _of_leak(found: Leak) -> int:
    return 2_000 + 2 * found.masked.nbytes


@kept(RESULTS, size=_of_leak)
def leaked(asked: tuple[bytes, tuple[Pair, ...]]) -> Leak:
    """The weight on padding with and without the mask."""
    found = opened(asked[0])
    return leak(found.model, found.config, asked[1])


def _of_lengths(found: ByLength) -> int:
    return 2_000 + found.exact.nbytes


@kept(1_000_000, size=_of_lengths)
def reach(asked: tuple[bytes, tuple[int, ...], int]) -> ByLength:
    """The part of the strings of each length that is right."""
    state, lengths, count = asked
    found = opened(state)
    return by_length(found.model, found.config, lengths, count)
