"""The training loop of all five: batches drawn with a seed, AdamW, one clipped step a batch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def train(
    model: nn.Module, loss: Callable[[list[Any]], Tensor], items: list[Any], steps: int, decay: float
) -> list[float]:
    """The loss of each step; the model is changed. Batches of 64 items, a learning rate that falls to 0."""
    draw = random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    losses = []
    for _ in range(steps):
        value = loss(draw.sample(items, min(64, len(items))))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(value.item())
    return losses
