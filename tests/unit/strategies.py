"""Hypothesis strategies: a layer of any kind with any options, and a run of it."""

from dataclasses import dataclass, replace

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from rnnviz import LayerConfig, build
from rnnviz.gates import Kind
from tests.unit.reference import State

KINDS: tuple[Kind, ...] = ("RNN", "LSTM", "GRU")


@dataclass(frozen=True)
class Case:
    """One layer, one run. `batch` None: unbatched; `lengths` None: not packed; `seed`: weights and data."""

    config: LayerConfig
    steps: int
    batch: int | None = None
    lengths: tuple[int, ...] | None = None
    given_state: bool = False
    dtype: torch.dtype = torch.float64
    seed: int = 0

    @property
    def atol(self) -> float:
        return 1e-12 if self.dtype == torch.float64 else 1e-5

    def module(self) -> nn.RNNBase:
        return build(self.config, seed=self.seed, dtype=self.dtype)

    def x(self) -> Tensor:
        c = self.config
        if self.batch is None:
            return self._draw(self.steps, c.input_size, salt=1)
        if c.batch_first:
            return self._draw(self.batch, self.steps, c.input_size, salt=1)
        return self._draw(self.steps, self.batch, c.input_size, salt=1)

    def hx(self) -> State:
        if not self.given_state:
            return None
        c = self.config
        rows = c.num_layers * (2 if c.bidirectional else 1)
        batch = () if self.batch is None else (self.batch,)
        h_0 = self._draw(rows, *batch, c.proj_size or c.hidden_size, salt=2)
        return (h_0, self._draw(rows, *batch, c.hidden_size, salt=3)) if c.kind == "LSTM" else h_0

    def _draw(self, *shape: int, salt: int) -> Tensor:
        generator = torch.Generator().manual_seed(10 * self.seed + salt)
        return torch.randn(shape, generator=generator, dtype=self.dtype)

    def but(self, **changes: object) -> "Case":
        return replace(self, **changes)  # type: ignore[arg-type]


@st.composite
def configs(draw: st.DrawFn, kinds: tuple[Kind, ...] = KINDS) -> LayerConfig:
    kind = draw(st.sampled_from(kinds))
    hidden = draw(st.integers(1, 5))
    proj = draw(st.integers(0, hidden - 1)) if kind == "LSTM" else 0
    return LayerConfig(
        kind,
        input_size=draw(st.integers(1, 4)),
        hidden_size=hidden,
        num_layers=draw(st.integers(1, 3)),
        nonlinearity=draw(st.sampled_from(("tanh", "relu"))) if kind == "RNN" else "tanh",
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=proj,
    )


@st.composite
def cases(draw: st.DrawFn, kinds: tuple[Kind, ...] = KINDS, dtype: torch.dtype | None = None) -> Case:
    steps = draw(st.integers(1, 7))
    batch = draw(st.none() | st.integers(1, 4))
    lengths = None
    if batch is not None:
        each = st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(tuple)
        lengths = draw(st.none() | each)
    return Case(
        config=draw(configs(kinds)),
        steps=steps,
        batch=batch,
        lengths=lengths,
        given_state=draw(st.booleans()),
        dtype=dtype or draw(st.sampled_from((torch.float64, torch.float32))),
        seed=draw(st.integers(0, 2**16)),
    )
