"""What is trained, on what, and how: plain data, checked where it is made, nothing but the standard library.

A configuration is the whole description of a run at its start: the data, the model, the optimiser, the seed.
It never changes while the run goes on; what a person changes on the way stands in the run's journal
(`rnnviz.training.changes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

from rnnviz.config import whole
from rnnviz.gates import Kind
from rnnviz.training.pairs_config import Generated as Generated
from rnnviz.training.pairs_config import Seq2SeqConfig as Seq2SeqConfig
from rnnviz.training.plain import DEVICES as DEVICES
from rnnviz.training.plain import MAX_LAYERS as MAX_LAYERS
from rnnviz.training.plain import MAX_SEED as MAX_SEED
from rnnviz.training.plain import MAX_SIZE as MAX_SIZE
from rnnviz.training.plain import MAX_TEXT as MAX_TEXT
from rnnviz.training.plain import MAX_TOKENS as MAX_TOKENS
from rnnviz.training.plain import OPTIMISERS as OPTIMISERS
from rnnviz.training.plain import WITH_MOMENTUM as WITH_MOMENTUM
from rnnviz.training.plain import Optimiser as Optimiser
from rnnviz.training.plain import OptimiserName as OptimiserName
from rnnviz.training.plain import as_text, check_model, check_text, switch
from rnnviz.training.plain import config_from as config_from
from rnnviz.training.plain import number as number
from rnnviz.training.plain import one_of as one_of
from rnnviz.training.plain import put as _set
from rnnviz.training.plain import refuse as refuse

Sentence = tuple[tuple[str, str], ...]
"""Pairs of (word, tag)."""
Case = Literal["keep", "first", "lower"]

CASES: tuple[Case, ...] = ("keep", "first", "lower")
UNKNOWN = "<unk>"

MAX_TAGS = 512


@dataclass(frozen=True)
class TaggerConfig:
    """A model that gives each word of a sentence a tag (rows D1, D2, E5).

    ``case``: "keep" reads words as written, "first" lower-cases the first word of each sentence, "lower" all
    of them. ``batch``: sentences a step; above 1 they are padded, packed and masked in the loss. ``unknown``:
    training words seen fewer times than this are read as ``<unk>``; `vocabulary` says when it has a row.
    Dropout acts on the word vectors, between layers and before the linear layer.
    """

    sentences: tuple[Sentence, ...]
    held_out: tuple[Sentence, ...] = ()
    case: Case = "keep"
    kind: Kind = "LSTM"
    embedding: int = 6
    hidden: int = 8
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    batch: int = 1
    shuffle: bool = False
    unknown: int = 0
    optimiser: Optimiser = field(default_factory=Optimiser)
    seed: int = 0
    device: str = "cpu"

    task: ClassVar[str] = "tagger"

    def __post_init__(self) -> None:
        _check_sentences(self)
        one_of("case", self.case, CASES)
        check_model(self)
        switch("bidirectional", self.bidirectional)
        switch("shuffle", self.shuffle)
        _set(self, "embedding", whole("embedding", self.embedding, 1, MAX_SIZE))
        _set(self, "dropout", number("dropout", self.dropout, 0.0, 0.95))
        _set(self, "batch", whole("batch", self.batch, 1, 1024))
        _set(self, "unknown", whole("unknown", self.unknown, 0, 1000))

    @property
    def directions(self) -> int:
        """D."""
        return 2 if self.bidirectional else 1

    @cached_property
    def text(self) -> str:
        """The configuration as JSON; `config_from` reads it."""
        return as_text(self)

    def __hash__(self) -> int:
        return hash(self.text)  # kept by the string: every slice of a run looks this configuration up

    def cased(self, words: Iterable[str]) -> tuple[str, ...]:
        """The words of one sentence as ``case`` has them read."""
        words = tuple(words)
        count = {"keep": 0, "first": 1, "lower": len(words)}[self.case]
        return (*(word.lower() for word in words[:count]), *words[count:])

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that have a vector, in order of first appearance in ``sentences``; ``<unk>`` is the last.

        There is a row ``<unk>`` when ``unknown`` is at least 1, or a held-out word is not among the others.
        Words seen fewer than ``unknown`` times are read as it, and train it; when there are none, it keeps
        its random vector. Without such a row an unknown word that somebody types is a vector of zeros.
        """
        counts = Counter(word for s in self.sentences for word in self.cased(w for w, _ in s))
        kept = tuple(word for word, n in counts.items() if n >= self.unknown and word != UNKNOWN)
        known = {*kept, UNKNOWN}
        needed = (
            self.unknown >= 1
            or UNKNOWN in counts
            or any(word not in known for s in self.held_out for word in self.cased(w for w, _ in s))
        )
        return (*kept, UNKNOWN) if needed else kept

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags in order of first appearance, those of the held-out sentences alone last."""
        return tuple(dict.fromkeys(tag for s in (*self.sentences, *self.held_out) for _, tag in s))

    @cached_property
    def word_ids(self) -> dict[str, int]:
        """From a word, as `cased` gives it, to its row."""
        return {word: i for i, word in enumerate(self.vocabulary)}

    @cached_property
    def tag_ids(self) -> dict[str, int]:
        """From a tag to its number."""
        return {tag: i for i, tag in enumerate(self.tags)}

    def ids(self, words: Iterable[str]) -> tuple[int, ...]:
        """The rows of one sentence's words: that of ``<unk>`` for a word without one, -1 if there is none."""
        unknown = self.word_ids.get(UNKNOWN, -1)
        return tuple(self.word_ids.get(word, unknown) for word in self.cased(words))

    def knows(self, words: Iterable[str]) -> tuple[bool, ...]:
        """For each word of one sentence, whether it has a row of its own."""
        return tuple(word in self.word_ids and word != UNKNOWN for word in self.cased(words))


@dataclass(frozen=True)
class CharsConfig:
    """A model that turns one string into another of the same length, character by character (rows D3 to D5).

    ``layer``: "cell" loops an nn.RNNCell (or LSTMCell, GRUCell), "layer" calls an nn.RNN. ``embedding`` 0:
    one-hot characters. ``readout`` False: the hidden state itself is the score, so ``hidden`` must be the
    number of characters. ``reduction``: of the cross entropy over the positions.
    """

    source: str = "hello"
    target: str = "ohlol"
    layer: Literal["cell", "layer"] = "cell"
    kind: Kind = "RNN"
    embedding: int = 0
    hidden: int = 4
    num_layers: int = 1
    readout: bool = False
    reduction: Literal["sum", "mean"] = "sum"
    optimiser: Optimiser = field(default_factory=lambda: Optimiser("Adam", 0.1))
    seed: int = 0
    device: str = "cpu"

    task: ClassVar[str] = "chars"

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            check_text(name, getattr(self, name))
        if len(self.source) != len(self.target):
            allowed = f"as many characters as source has ({len(self.source)}), not {len(self.target)}"
            raise refuse("target", self.target, allowed)
        one_of("layer", self.layer, ("cell", "layer"))
        one_of("reduction", self.reduction, ("sum", "mean"))
        switch("readout", self.readout)
        check_model(self)
        _set(self, "embedding", whole("embedding", self.embedding, 0, MAX_SIZE))
        if self.layer == "cell" and self.num_layers > 1:
            raise refuse("num_layers", self.num_layers, "1, because a cell is one layer")
        if not self.readout and self.hidden != len(self.characters):
            allowed = f"{len(self.characters)}, the number of characters, because h itself is the score"
            raise refuse("hidden", self.hidden, allowed)

    @cached_property
    def text(self) -> str:
        """The configuration as JSON; `config_from` reads it."""
        return as_text(self)

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def characters(self) -> tuple[str, ...]:
        """The characters of both strings, sorted: the classes, and the one-hot places."""
        return tuple(sorted({*self.source, *self.target}))


TrainConfig = TaggerConfig | CharsConfig | Seq2SeqConfig


def _check_sentences(config: TaggerConfig) -> None:
    if not isinstance(config.sentences, tuple) or not config.sentences:
        raise refuse("sentences", config.sentences, "a tuple of at least one sentence")
    if not isinstance(config.held_out, tuple):
        raise refuse("held_out", config.held_out, "a tuple of sentences")
    tokens = 0
    texts: set[str] = set()
    for name in ("sentences", "held_out"):
        for i, sentence in enumerate(getattr(config, name)):
            if not isinstance(sentence, tuple) or not sentence:
                raise refuse(f"{name}[{i}]", sentence, "a tuple of at least one pair (word, tag)")
            tokens += len(sentence)
            if tokens > MAX_TOKENS:
                raise ValueError(f"{name} has more than the {MAX_TOKENS} words that are allowed")
            for pair in sentence:
                if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(t, str) for t in pair):
                    raise refuse(f"{name}[{i}]", pair, "pairs (word, tag) of strings")
                texts.update(pair)
    for text in texts:
        check_text("a word or tag", text)
    if len(config.tags) > MAX_TAGS:
        raise ValueError(f"{len(config.tags)} tags are not allowed: at most {MAX_TAGS}")
