"""Hypothesis strategies for training: configurations of every kind, and changes on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from rnnviz.gates import KINDS
from rnnviz.training.changes import Change, Edit, LearningRate, Silence
from rnnviz.training.config import (
    OPTIMISERS,
    WITH_MOMENTUM,
    CharsConfig,
    Generated,
    Optimiser,
    Sentence,
    Seq2SeqConfig,
    TaggerConfig,
    TrainConfig,
)
from rnnviz.training.pairs_config import SCORES, Pair
from rnnviz.training.storage import shapes

WORDS = ("The", "the", "dog", "ate", "apple", "好", "it's")
TAGS = ("DET", "NN", "V")


@st.composite
def optimisers(draw: st.DrawFn) -> Optimiser:
    name = draw(st.sampled_from(OPTIMISERS))
    momentum = draw(st.sampled_from((0.0, 0.9))) if name in WITH_MOMENTUM else 0.0
    return Optimiser(
        name,
        draw(st.sampled_from((0.01, 0.1))),
        momentum,
        draw(st.sampled_from((0.0, 0.01))),
        draw(st.sampled_from((0.0, 0.5))),
    )


def sentences(least: int, most: int) -> st.SearchStrategy[tuple[Sentence, ...]]:
    pair = st.tuples(st.sampled_from(WORDS), st.sampled_from(TAGS))
    return st.lists(st.lists(pair, min_size=1, max_size=5).map(tuple), min_size=least, max_size=most).map(
        tuple
    )


@st.composite
def taggers(draw: st.DrawFn) -> TaggerConfig:
    return TaggerConfig(
        draw(sentences(1, 5)),
        draw(sentences(0, 2)),
        case=draw(st.sampled_from(("keep", "first", "lower"))),
        kind=draw(st.sampled_from(KINDS)),
        embedding=draw(st.integers(1, 4)),
        hidden=draw(st.integers(1, 4)),
        num_layers=draw(st.integers(1, 2)),
        bidirectional=draw(st.booleans()),
        dropout=draw(st.sampled_from((0.0, 0.4))),
        batch=draw(st.integers(1, 3)),
        shuffle=draw(st.booleans()),
        unknown=draw(st.integers(0, 2)),
        optimiser=draw(optimisers()),
        seed=draw(st.integers(0, 3)),
    )


@st.composite
def chars(draw: st.DrawFn) -> CharsConfig:
    pairs = draw(
        st.lists(st.tuples(st.sampled_from("ab'好"), st.sampled_from('ab"好')), min_size=1, max_size=6)
    )
    source, target = ("".join(part) for part in zip(*pairs, strict=True))
    layer: Any = draw(st.sampled_from(("cell", "layer")))
    readout = draw(st.booleans())
    return CharsConfig(
        source,
        target,
        layer=layer,
        kind=draw(st.sampled_from(KINDS)),
        embedding=draw(st.sampled_from((0, 3))),
        hidden=draw(st.integers(1, 4)) if readout else len({*source, *target}),
        num_layers=1 if layer == "cell" else draw(st.integers(1, 2)),
        readout=readout,
        reduction=draw(st.sampled_from(("sum", "mean"))),
        optimiser=draw(optimisers()),
        seed=draw(st.integers(0, 3)),
    )


@st.composite
def pairs(draw: st.DrawFn, least: int, most: int) -> tuple[Pair, ...]:
    side = st.lists(st.sampled_from("ab好'"), min_size=1, max_size=4).map(tuple)
    return tuple(draw(st.lists(st.tuples(side, side), min_size=least, max_size=most)))


@st.composite
def generated(draw: st.DrawFn) -> Generated:
    task: Any = draw(st.sampled_from(("copy", "reverse", "sort", "shift", "numbers")))
    shortest = draw(st.integers(1, 3))
    sizes = {"shortest": shortest, "longest": draw(st.integers(shortest, 4))}
    return Generated(
        task, symbols=3, **sizes, shift=2, train=draw(st.integers(2, 5)), held=draw(st.integers(0, 2))
    )


@st.composite
def seq2seqs(draw: st.DrawFn, dropout: float = 0.4) -> Seq2SeqConfig:
    """Encoder-decoders of every kind; sizes fit whatever the score is."""
    drawn = draw(st.booleans())
    hidden, both, attention = draw(st.integers(1, 3)), draw(st.booleans()), draw(st.sampled_from(SCORES))
    width = hidden * (2 if both else 1)
    equal = attention in ("dot", "scaled_dot")
    return Seq2SeqConfig(
        draw(generated()) if drawn else draw(pairs(1, 4)),
        () if drawn else draw(pairs(0, 2)),
        vocabulary=draw(st.sampled_from((0, 25))) if not drawn else 0,
        encoder=draw(st.sampled_from(KINDS)),
        decoder=draw(st.sampled_from(KINDS)),
        embedding=draw(st.integers(1, 3)),
        hidden=hidden,
        decoder_hidden=width if equal else draw(st.integers(1, 4)),
        num_layers=draw(st.integers(1, 2)),
        decoder_layers=draw(st.integers(1, 2)),
        bidirectional=both,
        attention=attention,
        heads=draw(st.sampled_from([n for n in (1, 2, 3) if width % n == 0])),
        mask=draw(st.booleans()),
        packed=draw(st.booleans()),
        dropout=draw(st.sampled_from((0.0, dropout))),
        teacher=draw(st.sampled_from((1.0, 0.5, 0.0))),
        teacher_end=0.3,
        teacher_epochs=draw(st.sampled_from((0, 3))),
        teacher_reversed=draw(st.booleans()),
        batch=draw(st.integers(1, 3)),
        shuffle=draw(st.booleans()),
        optimiser=draw(optimisers()),
        seed=draw(st.integers(0, 3)),
    )


configs: st.SearchStrategy[TrainConfig] = taggers() | chars() | seq2seqs()


@st.composite
def changes(draw: st.DrawFn, config: TrainConfig) -> Change:
    """A change that this configuration's model can have."""
    kind = draw(st.sampled_from((LearningRate, Edit, Silence)))
    if kind is LearningRate:
        return LearningRate(draw(st.sampled_from((0.0, 0.02, 0.2))))
    if kind is Edit:
        name, shape = draw(st.sampled_from(sorted(shapes(config).items())))
        index = tuple(draw(st.integers(0, size - 1)) for size in shape)
        return Edit(name, index, draw(st.sampled_from((0.0, -1.5, 0.3))))
    directions = 1 if isinstance(config, CharsConfig) else config.directions
    return Silence(
        draw(st.integers(0, config.hidden - 1)),
        draw(st.integers(0, config.num_layers - 1)),
        draw(st.integers(0, directions - 1)),
        draw(st.sampled_from((True, True, False))),
    )


def without_dropout(config: TaggerConfig) -> TaggerConfig:
    return replace(config, dropout=0.0)
