"""The encoder-decoder written a second time: numpy in float64, plain loops, no line of rnnviz or torch.

Weights come as a mapping from the state_dict's names to arrays; the letters are those of the papers. A source
is a list of rows without padding, so nothing here knows a mask: what padding must not do shows as a
difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = Mapping[str, Array]


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x: Sequence[float]) -> list[float]:
    powers = [float(np.exp(value - max(x))) for value in x]
    return [power / sum(powers) for power in powers]


def cell(kind: str, w: Weights, name: str, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """One step of an nn.RNN, nn.LSTM or nn.GRU: PyTorch's documented equations."""
    prefix, _, suffix = name.partition("@")
    from_x = w[f"{prefix}.weight_ih_{suffix}"] @ x + w[f"{prefix}.bias_ih_{suffix}"]
    from_h = w[f"{prefix}.weight_hh_{suffix}"] @ h + w[f"{prefix}.bias_hh_{suffix}"]
    if kind == "RNN":
        return np.tanh(from_x + from_h), c
    if kind == "LSTM":
        i, f, g, o = np.split(from_x + from_h, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(from_x, 3), np.split(from_h, 3)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * n_h)
    return (1 - z) * n + z * h, c


def encode(w: Weights, config: Any, ids: Sequence[int]) -> tuple[list[Array], Array]:
    """The top layer's output at each token, and tanh(join [last forward; last backward])."""
    outputs = [w["encoder.embedding.weight"][i] for i in ids]
    last: list[Array] = []
    for layer in range(config.num_layers):
        lanes = []
        last = []
        for way in range(2 if config.bidirectional else 1):
            name = f"encoder.rnn@l{layer}" + ("_reverse" if way else "")
            h, c = np.zeros(config.hidden), np.zeros(config.hidden)
            lane = [np.zeros(0)] * len(ids)
            for t in range(len(ids)) if not way else range(len(ids) - 1, -1, -1):
                h, c = cell(config.encoder, w, name, outputs[t], h, c)
                lane[t] = h
            lanes.append(lane)
            last.append(h)
        outputs = [np.concatenate([lane[t] for lane in lanes]) for t in range(len(ids))]
    joined = w["encoder.join.weight"] @ np.concatenate(last) + w["encoder.join.bias"]
    return outputs, np.tanh(joined)


def attend(w: Weights, config: Any, s: Array, outputs: list[Array]) -> tuple[list[Any], list[Any], Array]:
    """Energies, weights and context; of several heads a list for each head."""
    name, kind = "decoder.attention", config.attention
    if kind == "multihead":
        return _heads(w, config, s, outputs)
    energies = []
    for h in outputs:
        if kind == "additive":
            inner = w[f"{name}.W.weight"] @ np.concatenate([s, h]) + w[f"{name}.W.bias"]
            energies.append(
                float(sum(v * np.tanh(u) for v, u in zip(w[f"{name}.v.weight"][0], inner, strict=True)))
            )
        elif kind == "general":
            energies.append(float(s @ (w[f"{name}.W.weight"] @ h)))
        else:
            energies.append(float(s @ h) / (len(h) ** 0.5 if kind == "scaled_dot" else 1.0))
    weights = softmax(energies)
    context = np.zeros_like(outputs[0])
    for a, h in zip(weights, outputs, strict=True):
        context = context + a * h
    return energies, weights, context


def _heads(w: Weights, config: Any, s: Array, outputs: list[Array]) -> tuple[list[Any], list[Any], Array]:
    def linear(part: str, x: Array) -> Array:
        return w[f"decoder.attention.{part}.weight"] @ x + w[f"decoder.attention.{part}.bias"]

    size = len(outputs[0]) // config.heads
    energies, weights, contexts = [], [], []
    for head in range(config.heads):
        own = slice(head * size, (head + 1) * size)
        q = linear("query", s)[own]
        energies.append([float(q @ linear("key", h)[own]) / size**0.5 for h in outputs])
        weights.append(softmax(energies[-1]))
        contexts.append(sum(a * linear("value", h)[own] for a, h in zip(weights[-1], outputs, strict=True)))
    return energies, weights, linear("out", np.concatenate(contexts))


@dataclass
class Seen:
    """Of each step: logits, the state after it, energies, weights and context."""

    logits: list[Array] = field(default_factory=list)
    states: list[Array] = field(default_factory=list)
    energies: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    contexts: list[Array] = field(default_factory=list)
    fed: list[int] = field(default_factory=list)
    first: Array = field(default_factory=lambda: np.zeros(0))
    outputs: list[Array] = field(default_factory=list)


def run(
    w: Weights, config: Any, ids: Sequence[int], inputs: Sequence[int], teacher: Sequence[bool] | None = None
) -> Seen:
    """Feed the inputs; at a step whose teacher is False, the token that was most likely before."""
    seen = Seen()
    seen.outputs, seen.first = encode(w, config, ids)
    h = [seen.first] * config.decoder_layers
    c = [np.zeros(config.decoder_hidden)] * config.decoder_layers
    for t, given in enumerate(inputs):
        own = t > 0 and teacher is not None and not teacher[t]
        token = int(np.argmax(seen.logits[-1])) if own else given
        e = w["decoder.embedding.weight"][token]
        x = e
        if config.attention != "none":
            energies, weights, context = attend(w, config, h[-1], seen.outputs)
            seen.energies.append(energies)
            seen.weights.append(weights)
            seen.contexts.append(context)
            x = np.concatenate([context, e])
        inner = x
        for layer in range(config.decoder_layers):
            h[layer], c[layer] = cell(config.decoder, w, f"decoder.rnn@l{layer}", inner, h[layer], c[layer])
            inner = h[layer]
        seen.logits.append(w["decoder.out.weight"] @ np.concatenate([inner, x]) + w["decoder.out.bias"])
        seen.states.append(inner)
        seen.fed.append(token)
    return seen


def loss(logits: Sequence[Sequence[Array]], targets: Sequence[Sequence[int]]) -> float:
    """The mean over all tokens of −log p(token); the targets have no padding."""
    terms = [
        -np.log(softmax(list(row))[target])
        for rows, target_row in zip(logits, targets, strict=True)
        for row, target in zip(rows, target_row, strict=True)
    ]
    return float(sum(terms)) / len(terms)
