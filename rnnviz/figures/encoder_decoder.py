"""An encoder-decoder as boxes and arrows, with the shape of what flows at each arrow.

`rnnviz.figures.encoder_decoder_drawn` draws the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH, HEIGHT = 1000, 400  # of the canvas; the height is in pixels
ENCODER, MIDDLE, CONTEXT, DECODER = 84, 335, 580, 828  # the middles of the columns
HALF = 70  # half the width of a box
Point = tuple[float, float]


class Sizes(Protocol):
    """What a configuration must offer; `rnnviz.training.pairs_config.Seq2SeqConfig` does."""

    @property
    def encoder(self) -> str: ...
    @property
    def decoder(self) -> str: ...
    @property
    def embedding(self) -> int: ...
    @property
    def hidden(self) -> int: ...
    @property
    def directions(self) -> int: ...
    @property
    def decoder_hidden(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def decoder_layers(self) -> int: ...
    @property
    def attention(self) -> str: ...
    @property
    def heads(self) -> int: ...
    @property
    def source_rows(self) -> int: ...
    @property
    def target_rows(self) -> int: ...


@dataclass(frozen=True)
class Part:
    """One box: its name, a line or two under it, and what it does, for the pointer."""

    name: str
    under: str
    does: str
    at: Point
    tall: float = 27
    side: str = "encoder"


@dataclass(frozen=True)
class Flow:
    """One arrow along ``way``, with what flows along it and its shape: letters and sizes, written at ``at``
    to the ``side`` of that point ("left", "right" or "above").
    """

    what: str
    letters: tuple[str, ...]
    shape: tuple[int, ...]
    way: tuple[Point, ...]
    at: Point
    side: str
    again: bool = False


@dataclass(frozen=True)
class Scheme:
    """The picture of one model for one batch."""

    title: str
    parts: tuple[Part, ...]
    flows: tuple[Flow, ...]

    def shape(self, what: str) -> tuple[int, ...]:
        """Of what flows along the arrow of this name. Raises `KeyError` if there is none."""
        return {flow.what: flow.shape for flow in self.flows}[what]


def scheme(config: Sizes, batch: int, source: int, target: int) -> Scheme:
    """The record of a model that reads ``batch`` sources of ``source`` tokens and says ``target`` tokens."""
    attends = config.attention != "none"
    return Scheme(
        f"{config.encoder} encoder, {config.decoder} decoder, attention: {_words(config.attention)}",
        tuple(_parts(config, attends)),
        (
            *_encoding(config, batch, source, attends),
            *_attending(config, batch, source, attends),
            *_decoding(config, batch, target, attends),
        ),
    )


def _words(attention: str) -> str:
    return attention.replace("_", " ")


def _parts(config: Sizes, attends: bool) -> list[Part]:
    ways = "both ways" if config.directions == 2 else "one way"
    layers = f"{config.num_layers} layer{'s' * (config.num_layers > 1)}"
    own = f"{config.decoder_layers} layer{'s' * (config.decoder_layers > 1)}"
    score = f"{config.heads} heads" if config.attention == "multihead" else _words(config.attention)
    fed = "s, context, e" if attends else "s, e"
    parts = [
        Part("source", "", "the tokens that are read, as numbers", (ENCODER, 20), 15),
        Part("Embedding", f"{config.source_rows:,} rows", "a vector for each token", (ENCODER, 82)),
        Part(
            config.encoder,
            f"{layers}<br>{ways}",
            "the encoder reads the whole source once",
            (ENCODER, 190),
            34,
        ),
        Part(
            "Linear",
            "+ tanh",
            "makes the decoder's first state of the top layer's final states",
            (MIDDLE, 175),
            side="decoder",
        ),
        Part(
            "state s",
            "so far",
            "what the decoder remembers; at first what the encoder leaves it",
            (CONTEXT, 175),
            side="decoder",
        ),
        Part("last token", "", "the true one (teacher) or the model's own", (DECODER, 20), 15, "decoder"),
        Part("Embedding", f"{config.target_rows:,} rows", "its vector e", (DECODER, 82), side="decoder"),
        Part(config.decoder, own, "one step of the decoder", (DECODER, 190), 34, "decoder"),
        Part("Linear", fed, f"of {fed} side by side: a logit for each token", (DECODER, 305), side="decoder"),
    ]
    if attends:
        parts += [
            Part(
                "attention",
                score,
                "how well the state fits each output: energies, then softmax",
                (MIDDLE, 300),
                side="attention",
            ),
            Part(
                "context",
                "weighted sum",
                "the sum of the encoder's outputs by their weights",
                (CONTEXT, 300),
                side="attention",
            ),
        ]
    return parts


def _encoding(config: Sizes, batch: int, source: int, attends: bool) -> list[Flow]:
    width = config.directions * config.hidden
    both = "D*H" if config.directions == 2 else "H"
    edge, left = ENCODER + HALF, MIDDLE - HALF
    flows = [
        Flow("tokens", ("N", "L"), (batch, source), ((ENCODER, 35), (ENCODER, 55)), (ENCODER, 45), "right"),
        Flow(
            "embedded",
            ("N", "L", "E"),
            (batch, source, config.embedding),
            ((ENCODER, 109), (ENCODER, 156)),
            (ENCODER, 132),
            "right",
        ),
        Flow(
            "final h",
            ("N", both),
            (batch, width),
            ((edge, 175), (left, 175)),
            ((edge + left) / 2, 175),
            "above",
        ),
        Flow("first s", ("N", "S"), (batch, config.decoder_hidden), *_across(MIDDLE, CONTEXT, 175)),
    ]
    if attends:
        bend = edge + 22
        flows.append(
            Flow(
                "outputs h",
                ("N", "L", both),
                (batch, source, width),
                ((edge, 208), (bend, 208), (bend, 300), (left, 300)),
                (bend, 250),
                "right",
            )
        )
    return flows


def _across(start: float, stop: float, y: float) -> tuple[tuple[Point, Point], Point, str]:
    one, other = start + HALF, stop - HALF
    return ((one, y), (other, y)), ((one + other) / 2, y), "above"


def _attending(config: Sizes, batch: int, source: int, attends: bool) -> list[Flow]:
    if not attends:
        return []
    size, width = config.decoder_hidden, config.directions * config.hidden
    both = "D*H" if config.directions == 2 else "H"
    many = config.attention == "multihead"
    weights = ("N", "heads", "L") if many else ("N", "L")
    bend, left = CONTEXT + HALF + 28, DECODER - HALF
    return [
        Flow(
            "s",
            ("N", "S"),
            (batch, size),
            ((CONTEXT, 202), (CONTEXT, 238), (MIDDLE + 40, 238), (MIDDLE + 40, 273)),
            ((CONTEXT + MIDDLE + 40) / 2, 238),
            "above",
        ),
        Flow(
            "weights",
            weights,
            (batch, config.heads, source) if many else (batch, source),
            *_across(MIDDLE, CONTEXT, 300),
        ),
        Flow(
            "context",
            ("N", both),
            (batch, width),
            ((CONTEXT + HALF, 300), (bend, 300), (bend, 207), (left, 207)),
            (bend, 252),
            "right",
        ),
        Flow("", (), (), ((bend, 300), (left, 300)), (bend, 300), "right"),
        Flow(
            "",
            (),
            (),
            ((ENCODER + HALF + 22, 300), (ENCODER + HALF + 22, 346), (CONTEXT, 346), (CONTEXT, 327)),
            (CONTEXT, 346),
            "right",
        ),
    ]


def _decoding(config: Sizes, batch: int, target: int, attends: bool) -> list[Flow]:
    size = config.decoder_hidden
    x = DECODER
    skip = x + HALF + 30
    return [
        Flow("token", ("N",), (batch,), ((x, 35), (x, 55)), (x, 45), "right"),
        Flow("e", ("N", "E"), (batch, config.embedding), ((x, 109), (x, 156)), (x, 132), "right"),
        Flow("", (), (), ((x + HALF, 82), (skip, 82), (skip, 305), (x + HALF, 305)), (skip, 200), "right"),
        Flow("", (), (), ((CONTEXT + HALF, 175), (x - HALF, 175)), (x, 175), "right"),
        Flow(
            "",
            (),
            (),
            ((x - 60, 156), (x - 60, 132), (CONTEXT, 132), (CONTEXT, 148)),
            (CONTEXT, 132),
            "right",
            True,
        ),
        Flow("new s", ("N", "S"), (batch, size), ((x, 224), (x, 278)), (x, 248), "right"),
        Flow(
            "logits",
            ("N", "T", "V"),
            (batch, target, config.target_rows),
            ((x, 332), (x, 372)),
            (x, 356),
            "right",
        ),
    ]


def scheme_summary(record: Scheme) -> str:
    """The text alternative: the shape at every arrow that has a name."""
    shapes = ", ".join(f"{flow.what} {shape_text(flow.shape)}" for flow in record.flows if flow.what)
    return f"{record.title}. {shapes}."


def shape_text(sizes: Sequence[object]) -> str:
    """The sizes as Python writes a tuple."""
    return f"({', '.join(map(str, sizes))}{',' * (len(sizes) == 1)})"
