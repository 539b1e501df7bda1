"""`trace`: everything a recurrent layer computes, recovered from PyTorch's own fused run.

The fused kernels give only h. Given the whole h sequence, every gate of every step follows from one batched
matrix product of [x_t, h_(t-1)] with [W_ih, W_hh]; only the LSTM's c has to be scanned, elementwise. Measured
on one core, this is several times faster than looping a cell (tests/bench/trace.py).
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
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz import cells
from rnnviz.cells import Weights, kind_of, weights_of
from rnnviz.gates import NAMES, Kind
from rnnviz.recovery import Array, Lane, masked, read_only, recover, to_numpy

State = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Trace:
    """Every quantity of a run, as read-only numpy.

    ``output``, ``h_n`` and ``c_n`` (None unless LSTM) are laid out exactly as PyTorch returns them; with
    lengths, ``output`` is unpacked to x's own L with zeros after each end. ``values`` maps (name, layer,
    direction) to (L, N, units).
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

        ``step`` is the position in the sequence for the backward direction too; NaN after a sequence's end.
        Raises KeyError that lists what there is.
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
    """A checked request, batched and step-major whatever the module's own layout: x (L, N, H_in), h_0 and c_0
    (rows, N, ·).
    """

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

    ``module``: any nn.RNN, nn.LSTM or nn.GRU on any device. ``x`` and ``hx``: as the module takes them.
    ``lengths`` (N): the true length of each sequence, in any order; the run is then packed. The module is
    left as it was and no gradient is recorded. Raises ValueError for inputs whose shapes do not fit, lengths
    outside 1..L, or a module in training mode with dropout between layers, whose trace would not repeat.
    """
    with torch.inference_mode(), _full_precision(x.device):
        return _run(_checked(module, x, hx, lengths))


def from_cells(module: nn.RNNBase, run: cells.CellRun, lengths: Sequence[int] | None = None) -> Trace:
    """The Trace of a step-by-step run (batched), laid out as ``module`` would have returned it."""
    ends = None if lengths is None else torch.as_tensor(lengths)
    values = {
        (name, layer, direction): masked(to_numpy(value.detach()), ends)
        for (layer, direction), named in run.values.items()
        for name, value in named.items()
    }
    output = run.output.transpose(0, 1) if module.batch_first else run.output
    c_n = None if run.c_n is None else read_only(run.c_n)
    return Trace(kind_of(module), read_only(output), read_only(run.h_n), c_n, MappingProxyType(values))


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    # cuDNN's RNNs use TF32 by default: about 1e-3 off float32, which would show as a difference on every
    # screen.
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def _checked(module: nn.RNNBase, x: Tensor, hx: State | None, lengths: Sequence[int] | Tensor | None) -> _Job:
    kind = kind_of(module)
    if module.training and module.dropout > 0 and module.num_layers > 1:
        raise ValueError(
            f"dropout={module.dropout} in training mode is not allowed: a trace would not repeat; "
            "call module.eval() first"
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
            lane = Lane(x, part, job.h_0[row], c_0, job.lengths, backward=direction == 1)
            recovered = recover(job.kind, weights[direction], lane)
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
    """One layer through the fused function that nn.RNN, nn.LSTM and nn.GRU call: h (L, N, D * H_out), then
    h_n (and c_n).

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
    # cuDNN wants one contiguous chunk and warns at every call otherwise; a slice of a stack's chunk is not
    # one. skip_init, because an initialisation would draw from the global random state of the device.
    single = torch.nn.utils.skip_init(
        {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}[job.kind],
        weights[0].w_ih.shape[1],
        job.module.hidden_size,
        bias=job.module.bias,
        bidirectional=job.module.bidirectional,
        device=job.x.device,
        dtype=job.x.dtype,
        **({"proj_size": job.module.proj_size} if job.kind == "LSTM" else {}),
    )
    single.flatten_parameters()
    for mine, theirs in zip(single.parameters(), parameters, strict=True):
        mine.copy_(theirs)
    return list(single.parameters())
