"""Row A10: how many weights it takes to make H numbers of H_in at each of L steps, layer by layer.

The counts are those of PyTorch's modules (their shapes: torch.nn.Linear, Conv1d, RNN, LSTM, GRU), biases
included; `modules` makes the modules themselves, without memory for their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnviz.gates import BLOCKS, KINDS
from rnnviz.topologies.config import MAX_LENGTH, SharingConfig

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Layer:
    """One way to do it: its name, its call in PyTorch, its count of weights as a formula and as a number,
    and whether that grows with L.
    """

    name: str
    call: str
    formula: str
    count: int
    grows: bool


def _linear(config: SharingConfig) -> Layer:
    length = config.length
    return Layer(
        "Fully connected",
        f"nn.Linear({length * config.input_size}, {length * config.hidden_size})",
        "L·H_in × L·H + L·H",
        length**2 * config.input_size * config.hidden_size + length * config.hidden_size,
        True,
    )


def _last(config: SharingConfig) -> Layer:
    return Layer(
        "Fully connected, one output",
        f"nn.Linear({config.length * config.input_size}, {config.hidden_size})",
        "L·H_in × H + H",
        config.length * config.input_size * config.hidden_size + config.hidden_size,
        True,
    )


def _convolution(config: SharingConfig) -> Layer:
    sizes = f"{config.input_size}, {config.hidden_size}, {config.kernel_size}"
    return Layer(
        "Convolution",
        f"nn.Conv1d({sizes}, padding='same')",
        "k × H_in × H + H",
        config.kernel_size * config.input_size * config.hidden_size + config.hidden_size,
        False,
    )


def _recurrent(config: SharingConfig, kind: str) -> Layer:
    gates = len(BLOCKS[kind])  # type: ignore[index]  # one of KINDS
    h = config.hidden_size
    return Layer(
        kind,
        f"nn.{kind}({config.input_size}, {h})",
        f"{gates} × (H_in × H + H × H + 2·H)" if gates > 1 else "H_in × H + H × H + 2·H",
        gates * (config.input_size * h + h * h + 2 * h),
        False,
    )


def layers(config: SharingConfig) -> tuple[Layer, ...]:
    """All that are compared, the hungriest first."""
    made = [_recurrent(config, kind) for kind in KINDS]
    return (_linear(config), _last(config), _convolution(config), *made)


def lengths(most: int = MAX_LENGTH) -> tuple[int, ...]:
    """The L at which the curves are computed: evenly spread over the logarithm, each a whole number."""
    return tuple(sorted({round(most ** (i / 48)) for i in range(49)}))


def curves(config: SharingConfig) -> dict[str, tuple[int, ...]]:
    """Each layer's count at each of `lengths`."""
    rows = [layers(replace(config, length=length)) for length in lengths()]
    return {layer.name: tuple(row[i].count for row in rows) for i, layer in enumerate(layers(config))}


def crossing(config: SharingConfig, name: str) -> int | None:
    """The smallest L at which the fully connected layer needs more weights than that one; None up to 1000."""
    for length in range(1, MAX_LENGTH + 1):
        found = {layer.name: layer.count for layer in layers(replace(config, length=length))}
        if found["Fully connected"] > found[name]:
            return length
    return None


def modules(config: SharingConfig) -> dict[str, nn.Module]:
    """The layers as PyTorch makes them, on the meta device: shapes without numbers."""
    import torch
    from torch import nn

    length, inputs, hidden = config.length, config.input_size, config.hidden_size
    make: dict[str, Callable[[], nn.Module]] = {
        "Fully connected": lambda: nn.Linear(length * inputs, length * hidden),
        "Fully connected, one output": lambda: nn.Linear(length * inputs, hidden),
        "Convolution": lambda: nn.Conv1d(inputs, hidden, config.kernel_size, padding="same"),
        "RNN": lambda: nn.RNN(inputs, hidden),
        "LSTM": lambda: nn.LSTM(inputs, hidden),
        "GRU": lambda: nn.GRU(inputs, hidden),
    }
    with torch.device("meta"):
        return {name: made() for name, made in make.items()}


def counted(config: SharingConfig) -> dict[str, int]:
    """How many numbers the parameters of each real module hold."""
    return {name: sum(p.numel() for p in made.parameters()) for name, made in modules(config).items()}
