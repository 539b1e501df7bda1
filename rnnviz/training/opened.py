"""From a run's state to live PyTorch objects, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from rnnviz.layers import stream
from rnnviz.training import task as tasks
from rnnviz.training.config import Optimiser
from rnnviz.training.state import DeviceLost, RunState, Sums
from rnnviz.training.storage import optimizer_quantities
from rnnviz.training.task import Arrays


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
    before: list[Tensor]

    @classmethod
    def open(cls, state: RunState) -> Live:
        """The live run; what the state has is copied."""
        task = tasks.named(state.config.task)
        with torch.device("meta"):
            model = task.model(state.config)
        tensors = {name: value.to(state.device, copy=True) for name, value in state.weights.items()}
        model.load_state_dict(tensors, assign=True)
        if state.device != "cpu":
            for module in model.modules():
                if isinstance(module, nn.RNNBase):
                    module.flatten_parameters()
        names, parameters = zip(*model.named_parameters(), strict=True)
        before = [state.before[name].to(state.device, copy=True) for name in names if state.step]
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
            before=before,
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
        by_name = dict(zip(self.names, self.parameters, strict=True))
        self.held = [(by_name[name], rows) for name, rows in held_rows(state).items()]

    def state(self, stopped: str = "") -> RunState:
        """The run now. Called with the run's own random stream in place."""
        optimizer = {
            f"{name}/{q}": value.detach().to("cpu", copy=True)
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
            weights=_copies(self.names, self.parameters),
            optimizer=optimizer,
            random=random,
            stopped=stopped,
            sums=self.sums if self.step else Sums(),
            order=self.order if self.step else None,
            before=_copies(self.names, self.before) if self.step else {},
        )

    def snapshot(self, view: Any) -> Arrays:
        """The task's arrays of this moment; nothing is drawn and nothing changes."""
        self.model.eval()
        try:
            with torch.no_grad():
                return self.task.snapshot(self.model, self.origin.config, view)
        finally:
            self.model.train()

    def evaluate(self, *, held_out: bool) -> tuple[float, float]:
        """(loss, accuracy) with dropout off."""
        self.model.eval()
        try:
            with torch.no_grad():
                return self.task.evaluate(self.model, self.origin.config, held_out=held_out)
        finally:
            self.model.train()


def _copies(names: list[str], tensors: Any) -> dict[str, Tensor]:
    return {name: t.detach().to("cpu", copy=True) for name, t in zip(names, tensors, strict=True)}
