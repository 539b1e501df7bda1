"""The equations of nn.RNN, nn.LSTM and nn.GRU, once, in the order and letters of PyTorch's documentation.

Sources: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html, ...LSTM.html, ...GRU.html. Each
function is elementwise over its leading dimensions, so the same lines serve one step of a loop and all steps
of a finished run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.gates import Kind

Intervene = Callable[[int, int, int, str, Tensor], Tensor]
"""(layer, direction, step, name, value (N, units)) -> the value to go on with. See `run`."""


@dataclass(frozen=True)
class Weights:
    """The parameters of one layer in one direction.

    ``w_ih`` (blocks * H, H_in or D * H_out), ``w_hh`` (blocks * H, H_out), ``b_ih`` and ``b_hh`` (blocks * H)
    or None, ``w_hr`` (proj_size, H) or None.
    """

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    w_hr: Tensor | None


def kind_of(module: nn.Module) -> Kind:
    """Which of the three kinds a module is; ValueError for anything else."""
    for kind, cls in (("RNN", nn.RNN), ("LSTM", nn.LSTM), ("GRU", nn.GRU)):
        if isinstance(module, cls):
            return kind  # type: ignore[return-value]
    raise ValueError(f"module={type(module).__name__} is not allowed: an nn.RNN, nn.LSTM or nn.GRU")


def weights_of(module: nn.RNNBase, layer: int, direction: int) -> Weights:
    """The parameters that PyTorch names ``..._l{layer}`` and, for the backward direction,
    ``..._l{layer}_reverse``.
    """
    suffix = f"_l{layer}" + ("_reverse" if direction else "")

    def get(name: str, there: bool = True) -> Any:
        return getattr(module, name + suffix) if there else None

    w_ih, w_hh, w_hr = get("weight_ih"), get("weight_hh"), get("weight_hr", module.proj_size > 0)
    return Weights(w_ih, w_hh, get("bias_ih", module.bias), get("bias_hh", module.bias), w_hr)


def tanh(x: Tensor) -> Tensor:
    """tanh. On a CPU and without gradients it is NumPy's, which takes a seventh of torch.tanh's time (torch
    2.13, NumPy 2.4).
    """
    if x.is_cpu and x.dtype in (torch.float32, torch.float64) and not torch.is_grad_enabled():
        return torch.from_numpy(np.tanh(x.detach().numpy()))
    return torch.tanh(x)


def rnn(pre: Tensor, nonlinearity: str) -> Tensor:
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or ReLU. ``pre`` (..., H) is that sum."""
    return torch.relu(pre) if nonlinearity == "relu" else tanh(pre)


def lstm_gates(pre: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """i, f, g, o (..., H) from the four stacked sums ``pre`` (..., 4 * H)."""
    # One pass over the whole block, g's quarter in vain, takes half the time of three over its strided parts.
    i, f, _, o = torch.sigmoid(pre).chunk(4, -1)
    return i, f, tanh(pre.chunk(4, -1)[2]), o


def lstm_cell(i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
    """c_t = f_t ⊙ c_(t-1) + i_t ⊙ g_t."""
    return torch.addcmul(f * c, i, g)


def lstm_hidden(o: Tensor, c: Tensor, w_hr: Tensor | None) -> Tensor:
    """h_t = o_t ⊙ tanh(c_t), then W_hr h_t when the layer projects (https://arxiv.org/abs/1402.1128)."""
    h = o * tanh(c)
    return h if w_hr is None else h @ w_hr.T


def gru_reset_update(pre: Tensor) -> tuple[Tensor, Tensor]:
    """r, z (..., H) from their two stacked sums ``pre`` (..., 2 * H)."""
    r, z = torch.sigmoid(pre).chunk(2, -1)
    return r, z


def gru_new_pre(x_n: Tensor, r: Tensor, h_n: Tensor) -> Tensor:
    """What enters n_t's tanh: (W_in x_t + b_in) + r_t ⊙ (W_hn h_(t-1) + b_hn).

    PyTorch applies r after the product, as cuDNN does; Cho et al. 2014 and most textbooks before it.
    """
    return torch.addcmul(x_n, r, h_n)


def gru_hidden(n: Tensor, z: Tensor, h: Tensor) -> Tensor:
    """h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_(t-1)."""
    return (1 - z) * n + z * h


@dataclass(frozen=True)
class CellRun:
    """What a step-by-step run computed.

    ``output`` (L, N, D * H_out) with zeros after each end, ``h_n`` (layers * D, N, H_out), ``c_n`` (layers *
    D, N, H) or None, and for each (layer, direction) every quantity by name as (L, N, units).
    """

    output: Tensor
    h_n: Tensor
    c_n: Tensor | None
    values: dict[tuple[int, int], dict[str, Tensor]]


@dataclass
class _Step:
    """One cell at one step: gives each quantity a name, and the caller a chance to replace it."""

    kind: Kind
    nonlinearity: str
    weights: Weights
    replace: Callable[[str, Tensor], Tensor]
    seen: dict[str, Tensor] = field(default_factory=dict)

    def note(self, name: str, value: Tensor) -> Tensor:
        self.seen[name] = value = self.replace(name, value)
        return value

    def __call__(self, x: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor | None]:
        w = self.weights
        gi = nn.functional.linear(x, w.w_ih, w.b_ih)
        gh = nn.functional.linear(h, w.w_hh, w.b_hh)
        self.note("x", x)
        if self.kind == "RNN":
            return self.note("h", rnn(self.note("h_pre", gi + gh), self.nonlinearity)), None
        if self.kind == "LSTM":
            assert c is not None
            pre = torch.cat(
                [self.note(f"{k}_pre", v) for k, v in zip("ifgo", (gi + gh).chunk(4, -1), strict=True)], -1
            )
            i, f, g, o = (self.note(k, v) for k, v in zip("ifgo", lstm_gates(pre), strict=True))
            c = self.note("c", lstm_cell(i, f, g, c))
            return self.note("h", lstm_hidden(o, c, w.w_hr)), c
        size = w.w_hh.shape[1]
        rz = gi[..., : 2 * size] + gh[..., : 2 * size]
        pre = torch.cat([self.note(f"{k}_pre", v) for k, v in zip("rz", rz.chunk(2, -1), strict=True)], -1)
        r, z = (self.note(k, v) for k, v in zip("rz", gru_reset_update(pre), strict=True))
        n_pre = self.note("n_pre", gru_new_pre(gi[..., 2 * size :], r, gh[..., 2 * size :]))
        return self.note("h", gru_hidden(self.note("n", tanh(n_pre)), z, h)), None


def run(
    module: nn.RNNBase,
    x: Tensor,
    h_0: Tensor,
    c_0: Tensor | None = None,
    lengths: Tensor | None = None,
    intervene: Intervene | None = None,
) -> CellRun:
    """Run a module's weights one step at a time, so that any quantity can be replaced on the way.

    ``x`` (L, N, H_in), always step-major; ``h_0`` (layers * D, N, H_out); ``c_0`` (layers * D, N, H), LSTM
    only; ``lengths`` (N). ``intervene`` is called with every quantity as soon as it is computed, and what it
    returns is what the rest of the step (and of the run) sees. Differentiable. Without ``intervene`` it
    computes what ``module`` does.
    """
    kind, length = kind_of(module), x.shape[0]
    directions = 2 if module.bidirectional else 1
    nonlinearity = getattr(module, "nonlinearity", "tanh")
    ends = torch.full((x.shape[1],), length) if lengths is None else lengths
    alive = (torch.arange(length)[:, None] < ends.cpu()[None, :])[..., None].to(x.device)  # (L, N, 1)
    values: dict[tuple[int, int], dict[str, Tensor]] = {}
    h_n: list[Tensor] = []
    c_n: list[Tensor] = []
    for layer in range(module.num_layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            h, c = h_0[k], None if c_0 is None else c_0[k]
            seen: list[dict[str, Tensor]] = [{}] * length
            for t in reversed(range(length)) if direction else range(length):
                replace = (lambda name, v: v) if intervene is None else _at(intervene, layer, direction, t)
                step = _Step(kind, nonlinearity, weights_of(module, layer, direction), replace)
                h_new, c_new = step(x[t], h, c)
                h = torch.where(alive[t], h_new, h)
                c = None if c is None or c_new is None else torch.where(alive[t], c_new, c)
                seen[t] = step.seen
            values[layer, direction] = {name: torch.stack([s[name] for s in seen]) for name in seen[0]}
            outputs.append(torch.where(alive, values[layer, direction]["h"], 0.0))
            h_n.append(h)
            if c is not None:
                c_n.append(c)
        x = torch.cat(outputs, -1)
    return CellRun(x, torch.stack(h_n), torch.stack(c_n) if c_n else None, values)


def _at(intervene: Intervene, layer: int, direction: int, step: int) -> Callable[[str, Tensor], Tensor]:
    return lambda name, value: intervene(layer, direction, step, name, value)
