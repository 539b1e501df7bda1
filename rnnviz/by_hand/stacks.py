"""B6: a layer of several layers from one-layer layers that share its weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def stack(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (layers, N, H)."""
    h_n = []
    for part in parts:
        x, h = part(x)  # one layer's output is the next one's input
        h_n.append(h)
    return x, torch.cat(h_n)


def stack_lstm(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n and c_n (layers, N, H)."""
    h_n, c_n = [], []
    for part in parts:
        x, (h, c) = part(x)  # one layer's output is the next one's input
        h_n.append(h)
        c_n.append(c)
    return x, torch.cat(h_n), torch.cat(c_n)


def parts_of(layer: nn.RNNBase) -> list[nn.RNNBase]:
    """A one-layer, one-way layer for each layer and direction, with copies of its weights."""
    new = {"LSTM": nn.LSTM, "GRU": nn.GRU}.get(layer.mode, nn.RNN)
    parts = []
    for weights in layer.all_weights:
        part = new(weights[0].shape[1], layer.hidden_size, bias=layer.bias, batch_first=True)
        part.to(weights[0].dtype)
        with torch.no_grad():
            for mine, its in zip(part.parameters(), weights, strict=True):
                mine.copy_(its)
        parts.append(part)
    return parts
