"""E6: the two final states of a bidirectional encoder, joined into the vector that a decoder starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def joined(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, 2 * H), h_n (2 * layers, N, H), joined (1, N, 2 * H)."""
    h_n = []
    for forward, backward in zip(parts[::2], parts[1::2], strict=True):
        ahead, _ = forward(x)
        back = backward(x.flip(1))[0].flip(1)
        x = torch.cat([ahead, back], -1)  # (N, L, 2 * H)
        h_n += [ahead[:, -1], back[:, 0]]  # where each has read all
    top = torch.cat(h_n[-2:], 1)
    return x, torch.stack(h_n), top[None]


def joined_lstm(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, 2 * H), h_n, c_n, joined (1, N, 2 * H)."""
    h_n, c_n = [], []
    for forward, backward in zip(parts[::2], parts[1::2], strict=True):
        ahead, (_, c_ahead) = forward(x)
        back, (_, c_back) = backward(x.flip(1))
        back = back.flip(1)
        x = torch.cat([ahead, back], -1)  # (N, L, 2 * H)
        h_n += [ahead[:, -1], back[:, 0]]  # where each has read all
        c_n += [c_ahead[0], c_back[0]]
    top = torch.cat(h_n[-2:], 1)
    return x, torch.stack(h_n), torch.stack(c_n), top[None]


def call(x: Tensor, layer: nn.RNNBase) -> tuple[Tensor, ...]:
    """Of an nn.RNN or nn.GRU."""
    output, h_n = layer(x)
    return output, h_n, torch.cat([h_n[-2], h_n[-1]], 1)[None]


def call_lstm(x: Tensor, layer: nn.LSTM) -> tuple[Tensor, ...]:
    """Of an nn.LSTM."""
    output, (h_n, c_n) = layer(x)
    return output, h_n, c_n, torch.cat([h_n[-2], h_n[-1]], 1)[None]
