"""A screen of *Step through*, really run: every quantity of every step, with and without the edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz import cells
from rnnviz.arithmetic import disagreement
from rnnviz.edits import Clamp, ForgetBias, SetWeight
from rnnviz.layers import make, stream
from rnnviz.recovery import Array, read_only
from rnnviz.screens.step import StepScreen
from rnnviz.tracing import Trace, from_cells, trace


@dataclass(frozen=True)
class Stepping:
    """What a screen shows.

    ``trace``: the run with its edits. ``parameters``: the edited ones, by PyTorch's names. ``initial``: h_0
    (layers * D, 1, H) and c_0 or None. ``difference``: max |difference| between the arithmetic shown and what
    the module itself returns, on these weights; with clamps (``clamped``), which PyTorch does not know,
    between our loop without them and the module.
    """

    trace: Trace
    parameters: Mapping[str, Array]
    initial: tuple[Array, Array | None]
    difference: float
    clamped: bool


@dataclass(frozen=True)
class _Feed:
    module: nn.RNNBase
    x: Tensor
    h_0: Tensor
    c_0: Tensor | None


@lru_cache(maxsize=64)
def step_run(screen: StepScreen) -> Stepping:
    """Run a screen, in the order in which its exported script does, so that both give the same numbers."""
    fed = _feed(screen)
    _set_weights(fed.module, screen)
    clamps = tuple(e for e in screen.edits if isinstance(e, Clamp))
    initial = (read_only(fed.h_0), None if fed.c_0 is None else read_only(fed.c_0))
    shown = trace(fed.module, fed.x, fed.h_0 if fed.c_0 is None else (fed.h_0, fed.c_0))
    difference = disagreement(screen.config, shown, initial)
    if (
        clamps
    ):  # PyTorch knows no clamp, so our loop takes over: without the clamps it must agree with PyTorch's run
        with torch.no_grad():
            free = from_cells(fed.module, cells.run(fed.module, fed.x, fed.h_0, fed.c_0))
            held = cells.run(fed.module, fed.x, fed.h_0, fed.c_0, intervene=_holding(clamps))
        difference = max(float(np.abs(free.values[k] - shown.values[k]).max()) for k in shown.values)
        shown = from_cells(fed.module, held)
    return Stepping(
        trace=shown,
        parameters=MappingProxyType({n: read_only(p.data) for n, p in fed.module.named_parameters()}),
        initial=initial,
        difference=difference,
        clamped=bool(clamps),
    )


def _feed(screen: StepScreen) -> _Feed:
    config = screen.config
    with stream(screen.seed):
        module = make(config)
        x = _input(screen)
        shape = (config.num_layers * config.directions, 1, config.hidden_size)
        draw = torch.randn if screen.given_state else torch.zeros
        h_0 = draw(shape)
        c_0 = draw(shape) if config.kind == "LSTM" else None
    return _Feed(module, x, h_0, c_0)


def _input(screen: StepScreen) -> Tensor:
    size = screen.config.input_size
    if screen.table is not None:
        return torch.tensor(screen.table).unsqueeze(1)  # (L, 1, H_in)
    if screen.ids is None:
        return torch.randn(screen.length, 1, size)
    rows = torch.eye(size) if screen.one_hot else torch.randn(len(screen.vocabulary), size)
    return rows[torch.tensor(screen.ids)].unsqueeze(1)


def _set_weights(module: nn.RNNBase, screen: StepScreen) -> None:
    size = screen.config.hidden_size
    with torch.no_grad():
        for edit in screen.edits:
            if isinstance(edit, SetWeight):
                getattr(module, edit.name)[edit.index] = edit.value
            elif isinstance(edit, ForgetBias):
                suffix = f"_l{edit.layer}" + ("_reverse" if edit.direction else "")
                getattr(module, "bias_ih" + suffix)[size : 2 * size] = edit.value
                getattr(module, "bias_hh" + suffix)[size : 2 * size] = 0


def _holding(clamps: tuple[Clamp, ...]) -> cells.Intervene:
    def hold(layer: int, direction: int, step: int, name: str, value: Tensor) -> Tensor:
        for clamp in clamps:
            if (clamp.letter, clamp.layer, clamp.direction) == (name, layer, direction) and clamp.covers(
                step
            ):
                value = value.clone()
                value[..., slice(None) if clamp.unit is None else clamp.unit] = clamp.value
        return value

    return hold
