"""A screen of *Layers & shapes*, really run: the module, its seeded input, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnnviz.config import LayerConfig
from rnnviz.layers import build, make, stream
from rnnviz.recovery import Array, read_only
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import tensors
from rnnviz.tracing import State, Trace, trace

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def usable_device(device: str) -> str:
    """The device asked for if this machine has it, else "cpu"."""
    return device if device != "cuda" or torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Feed:
    """What a screen feeds and what it feeds it to. ``x`` and ``hx`` as the module takes them; padding is
    zero.
    """

    module: nn.RNNBase
    x: Tensor
    hx: State | None


def feed(screen: LayersScreen) -> Feed:
    """The module, then x, h_0 and c_0 from one stream of ``torch.manual_seed(seed)``: four lines in anybody's
    script.
    """
    dtype, device = DTYPES[screen.dtype], usable_device(screen.device)
    shapes = tensors(screen.config, screen.length, screen.batch if screen.batched else None)
    with stream(screen.seed):
        module = make(screen.config, dtype)
        x = torch.randn(shapes["input"].shape, dtype=dtype)
        states = [
            torch.randn(shapes[n].shape, dtype=dtype)
            for n in ("h_0", "c_0")
            if n in shapes and screen.given_state
        ]
    if screen.lengths is not None:
        major = x.transpose(0, 1) if screen.config.batch_first else x
        major[torch.arange(screen.length)[:, None] >= torch.tensor(screen.lengths)] = 0
    states = [s.to(device) for s in states]
    hx: State | None = None if not states else states[0] if len(states) == 1 else (states[0], states[1])
    return Feed(module.to(device), x.to(device), hx)


@dataclass(frozen=True)
class Run:
    """The arrays of one run, read-only, laid out as PyTorch returns them.

    ``h_0`` and ``c_0`` are None where they are left out of the call. ``output`` is unpacked with zeros after
    each end when the screen has lengths; ``unpacked_h_n`` (and ``unpacked_output``) then hold what the same
    padded input gives without packing. ``parameters`` by PyTorch's names.
    """

    x: Array
    output: Array
    h_n: Array
    c_n: Array | None
    parameters: Mapping[str, Array]
    unpacked_output: Array | None
    unpacked_h_n: Array | None
    h_0: Array | None
    c_0: Array | None


def parameter_values(config: LayerConfig, seed: int, dtype: str) -> dict[str, Array]:
    """The parameters of any screen with this layer, seed and dtype, without running it."""
    module = build(config, seed, dtype=DTYPES[dtype])
    return {name: read_only(p.data) for name, p in module.named_parameters()}


@lru_cache(maxsize=8)
def run(screen: LayersScreen) -> Run:
    """Feed a screen's input to its module, through the module's own call. Raises ValueError for a screen that
    is too large.
    """
    if screen.too_large:
        raise ValueError(screen.too_large)
    fed = feed(screen)
    with torch.no_grad():
        output, state = fed.module(fed.x, fed.hx)
        unpacked = None
        if screen.lengths is not None:
            unpacked = (read_only(output), read_only(state[0] if isinstance(state, tuple) else state))
            batch_first = screen.config.batch_first
            packed = pack_padded_sequence(
                fed.x, torch.tensor(screen.lengths), batch_first, enforce_sorted=False
            )
            output, state = fed.module(packed, fed.hx)
            output, _ = torch.nn.utils.rnn.pad_packed_sequence(
                output, batch_first, total_length=screen.length
            )
    h_n, c_n = state if isinstance(state, tuple) else (state, None)
    h_0, c_0 = fed.hx if isinstance(fed.hx, tuple) else (fed.hx, None)
    unpacked_output, unpacked_h_n = unpacked or (None, None)
    return Run(
        x=read_only(fed.x),
        output=read_only(output),
        h_n=read_only(h_n),
        c_n=None if c_n is None else read_only(c_n),
        parameters=MappingProxyType({name: read_only(p.data) for name, p in fed.module.named_parameters()}),
        unpacked_output=unpacked_output,
        unpacked_h_n=unpacked_h_n,
        h_0=None if h_0 is None else read_only(h_0),
        c_0=None if c_0 is None else read_only(c_0),
    )


def run_trace(screen: LayersScreen) -> Trace:
    """Every quantity of the screen's run, for the page's CSV. Not cached: it is asked for by a click."""
    fed = feed(screen)
    return trace(fed.module, fed.x, fed.hx, screen.lengths)
