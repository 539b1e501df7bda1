"""B1: nn.Linear over a batch of sequences, sample by sample and step by step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def sample_by_sample(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H)."""
    W, b = weights
    rows = []
    for n in range(len(x)):
        rows.append(x[n] @ W.T + b)  # (L, H): one sequence
    return (torch.stack(rows),)


def step_by_step(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H)."""
    W, b = weights
    rows = []
    for t in range(x.shape[1]):
        rows.append(x[:, t] @ W.T + b)  # (N, H): one step of all
    return (torch.stack(rows, 1),)


def weights_of(linear: nn.Linear) -> list[Tensor]:
    """W and b as copies with gradients of their own; b is zeros where there is none."""
    W = linear.weight.detach().clone().requires_grad_()
    if linear.bias is None:
        return [W, torch.zeros_like(W[:, 0])]
    return [W, linear.bias.detach().clone().requires_grad_()]


def call(x: Tensor, linear: nn.Linear) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H)."""
    return (linear(x),)
