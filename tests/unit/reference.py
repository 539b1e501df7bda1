"""What PyTorch documents for nn.RNN, nn.LSTM and nn.GRU, as plain loops in float64.

Written from the equations on the three documentation pages alone, so that it can disagree with `rnnviz`:
https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html (and torch.nn.LSTM, torch.nn.GRU)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]
State = Tensor | tuple[Tensor, Tensor] | None

NAMES = {
    "RNN": ("x", "h", "h_pre"),
    "LSTM": ("x", "h", "c", "i", "f", "g", "o", "i_pre", "f_pre", "g_pre", "o_pre"),
    "GRU": ("x", "h", "r", "z", "n", "r_pre", "z_pre", "n_pre"),
}


class Traced(Protocol):
    """The part of rnnviz.Trace that is compared."""

    @property
    def output(self) -> NDArray[Any]: ...
    @property
    def h_n(self) -> NDArray[Any]: ...
    @property
    def c_n(self) -> NDArray[Any] | None: ...

    def sel(self, name: str, layer: int = 0, direction: int = 0) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Reference:
    """values[name, layer, direction] is (L, N, units), NaN past each end; the rest has PyTorch's layout."""

    values: dict[tuple[str, int, int], Array]
    output: Array
    h_n: Array
    c_n: Array | None


@dataclass(frozen=True)
class Weights:
    """One layer and direction. Without biases they are zero; without projection there is no w_hr."""

    w_ih: Array
    w_hh: Array
    b_ih: Array
    b_hh: Array
    w_hr: Array | None

    @classmethod
    def of(cls, module: nn.RNNBase, layer: int, direction: int) -> "Weights":
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        given = {name: to_float64(value) for name, value in module.named_parameters()}
        rows = given[f"weight_ih{suffix}"].shape[0]
        return cls(
            w_ih=given[f"weight_ih{suffix}"],
            w_hh=given[f"weight_hh{suffix}"],
            b_ih=given.get(f"bias_ih{suffix}", np.zeros(rows)),
            b_hh=given.get(f"bias_hh{suffix}", np.zeros(rows)),
            w_hr=given.get(f"weight_hr{suffix}"),
        )

    def block(self, k: int, blocks: int) -> tuple[Array, Array, Array, Array]:
        """W_i?, b_i?, W_h?, b_h? of the k-th of the stacked gates."""
        size = self.w_ih.shape[0] // blocks
        rows = slice(k * size, (k + 1) * size)
        return self.w_ih[rows], self.b_ih[rows], self.w_hh[rows], self.b_hh[rows]


def kind_of(module: nn.RNNBase) -> str:
    return {nn.RNN: "RNN", nn.LSTM: "LSTM", nn.GRU: "GRU"}[type(module)]


def to_float64(tensor: Tensor) -> Array:
    return np.array(tensor.detach().cpu().double().numpy())


def sigmoid(a: Array) -> Array:
    positive: Array = 1 / (1 + np.exp(-np.abs(a)))
    return np.where(a >= 0, positive, 1 - positive)


def rnn_step(w: Weights, x: Array, h: Array, nonlinearity: str) -> dict[str, Array]:
    h_pre = w.w_ih @ x + w.b_ih + w.w_hh @ h + w.b_hh
    return {"h_pre": h_pre, "h": np.tanh(h_pre) if nonlinearity == "tanh" else np.maximum(h_pre, 0)}


def lstm_step(w: Weights, x: Array, h: Array, c: Array) -> dict[str, Array]:
    w_ii, b_ii, w_hi, b_hi = w.block(0, 4)
    w_if, b_if, w_hf, b_hf = w.block(1, 4)
    w_ig, b_ig, w_hg, b_hg = w.block(2, 4)
    w_io, b_io, w_ho, b_ho = w.block(3, 4)
    i_pre = w_ii @ x + b_ii + w_hi @ h + b_hi
    f_pre = w_if @ x + b_if + w_hf @ h + b_hf
    g_pre = w_ig @ x + b_ig + w_hg @ h + b_hg
    o_pre = w_io @ x + b_io + w_ho @ h + b_ho
    i, f, g, o = sigmoid(i_pre), sigmoid(f_pre), np.tanh(g_pre), sigmoid(o_pre)
    c = f * c + i * g
    h = o * np.tanh(c)
    if w.w_hr is not None:
        h = w.w_hr @ h
    pre = {"i_pre": i_pre, "f_pre": f_pre, "g_pre": g_pre, "o_pre": o_pre}
    return pre | {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


def gru_step(w: Weights, x: Array, h: Array) -> dict[str, Array]:
    w_ir, b_ir, w_hr, b_hr = w.block(0, 3)
    w_iz, b_iz, w_hz, b_hz = w.block(1, 3)
    w_in, b_in, w_hn, b_hn = w.block(2, 3)
    r_pre = w_ir @ x + b_ir + w_hr @ h + b_hr
    z_pre = w_iz @ x + b_iz + w_hz @ h + b_hz
    r, z = sigmoid(r_pre), sigmoid(z_pre)
    n_pre = w_in @ x + b_in + r * (w_hn @ h + b_hn)
    n = np.tanh(n_pre)
    h = (1 - z) * n + z * h
    return {"r_pre": r_pre, "z_pre": z_pre, "n_pre": n_pre, "r": r, "z": z, "n": n, "h": h}


def step(module: nn.RNNBase, w: Weights, x: Array, state: tuple[Array, Array]) -> dict[str, Array]:
    h, c = state
    match kind_of(module):
        case "RNN":
            return rnn_step(w, x, h, str(module.nonlinearity))
        case "LSTM":
            return lstm_step(w, x, h, c)
        case _:
            return gru_step(w, x, h)


def sequence(
    module: nn.RNNBase, w: Weights, xs: Array, state: tuple[Array, Array], reverse: bool
) -> Iterator[tuple[int, dict[str, Array]]]:
    """One sample through one direction: (position, its quantities), in order of computation."""
    positions = range(len(xs))
    for position in reversed(positions) if reverse else positions:
        values = step(module, w, xs[position], state)
        state = (values["h"], values.get("c", state[1]))
        yield position, {"x": xs[position]} | values


def initial_state(module: nn.RNNBase, hx: State, batch: int) -> tuple[Array, Array]:
    """h_0 (D*layers, N, H_out) and c_0 (D*layers, N, H_cell), zeros when omitted."""
    rows = module.num_layers * (2 if module.bidirectional else 1)
    if hx is None:
        h_units = module.proj_size or module.hidden_size
        return np.zeros((rows, batch, h_units)), np.zeros((rows, batch, module.hidden_size))
    h_0, c_0 = hx if isinstance(hx, tuple) else (hx, torch.zeros_like(hx))
    return to_float64(h_0).reshape(rows, batch, -1), to_float64(c_0).reshape(rows, batch, -1)


def evaluate(
    module: nn.RNNBase, x: Tensor, hx: State = None, lengths: Sequence[int] | None = None
) -> Reference:
    """All of `module` on `x`, layer by layer, direction by direction, sample by sample, step by step."""
    unbatched = x.dim() == 2
    xs = to_float64(x)
    if unbatched:
        xs = xs[:, None]
    elif module.batch_first:
        xs = xs.swapaxes(0, 1)
    steps, batch, _ = xs.shape
    ends = [steps] * batch if lengths is None else [int(end) for end in lengths]
    h_0, c_0 = initial_state(module, hx, batch)
    h_n, c_n = h_0.copy(), c_0.copy()
    directions = 2 if module.bidirectional else 1
    values: dict[tuple[str, int, int], Array] = {}

    for layer in range(module.num_layers):
        for direction in range(directions):
            w, row = Weights.of(module, layer, direction), layer * directions + direction
            for sample, end in enumerate(ends):
                state = (h_0[row, sample], c_0[row, sample])
                for t, found in sequence(module, w, xs[:end, sample], state, reverse=direction == 1):
                    for name, value in found.items():
                        key = (name, layer, direction)
                        values.setdefault(key, np.full((steps, batch, value.size), np.nan))[t, sample] = value
                    h_n[row, sample] = found["h"]
                    c_n[row, sample] = found.get("c", c_n[row, sample])
        xs = np.concatenate([values["h", layer, direction] for direction in range(directions)], axis=-1)

    output = np.nan_to_num(xs)
    if unbatched:
        output, h_n, c_n = output[:, 0], h_n[:, 0], c_n[:, 0]
    elif module.batch_first:
        output = output.swapaxes(0, 1)
    return Reference(values, output, h_n, c_n if kind_of(module) == "LSTM" else None)


def assert_trace_equals(trace: Traced, expected: Reference, atol: float) -> None:
    """Every quantity of every layer and direction and the three results within `atol`, NaN where expected."""
    results = {"output": (trace.output, expected.output), "h_n": (trace.h_n, expected.h_n)}
    assert (trace.c_n is None) == (expected.c_n is None)
    if trace.c_n is not None and expected.c_n is not None:
        results["c_n"] = (trace.c_n, expected.c_n)
    for (name, layer, direction), value in expected.values.items():
        results[f"{name}, layer {layer}, direction {direction}"] = (trace.sel(name, layer, direction), value)
    for label, (actual, wanted) in results.items():
        torch.testing.assert_close(
            torch.from_numpy(actual.astype(np.float64)),
            torch.from_numpy(np.ascontiguousarray(wanted)),
            rtol=0,
            atol=atol,
            equal_nan=True,
            msg=f"{label}: {{}}".format,
        )
