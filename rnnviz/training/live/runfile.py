"""A run as one file: where it stands, its history and its curves. safetensors, so nothing in it can be
executed.

The states in it are the engine's own bytes, in tensors of bytes called `state`, `origin` and
`history/<epoch>`; the curves are arrays called `curve/<name>/<part>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.training.live.curves import POINTS, Curve, Curves
from rnnviz.training.live.engine import TRAINING, Engine
from rnnviz.training.live.history import History
from rnnviz.training.live.records import Origin
from rnnviz.training.live.run import Run

LIMIT: Final = 64_000_000  # bytes; eight times what a run's history may take
FORMAT: Final = "rnnviz run 1"

_MOST_STATES: Final = 20_000
_MOST_LABEL: Final = 200
_MOST_EPOCHS: Final = 2**40
_PARTS: Final = {"keys": 1, "low": 2, "low_at": 2, "high": 2, "high_at": 2, "ends": 2, "width": 1}


def to_bytes(run: Run) -> bytes:
    """The file of a run as it stands now; it may go on meanwhile. ValueError when too large."""
    from safetensors.numpy import save

    saved = run.saved()
    history, curves = saved.history, saved.curves
    assert history is not None and curves is not None
    arrays: dict[str, NDArray[Any]] = {"state": _raw(saved.state), "origin": _raw(run.origin.state)}
    arrays |= {f"history/{epoch}": _raw(kept) for epoch, kept in history}
    for name, curve in curves.items():
        parts = {part: getattr(curve, part) for part in _PARTS if part != "width"}
        parts["width"] = np.array([curve.width])
        arrays |= {f"curve/{name}/{part}": np.ascontiguousarray(array) for part, array in parts.items()}
    words = {"format": FORMAT, "label": run.label[:_MOST_LABEL], "group": run.group[:_MOST_LABEL]}
    data: bytes = save(arrays, words | {"stride": str(history.stride)})
    if len(data) > LIMIT:
        raise ValueError(
            f"This run takes {len(data) / 1e6:.0f} MB, and a file may have {LIMIT / 1e6:.0f} MB."
        )
    return data


def from_bytes(data: bytes, *, engine: Engine = TRAINING) -> Run:
    """The run of a file, paused where it stood. ValueError for anything that is no such file."""
    metadata, arrays = _parse(data)
    state = _state(arrays, "state", engine)
    origin = _state(arrays, "origin", engine)
    history = _history(arrays, _stride(metadata), state, engine)
    curves = _curves(arrays).until(state[1])
    run = Run(
        Origin(*origin),
        label=metadata.get("label", "")[:_MOST_LABEL],
        group=metadata.get("group", "")[:_MOST_LABEL],
        engine=engine,
    )
    run.restore(Origin(*state, history, curves))
    return run


def _parse(data: bytes) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if len(data) > LIMIT:
        raise ValueError(
            f"The file has {len(data) / 1e6:.0f} MB; a run's file has {LIMIT / 1e6:.0f} MB at most."
        )
    try:
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size])["__metadata__"] if 8 + size <= len(data) else {}
        known = isinstance(metadata, dict) and metadata.get("format") == FORMAT
        arrays = load(data) if known else {}
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("The file is damaged, or it is not a run saved here.") from error
    if not known:
        raise ValueError("The file is not a run saved here.")
    if len(arrays) > _MOST_STATES:
        raise ValueError("The file holds more states than a run has.")
    return metadata, arrays


def _raw(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def _state(arrays: Mapping[str, NDArray[Any]], name: str, engine: Engine) -> tuple[bytes, int, int]:
    """One state, checked by the engine, with its epoch and step."""
    array = arrays.get(name)
    if array is None or array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError(f"The file is damaged: its part {name[:40]!r} is missing or is no state.")
    state = array.tobytes()
    try:
        return state, *engine.check(state)
    except ValueError as error:
        raise ValueError(f"The file is damaged in its part {name[:40]!r}: {error}") from error


def _stride(metadata: Mapping[str, str]) -> int:
    text = metadata.get("stride", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 13 and int(text) >= 1):
        raise ValueError(f"The file is damaged: its stride is {text[:40]!r}.")
    return int(text)


def _history(
    arrays: Mapping[str, NDArray[Any]], stride: int, head: tuple[bytes, int, int], engine: Engine
) -> History:
    history = History(stride=stride)
    names = [name for name in arrays if name.startswith("history/")]
    epochs = {name: name.removeprefix("history/") for name in names}
    if not all(text.isascii() and text.isdecimal() and len(text) < 13 for text in epochs.values()):
        raise ValueError("The file is damaged: a kept state has no epoch.")
    for name in sorted(names, key=lambda name: int(epochs[name])):
        state, epoch, step = _state(arrays, name, engine)
        if epoch != int(epochs[name]) or (epoch, step) > head[1:]:
            raise ValueError(f"The file is damaged: its part {name!r} is of epoch {epoch}, step {step}.")
        history.put(epoch, state)
    return history


def _curves(arrays: Mapping[str, NDArray[Any]]) -> Curves:
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        if name.startswith("curve/"):
            curve, _, part = name.removeprefix("curve/").rpartition("/")
            found.setdefault(curve, {})[part] = array
    return Curves({name: _curve(name, parts) for name, parts in found.items()})


def _curve(name: str, parts: Mapping[str, NDArray[Any]]) -> Curve:
    fault = ValueError(f"The file is damaged: its curve {name[:40]!r} makes no sense.")
    if parts.keys() != _PARTS.keys() or any(parts[part].ndim != _PARTS[part] for part in _PARTS):
        raise fault
    whole = {"keys", "low_at", "high_at", "width"}
    if any(
        (array.dtype != np.int64) if part in whole else (array.dtype != np.float64)
        for part, array in parts.items()
    ):
        raise fault
    keys, ends, shape = parts["keys"], parts["ends"], parts["low"].shape
    widths = parts["width"]
    good = widths.size == 1 and 1 <= widths[0] <= _MOST_EPOCHS and 1 <= len(keys) <= POINTS and shape[1] >= 1
    good = good and shape[0] == len(keys) and ends.shape == (2, 1 + shape[1])
    good = good and all(parts[part].shape == shape for part in ("low_at", "high", "high_at"))
    if not good or not np.all(np.isfinite(ends[:, 0])) or np.any(np.diff(keys) <= 0):
        raise fault
    width = int(widths[0])
    inside = all(
        np.all(parts[part] > (keys * width)[:, None]) and np.all(parts[part] <= ((keys + 1) * width)[:, None])
        for part in ("low_at", "high_at")
    )
    if (
        not inside
        or keys[0] < 0
        or keys[-1] > _MOST_EPOCHS // width
        or not 0 < ends[0, 0] <= ends[1, 0] <= _MOST_EPOCHS
    ):
        raise fault
    return Curve(width, keys, parts["low"], parts["low_at"], parts["high"], parts["high_at"], ends)
