"""One string to another, character by character (rows D3 to D5 and D8).

The course writes this model three ways: an nn.RNNCell in a loop whose h is itself the score, an nn.RNN of
which the same holds, and an nn.RNN between an embedding and a linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from rnnviz.layers import MODULES
from rnnviz.tracing import trace
from rnnviz.training.config import CharsConfig, refuse
from rnnviz.training.task import Arrays, Batch, Done, Rows, as_numpy, read_only, register, unit_rows

LAYERS: Mapping[str, Any] = MODULES  # the three take other arguments than their base
CELLS: Mapping[str, Any] = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}


class Chars(nn.Module):
    """Scores of the characters. x: one-hot (L, N, classes), or ids where there is an embedding: (L, N) for a
    cell, (N, L) for a layer, which then has its batch first. The scores: x's first two sizes, then classes.
    """

    def __init__(self, config: CharsConfig) -> None:
        super().__init__()
        classes = len(config.characters)
        inputs = config.embedding or classes
        self.embedding = nn.Embedding(classes, inputs) if config.embedding else None
        self.rnn: nn.RNNCellBase | nn.RNNBase
        if config.layer == "cell":
            self.rnn = CELLS[config.kind](inputs, config.hidden)
        else:
            batch_first = bool(config.embedding)
            self.rnn = LAYERS[config.kind](inputs, config.hidden, config.num_layers, batch_first=batch_first)
        self.linear = nn.Linear(config.hidden, classes) if config.readout else None

    def forward(self, x: Tensor) -> Tensor:
        if self.embedding is not None:
            x = self.embedding(x)
        if isinstance(self.rnn, nn.RNNBase):
            h, _ = self.rnn(x)
        else:
            state, hidden = None, []
            for x_t in x:  # (N, classes or E)
                state = self.rnn(x_t, state)
                hidden.append(state[0] if isinstance(state, tuple) else state)
            h = torch.stack(hidden)
        scores: Tensor = h if self.linear is None else self.linear(h)
        return scores


@dataclass(frozen=True)
class CharsData:
    """One pair of strings is one batch, and one batch is an epoch."""

    pair: Batch

    def batches(self) -> tuple[Batch, ...]:
        return (self.pair,)

    def batch(self, items: Sequence[int]) -> Batch:
        return self.pair


def _ids(config: CharsConfig, text: str, device: str) -> Tensor:
    return torch.tensor([config.characters.index(c) for c in text], device=device)


def _input(config: CharsConfig, ids: Tensor) -> Tensor:
    """What the model reads, N = 1: ids as (N, L) or (L, N), or one-hot as (L, N, classes)."""
    if config.embedding:
        return ids[:, None] if config.layer == "cell" else ids[None]
    return one_hot(ids, len(config.characters)).float()[:, None]


@lru_cache(maxsize=64)
def _data(config: CharsConfig, device: str) -> CharsData:
    source, target = (_ids(config, text, device) for text in (config.source, config.target))
    return CharsData(Batch((_input(config, source),), target, as_numpy(target), len(config.target)))


class CharsTask:
    """The character models as the engine sees them."""

    config_type = CharsConfig

    def model(self, config: CharsConfig) -> Chars:
        return Chars(config)

    def data(self, config: CharsConfig, device: str) -> CharsData:
        return _data(config, device)

    def items(self, config: CharsConfig) -> int:
        return 1

    def batch_size(self, config: CharsConfig) -> int:
        return 1

    def shuffled(self, config: CharsConfig) -> bool:
        return False

    def loss(self, model: nn.Module, batch: Batch, config: CharsConfig, epoch: int) -> Done:
        scores = model(*batch.inputs)
        scores = scores.reshape(-1, scores.shape[-1])  # (N * L, classes) against (N * L)
        return Done(cross_entropy(scores, batch.targets, reduction=config.reduction), scores)

    def held(self, config: CharsConfig, layer: int, direction: int, unit: int) -> Rows:
        if layer >= config.num_layers or direction or unit >= config.hidden:
            allowed = f"layers {config.num_layers}, directions 1, units {config.hidden}, counted from 0"
            raise refuse("layer, direction, unit", (layer, direction, unit), allowed)
        suffix = "" if config.layer == "cell" else f"_l{layer}"
        return unit_rows("rnn", suffix, config.kind, config.hidden, unit)

    def holds_out(self, config: CharsConfig) -> bool:
        return False

    def evaluate(self, model: nn.Module, config: CharsConfig, *, held_out: bool) -> tuple[float, float]:
        device = next(model.parameters()).device.type
        batch = _data(config, device).pair
        done = self.loss(model, batch, config, 0)
        right = int((done.scores.argmax(-1) == batch.targets).sum())
        return float(done.loss), right / batch.count

    def log(self, config: CharsConfig, batch: Batch, done: Done) -> Arrays:
        return {"predicted": done.scores.detach().argmax(-1).cpu().numpy()}

    def watch(self, model: nn.Module, config: CharsConfig) -> dict[str, float]:
        return {}

    def snapshot(self, model: nn.Module, config: CharsConfig, view: Mapping[str, Any]) -> Arrays:
        """The pair as the model sees it. The view: ``text``, another string of its characters than source.

        ``ids`` (L); ``x`` (L, E or classes); ``logits`` as the model gives them, (L, N, classes) or (N, L,
        classes), and ``flat_logits`` (N * L, classes), which enter the loss; ``probabilities`` (L, classes);
        ``predicted`` (L); for source also ``targets`` (L), ``losses`` (L), each position's own, and ``loss``
        (), their sum or mean; ``embeddings`` (classes, E) if there are any; every quantity of the trace as
        ``name/layer/direction`` (L, units).
        """
        assert isinstance(model, Chars)
        text = view.get("text", config.source)
        if not isinstance(text, str) or not 1 <= len(text) <= 200 or {*text} - {*config.characters}:
            raise refuse("text", text, f"1 to 200 of the characters {' '.join(config.characters)}")
        device = next(model.parameters()).device.type
        ids = _ids(config, text, device)
        x = _input(config, ids)
        logits = model(x)
        x = x if model.embedding is None else model.embedding(x)
        flat = logits.reshape(-1, logits.shape[-1])
        arrays: Arrays = {
            "ids": read_only(ids),
            "logits": read_only(logits),
            "flat_logits": read_only(flat),
            "probabilities": read_only(flat.softmax(-1)),
            "predicted": read_only(flat.argmax(-1)),
            "x": read_only(x.reshape(len(text), -1)),
        }
        if text == config.source:
            targets = _data(config, device).pair.targets
            arrays["targets"] = read_only(targets)
            arrays["losses"] = read_only(cross_entropy(flat, targets, reduction="none"))
            arrays["loss"] = read_only(cross_entropy(flat, targets, reduction=config.reduction))
        if model.embedding is not None:
            arrays["embeddings"] = read_only(model.embedding.weight)
        seen = trace(as_layer(model, config), x)
        return arrays | {f"{k}/{n}/{d}": values[:, 0] for (k, n, d), values in seen.values.items()}


def as_layer(model: Chars, config: CharsConfig) -> nn.RNNBase:
    """The model's layer; for a cell, the nn.RNN, nn.LSTM or nn.GRU that has the cell's very weights."""
    if isinstance(model.rnn, nn.RNNBase):
        return model.rnn
    cell = model.rnn
    with torch.device("meta"):
        layer: nn.RNNBase = LAYERS[config.kind](cell.input_size, cell.hidden_size)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()}, assign=True)
    return layer.eval()


register(CharsConfig.task, CharsTask())
