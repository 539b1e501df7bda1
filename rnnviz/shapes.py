"""Which shape every tensor of a layer has, and where each number of h_n lives. Plain arithmetic, no torch.

Follows the shape tables of https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html; the tests
compare every line with a real module.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from rnnviz.config import LayerConfig
from rnnviz.gates import BLOCKS, DIRECTION_NAMES


@dataclass(frozen=True)
class Dim:
    """One axis of a tensor: its letter in `gates.AXES`, the formula PyTorch's page prints for it, and its
    size.
    """

    letter: str
    formula: str
    size: int


@dataclass(frozen=True)
class TensorShape:
    """A named tensor and its axes, in order."""

    name: str
    dims: tuple[Dim, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(d.size for d in self.dims)


def tensors(config: LayerConfig, length: int, batch: int | None) -> dict[str, TensorShape]:
    """input, h_0, c_0, output, h_n, c_n (the c's only for an LSTM) by name; ``batch`` None: unbatched."""
    steps, rows = Dim("L", "L", length), config.num_layers * config.directions
    many = () if batch is None else (Dim("N", "N", batch),)
    swapped = config.batch_first and batch is not None
    lead = (*many, steps) if swapped else (steps, *many)
    h_out = "H_out" if config.directions == 1 else "D * H_out"
    first = Dim("layers", "num_layers" if config.directions == 1 else "D * num_layers", rows)
    h = (first, *many, Dim("H_out", "H_out", config.output_size))
    c = (first, *many, Dim("H", "H_cell", config.hidden_size))
    shapes = {
        "input": (*lead, Dim("H_in", "H_in", config.input_size)),
        "h_0": h,
        "output": (*lead, Dim("H_out", h_out, config.directions * config.output_size)),
        "h_n": h,
    }
    if config.kind == "LSTM":
        shapes |= {"c_0": c, "c_n": c}
    order = ("input", "h_0", "c_0", "output", "h_n", "c_n")
    return {name: TensorShape(name, shapes[name]) for name in order if name in shapes}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a layer: PyTorch's name, shape, and what its stacked blocks of rows are.

    ``blocks``: PyTorch's name of each block of rows from the top, such as W_ii, W_if, W_ig, W_io.
    ``columns``: what its columns are multiplied with, None for a bias.
    """

    name: str
    shape: tuple[int, ...]
    layer: int
    direction: int
    blocks: tuple[str, ...]
    columns: str | None

    @property
    def count(self) -> int:
        return prod(self.shape)


def parameters(config: LayerConfig) -> tuple[Parameter, ...]:
    """Every parameter, in the order of ``module.named_parameters()``."""
    found = []
    rows, letters = config.blocks * config.hidden_size, BLOCKS[config.kind]
    for layer in range(config.num_layers):
        below = config.input_size if layer == 0 else config.directions * config.output_size
        for direction in range(config.directions):
            suffix = f"_l{layer}" + ("_reverse" if direction else "")

            def add(name: str, shape: tuple[int, ...], sub: str, columns: str | None) -> None:
                symbol = "W" if columns else "b"
                blocks = tuple(f"{symbol}_{sub}{letter}" for letter in letters)
                found.append(Parameter(name + suffix, shape, layer, direction, blocks, columns))  # noqa: B023

            add("weight_ih", (rows, below), "i", "x" if layer == 0 else f"h of layer {layer - 1}")
            add("weight_hh", (rows, config.output_size), "h", "h of the step before")
            if config.bias:
                add("bias_ih", (rows,), "i", None)
                add("bias_hh", (rows,), "h", None)
            if config.proj_size:
                shape = (config.proj_size, config.hidden_size)
                name = "weight_hr" + suffix
                found.append(Parameter(name, shape, layer, direction, ("W_hr",), "o ⊙ tanh(c)"))
    return tuple(found)


def parameter_count(config: LayerConfig) -> int:
    """How many numbers a layer learns."""
    return sum(p.count for p in parameters(config))


def multiply_adds(config: LayerConfig) -> int:
    """Multiply-adds of the matrix products of one step of one sequence, over all layers and directions."""
    return sum(p.count for p in parameters(config) if p.columns is not None)


@dataclass(frozen=True)
class FinalState:
    """One row of h_n: which cell made it, and which slice of output equals it.

    ``step`` is the position in the sequence of the cell (of each sequence's own end when lengths differ).
    ``where`` is None for a layer below the top: its states are nowhere in output.
    """

    row: int
    layer: int
    direction: int
    step: int
    where: str | None

    @property
    def cell(self) -> str:
        return f"layer {self.layer}, {DIRECTION_NAMES[self.direction]}"


def final_states(config: LayerConfig, length: int, batched: bool = True) -> tuple[FinalState, ...]:
    """The rows of h_n, layer by layer, forward then backward."""
    states = []
    for layer in range(config.num_layers):
        for direction in range(config.directions):
            step = 0 if direction else length - 1
            where = None
            if layer == config.num_layers - 1:
                where = _slice(config, step, direction, batched)
            states.append(FinalState(layer * config.directions + direction, layer, direction, step, where))
    return tuple(states)


def _slice(config: LayerConfig, step: int, direction: int, batched: bool) -> str:
    index = "0" if direction else "-1"
    features = ""
    if config.bidirectional:
        features = f"{config.output_size}:" if direction else f":{config.output_size}"
    lead = [":", index] if config.batch_first and batched else [index]
    if features and batched and not config.batch_first:
        lead.append(":")
    return f"output[{', '.join([*lead, features] if features else lead)}]"


MAX_PARAMETERS = 6_000_000
MAX_MULTIPLY_ADDS = 3_000_000_000
MAX_ACTIVATIONS = 8_000_000


def too_large(config: LayerConfig, length: int, batch: int) -> str | None:
    """Why a run is refused on a shared machine, or None. Shapes can be shown all the same."""
    count = parameter_count(config)
    if count > MAX_PARAMETERS:
        return f"{count:,} parameters: at most {MAX_PARAMETERS:,} are run here"
    work = multiply_adds(config) * length * batch
    if work > MAX_MULTIPLY_ADDS:
        return f"{work:,} multiply-adds over all steps: at most {MAX_MULTIPLY_ADDS:,} are run here"
    numbers = length * batch * max(config.input_size, config.directions * config.blocks * config.hidden_size)
    if numbers > MAX_ACTIVATIONS:
        return f"{numbers:,} numbers in one layer's gates: at most {MAX_ACTIVATIONS:,} are held here"
    return None
