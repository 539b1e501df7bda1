"""B2 and B3: no memory, memory without activation, and the same with tanh."""

from __future__ import annotations

import torch
from torch import Tensor


def no_memory(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H)."""
    (W_1,) = weights
    rows = []
    for t in range(x.shape[1]):
        rows.append(x[:, t] @ W_1)  # (N, H): knows step t alone
    return (torch.stack(rows, 1),)


def one_product(x: Tensor, W_1: Tensor) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H)."""
    return (x @ W_1,)


def split(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (1, N, H)."""
    W_1, W_2 = weights
    h = x.new_zeros(len(x), len(W_2))
    states = []
    for t in range(x.shape[1]):
        h = x[:, t] @ W_1 + h @ W_2
        states.append(h)
    return torch.stack(states, 1), h[None]


def joined(x: Tensor, W_1: Tensor, W_2: Tensor) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (1, N, H)."""
    W = torch.cat([W_1, W_2])  # (H_in + H, H)
    h = x.new_zeros(len(x), len(W_2))
    states = []
    for t in range(x.shape[1]):
        h = torch.cat([x[:, t], h], 1) @ W
        states.append(h)
    return torch.stack(states, 1), h[None]


def with_tanh(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (1, N, H)."""
    W_1, W_2 = weights
    h = x.new_zeros(len(x), len(W_2))
    states = []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ W_1 + h @ W_2)
        states.append(h)
    return torch.stack(states, 1), h[None]


def weights_of(*weights: Tensor) -> list[Tensor]:
    """The weights as copies with gradients of their own."""
    return [W.detach().clone().requires_grad_() for W in weights]
