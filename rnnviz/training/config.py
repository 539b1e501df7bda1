"""What is trained, on what, and how: plain data, checked where it is made, nothing but the standard library.

A configuration is the whole description of a run at its start: the data, the model, the optimiser, the seed.
It never changes while the run goes on; what a person changes on the way stands in the run's journal
(`rnnviz.training.changes`).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from numbers import Real
from typing import Any, ClassVar, Literal, TypeVar

from rnnviz.config import whole
from rnnviz.gates import KINDS, Kind

Sentence = tuple[tuple[str, str], ...]
"""Pairs of (word, tag)."""
Case = Literal["keep", "first", "lower"]
OptimiserName = Literal["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]

OPTIMISERS: tuple[OptimiserName, ...] = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")
WITH_MOMENTUM: tuple[OptimiserName, ...] = ("SGD", "RMSprop")
CASES: tuple[Case, ...] = ("keep", "first", "lower")
DEVICES = ("cpu", "cuda")
UNKNOWN = "<unk>"

MAX_TOKENS = 100_000
MAX_TAGS = 512
MAX_TEXT = 200
"""The longest pair of strings of *Characters*, and the longest word or tag, in characters."""
MAX_SIZE = 512
"""The largest embedding or hidden size."""
MAX_LAYERS = 4
MAX_SEED = 2**63 - 1


def refuse(field_name: str, value: object, allowed: str) -> ValueError:
    """The error of this house: it names the field, the value given and what is allowed."""
    text = repr(value)
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ValueError(f"{field_name}={shown} is not allowed: {allowed}")


def number(field_name: str, value: Any, low: float, high: float) -> float:
    """The value as a float. Raises ValueError for anything but a number within [low, high]."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise refuse(field_name, value, f"a number from {low:g} to {high:g}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not low <= found <= high:
        raise refuse(field_name, value, f"a number from {low:g} to {high:g}")
    return found


def one_of(field_name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raises ValueError unless the value is one of these."""
    if not isinstance(value, str) or value not in allowed:
        raise refuse(field_name, value, "one of " + ", ".join(allowed))


def _switch(field_name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise refuse(field_name, value, "True or False")


def _set(config: object, name: str, value: Any) -> None:
    object.__setattr__(config, name, value)


@dataclass(frozen=True)
class Optimiser:
    """The arguments of torch.optim's optimiser of this name, and ``clip``: the largest norm of the whole
    gradient (nn.utils.clip_grad_norm_), 0 for none.
    """

    name: OptimiserName = "SGD"
    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip: float = 0.0

    def __post_init__(self) -> None:
        one_of("name", self.name, OPTIMISERS)
        _set(self, "lr", number("lr", self.lr, 0.0, 1e9))
        _set(self, "momentum", number("momentum", self.momentum, 0.0, 1.0))
        _set(self, "weight_decay", number("weight_decay", self.weight_decay, 0.0, 1e3))
        _set(self, "clip", number("clip", self.clip, 0.0, 1e9))
        if self.momentum and self.name not in WITH_MOMENTUM:
            raise refuse("momentum", self.momentum, f"0: only SGD and RMSprop have it, not {self.name}")


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
        _check_model(self)
        _switch("bidirectional", self.bidirectional)
        _switch("shuffle", self.shuffle)
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
        return _text(self)

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
            _check_text(name, getattr(self, name))
        if len(self.source) != len(self.target):
            allowed = f"as many characters as source has ({len(self.source)}), not {len(self.target)}"
            raise refuse("target", self.target, allowed)
        one_of("layer", self.layer, ("cell", "layer"))
        one_of("reduction", self.reduction, ("sum", "mean"))
        _switch("readout", self.readout)
        _check_model(self)
        _set(self, "embedding", whole("embedding", self.embedding, 0, MAX_SIZE))
        if self.layer == "cell" and self.num_layers > 1:
            raise refuse("num_layers", self.num_layers, "1, because a cell is one layer")
        if not self.readout and self.hidden != len(self.characters):
            allowed = f"{len(self.characters)}, the number of characters, because h itself is the score"
            raise refuse("hidden", self.hidden, allowed)

    @cached_property
    def text(self) -> str:
        """The configuration as JSON; `config_from` reads it."""
        return _text(self)

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def characters(self) -> tuple[str, ...]:
        """The characters of both strings, sorted: the classes, and the one-hot places."""
        return tuple(sorted({*self.source, *self.target}))


TrainConfig = TaggerConfig | CharsConfig

_C = TypeVar("_C")


def config_from(cls: type[_C], data: object) -> _C:
    """A configuration from what `json.loads` gives for its ``text``. Raises ValueError for anything else."""
    if not isinstance(data, dict):
        raise ValueError(f"a {cls.__name__} must be an object with its fields")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    if extra := sorted(map(str, data.keys() - known.keys())):
        raise refuse("fields", extra, f"{cls.__name__} has none of that name")
    missing = [
        name
        for name, f in known.items()
        if name not in data and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ValueError(f"{cls.__name__} needs {', '.join(missing)}")
    values = {name: _tuples(value) for name, value in data.items()}
    if "optimiser" in values:
        values["optimiser"] = config_from(Optimiser, values["optimiser"])
    return cls(**values)


def _text(config: Any) -> str:
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    values["optimiser"] = {f.name: getattr(config.optimiser, f.name) for f in fields(Optimiser)}
    return json.dumps(values, allow_nan=False, separators=(",", ":"))


def _tuples(value: object) -> object:
    """Lists as tuples, as deep as a sentence goes; deeper ones are refused where they are checked."""
    if not isinstance(value, list):
        return value
    return tuple(
        tuple(tuple(pair) if isinstance(pair, list) else pair for pair in item)
        if isinstance(item, list)
        else item
        for item in value
    )


def _check_model(config: TaggerConfig | CharsConfig) -> None:
    one_of("kind", config.kind, KINDS)
    _set(config, "hidden", whole("hidden", config.hidden, 1, MAX_SIZE))
    _set(config, "num_layers", whole("num_layers", config.num_layers, 1, MAX_LAYERS))
    if not isinstance(config.optimiser, Optimiser):
        raise refuse("optimiser", config.optimiser, "an Optimiser")
    _set(config, "seed", whole("seed", config.seed, 0, MAX_SEED))
    one_of("device", config.device, DEVICES)


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise refuse(name, value, f"a string of 1 to {MAX_TEXT} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise refuse(name, value, "text that can be written as UTF-8") from None


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
        _check_text("a word or tag", text)
    if len(config.tags) > MAX_TAGS:
        raise ValueError(f"{len(config.tags)} tags are not allowed: at most {MAX_TAGS}")
