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

from rnnviz.training.live.curves import POINTS, Curve, Curves, Samples
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
    for name, curve in curves.curves.items():
        parts = {part: getattr(curve, part) for part in _PARTS if part != "width"}
        parts["width"] = np.array([curve.width])
        arrays |= {f"curve/{name}/{part}": np.ascontiguousarray(array) for part, array in parts.items()}
    for name, samples in curves.samples.items():
        whole = {"epochs": samples.epochs, "rows": samples.rows, "stride": np.array([samples.stride])}
        arrays |= {f"rows/{name}/{part}": np.ascontiguousarray(array) for part, array in whole.items()}
    words = {"label": run.label[:_MOST_LABEL], "group": run.group[:_MOST_LABEL], "stride": history.stride}
    # One entry: safetensors writes several in an order of its own, and equal runs are to give equal bytes.
    data: bytes = save(arrays, {FORMAT: json.dumps(words)})
    if len(data) > LIMIT:
        raise ValueError(
            f"This run takes {len(data) / 1e6:.0f} MB, and a file may have {LIMIT / 1e6:.0f} MB."
        )
    return data


def from_bytes(data: bytes, *, engine: Engine = TRAINING) -> Run:
    """The run of a file, paused where it stood. ValueError for anything that is no such file."""
    words, arrays = _parse(data)
    state = _state(arrays, "state", engine)
    origin = _state(arrays, "origin", engine)
    history = _history(arrays, words["stride"], state, engine)
    curves = _curves(arrays).until(state[1])
    run = Run(Origin(*origin), label=words["label"], group=words["group"], engine=engine)
    run.restore(Origin(*state, history, curves))
    return run


def _parse(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Label, group and stride, and the arrays."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if len(data) > LIMIT:
        raise ValueError(f"The file has {len(data) / 1e6:.0f} MB; a run's has {LIMIT / 1e6:.0f} MB at most.")
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        words = json.loads(header["__metadata__"][FORMAT])
        texts = words["label"], words["group"]
        if not all(isinstance(text, str) and len(text) <= _MOST_LABEL for text in texts):
            raise ValueError("a label is no short text")
        if type(words["stride"]) is not int or not 1 <= words["stride"] <= _MOST_EPOCHS:
            raise ValueError("a stride is no number of epochs")
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("The file is damaged, or it is not a run saved here.") from error
    if len(arrays) > _MOST_STATES:
        raise ValueError("The file holds more states than a run has.")
    return words, arrays


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
    curves, samples = _grouped(arrays, "curve/"), _grouped(arrays, "rows/")
    return Curves(
        {name: _curve(name, parts) for name, parts in curves.items()},
        {name: _samples(name, parts) for name, parts in samples.items()},
    )


def _grouped(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, dict[str, NDArray[Any]]]:
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        if name.startswith(prefix):
            series, _, part = name.removeprefix(prefix).rpartition("/")
            found.setdefault(series, {})[part] = array
    return found


def _curve(name: str, parts: Mapping[str, NDArray[Any]]) -> Curve:
    whole = {"keys", "low_at", "high_at", "width"}
    _must(parts.keys() == _PARTS.keys(), name)
    for part, array in parts.items():
        _must(array.ndim == _PARTS[part] and array.dtype == (np.int64 if part in whole else np.float64), name)
    keys, ends, shape, widths = parts["keys"], parts["ends"], parts["low"].shape, parts["width"]
    _must(widths.size == 1 and 1 <= widths[0] <= _MOST_EPOCHS and 1 <= len(keys) <= POINTS, name)
    _must(shape[0] == len(keys) and shape[1] >= 1 and ends.shape == (2, 1 + shape[1]), name)
    width = int(widths[0])
    _must(bool(np.all(np.diff(keys) > 0)) and keys[0] >= 0 and keys[-1] <= _MOST_EPOCHS // width, name)
    _must(1 <= ends[0, 0] <= ends[1, 0] <= _MOST_EPOCHS and bool(np.all(ends[:, 0] % 1 == 0)), name)
    for at in (parts["low_at"], parts["high_at"]):
        _must(at.shape == shape and bool(np.all((at - 1) // width == keys[:, None])), name)
    _must(parts["high"].shape == shape, name)
    return Curve(width, keys, parts["low"], parts["low_at"], parts["high"], parts["high_at"], ends)


def _samples(name: str, parts: Mapping[str, NDArray[Any]]) -> Samples:
    _must(parts.keys() == {"epochs", "rows", "stride"}, name)
    epochs, rows, stride = parts["epochs"], parts["rows"], parts["stride"]
    _must(all(array.dtype == np.int64 for array in parts.values()), name)
    _must(epochs.ndim == 1 and rows.ndim == 2 and stride.shape == (1,), name)
    _must(1 <= len(epochs) <= POINTS and len(rows) == len(epochs) and 1 <= stride[0] <= _MOST_EPOCHS, name)
    _must(bool(np.all(np.diff(epochs) > 0)) and epochs[0] >= 1 and epochs[-1] <= _MOST_EPOCHS, name)
    return Samples(int(stride[0]), epochs, rows)


def _must(good: bool, name: str) -> None:
    if not good:
        raise ValueError(f"The file is damaged: its curve {name[:40]!r} makes no sense.")
