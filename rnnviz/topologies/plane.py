"""The answer of *One to one* at every point of the plane."""

from __future__ import annotations

import torch
from torch import nn

from rnnviz.topologies.point import RADIUS as RADIUS
from rnnviz.topologies.record import Floats

REACH = 4.0
POINTS = 65


@torch.no_grad()
def inside(model: nn.Module) -> Floats:
    """p(inside) over the square from -REACH to REACH: (POINTS from below, POINTS from left)."""
    line = torch.linspace(-REACH, REACH, POINTS)
    x = torch.cartesian_prod(line, line).flip(1)  # (POINTS * POINTS, 2): the second number is slower
    found: Floats = model(x).softmax(-1)[:, 1].view(POINTS, POINTS).numpy()
    return found
