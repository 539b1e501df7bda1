"""Each topology run on one input: the real model's states, scores and answers, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnviz.topologies import brackets, point, reverse, spell, tags
from rnnviz.topologies.config import TopologyConfig
from rnnviz.topologies.kits import KITS
from rnnviz.topologies.reading import read
from rnnviz.topologies.record import Column, Floats, Look

Given = str | int | tuple[float, float]
"""A text, a number from 0 to 99, or a point."""


@torch.no_grad()
def look(config: TopologyConfig, model: nn.Module, given: Given) -> Look:
    """The run of a topology's model on what it is given."""
    return _LOOKS[config.name](config, model, given)


def _point(config: TopologyConfig, model: nn.Module, given: Any) -> Look:
    net = cast(point.Judge, model)
    x = torch.tensor([given])  # (1, 2)
    h = torch.tanh(net.hidden(x))
    scores = net(x)
    answer = point.CLASSES[int(scores.argmax())]
    right = point.CLASSES[point.label(given)]
    column = Column(f"({given[0]:g}, {given[1]:g})", answer, right)
    shapes = {"x": _shape(x), "y": f"{_shape(h)} → {_shape(scores)}", "reads": "nn.Linear, tanh"}
    made = _Scores(point.CLASSES, h, scores)
    return made.look(config, (column,), shapes, f"({given[0]:g}, {given[1]:g}) is {_sure(answer, scores[0])}")


def _spell(config: TopologyConfig, model: nn.Module, given: Any) -> Look:
    net = cast(spell.Speller, model)
    x = spell.vectors([given])  # (1, 20)
    word, h, scores = spell.write(net, x)
    wrote = [spell.SYMBOLS[i] for i in scores.argmax(-1)]
    columns = _written(wrote, spell.spelled(given) + spell.END)
    shapes = {
        "first": _shape(x),
        "h": _shape(net.begin(x)),
        "x": f"(1, 1, {net.rnn.input_size})",
        "y": f"(1, 1, {scores.shape[-1]})",
        "reads": "nn.Embedding",
        "carries": "h",
    }
    found = _Scores(spell.SYMBOLS, h, scores)
    tens, ones = divmod(given, 10)
    says = f"{given} is written “{word}”"
    return found.look(config, columns, shapes, says, first=f"digits {tens}, {ones}")


def _brackets(config: TopologyConfig, model: nn.Module, given: Any) -> Look:
    net = cast(brackets.Checker, model)
    reading = read(config.name, given)
    text = "".join(reading.symbols)
    ids = torch.tensor([brackets.SYMBOLS.index(symbol) for symbol in text])
    x = net.embedding(ids)  # (L, E)
    h, _ = net.rnn(x.unsqueeze(1))  # (L, 1, H)
    scores = net([ids])  # (1, 2)
    answer = brackets.CLASSES[int(scores.argmax())]
    right = brackets.CLASSES[brackets.depth(text) >= 0]
    columns = [Column(symbol) for symbol in text[:-1]] + [Column(text[-1], answer, right)]
    shapes = _layer_shapes(x.shape[-1], h.shape[-1], _shape(scores))
    made = _Scores(brackets.CLASSES, h[:, 0], scores)
    return made.look(config, columns, shapes, f"{text} is {_sure(answer, scores[0])}", note=reading.note)


def _reverse(config: TopologyConfig, model: nn.Module, given: Any) -> Look:
    net = cast(reverse.Reverser, model)
    reading = read(config.name, given)
    word = "".join(reading.symbols)
    text, h, scores = reverse.write(net, word)
    wrote = [reverse.SYMBOLS[i] for i in scores.argmax(-1)]
    encoder = [Column(letter, part="encoder") for letter in word]
    decoder = _written(wrote, word[::-1] + reverse.END, "decoder")
    shapes = {
        "x": f"(1, 1, {net.encoder.input_size})",
        "h": f"(1, 1, {h.shape[-1]})",
        "y": f"(1, 1, {scores.shape[-1]})",
        "reads": "nn.Embedding",
        "carries": "h",
    }
    found = _Scores(reverse.SYMBOLS, h, scores)
    return found.look(config, [*encoder, *decoder], shapes, f"{word} backwards: “{text}”", note=reading.note)


def _tags(config: TopologyConfig, model: nn.Module, given: Any) -> Look:
    net = cast(tags.Tagger, model)
    reading = read(config.name, given)
    words = list(reading.symbols)
    x = net.embedding(tags.ids(words).unsqueeze(1))  # (L, 1, E)
    h, _ = net.rnn(x)  # (L, 1, H)
    scores = net(tags.ids(words).unsqueeze(1))  # (L, 1, tags)
    wrote = [tags.TAGS[i] for i in scores[:, 0].argmax(-1)]
    right = tags.parse(words)
    wanted: list[str | None] = [*right] if right else [None] * len(words)
    columns = [Column(*found) for found in zip(words, wrote, wanted, strict=True)]
    shapes = _layer_shapes(x.shape[-1], h.shape[-1], f"(1, 1, {scores.shape[-1]})")
    found = _Scores(tags.TAGS, h[:, 0], scores[:, 0])
    says = f"{' '.join(words)}: {' '.join(wrote)}"
    return found.look(config, columns, shapes, says, note=reading.note)


def _layer_shapes(entering: int, hidden: int, scores: str) -> dict[str, str]:
    """Of an LSTM that reads embeddings, one sequence (N = 1), one step."""
    return {
        "x": f"(1, 1, {entering})",
        "h": f"(1, 1, {hidden})",
        "y": scores,
        "reads": "nn.Embedding",
        "carries": "h, c",
    }


def _shape(values: Tensor) -> str:
    return str(tuple(values.shape))


def _sure(answer: str, scores: Tensor) -> str:
    return f"{answer}, with probability {float(scores.softmax(-1).max()):.3f}"


def _written(wrote: Sequence[str], right: str, part: str = "") -> list[Column]:
    """A decoder's columns: the first reads the sign that also ends a word, the others what they wrote."""
    before = [right[-1], *wrote[:-1]]
    wanted = [right[i] if i < len(right) else right[-1] for i in range(len(wrote))]
    return [
        Column(enters, letter, want, own=i > 0, part=part)
        for i, (enters, letter, want) in enumerate(zip(before, wrote, wanted, strict=True))
    ]


class _Scores:
    """The classes, h (columns, H) and scores (outputs, classes), the outputs being the last columns."""

    def __init__(self, classes: Sequence[str], h: Tensor, scores: Tensor) -> None:
        self.classes, self.h, self.scores = tuple(classes), h, scores

    def look(
        self,
        config: TopologyConfig,
        columns: Sequence[Column],
        shapes: dict[str, str],
        says: str,
        **more: str,
    ) -> Look:
        known = [column.right for column in columns if column.wrote]
        losses = torch.full((len(known),), torch.nan)
        if None not in known:
            wanted = torch.tensor([self.classes.index(str(right)) for right in known])
            losses = cross_entropy(self.scores, wanted, reduction="none")
        return Look(
            config,
            tuple(columns),
            self.classes,
            _kept(self.h),
            _filled(self.scores, len(columns)),
            _filled(self.scores.softmax(-1), len(columns)),
            _filled(losses, len(columns)),
            shapes,
            says,
            **more,
        )


def _kept(values: Tensor) -> Floats:
    array: Floats = np.array(values.detach().numpy())
    array.flags.writeable = False
    return array


def _filled(values: Tensor, columns: int) -> Floats:
    """The rows as the last of so many, NaN before them."""
    before = values.new_full((columns - len(values), *values.shape[1:]), torch.nan)
    return _kept(torch.cat([before, values]))


_LOOKS = {
    "one-to-one": _point,
    "one-to-many": _spell,
    "many-to-one": _brackets,
    "out-of-step": _reverse,
    "in-step": _tags,
}
assert _LOOKS.keys() == KITS.keys()
