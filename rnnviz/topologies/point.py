"""One to one: a point goes in, one answer comes out. There is no sequence, so nothing recurs."""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Item = tuple[tuple[float, float], int]

CLASSES = ("outside", "inside")
RADIUS = 1.2


def label(point: tuple[float, float]) -> int:
    """1 inside the circle around (0, 0), else 0."""
    return int(math.hypot(*point) < RADIUS)


def points(count: int, seed: int, reach: float = 2.0) -> list[Item]:
    """Points of the square from -reach to reach, and their answers."""
    draw = random.Random(seed)
    found = [(draw.uniform(-reach, reach), draw.uniform(-reach, reach)) for _ in range(count)]
    return [(point, label(point)) for point in found]


def far(count: int, seed: int) -> list[Item]:
    """Points beyond that square, up to three times as far out."""
    return [item for item in points(4 * count, seed, 6.0) if max(map(abs, item[0])) > 2.0][:count]


def sets() -> dict[str, list[Item]]:
    """What it is trained on, and what it is asked besides."""
    return {
        "trained on": points(1000, 1),
        "held out": points(1000, 2),
        "far outside the square": far(1000, 3),
    }


class Judge(nn.Module):
    """Scores of the two answers: points (N, 2) give (N, 2)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, hidden)
        self.linear = nn.Linear(hidden, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.hidden(x))  # (N, H)
        scores: Tensor = self.linear(h)  # (N, classes)
        return scores


def scores(model: Judge, items: list[Item]) -> tuple[Tensor, Tensor]:
    """Scores (N, classes) and what is right (N)."""
    x = torch.tensor([point for point, _ in items])
    return model(x), torch.tensor([answer for _, answer in items])


def loss(model: Judge, items: list[Item]) -> Tensor:
    """One answer an item: the mean of -log p(right) over the batch."""
    return cross_entropy(*scores(model, items))


@torch.no_grad()
def right(model: Judge, items: list[Item]) -> list[bool]:
    """Whether each item's answer is right."""
    found, answers = scores(model, items)
    return [bool(same) for same in found.argmax(-1) == answers]
