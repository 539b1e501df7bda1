"""A run's bytes: one safetensors file (https://huggingface.co/docs/safetensors), never pickle.

The metadata has one entry of two lines, both JSON: where the run stands with its journal, and the
configuration. The configuration is a line of its own because a worker sees the same one with every slice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import safetensors
import torch
from safetensors import SafetensorError, TensorSpec, serialize
from torch import Tensor

from rnnviz.config import whole
from rnnviz.training import task as tasks
from rnnviz.training.changes import MAX_CHANGES, Edit, Entry, Silence, from_json, to_json
from rnnviz.training.config import Optimiser, TrainConfig, config_from, refuse
from rnnviz.training.state import RunState, Sums, Tensors

FORMAT = 1
ENTRY = "rnnviz"
MAX_EPOCHS = 10_000_000
_DTYPES: dict[str, tuple[torch.dtype, Any]] = {
    "F32": (torch.float32, np.float32),
    "F64": (torch.float64, np.float64),
    "I64": (torch.int64, np.int64),
    "U8": (torch.uint8, np.uint8),
}
_WRITTEN = {dtype: str(dtype).removeprefix("torch.") for dtype, _ in _DTYPES.values()}
_QUANTITIES: dict[str, tuple[str, ...]] = {
    "SGD": (),
    "Adam": ("step", "exp_avg", "exp_avg_sq"),
    "AdamW": ("step", "exp_avg", "exp_avg_sq"),
    "RMSprop": ("step", "square_avg"),
    "Adagrad": ("step", "sum"),
}
_deserialize: Any = safetensors.deserialize  # has no types
_STANDING = ("format", "task", "epoch", "step", "changes", "stopped", "sums")


def optimizer_quantities(optimiser: Optimiser) -> tuple[str, ...]:
    """What torch.optim's optimiser keeps for each parameter."""
    return _QUANTITIES[optimiser.name] + (("momentum_buffer",) if optimiser.momentum else ())


def weights_to_bytes(weights: Tensors) -> bytes:
    """A state_dict as a safetensors file."""
    return _serialized(weights, None)


def to_bytes(state: RunState) -> bytes:
    """See `RunState.to_bytes`."""
    tensors = {"losses": torch.from_numpy(np.array(state.losses, dtype=np.float64))}
    groups = {"weights": state.weights, "optimizer": state.optimizer, "random": state.random}
    for group, named in (groups | {"before": state.before}).items():
        tensors |= {f"{group}/{name}": value for name, value in named.items()}
    if state.order is not None:
        tensors["order"] = state.order
    standing = {
        "format": FORMAT,
        "task": state.config.task,
        "epoch": state.epoch,
        "step": state.step,
        "changes": [[epoch, step, to_json(change)] for epoch, step, change in state.changes],
        "stopped": state.stopped,
        "sums": [state.sums.loss, state.sums.right, state.sums.total],
    }
    line = json.dumps(standing, allow_nan=False, separators=(",", ":"))
    return _serialized(tensors, {ENTRY: f"{line}\n{state.config.text}"})


def from_bytes(data: bytes) -> RunState:
    """See `RunState.from_bytes`."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise refuse("data", type(data).__name__, "bytes")
    data = bytes(data)
    try:
        found = dict(_deserialize(data))
        header = _parsed(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = header.get("__metadata__") if isinstance(header, dict) else None
        entry = metadata.get(ENTRY) if isinstance(metadata, dict) else None
        if not isinstance(entry, str):
            raise ValueError("it has no entry of rnnviz")
        line, _, text = entry.partition("\n")
        standing = _parsed(line)
        if not isinstance(standing, dict) or standing.keys() != set(_STANDING):
            raise ValueError("it does not say where the run stands")
        whole("format", standing["format"], FORMAT, FORMAT)
        if not isinstance(standing["task"], str):
            raise refuse("task", standing["task"], "a name")
        config = _config(standing["task"], text)
        return _checked(config, standing, found)
    except (SafetensorError, ValueError) as fault:
        raise ValueError(f"This is not a run that can be opened: {fault}") from None


def _serialized(tensors: Tensors, metadata: dict[str, str] | None) -> bytes:
    # TensorSpec takes addresses: the tensors are held here until the bytes are made. Ten times as fast as
    # safetensors.torch.save, which matters where every epoch's state is kept.
    specs = {}
    for name, value in tensors.items():
        if value.device.type != "cpu" or not value.is_contiguous():
            raise ValueError(f"{name} must lie in one piece on the CPU")
        specs[name] = TensorSpec(
            dtype=_WRITTEN[value.dtype],
            shape=list(value.shape),
            data_ptr=value.data_ptr(),
            data_len=value.nbytes,
        )
    return bytes(serialize(specs, metadata))


def _parsed(text: str | bytes) -> Any:
    def no_number(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number")

    try:
        return json.loads(text, parse_constant=no_number)
    except RecursionError:
        raise ValueError("its text is nested too deeply") from None


@lru_cache(maxsize=32)
def _config(task: str, text: str) -> TrainConfig:
    config: TrainConfig = config_from(tasks.named(task).config_type, _parsed(text))
    return config


@lru_cache(maxsize=64)
def shapes(config: TrainConfig) -> Mapping[str, tuple[int, ...]]:
    """The shape of each of the model's weights, in the order of its state_dict. Nothing is allocated."""
    model = tasks.skeleton(tasks.named(config.task), config)
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


class _Reader:
    """Takes the tensors of a file one by one, each checked; at the end none may be left."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def take(self, name: str, dtype: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """One tensor; of any length when no shape is given."""
        spec = self.found.pop(name, None)
        if spec is None:
            raise ValueError(f"{name} is missing")
        given = tuple(spec["shape"])
        if spec["dtype"] != dtype or (given != shape if shape is not None else len(given) != 1):
            expected = "(n,)" if shape is None else shape
            raise ValueError(f"{name} is {spec['dtype']} {given}, not {dtype} {expected}")
        values = torch.from_numpy(np.frombuffer(spec["data"], _DTYPES[dtype][1]).reshape(given).copy())
        if (
            values.is_floating_point()
            and name.partition("/")[0] != "optimizer"
            and not values.isfinite().all()
        ):
            raise ValueError(f"{name} has a value that is not finite")
        return values

    def named(self, group: str, expected: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
        """A group of float32 tensors."""
        return {name: self.take(f"{group}/{name}", "F32", shape) for name, shape in expected.items()}

    def end(self) -> None:
        if self.found:
            raise ValueError(f"{sorted(self.found)[0][:80]!r} has no place in it")


def _checked(config: TrainConfig, standing: Mapping[str, Any], found: dict[str, Any]) -> RunState:
    task, expected, reader = tasks.named(config.task), shapes(config), _Reader(found)
    steps = tasks.steps_an_epoch(task, config)
    epoch = whole("epoch", standing["epoch"], 0, MAX_EPOCHS)
    step = whole("step", standing["step"], 0, steps - 1)
    losses = reader.take("losses", "F64")
    if len(losses) != epoch:
        raise ValueError(f"it has {len(losses)} losses after {epoch} epochs")
    stopped = standing["stopped"]
    if not isinstance(stopped, str) or len(stopped) > 1000:
        raise refuse("stopped", stopped, "a sentence")
    order = reader.take("order", "I64", (task.items(config),)) if step and task.shuffled(config) else None
    if order is not None and sorted(order.tolist()) != list(range(len(order))):
        raise ValueError("order does not name every sentence once")
    state = RunState(
        config=config,
        epoch=epoch,
        step=step,
        losses=tuple(losses.tolist()),
        weights=reader.named("weights", expected),
        optimizer=_optimizer(config, expected, reader),
        random=_random(reader),
        changes=_changes(config, standing["changes"], (epoch, step)),
        stopped=stopped,
        sums=_sums(standing["sums"]),
        order=order,
        before=reader.named("before", expected) if step else {},
    )
    reader.end()
    return state


def _optimizer(
    config: TrainConfig, expected: Mapping[str, tuple[int, ...]], reader: _Reader
) -> dict[str, Tensor]:
    """Each parameter has all of its quantities, or, before the first step, none."""
    quantities, taken = optimizer_quantities(config.optimiser), {}
    for name, shape in expected.items():
        if any(f"optimizer/{name}/{quantity}" in reader.found for quantity in quantities):
            for quantity in quantities:
                size = () if quantity == "step" else shape
                taken[f"{name}/{quantity}"] = reader.take(f"optimizer/{name}/{quantity}", "F32", size)
    return taken


def _random(reader: _Reader) -> dict[str, Tensor]:
    state = reader.take("random/cpu", "U8")
    try:
        torch.Generator().set_state(state)
    except RuntimeError:
        raise ValueError("random/cpu is not a state of PyTorch's generator") from None
    if "random/cuda" not in reader.found:
        return {"cpu": state}
    return {"cpu": state, "cuda": reader.take("random/cuda", "U8", (16,))}


def _sums(data: Any) -> Sums:
    if not isinstance(data, list) or len(data) != 3 or not isinstance(data[0], float):
        raise refuse("sums", data, "a loss and two counts")
    if not math.isfinite(data[0]):
        raise refuse("sums", data, "a finite loss")
    total = whole("sums", data[2], 0)
    return Sums(data[0], whole("sums", data[1], 0, total), total)


def _changes(config: TrainConfig, data: Any, now: tuple[int, int]) -> tuple[Entry, ...]:
    if not isinstance(data, list) or len(data) > MAX_CHANGES:
        raise ValueError(f"changes must be a list of at most {MAX_CHANGES}")
    entries: list[Entry] = []
    for item in data:
        if not isinstance(item, list) or len(item) != 3:
            raise refuse("changes", item, "an epoch, a step and a change")
        entry = (whole("epoch", item[0], 0), whole("step", item[1], 0), from_json(item[2]))
        check_change(config, entry[2])
        entries.append(entry)
    moments: Iterable[tuple[int, int]] = [entry[:2] for entry in entries]
    if [*moments, now] != sorted([*moments, now]):
        raise ValueError("changes must be in the order of time, none of them later than the run")
    return tuple(entries)


def check_change(config: TrainConfig, change: object) -> None:
    """Raises ValueError for a change that this configuration's model cannot have."""
    if isinstance(change, Edit):
        shape = shapes(config).get(change.name)
        if shape is None:
            raise refuse("name", change.name, "one of " + ", ".join(shapes(config)))
        inside = len(change.index) == len(shape)
        if not inside or any(i >= size for i, size in zip(change.index, shape, strict=True)):
            raise refuse("index", change.index, f"a place in {change.name}, which is {shape}")
    elif isinstance(change, Silence):
        tasks.named(config.task).held(config, change.layer, change.direction, change.unit)
