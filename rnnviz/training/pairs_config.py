"""The encoder-decoder's configuration: pairs of strings, the model between them, and how it is taught.

Nothing but the standard library; see `rnnviz.training.config` for what a configuration is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

from rnnviz.config import whole
from rnnviz.data.pairs import MAX_DIGITS, TASKS, Task, divided, generate, vocabulary
from rnnviz.data.pairs import MAX_LENGTH as MAX_DRAWN
from rnnviz.data.pairs import MAX_SYMBOLS as MAX_SYMBOLS
from rnnviz.data.pairs import Pair as Pair
from rnnviz.gates import KINDS, Kind
from rnnviz.kept import kept
from rnnviz.training.plain import (
    MAX_LAYERS,
    MAX_SIZE,
    MAX_TOKENS,
    Optimiser,
    as_text,
    check_run,
    check_text,
    number,
    one_of,
    put,
    refuse,
    switch,
)

Scores = Literal["additive", "dot", "general", "scaled_dot", "multihead", "none"]

SCORES: tuple[Scores, ...] = ("additive", "dot", "general", "scaled_dot", "multihead", "none")

PAD, START, END = 0, 1, 2
"""The rows of the target's embedding that are no symbols; the source's has PAD alone."""
SPECIAL = ("<pad>", "<start>", "<end>")

MAX_PAIRS = 10_000
MAX_LENGTH = 100
"""The most tokens of a source or a target."""
MAX_VOCABULARY = 2_000
MAX_EMBEDDING = 1_024
MAX_LOGITS = 4_000_000
"""The most numbers that one step's logits may have: batch × steps × vocabulary."""


@dataclass(frozen=True)
class Generated:
    """Pairs of which the right alignment is known, drawn from the configuration's seed (`rnnviz.data.pairs`).

    ``symbols``: how many different ones; ``shortest`` and ``longest``: of the source, in tokens; ``shift``:
    of the task of that name. Dates have their own symbols and lengths, numbers their own symbols. ``train``
    and ``held``: how many pairs of each, both fewer in proportion where there are not so many different
    ones; a held-out source is never among the trained ones.
    """

    task: Task = "reverse"
    symbols: int = 12
    shortest: int = 4
    longest: int = 8
    shift: int = 1
    train: int = 2048
    held: int = 128

    def __post_init__(self) -> None:
        one_of("task", self.task, TASKS)
        put(self, "symbols", whole("symbols", self.symbols, 2, MAX_SYMBOLS))
        put(
            self,
            "longest",
            whole("longest", self.longest, 1, MAX_DIGITS if self.task == "numbers" else MAX_DRAWN),
        )
        put(self, "shortest", whole("shortest", self.shortest, 1, self.longest))
        put(self, "shift", whole("shift", self.shift, 0, MAX_DRAWN))
        put(self, "train", whole("train", self.train, 1, MAX_PAIRS))
        put(self, "held", whole("held", self.held, 0, 1_000))


@dataclass(frozen=True)
class Seq2SeqConfig:
    """An encoder and a decoder with attention between them (rows D6, D7, D9, E1, E2, E6).

    ``data``: what to draw, or one's own pairs, of which ``held_out`` are not trained. ``vocabulary``: rows of
    both embeddings, 0 for as many as there are symbols. ``hidden``: of the encoder, a direction;
    ``attention`` "none": a plain encoder-decoder. ``mask`` False: padding gets attention (E2). ``packed``
    False: the encoder reads the padding too. Dropout acts on both embeddings and between layers.

    ``teacher``: how often a true token is fed, drawn anew for each step of the decoder. It becomes
    ``teacher_end`` in even steps over ``teacher_epochs`` epochs, 0 for never. ``teacher_reversed``: the
    notebook's mistake, which feeds the model's own prediction when it says that it feeds the true one (E1).
    """

    data: Generated | tuple[Pair, ...] = field(default_factory=Generated)
    held_out: tuple[Pair, ...] = ()
    vocabulary: int = 0
    encoder: Kind = "GRU"
    decoder: Kind = "GRU"
    embedding: int = 12
    hidden: int = 16
    decoder_hidden: int = 32
    num_layers: int = 1
    decoder_layers: int = 1
    bidirectional: bool = True
    attention: Scores = "additive"
    heads: int = 4
    mask: bool = True
    packed: bool = True
    dropout: float = 0.0
    teacher: float = 1.0
    teacher_end: float = 0.0
    teacher_epochs: int = 0
    teacher_reversed: bool = False
    batch: int = 128
    shuffle: bool = True
    optimiser: Optimiser = field(default_factory=lambda: Optimiser("Adam", 0.005, clip=1.0))
    seed: int = 0
    device: str = "cpu"

    task: ClassVar[str] = "seq2seq"
    parts: ClassVar[dict[str, type]] = {"data": Generated}

    def __post_init__(self) -> None:
        for name, allowed in (("encoder", KINDS), ("decoder", KINDS), ("attention", SCORES)):
            one_of(name, getattr(self, name), allowed)
        for name in ("bidirectional", "mask", "packed", "teacher_reversed", "shuffle"):
            switch(name, getattr(self, name))
        for name, least, most in (
            ("vocabulary", 0, MAX_VOCABULARY),
            ("embedding", 1, MAX_EMBEDDING),
            ("hidden", 1, MAX_SIZE),
            ("decoder_hidden", 1, 2 * MAX_SIZE),
            ("num_layers", 1, MAX_LAYERS),
            ("decoder_layers", 1, MAX_LAYERS),
            ("heads", 1, 16),
            ("teacher_epochs", 0, 100_000),
            ("batch", 1, 1024),
        ):
            put(self, name, whole(name, getattr(self, name), least, most))
        for name, high in (("dropout", 0.95), ("teacher", 1.0), ("teacher_end", 1.0)):
            put(self, name, number(name, getattr(self, name), 0.0, high))
        check_run(self)
        _check_sizes(self)
        _check_data(self)

    @property
    def directions(self) -> int:
        """D, of the encoder."""
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> int:
        """The encoder's output at one position, D * H."""
        return self.directions * self.hidden

    @property
    def context(self) -> int:
        """The size of the context vector, 0 without attention."""
        return 0 if self.attention == "none" else self.width

    @cached_property
    def text(self) -> str:
        """The configuration as JSON; `config_from` reads it."""
        return as_text(self)

    def __hash__(self) -> int:
        return hash(self.text)

    def ratio(self, epoch: int) -> float:
        """How often a true token is fed in an epoch, counted from 0."""
        if not self.teacher_epochs:
            return self.teacher
        part = min(epoch / self.teacher_epochs, 1.0)
        return self.teacher + part * (self.teacher_end - self.teacher)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that are trained."""
        return _drawn((self.data, self.seed))[0] if isinstance(self.data, Generated) else self.data

    @property
    def held(self) -> tuple[Pair, ...]:
        """The pairs that are not."""
        return _drawn((self.data, self.seed))[1] if isinstance(self.data, Generated) else self.held_out

    @cached_property
    def source_symbols(self) -> tuple[str, ...]:
        """What the rows of the encoder's embedding stand for: padding, then the symbols."""
        return (SPECIAL[PAD], *self._symbols(0))

    @cached_property
    def target_symbols(self) -> tuple[str, ...]:
        """What the rows of the decoder's embedding, and the logits, stand for: symbols after the three."""
        return (*SPECIAL, *self._symbols(1))

    def _symbols(self, side: int) -> tuple[str, ...]:
        """A task's in their natural order; those of one's own pairs sorted."""
        if isinstance(self.data, Generated):
            return vocabulary(self.data.task, self.data.symbols)[side]
        return tuple(sorted({token for pair in (*self.pairs, *self.held) for token in pair[side]}))

    @cached_property
    def longest_target(self) -> int:
        """The most tokens of a target, its end symbol not counted."""
        if isinstance(self.data, Generated):
            return _longest(self.data, self.seed)
        return max(len(target) for _, target in (*self.pairs, *self.held))

    @property
    def source_rows(self) -> int:
        """Rows of the encoder's embedding."""
        return self.vocabulary or len(self.source_symbols)

    @property
    def target_rows(self) -> int:
        """Rows of the decoder's embedding: how many logits there are."""
        return self.vocabulary or len(self.target_symbols)

    @cached_property
    def source_numbers(self) -> dict[str, int]:
        """From a source's symbol to its row."""
        return {token: i for i, token in enumerate(self.source_symbols) if i}

    @cached_property
    def target_numbers(self) -> dict[str, int]:
        """From a target's symbol to its row; the end symbol is among them."""
        return {token: i for i, token in enumerate(self.target_symbols) if i >= END}

    def source_ids(self, tokens: Iterable[str]) -> tuple[int, ...]:
        """The rows of a source's tokens. Raises ValueError for an unknown one, and for none or too many."""
        return _ids("source", tokens, self.source_numbers)

    def target_ids(self, tokens: Iterable[str]) -> tuple[int, ...]:
        """The rows of a target's tokens, likewise."""
        return _ids("target", tokens, self.target_numbers)

    def target_text(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The tokens of rows of the target; a row without a symbol is ``<unused 7>``."""
        symbols = self.target_symbols
        return tuple(symbols[i] if i < len(symbols) else f"<unused {i}>" for i in ids)


def _ids(name: str, tokens: Iterable[str], numbers: dict[str, int]) -> tuple[int, ...]:
    tokens = tuple(tokens)
    if not 1 <= len(tokens) <= MAX_LENGTH:
        raise ValueError(f"{name} of {len(tokens)} tokens is not allowed: 1 to {MAX_LENGTH}")
    for token in tokens:
        if token not in numbers:
            known = [*numbers][:40]
            more = f" and {len(numbers) - len(known)} more" if len(numbers) > len(known) else ""
            raise refuse(name, token, f"one of {' '.join(known)}{more}")
    return tuple(numbers[token] for token in tokens)


def _bytes(drawn: tuple[tuple[Pair, ...], tuple[Pair, ...]]) -> int:
    return sum(192 + 8 * (len(source) + len(target)) for pairs in drawn for source, target in pairs)


@kept(24_000_000, size=_bytes)
def _drawn(asked: tuple[Generated, int]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """The training pairs and the held-out ones; no source of these is among those. A room of students looks
    at some thirty seeds.
    """
    data, seed = asked
    lengths, count = (data.shortest, data.longest), data.train + data.held
    drawn = generate(data.task, data.symbols, lengths, data.shift, count, seed)
    return divided(drawn, data.train, data.held)


@lru_cache(maxsize=1024)
def _longest(data: Generated, seed: int) -> int:
    return max(len(target) for pairs in _drawn((data, seed)) for _, target in pairs)


def _check_sizes(config: Seq2SeqConfig) -> None:
    width, state = config.width, config.decoder_hidden
    if config.attention in ("dot", "scaled_dot") and state != width:
        raise refuse(
            "decoder_hidden", state, f"{width}, the encoder's width, because s · h needs equal sizes"
        )
    if config.attention == "multihead" and width % config.heads:
        raise refuse("heads", config.heads, f"a number that divides the encoder's width, {width}")


def _check_data(config: Seq2SeqConfig) -> None:
    if isinstance(config.data, Generated):
        if config.held_out:
            raise refuse("held_out", config.held_out, "(), because generated data hold out their own")
    else:
        _check_pairs(config)
    if config.vocabulary:
        needed = max(len(config.source_symbols), len(config.target_symbols))
        if config.vocabulary < needed:
            raise refuse("vocabulary", config.vocabulary, f"at least {needed}, as the pairs need, or 0")
    elif len(config.source_symbols) + len(config.target_symbols) > 2 * MAX_VOCABULARY:
        raise ValueError(f"the pairs have more than the {MAX_VOCABULARY} symbols that are allowed")
    steps = 1 + config.longest_target
    most = MAX_LOGITS // (steps * config.target_rows)
    if config.batch > most:
        raise refuse(
            "batch", config.batch, f"at most {most} with {steps} steps and {config.target_rows} rows"
        )


def _check_pairs(config: Seq2SeqConfig) -> None:
    if not isinstance(config.data, tuple) or not config.data:
        raise refuse("data", config.data, "a Generated, or a tuple of at least one pair (source, target)")
    if not isinstance(config.held_out, tuple):
        raise refuse("held_out", config.held_out, "a tuple of pairs (source, target)")
    count, texts = 0, set[str]()
    for name, pairs in (("data", config.data), ("held_out", config.held_out)):
        if len(pairs) > MAX_PAIRS:
            raise ValueError(f"{name} has {len(pairs)} pairs: at most {MAX_PAIRS} are allowed")
        for i, pair in enumerate(pairs):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise refuse(f"{name}[{i}]", pair, "a pair (source, target)")
            for side, tokens in zip(("source", "target"), pair, strict=True):
                if not isinstance(tokens, tuple) or not 1 <= len(tokens) <= MAX_LENGTH:
                    raise refuse(f"{name}[{i}] {side}", tokens, f"a tuple of 1 to {MAX_LENGTH} tokens")
                count += len(tokens)
                texts.update(tokens)
    if count > MAX_TOKENS:
        raise ValueError(f"the pairs have {count} tokens: at most {MAX_TOKENS} are allowed")
    for text in texts:
        check_text("a token", text)
        if text in SPECIAL:
            raise refuse("a token", text, "another: this name stands for itself")
