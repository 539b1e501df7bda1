"""The tagger: word vectors, a recurrent layer, a linear layer; one tag a word (rows D1, D2, E5, D9).

The model reads like the exported script's, which is what the course notebooks write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, nll_loss
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from rnnviz.layers import MODULES
from rnnviz.tracing import trace
from rnnviz.training.config import Sentence, TaggerConfig, refuse
from rnnviz.training.task import Arrays, Batch, Done, Rows, as_numpy, read_only, register, unit_rows

NO_TAG = -1
"""The target of padding, which the loss leaves out, and of a word whose tag nobody knows."""
SHOWN_WORDS = 2000
"""At most so many words' vectors, and words' hidden states, are in a snapshot."""
_HELD_OUT_BATCH = 64


class Tagger(nn.Module):
    """Log-probabilities of the tags: words (L) give (L, tags); with lengths, (L, N) give (L, N, tags)."""

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        between = config.dropout if config.num_layers > 1 else 0.0
        self.embedding = nn.Embedding(len(config.vocabulary), config.embedding)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else None
        layer: Any = MODULES[config.kind]  # the three take other arguments than their base
        self.rnn: nn.RNNBase = layer(
            config.embedding,
            config.hidden,
            config.num_layers,
            dropout=between,
            bidirectional=config.bidirectional,
        )
        self.linear = nn.Linear(config.directions * config.hidden, len(config.tags))

    def forward(self, words: Tensor, lengths: Tensor | None = None) -> Tensor:
        x = self.embedding(words)  # (L, E) or (L, N, E)
        if self.dropout is not None:
            x = self.dropout(x)
        if lengths is None:
            h, _ = self.rnn(x)  # (L, D * H)
        else:
            h, _ = self.rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))
            h, _ = pad_packed_sequence(h)  # (L, N, D * H)
        if self.dropout is not None:
            h = self.dropout(h)
        return log_softmax(self.linear(h), dim=-1)


@dataclass(frozen=True)
class TaggerData:
    """The sentences as ids: ``words`` and ``tags`` of each (L). ``size``: sentences a step."""

    words: tuple[Tensor, ...]
    tags: tuple[Tensor, ...]
    size: int

    def batches(self) -> tuple[Batch, ...]:
        return self._batches

    @cached_property
    def _batches(self) -> tuple[Batch, ...]:
        items = range(len(self.words))
        return tuple(self.batch(items[first : first + self.size]) for first in items[:: self.size])

    def batch(self, items: Sequence[int]) -> Batch:
        if self.size == 1:
            words, tags = self.words[items[0]], self.tags[items[0]]
            return Batch((words,), tags, as_numpy(tags), len(words))
        chosen = [self.words[i] for i in items]
        lengths = torch.tensor([len(each) for each in chosen])  # pack_padded_sequence wants them on the CPU
        padded = pad_sequence([self.tags[i] for i in items], padding_value=NO_TAG)  # (L, N)
        return Batch((pad_sequence(chosen), lengths), padded, as_numpy(padded), sum(map(len, chosen)))


@lru_cache(maxsize=32)
def _data(config: TaggerConfig, device: str, held_out: bool) -> TaggerData:
    sentences = config.held_out if held_out else config.sentences
    words = [torch.tensor(config.ids(word for word, _ in s), device=device) for s in sentences]
    tags = [torch.tensor([config.tag_ids[tag] for _, tag in s], device=device) for s in sentences]
    return TaggerData(tuple(words), tuple(tags), _HELD_OUT_BATCH if held_out else config.batch)


class TaggerTask:
    """The tagger as the engine sees it."""

    config_type = TaggerConfig

    def model(self, config: TaggerConfig) -> Tagger:
        return Tagger(config)

    def data(self, config: TaggerConfig, device: str) -> TaggerData:
        return _data(config, device, False)

    def items(self, config: TaggerConfig) -> int:
        return len(config.sentences)

    def batch_size(self, config: TaggerConfig) -> int:
        return config.batch

    def shuffled(self, config: TaggerConfig) -> bool:
        return config.shuffle

    def loss(self, model: nn.Module, batch: Batch, config: TaggerConfig, epoch: int) -> Done:
        scores = model(*batch.inputs)
        if config.batch == 1:
            return Done(nll_loss(scores, batch.targets), scores)
        return Done(nll_loss(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=NO_TAG), scores)

    def held(self, config: TaggerConfig, layer: int, direction: int, unit: int) -> Rows:
        if layer >= config.num_layers or direction >= config.directions or unit >= config.hidden:
            allowed = f"layers {config.num_layers}, directions {config.directions}, units {config.hidden}"
            raise refuse("layer, direction, unit", (layer, direction, unit), f"{allowed}, counted from 0")
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        return unit_rows("rnn", suffix, config.kind, config.hidden, unit)

    def holds_out(self, config: TaggerConfig) -> bool:
        return bool(config.held_out)

    def evaluate(self, model: nn.Module, config: TaggerConfig, *, held_out: bool) -> tuple[float, float]:
        device = str(next(model.parameters()).device.type)
        data = _data(config, device, held_out)
        total, right, count = 0.0, 0, 0
        for batch in _padded(data):
            scores = model(*batch.inputs)
            flat, targets = scores.reshape(-1, scores.shape[-1]), batch.targets.reshape(-1)
            total += float(nll_loss(flat, targets, ignore_index=NO_TAG, reduction="sum"))
            right += int((flat.argmax(-1) == targets).sum())
            count += batch.count
        return total / count, right / count

    def log(self, config: TaggerConfig, batch: Batch, done: Done) -> Arrays:
        return {}

    def watch(self, model: nn.Module, config: TaggerConfig) -> dict[str, float]:
        return {}

    def snapshot(self, model: nn.Module, config: TaggerConfig, view: Mapping[str, Any]) -> Arrays:
        """One sentence, and what is to be seen of all.

        The view: ``sentence`` (its number, 0), ``held_out`` (False: a training one), or ``words`` (a list
        of typed words); ``parts`` (of "embeddings", "states", "confusion"; all).

        For the sentence: ``ids`` (L), -1 for an unknown word without a row; ``known`` (L); ``tags`` (L), -1
        for typed words; ``probabilities`` (L, T); ``predicted`` (L); ``x`` (L, E); every quantity of the
        trace as ``name/layer/direction`` (L, units), such as ``f/0/0``.

        embeddings: ``embeddings`` (at most SHOWN_WORDS of V, E). states: ``states`` (M, D * H), h of the top
        layer at the first SHOWN_WORDS training words, with ``state_words``, ``state_tags``,
        ``state_sentences`` and ``state_steps`` (M). confusion: ``confusion`` and ``held_confusion`` (T, T),
        how many words of each true tag (rows) are given each tag (columns).
        """
        assert isinstance(model, Tagger)
        parts = view.get("parts", ("sentence", "embeddings", "states", "confusion"))
        found = _sentence(model, config, view)
        if "embeddings" in parts:
            found["embeddings"] = read_only(model.embedding.weight[:SHOWN_WORDS])
        if "states" in parts:
            found |= _states(model, config)
        if "confusion" in parts:
            found["confusion"] = _confusion(model, config, held_out=False)
            found["held_confusion"] = _confusion(model, config, held_out=True)
        return found


def _padded(data: TaggerData) -> tuple[Batch, ...]:
    return TaggerData(data.words, data.tags, max(data.size, _HELD_OUT_BATCH)).batches()


def _sentence(model: Tagger, config: TaggerConfig, view: Mapping[str, Any]) -> Arrays:
    """One sentence, word by word; see `TaggerTask.snapshot`."""
    words, tags = _chosen(config, view)
    ids = config.ids(words)
    device = model.embedding.weight.device
    rows = torch.tensor(ids, device=device)
    x = model.embedding(rows.clamp(min=0)) * (rows >= 0)[:, None]  # (L, E)
    seen = trace(model.rnn, x[:, None])  # (L, 1, E)
    h = torch.tensor(seen.output[:, 0], device=device)  # (L, D * H)
    scores = log_softmax(model.linear(h), dim=-1)
    arrays: Arrays = {
        "ids": np.array(ids),
        "known": np.array(config.knows(words)),
        "tags": np.array(tags),
        "probabilities": read_only(scores.exp()),
        "predicted": read_only(scores.argmax(-1)),
        "x": read_only(x),
    }
    return arrays | {f"{k}/{n}/{d}": values[:, 0] for (k, n, d), values in seen.values.items()}


def _chosen(config: TaggerConfig, view: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The words of the sentence that a view asks for, and its tags' ids."""
    typed = view.get("words")
    if typed is not None:
        if not isinstance(typed, list | tuple) or not all(isinstance(word, str) for word in typed):
            raise refuse("words", typed, "a list of words")
        if not 1 <= len(typed) <= 1000:
            raise refuse("words", len(typed), "1 to 1000 words")
        return tuple(typed), (NO_TAG,) * len(typed)
    sentences: tuple[Sentence, ...] = config.held_out if view.get("held_out", False) else config.sentences
    number = view.get("sentence", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(sentences):
        raise refuse("sentence", number, f"a whole number less than {len(sentences)}")
    words, tags = zip(*sentences[number], strict=True)
    return words, tuple(config.tag_ids[tag] for tag in tags)


def _states(model: Tagger, config: TaggerConfig) -> Arrays:
    """The top layer's h at the first SHOWN_WORDS training words, and what each of them is."""
    data = _data(config, str(model.embedding.weight.device.type), False)
    places = list(
        islice(((s, t) for s, words in enumerate(data.words) for t in range(len(words))), SHOWN_WORDS)
    )
    used = places[-1][0] + 1
    words = data.words[:used]
    x = pack_padded_sequence(
        model.embedding(pad_sequence(list(words))),
        torch.tensor([len(each) for each in words]),
        enforce_sorted=False,
    )
    h, _ = pad_packed_sequence(model.rnn(x)[0])  # (L, N, D * H)
    s, t = np.array(places).T
    return {
        "states": read_only(h[t, s]),
        "state_words": read_only(torch.cat(words)[: len(places)]),
        "state_tags": read_only(torch.cat(data.tags[:used])[: len(places)]),
        "state_sentences": s,
        "state_steps": t,
    }


def _confusion(model: Tagger, config: TaggerConfig, *, held_out: bool) -> Any:
    """How many words of each true tag (rows) are given each tag (columns): (T, T)."""
    size = len(config.tags)
    counts = np.zeros((size, size), dtype=np.int64)
    sentences = config.held_out if held_out else config.sentences
    if sentences:
        for batch in _padded(_data(config, str(model.embedding.weight.device.type), held_out)):
            predicted, true = model(*batch.inputs).argmax(-1), batch.targets
            mask = true != NO_TAG
            np.add.at(counts, (read_only(true[mask]), read_only(predicted[mask])), 1)
    return counts


register(TaggerConfig.task, TaggerTask())
