"""How the state of B3 explodes or dies over a long sequence, with and without tanh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from rnnviz.by_hand.memory import no_memory, split, with_tanh
from rnnviz.layers import stream
from rnnviz.recovery import Array, read_only
from rnnviz.screens.by_hand import DRIVES, Memory


@dataclass(frozen=True, eq=False)
class Norms:
    """‖h_t‖ at each step (L,): without memory, with memory, with memory and tanh; the spectral radius."""

    curves: Mapping[str, Array]
    radius: float


def spectral_radius(W: Tensor) -> float:
    """The largest |eigenvalue| of a square matrix."""
    return float(torch.linalg.eigvals(W).abs().max())


def _drawn(setting: Memory) -> tuple[Tensor, Tensor, Tensor]:
    with stream(setting.seed):
        return (
            torch.randn(setting.input_size, setting.hidden, dtype=torch.float64) / setting.input_size**0.5,
            torch.randn(setting.hidden, setting.hidden, dtype=torch.float64),
            torch.randn(1, setting.steps, setting.input_size, dtype=torch.float64),
        )


@lru_cache(maxsize=64)
def _radius(setting: Memory) -> float:
    return spectral_radius(_drawn(setting)[1])


def weights(setting: Memory) -> tuple[Tensor, Tensor, Tensor]:
    """W_1 (H_in, H), W_2 (H, H) scaled to the radius, and x (1, L, H_in), in float64: 1.5²⁰⁰ is 10³⁵."""
    W_1, W_2, x = _drawn(setting)
    # The eigenvalues of a 512 × 512 matrix take 0.26 s, and moving the slider only scales them.
    W_2 = W_2 * setting.radius / _radius(replace(setting, radius=1.0, drive=DRIVES[0], steps=1))
    if setting.drive == DRIVES[0]:
        x[:, 1:] = 0
    return W_1, W_2, x


@lru_cache(maxsize=32)
def norms(setting: Memory) -> Norms:
    """The norms of the three runs."""
    W_1, W_2, x = weights(setting)
    with torch.no_grad():
        runs = {
            "no memory": no_memory(x, [W_1])[0],
            "memory": split(x, [W_1, W_2])[0],
            "memory and tanh": with_tanh(x, [W_1, W_2])[0],
        }
    return Norms({k: read_only(norm(h[0])) for k, h in runs.items()}, setting.radius)


def norm(h: Tensor) -> Tensor:
    """‖h_t‖ of (L, H), scaled first: the squares of numbers below 10⁻¹⁶² would all be 0."""
    largest = h.abs().amax(dim=-1)
    scale = torch.where(largest > 0, largest, 1.0)
    return scale * (h / scale[:, None]).square().sum(dim=-1).sqrt()
