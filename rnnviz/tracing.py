"""`trace`: everything a recurrent layer computes, recovered from PyTorch's own fused run.

The fused kernels give only h. Given the whole h sequence, every gate of every step follows from one batched matrix product
of [x_t, h_(t-1)] with [W_ih, W_hh]; only the LSTM's c has to be scanned, elementwise. Measured on one core, this is several
times faster than looping a cell (tests/bench/trace.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz import cells
from rnnviz.cells import Weights, kind_of, weights_of
from rnnviz.gates import NAMES, Kind

Array = NDArray[np.floating[Any]]
State = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Trace:
    """Every quantity of a run, as read-only numpy.

    ``output``, ``h_n`` and ``c_n`` (None unless LSTM) are laid out exactly as PyTorch returns them; with lengths, ``output``
    is unpacked to x's own L with zeros after each end. ``values`` maps (name, layer, direction) to (L, N, units).
    """

    kind: Kind
    output: Array
    h_n: Array
    c_n: Array | None
    values: Mapping[tuple[str, int, int], Array]

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities that `sel` takes for this kind."""
        return NAMES[self.kind]

    @property
    def layers(self) -> int:
        """num_layers."""
        return 1 + max(layer for _, layer, _ in self.values)

    @property
    def directions(self) -> int:
        """D."""
        return 1 + max(direction for _, _, direction in self.values)

    def sel(self, name: str, layer: int = 0, direction: int = 0) -> Array:
        """One quantity as (L, N, units), always step-major.

        ``step`` is the position in the sequence for the backward direction too; NaN after a sequence's end. Raises KeyError
        that lists what there is.
        """
        try:
            return self.values[name, layer, direction]
        except KeyError:
            raise KeyError(
                f"no {name!r} in layer {layer}, direction {direction}: names are {', '.join(self.names)}; "
                f"layers 0 to {self.layers - 1}; directions 0 to {self.directions - 1}"
            ) from None

    def frame(self) -> pd.DataFrame:
        """All quantities, tidy: columns quantity, layer, direction, step, batch, unit, value."""
        parts = []
        for (name, layer, direction), values in self.values.items():
            step, batch, unit = np.indices(values.shape).reshape(3, -1)
            parts.append(
                pd.DataFrame(
                    {
                        "quantity": name,
                        "layer": layer,
                        "direction": direction,
                        "step": step,
                        "batch": batch,
                        "unit": unit,
                        "value": values.reshape(-1),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Job:
    """A checked request, batched and step-major whatever the module's own layout: x (L, N, H_in), h_0 and c_0 (rows, N, ·)."""

    module: nn.RNNBase
    kind: Kind
    x: Tensor
    h_0: Tensor
    c_0: Tensor | None
    lengths: Tensor | None
    batched: bool

    @property
    def directions(self) -> int:
        return 2 if self.module.bidirectional else 1


def trace(
    module: nn.RNNBase, x: Tensor, hx: State | None = None, lengths: Sequence[int] | Tensor | None = None
) -> Trace:
    """Run a module and hand out everything it computed.

    ``module``: any nn.RNN, nn.LSTM or nn.GRU on any device. ``x`` and ``hx``: as the module takes them. ``lengths`` (N): the
    true length of each sequence, in any order; the run is then packed. The module is left as it was and no gradient is
    recorded. Raises ValueError for inputs whose shapes do not fit, lengths outside 1..L, or a module in training mode with
    dropout between layers, whose trace would not repeat.
    """
    with torch.inference_mode(), _full_precision(x.device):
        return _run(_checked(module, x, hx, lengths))


def from_cells(module: nn.RNNBase, run: cells.CellRun, lengths: Sequence[int] | None = None) -> Trace:
    """The Trace of a step-by-step run (batched), laid out as ``module`` would have returned it."""
    ends = None if lengths is None else torch.as_tensor(lengths)
    values = {
        (name, layer, direction): _masked(_numpy(value.detach()), ends)
        for (layer, direction), named in run.values.items()
        for name, value in named.items()
    }
    output = run.output.transpose(0, 1) if module.batch_first else run.output
    c_n = None if run.c_n is None else read_only(run.c_n)
    return Trace(kind_of(module), read_only(output), read_only(run.h_n), c_n, MappingProxyType(values))


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    # cuDNN's RNNs use TF32 by default: about 1e-3 off float32, which would show as a difference on every screen.
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def _checked(module: nn.RNNBase, x: Tensor, hx: State | None, lengths: Sequence[int] | Tensor | None) -> _Job:
    kind = kind_of(module)
    if module.training and module.dropout > 0 and module.num_layers > 1:
        raise ValueError(
            f"dropout={module.dropout} in training mode is not allowed: a trace would not repeat; call module.eval() first"
        )
    if x.dim() not in (2, 3):
        raise ValueError(f"x has {x.dim()} dimensions: 3 are allowed, or 2 without a batch")
    if x.shape[-1] != module.input_size:
        raise ValueError(f"x ends in {x.shape[-1]} features: input_size={module.input_size} is allowed")
    weight = module.weight_ih_l0
    if x.dtype != weight.dtype or x.device != weight.device:
        raise ValueError(
            f"x is {x.dtype} on {x.device}: the module's {weight.dtype} on {weight.device} is allowed"
        )
    batched = x.dim() == 3
    major = x.unsqueeze(1) if not batched else x.transpose(0, 1) if module.batch_first else x
    length, batch, _ = major.shape
    if length < 1 or batch < 1:
        raise ValueError(f"x has shape {tuple(x.shape)}: at least one step and one sequence are needed")
    h_0, c_0 = _initial(module, kind, hx, x)
    if not batched:
        h_0, c_0 = h_0.unsqueeze(1), None if c_0 is None else c_0.unsqueeze(1)
    own = major.detach().clone(
        memory_format=torch.contiguous_format
    )  # the trace must not change with the caller's x
    return _Job(module, kind, own, h_0, c_0, _checked_lengths(lengths, length, batch, batched), batched)


def _initial(module: nn.RNNBase, kind: Kind, hx: State | None, x: Tensor) -> tuple[Tensor, Tensor | None]:
    rows = module.num_layers * (2 if module.bidirectional else 1)
    middle = () if x.dim() == 2 else (x.shape[0 if module.batch_first else 1],)
    h_shape = (rows, *middle, module.proj_size or module.hidden_size)
    c_shape = (rows, *middle, module.hidden_size)
    if hx is None:
        return x.new_zeros(h_shape), x.new_zeros(c_shape) if kind == "LSTM" else None
    if (kind == "LSTM") != isinstance(hx, tuple):
        allowed = "a pair (h_0, c_0)" if kind == "LSTM" else "one tensor h_0"
        raise ValueError(f"hx is a {type(hx).__name__}: {allowed} is allowed for {kind}")
    parts: tuple[Tensor, ...] = hx if isinstance(hx, tuple) else (hx,)
    shapes = (h_shape, c_shape) if kind == "LSTM" else (h_shape,)
    if len(parts) != len(shapes):
        raise ValueError(f"hx has {len(parts)} parts: a pair (h_0, c_0) is allowed")
    for name, part, shape in zip(("h_0", "c_0"), parts, shapes, strict=False):
        if tuple(part.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(part.shape)}: {shape} is allowed")
        if part.dtype != x.dtype or part.device != x.device:
            raise ValueError(
                f"{name} is {part.dtype} on {part.device}: x's {x.dtype} on {x.device} is allowed"
            )
    return parts[0], parts[1] if kind == "LSTM" else None


def _checked_lengths(
    lengths: Sequence[int] | Tensor | None, length: int, batch: int, batched: bool
) -> Tensor | None:
    if lengths is None:
        return None
    if not batched:
        raise ValueError("lengths is not allowed for an unbatched x: there is nothing to pad")
    ends = torch.as_tensor(lengths, device="cpu")
    if ends.shape != (batch,) or ends.is_floating_point() or ends.is_complex() or ends.dtype == torch.bool:
        raise ValueError(
            f"lengths={lengths!r} is not allowed: one whole number for each of {batch} sequences"
        )
    if int(ends.min()) < 1 or int(ends.max()) > length:
        raise ValueError(f"lengths={lengths!r} is not allowed: each from 1 to {length}, the length of x")
    return ends.to(torch.int64)


def _run(job: _Job) -> Trace:
    values: dict[tuple[str, int, int], Array] = {}
    states: list[tuple[Tensor, ...]] = []
    x = job.x
    for layer in range(job.module.num_layers):
        weights = [weights_of(job.module, layer, direction) for direction in range(job.directions)]
        rows = slice(layer * job.directions, (layer + 1) * job.directions)
        h, *last = _fused(job, weights, x, rows)
        states.append(tuple(last))
        for direction, part in enumerate(h.chunk(job.directions, -1)):
            row = rows.start + direction
            c_0 = None if job.c_0 is None else job.c_0[row]
            lane = _Lane(x, part, job.h_0[row], c_0, job.lengths, backward=direction == 1)
            recovered = _recover(job.kind, weights[direction], lane)
            values |= {(name, layer, direction): recovered[name] for name in NAMES[job.kind]}
        x = h
    h_n, *c_n = (torch.cat(parts) for parts in zip(*states, strict=True))
    if not job.batched:
        x, h_n, c_n = x.squeeze(1), h_n.squeeze(1), [c.squeeze(1) for c in c_n]
    elif job.module.batch_first:
        x = x.transpose(0, 1)
    return Trace(
        job.kind, read_only(x), read_only(h_n), read_only(c_n[0]) if c_n else None, MappingProxyType(values)
    )


def _fused(job: _Job, weights: Sequence[Weights], x: Tensor, rows: slice) -> tuple[Tensor, ...]:
    """One layer through the fused function that nn.RNN, nn.LSTM and nn.GRU call: h (L, N, D * H_out), then h_n (and c_n).

    Layer by layer, because a stack's own call shows only the top layer's h.
    """
    module = job.module
    run: Any = {"LSTM": torch.lstm, "GRU": torch.gru}.get(job.kind) or (
        torch.rnn_relu if module.nonlinearity == "relu" else torch.rnn_tanh
    )
    flat = _flat(job, weights, rows.start // job.directions)
    rest = (flat, module.bias, 1, 0.0, False, module.bidirectional)
    h_0, c_0 = job.h_0[rows], None if job.c_0 is None else job.c_0[rows]
    if job.lengths is None:
        hx: Any = h_0.contiguous() if c_0 is None else (h_0.contiguous(), c_0.contiguous())
        return tuple(run(x, hx, *rest, False))
    packed = pack_padded_sequence(x, job.lengths, enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None and back is not None
    hx = h_0[:, order] if c_0 is None else (h_0[:, order], c_0[:, order])
    data, *last = run(packed.data, packed.batch_sizes, hx, *rest)
    output, _ = pad_packed_sequence(
        PackedSequence(data, packed.batch_sizes, order, back), total_length=x.shape[0]
    )
    return output, *(state[:, back] for state in last)


def _flat(job: _Job, weights: Sequence[Weights], layer: int) -> list[Tensor]:
    """The layer's parameters in the order in which PyTorch's fused functions take them."""
    parameters = [p for w in weights for p in (w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr) if p is not None]
    if not job.x.is_cuda or job.module.num_layers == 1:
        return parameters
    # cuDNN wants one contiguous chunk and warns at every call otherwise; a slice of a stack's chunk is not one.
    single = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}[job.kind](
        weights[0].w_ih.shape[1],
        job.module.hidden_size,
        bias=job.module.bias,
        bidirectional=job.module.bidirectional,
        device=job.x.device,
        dtype=job.x.dtype,
        **({"proj_size": job.module.proj_size} if job.kind == "LSTM" else {}),
    )
    for mine, theirs in zip(single.parameters(), parameters, strict=True):
        mine.copy_(theirs)
    return list(single.parameters())


@dataclass(frozen=True)
class _Lane:
    """One layer in one direction: x (L, N, ·), its h (L, N, H_out) with zeros after each end, h_0 and c_0 (N, ·)."""

    x: Tensor
    h: Tensor
    h_0: Tensor
    c_0: Tensor | None
    lengths: Tensor | None
    backward: bool


def _recover(kind: Kind, w: Weights, lane: _Lane) -> dict[str, Array]:
    """All quantities of one lane from its h sequence, as (L, N, units) with NaN after each end."""
    named: dict[str, Tensor] = {"x": lane.x, "h": lane.h}
    if kind == "RNN":
        named["h_pre"] = _sums(w, lane)
    elif kind == "GRU":
        size = w.w_hh.shape[0] // 3
        rz, new = _rows(w, slice(2 * size)), _rows(w, slice(2 * size, None))
        rz_pre = _sums(rz, lane)  # (L, N, 2H)
        r, z = cells.gru_reset_update(rz_pre)
        x_n = _linear(lane.x, new.w_ih, new.b_ih)  # (L, N, H)
        h_n = torch.zeros_like(x_n) if new.b_hh is None else new.b_hh.expand_as(x_n).clone()
        n_pre = cells.gru_new_pre(x_n, r, _add_recurrent(h_n, new.w_hh, lane))
        r_pre, z_pre = rz_pre.chunk(2, -1)
        named |= {"r": r, "z": z, "n": cells.tanh(n_pre), "r_pre": r_pre, "z_pre": z_pre, "n_pre": n_pre}
    else:
        pre = _sums(w, lane)  # (L, N, 4H)
        i, f, g, o = cells.lstm_gates(pre)
        i_pre, f_pre, g_pre, o_pre = pre.chunk(4, -1)
        named |= {
            "i": i,
            "f": f,
            "g": g,
            "o": o,
            "c": torch.from_numpy(_scan(_numpy(f), _numpy(i * g), lane)),
        }
        named |= {"i_pre": i_pre, "f_pre": f_pre, "g_pre": g_pre, "o_pre": o_pre}
    return {name: _masked(_numpy(value), lane.lengths) for name, value in named.items()}


def _rows(w: Weights, rows: slice) -> Weights:
    """Some of the stacked blocks."""
    b_ih, b_hh = (None if b is None else b[rows] for b in (w.b_ih, w.b_hh))
    return Weights(w.w_ih[rows], w.w_hh[rows], b_ih, b_hh, None)


def _sums(w: Weights, lane: _Lane) -> Tensor:
    """W_ih x_t + b_ih + W_hh h_(t-1) + b_hh for all steps, (L, N, blocks * H)."""
    bias = None if w.b_ih is None or w.b_hh is None else w.b_ih + w.b_hh
    return _add_recurrent(_linear(lane.x, w.w_ih, bias), w.w_hh, lane)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    flat = x.reshape(-1, x.shape[-1])  # one product for all steps
    out = flat @ weight.T if bias is None else torch.addmm(bias, flat, weight.T)
    return out.view(*x.shape[:-1], -1)


def _add_recurrent(sums: Tensor, w_hh: Tensor, lane: _Lane) -> Tensor:
    """Add W_hh h_(t-1) to each step's sums (L, N, rows): one product for all steps, into place.

    A shifted copy of h beside x would need one product fewer, but its copies cost more: at (L, N, H_in, H) = (200, 64, 32,
    64) an RNN's sums took 2.7 ms so and 1.8 ms this way.
    """
    before, there = (lane.h[1:], sums[:-1]) if lane.backward else (lane.h[:-1], sums[1:])
    there.view(-1, sums.shape[-1]).addmm_(before.reshape(-1, before.shape[-1]), w_hh.T)
    first = lane.h_0 @ w_hh.T  # (N, rows)
    if lane.backward and lane.lengths is not None:  # the backward direction starts at each sequence's own end
        sums[lane.lengths - 1, torch.arange(len(first))] += first
    else:
        sums[-1 if lane.backward else 0] += first
    return sums


def _scan(f: Array, ig: Array, lane: _Lane) -> Array:
    """c_t = f_t ⊙ c_(t-1) + (i ⊙ g)_t over all steps, (L, N, H).

    In NumPy: a third of the time of the same loop in torch.
    """
    assert lane.c_0 is not None
    if lane.lengths is not None and lane.backward:  # stay at c_0 until the sequence's own end is reached
        after = _after(len(f), lane.lengths)
        f, ig = f.copy(), ig.copy()
        f[after], ig[after] = 1.0, 0.0
    c, c_0 = np.empty(f.shape, f.dtype), _numpy(lane.c_0)
    way = slice(None, None, -1 if lane.backward else 1)
    scan = _scan_by_doubling if c_0.size <= 64 else _scan_by_step
    scan(f[way], ig[way], c_0, c[way])
    return c


def _scan_by_step(f: Array, ig: Array, last: Array, c: Array) -> None:
    for f_t, ig_t, c_t in zip(f, ig, c, strict=True):
        last = np.add(np.multiply(f_t, last, c_t), ig_t, c_t)


def _scan_by_doubling(f: Array, ig: Array, c_0: Array, c: Array) -> None:
    """log2(L) passes over all steps; after each, c_t = f_t ⊙ c_(t-span) + c'_t for a span twice as long.

    More arithmetic, fewer calls: at L = 200, N*H = 16 it takes a fifth of the time step by step takes, at 256 more.
    """
    f, c[:] = f.copy(), ig
    c[0] += f[0] * c_0
    span = 1
    while span < len(c):
        c[span:] += f[span:] * c[:-span]
        f[span:] *= f[:-span]
        span *= 2


def _after(length: int, lengths: Tensor) -> NDArray[np.bool_]:
    """(L, N): True after each sequence's end."""
    return np.arange(length)[:, None] >= lengths.numpy()[None, :]


def _masked(values: Array, lengths: Tensor | None) -> Array:
    if lengths is not None:
        values = values.copy()
        values[_after(len(values), lengths)] = np.nan
    values.flags.writeable = False
    return values


def _numpy(value: Tensor) -> Array:
    # a fresh view: making it read-only must not reach the caller's own arrays
    return (value.float() if value.dtype == torch.bfloat16 else value).cpu().numpy()


def read_only(value: Tensor) -> Array:
    """A tensor as read-only numpy on the CPU."""
    array = _numpy(value.detach())
    array.flags.writeable = False
    return array
