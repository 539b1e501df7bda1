"""From a run's state to live PyTorch objects, and back."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnnviz.layers import stream
from rnnviz.training import task as tasks
from rnnviz.training.config import Optimiser
from rnnviz.training.state import DeviceLost, RunState, Sums, Tensors
from rnnviz.training.storage import optimizer_quantities
from rnnviz.training.task import Arrays, as_numpy


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """PyTorch's global generator as after ``torch.manual_seed(seed)``, and one thread, so that sums are added
    in the same order in every process. Both are put back afterwards.
    """
    with stream(seed):
        threads = torch.get_num_threads()
        if threads != 1:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if threads != 1:
                torch.set_num_threads(threads)


@contextmanager
def on_device(device: str) -> Iterator[None]:
    """Turns what PyTorch raises about this device into DeviceLost."""
    if device == "cpu":
        yield
        return
    if not torch.cuda.is_available():
        raise DeviceLost("No CUDA GPUs are available on this machine")
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise DeviceLost("The GPU is full (CUDA out of memory)") from fault
    except RuntimeError as fault:
        line = str(fault).partition("\n")[0]
        if not isinstance(fault, torch.AcceleratorError) and "CUDA" not in line and "CUDNN" not in line:
            raise
        raise DeviceLost(f"The GPU was lost (CUDA error: {line})") from fault


def held_rows(state: RunState) -> dict[str, list[int]]:
    """The rows of each parameter that silenced units keep at zero."""
    task = tasks.named(state.config.task)
    found: dict[str, list[int]] = {}
    for unit in state.silenced:
        for name, rows in task.held(state.config, unit.layer, unit.direction, unit.unit):
            found.setdefault(name, []).extend(rows)
    return found


def _optimizer(model: nn.Module, settings: Optimiser, lr: float) -> torch.optim.Optimizer:
    """torch.optim's own, with PyTorch's defaults for all that the settings leave alone."""
    options: dict[str, float] = {"lr": lr, "weight_decay": settings.weight_decay}
    if settings.momentum:
        options["momentum"] = settings.momentum
    made: torch.optim.Optimizer = getattr(torch.optim, settings.name)(model.parameters(), **options)
    return made


@dataclass
class Live:
    """A run in PyTorch's objects, for one piece of its way. Used inside `seeded` and `on_device`."""

    origin: RunState
    task: tasks.Task
    model: nn.Module
    names: list[str]
    parameters: list[nn.Parameter]
    epoch: int
    step: int
    losses: list[float]
    sums: Sums
    order: Tensor | None
    flat: Tensor
    before: NDArray[Any] | None
    seen: list[tuple[NDArray[Any], NDArray[Any]]]

    @classmethod
    def open(cls, state: RunState) -> Live:
        """The live run; what the state has is copied."""
        task = tasks.named(state.config.task)
        model = tasks.skeleton(task, state.config)
        flat, tensors = _flat(state.weights, state.device)
        model.load_state_dict(tensors, assign=True)
        if state.device != "cpu":
            for module in model.modules():
                if isinstance(module, nn.RNNBase):
                    module.flatten_parameters()
        names, parameters = zip(*model.named_parameters(), strict=True)
        before = _flat(state.before, "cpu")[0].numpy() if state.step else None
        return cls(
            origin=state,
            task=task,
            model=model,
            names=list(names),
            parameters=list(parameters),
            epoch=state.epoch,
            step=state.step,
            losses=list(state.losses),
            sums=state.sums,
            order=state.order,
            flat=flat,
            before=before,
            seen=[],
        )

    def open_optimizer(self) -> None:
        """The optimiser as the state left it, and what silenced units hold at zero."""
        state, quantities = self.origin, optimizer_quantities(self.origin.config.optimiser)
        self.optimizer = _optimizer(self.model, state.config.optimiser, state.lr)
        for name, parameter in zip(self.names, self.parameters, strict=True):
            if f"{name}/{quantities[0] if quantities else ''}" in state.optimizer:
                self.optimizer.state[parameter] = {
                    q: state.optimizer[f"{name}/{q}"].to("cpu" if q == "step" else state.device, copy=True)
                    for q in quantities
                }
        # Without the hook of PyTorch's profiler: it takes a third of a small step, and nobody listens.
        self.update = inspect.unwrap(type(self.optimizer).step)
        by_name = dict(zip(self.names, self.parameters, strict=True))
        self.held = [(by_name[name], rows) for name, rows in held_rows(state).items()]

    def state(self, *, copy: bool = True) -> RunState:
        """The run now. Called with the run's own random stream in place.

        ``copy`` False: its tensors are the live ones where they can be, to be written before the next step.
        """

        def taken(value: Tensor) -> Tensor:
            return value.detach().to("cpu", copy=copy)

        optimizer = {
            f"{name}/{q}": taken(value)
            for name, parameter in zip(self.names, self.parameters, strict=True)
            for q, value in self.optimizer.state.get(parameter, {}).items()
            if value is not None
        }
        random = {"cpu": torch.get_rng_state()}
        if self.origin.device == "cuda":
            random["cuda"] = torch.cuda.get_rng_state()
        elif "cuda" in self.origin.random:
            random["cuda"] = self.origin.random["cuda"]
        return replace(
            self.origin,
            epoch=self.epoch,
            step=self.step,
            losses=tuple(self.losses),
            weights={n: taken(value) for n, value in zip(self.names, self.parameters, strict=True)},
            optimizer=optimizer,
            random=random,
            sums=self.sums if self.step else Sums(),
            order=self.order if self.step else None,
            before=self._named(self.before) if self.step else {},
        )

    def values(self) -> NDArray[Any]:
        """All weights in a row, as `_flat` lays them out; on the CPU their own memory."""
        if self.origin.device != "cpu":  # cuDNN has moved them
            self.flat = _flat(dict(zip(self.names, self.parameters, strict=True)), "cpu")[0]
        return as_numpy(self.flat)

    def starts(self) -> list[int]:
        """Where each parameter begins in `values`."""
        return [0, *accumulate(_padded(parameter) for parameter in self.parameters[:-1])]

    def _named(self, values: Any) -> dict[str, Tensor]:
        """Copies of such a row's parts by their names."""
        return {
            name: torch.from_numpy(values[start : start + p.numel()].copy()).view(p.shape)
            for name, p, start in zip(self.names, self.parameters, self.starts(), strict=True)
        }

    def count(self) -> None:
        """Adds up what the batches since the last count predicted."""
        right = sum(int(np.count_nonzero(scores.argmax(-1) == answers)) for scores, answers in self.seen)
        self.seen.clear()
        self.sums = replace(self.sums, right=self.sums.right + right)

    def snapshot(self, view: Any) -> Arrays:
        """The task's arrays of this moment; nothing is drawn and nothing changes."""
        self.model.eval()
        try:
            with torch.no_grad():
                return self.task.snapshot(self.model, self.origin.config, view)
        finally:
            self.model.train()

    def watch(self) -> dict[str, float]:
        """What else the task has an epoch's row show."""
        self.model.eval()
        try:
            with torch.no_grad():
                return dict(self.task.watch(self.model, self.origin.config))
        finally:
            self.model.train()

    def evaluate(self, *, held_out: bool) -> tuple[float, float]:
        """(loss, accuracy) with dropout off; NaN without data."""
        if held_out and not self.task.holds_out(self.origin.config):
            return math.nan, math.nan
        self.model.eval()
        try:
            with torch.no_grad():
                return self.task.evaluate(self.model, self.origin.config, held_out=held_out)
        finally:
            self.model.train()


_ALIGNED = 16
"""Floats to a cache line: where PyTorch would put a tensor by itself, its kernels take the same way."""


def _padded(value: Tensor) -> int:
    return -(-value.numel() // _ALIGNED) * _ALIGNED


def _flat(tensors: Tensors, device: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Copies of all tensors in one row, each at a cache line's start, and the views of it by their names.

    In one row, what all weights did in an epoch is a few operations, however many parameters there are.
    """
    sizes = [_padded(value) for value in tensors.values()]
    row = torch.zeros(sum(sizes), device=device)
    views = {}
    with torch.no_grad():
        for (name, value), part in zip(tensors.items(), row.split(sizes), strict=True):
            views[name] = part[: value.numel()].view(value.shape)
            views[name].copy_(value)
    return row, views
