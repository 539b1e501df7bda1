"""B7: a bidirectional layer from forward layers and layers that are fed the reversed sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def both_ways(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, 2 * H), h_n (2 * layers, N, H)."""
    h_n = []
    for forward, backward in zip(parts[::2], parts[1::2], strict=True):
        ahead, _ = forward(x)
        back, _ = backward(x.flip(1))  # the first reversal
        back = back.flip(1)  # the second: step t at place t again
        x = torch.cat([ahead, back], -1)  # (N, L, 2 * H)
        h_n += [ahead[:, -1], back[:, 0]]  # where each has read all
    return x, torch.stack(h_n)


def both_ways_lstm(x: Tensor, parts: list[nn.RNNBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, 2 * H), h_n, c_n."""
    h_n, c_n = [], []
    for forward, backward in zip(parts[::2], parts[1::2], strict=True):
        ahead, (_, c_ahead) = forward(x)
        back, (_, c_back) = backward(x.flip(1))  # the first reversal
        back = back.flip(1)  # the second: step t at place t again
        x = torch.cat([ahead, back], -1)  # (N, L, 2 * H)
        h_n += [ahead[:, -1], back[:, 0]]  # where each has read all
        c_n += [c_ahead[0], c_back[0]]
    return x, torch.stack(h_n), torch.stack(c_n)
