"""One step of one cell written out: every term of every gate, every product of one unit's sum. NumPy only.

Works on what a trace and the parameters hold, so that what is written out is what was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnnviz.config import LayerConfig
from rnnviz.gates import BLOCKS, QUANTITIES
from rnnviz.recovery import Array
from rnnviz.tracing import Trace


def disagreement(config: LayerConfig, trace: Trace, initial: tuple[Array, Array | None]) -> float:
    """max |h by the shown gates - h by PyTorch|, over all layers, directions and steps; for an LSTM c_n as
    well.

    Each h is computed by the documented equation from the gates on screen and the h before them.
    """
    worst = 0.0
    for row in range(config.num_layers * config.directions):
        lane = divmod(row, config.directions)
        got = {name: trace.sel(name, *lane) for name in trace.names}
        if config.kind == "LSTM":
            h = got["o"] * np.tanh(got["c"])
            assert trace.c_n is not None
            worst = max(worst, float(np.abs(got["c"][0 if lane[1] else -1] - trace.c_n[row]).max()))
        elif config.kind == "GRU":
            before = np.concatenate([got["h"][1:], initial[0][row][None]]) if lane[1] else None
            if before is None:
                before = np.concatenate([initial[0][row][None], got["h"][:-1]])
            h = (1 - got["z"]) * got["n"] + got["z"] * before
        else:
            h = np.maximum(got["h_pre"], 0) if config.nonlinearity == "relu" else np.tanh(got["h_pre"])
        worst = max(worst, float(np.abs(h - got["h"]).max()))
    return worst


@dataclass(frozen=True, eq=False)
class Column:
    """One vector of H numbers in a chain: its label (Plotly's text), the operator before it, and how it is
    coloured.
    """

    label: str
    operator: str
    values: Array
    scale: str
    limit: float | None


@dataclass(frozen=True, eq=False)
class Chain:
    """How one quantity comes about, term by term, for all units: columns from left to right, the last is the
    result.
    """

    letter: str
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, eq=False)
class Moment:
    """One cell at one step: its operands. ``before`` is the step whose h it starts from, None for h_0."""

    config: LayerConfig
    layer: int
    direction: int
    step: int
    before: int | None
    x: Array  # (H_in,)
    h: Array  # (H,)
    c: Array | None  # (H,)
    parameters: Mapping[str, Array]
    now: Mapping[str, Array]  # every quantity at this step, (units,)
    held: Mapping[str, frozenset[int]] = field(
        default_factory=dict
    )  # what an edit holds at a value, in which units

    def parameter(self, name: str) -> Array:
        """``weight_ih`` and so on of this layer and direction; zeros where the layer has no bias."""
        full = f"{name}_l{self.layer}" + ("_reverse" if self.direction else "")
        if full not in self.parameters:
            return np.zeros(self.config.blocks * self.config.hidden_size, self.x.dtype)
        return self.parameters[full]

    def block(self, letter: str) -> slice:
        """The rows of a gate in the stacked parameters."""
        size, k = self.config.hidden_size, BLOCKS[self.config.kind].index(letter)
        return slice(k * size, (k + 1) * size)


def moment(
    config: LayerConfig,
    trace: Trace,
    parameters: Mapping[str, Array],
    initial: tuple[Array, Array | None],
    where: tuple[int, int, int],
) -> Moment:
    """The operands of the cell ``where`` = (layer, direction, step) in the one sequence of the batch."""
    layer, direction, step = where
    length = trace.sel("h", layer, direction).shape[0]
    before = step + 1 if direction else step - 1
    row = layer * config.directions + direction
    first = not 0 <= before < length
    h_0, c_0 = initial
    h = h_0[row, 0] if first else trace.sel("h", layer, direction)[before, 0]
    c = None
    if c_0 is not None:
        c = c_0[row, 0] if first else trace.sel("c", layer, direction)[before, 0]
    now = {name: trace.sel(name, layer, direction)[step, 0] for name in trace.names}
    return Moment(config, layer, direction, step, None if first else before, now["x"], h, c, parameters, now)


_ACTIVATIONS = {"i": "σ", "f": "σ", "o": "σ", "r": "σ", "z": "σ", "g": "tanh", "n": "tanh", "h": "tanh"}


def activation(config: LayerConfig, letter: str) -> str:
    """σ, tanh or ReLU: what turns a gate's sum into the gate."""
    return "ReLU" if letter == "h" and config.nonlinearity == "relu" else _ACTIVATIONS[letter]


def chains(m: Moment) -> tuple[Chain, ...]:
    """Every gate of the cell, then its new state(s), each term by term."""
    gates = tuple(_gate(m, letter) for letter in BLOCKS[m.config.kind])
    if m.config.kind == "RNN":
        return gates
    return (*gates, *(_lstm_state(m) if m.config.kind == "LSTM" else _gru_state(m)))


def _signed(label: str, operator: str, values: Array) -> Column:
    return Column(label, operator, values, "signed", None)


def _quantity(m: Moment, letter: str, operator: str) -> Column:
    q = QUANTITIES[letter]
    limit = None if letter == "h" and m.config.nonlinearity == "relu" else q.limit
    return Column(letter, operator, m.now[letter], q.scale, limit)


def _result(m: Moment, letter: str, operator: str) -> Column:
    # Where an edit holds the result, the terms to its left do not give it, and the chain says so.
    return _quantity(m, letter, f"{operator} held" if m.held.get(letter) else operator)


def _gate(m: Moment, letter: str) -> Chain:
    rows = m.block(letter)
    sub = "" if m.config.kind == "RNN" else letter
    w_x = m.parameter("weight_ih")[rows] @ m.x
    w_h = m.parameter("weight_hh")[rows] @ m.h
    b_i, b_h = m.parameter("bias_ih")[rows], m.parameter("bias_hh")[rows]
    act = activation(m.config, letter)
    columns: tuple[Column, ...]
    if letter == "n":  # PyTorch applies r to the whole hidden half: r ⊙ (W_hn h + b_hn)
        columns = (
            _signed("W<sub>in</sub>x", "", w_x),
            _signed("b<sub>in</sub>", "+", b_i),
            _quantity(m, "r", "+"),
            _signed("W<sub>hn</sub>h", "⊙ (", w_h),
            _signed("b<sub>hn</sub>", "+", b_h),
            _signed("sum", ") =", m.now["n_pre"]),
            _result(m, "n", act),
        )
    else:
        columns = (
            _signed(f"W<sub>i{sub or 'h'}</sub>x", "", w_x),
            _signed(f"b<sub>i{sub or 'h'}</sub>", "+", b_i),
            _signed(f"W<sub>h{sub or 'h'}</sub>h", "+", w_h),
            _signed(f"b<sub>h{sub or 'h'}</sub>", "+", b_h),
            _signed("sum", "=", m.now[f"{letter}_pre"]),
            _result(m, letter, act),
        )
    return Chain(letter, QUANTITIES[letter].name, columns)


def _lstm_state(m: Moment) -> tuple[Chain, Chain]:
    assert m.c is not None
    c = m.now["c"]
    cell = (
        _quantity(m, "f", ""),
        _signed("c<sub>before</sub>", "⊙", m.c),
        _quantity(m, "i", "+"),
        _quantity(m, "g", "⊙"),
        _signed("c", "= held" if m.held.get("c") else "=", c),
    )
    hidden = (
        _quantity(m, "o", ""),
        Column("tanh c", "⊙", np.tanh(c), "signed", 1.0),
        _result(m, "h", "="),
    )
    return Chain("c", QUANTITIES["c"].name, cell), Chain("h", QUANTITIES["h"].name, hidden)


def _gru_state(m: Moment) -> tuple[Chain]:
    z = m.now["z"]
    columns = (
        Column("1−z", "", 1 - z, "unit", None),
        _quantity(m, "n", "⊙"),
        _quantity(m, "z", "+"),
        Column("h<sub>before</sub>", "⊙", m.h, "signed", 1.0),
        _result(m, "h", "="),
    )
    return (Chain("h", QUANTITIES["h"].name, columns),)
