"""One step of one cell written out: every term of every gate, every product of one unit's sum. NumPy only.

Works on what a trace and the parameters hold, so that what is written out is what was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.config import LayerConfig
from rnnviz.gates import BLOCKS, QUANTITIES
from rnnviz.tracing import Array, Trace


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


@dataclass(frozen=True)
class Term:
    """One summand of one unit's sum. ``weight`` and ``value`` are None for a bias; ``name`` is short: x[2],
    h[0] or b_ii.
    """

    label: str
    name: str
    source: str
    weight: float | None
    value: float | None
    product: float


@dataclass(frozen=True)
class Sum:
    """One unit's sum before the activation, and what the activation makes of it."""

    letter: str
    unit: int
    terms: tuple[Term, ...]
    total: float
    activation: str
    result: float


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
            _quantity(m, "n", act),
        )
    else:
        columns = (
            _signed(f"W<sub>i{sub or 'h'}</sub>x", "", w_x),
            _signed(f"b<sub>i{sub or 'h'}</sub>", "+", b_i),
            _signed(f"W<sub>h{sub or 'h'}</sub>h", "+", w_h),
            _signed(f"b<sub>h{sub or 'h'}</sub>", "+", b_h),
            _signed("sum", "=", m.now[f"{letter}_pre"]),
            _quantity(m, letter, act),
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
        _signed("c", "=", c),
    )
    hidden = (
        _quantity(m, "o", ""),
        Column("tanh c", "⊙", np.tanh(c), "signed", 1.0),
        _quantity(m, "h", "="),
    )
    return Chain("c", QUANTITIES["c"].name, cell), Chain("h", QUANTITIES["h"].name, hidden)


def _gru_state(m: Moment) -> tuple[Chain]:
    z = m.now["z"]
    columns = (
        Column("1−z", "", 1 - z, "unit", None),
        _quantity(m, "n", "⊙"),
        _quantity(m, "z", "+"),
        Column("h<sub>before</sub>", "⊙", m.h, "signed", 1.0),
        _quantity(m, "h", "="),
    )
    return (Chain("h", QUANTITIES["h"].name, columns),)


def unit_sum(m: Moment, letter: str, unit: int) -> Sum:
    """Every product that enters one unit of one gate, in the order of the formula; the terms add up to
    ``total``.

    For the GRU's n the hidden half's terms are already multiplied by r, as PyTorch does.
    """
    row = m.block(letter).start + unit
    share = float(m.now["r"][unit]) if letter == "n" else 1.0
    sub = "h" if m.config.kind == "RNN" else letter
    factor = f"r[{unit}]·" if letter == "n" else ""
    w_x, w_h = m.parameter("weight_ih")[row], m.parameter("weight_hh")[row]
    below = "x" if m.layer == 0 else f"h of layer {m.layer - 1}"
    terms = [
        Term(f"W_i{sub}[{unit},{k}]·x[{k}]", f"x[{k}]", below, float(w), float(v), float(w) * float(v))
        for k, (w, v) in enumerate(zip(w_x, m.x, strict=True))
    ]
    if m.config.bias:
        terms.append(
            Term(f"b_i{sub}[{unit}]", f"b_i{sub}", "b", None, None, float(m.parameter("bias_ih")[row]))
        )
    terms += [
        Term(
            f"{factor}W_h{sub}[{unit},{k}]·h[{k}]",
            f"{factor}h[{k}]",
            "h",
            float(w),
            float(v),
            share * float(w) * float(v),
        )
        for k, (w, v) in enumerate(zip(w_h, m.h, strict=True))
    ]
    if m.config.bias:
        terms.append(
            Term(
                f"{factor}b_h{sub}[{unit}]",
                f"{factor}b_h{sub}",
                "b",
                None,
                None,
                share * float(m.parameter("bias_hh")[row]),
            )
        )
    return Sum(
        letter,
        unit,
        tuple(terms),
        float(m.now[f"{letter}_pre"][unit]),
        activation(m.config, letter),
        float(m.now[letter][unit]),
    )


def state_lines(m: Moment, unit: int) -> tuple[tuple[str, str, str], ...]:
    """The new state of one unit as LaTeX: what it is, the formula in PyTorch's letters, and the same with its
    numbers.
    """
    n = {k: float(v[unit]) for k, v in m.now.items() if k != "x"}
    if m.config.kind == "LSTM":
        assert m.c is not None
        tanh_c = float(np.tanh(n["c"]))
        return (
            (
                f"c_{{{unit}}}",
                r"f \cdot c_{\text{before}} + i \cdot g",
                rf"{_d(n['f'])} \cdot {_d(m.c[unit])} + {_d(n['i'])} \cdot {_d(n['g'])} = {_d(n['c'])}",
            ),
            (f"h_{{{unit}}}", r"o \cdot \tanh(c)", rf"{_d(n['o'])} \cdot {_d(tanh_c)} = {_d(n['h'])}"),
        )
    if m.config.kind == "GRU":
        return (
            (
                f"h_{{{unit}}}",
                r"(1 - z) \cdot n + z \cdot h_{\text{before}}",
                rf"{_d(1 - n['z'])} \cdot {_d(n['n'])} + {_d(n['z'])} \cdot {_d(m.h[unit])} = {_d(n['h'])}",
            ),
        )
    return ()


def _d(value: float) -> str:
    return f"{value:.4f}" if value >= 0 else f"({value:.4f})"


@dataclass(frozen=True)
class Line:
    """One line of the written-out sum, every number rounded to 4 digits."""

    label: str
    weight: str
    value: str
    product: str


def written_out(s: Sum) -> tuple[Line, ...]:
    """The sum as lines that add up to the digit: what rounding each product hides stands in a line of its
    own.
    """
    lines = [
        Line(
            t.name,
            "" if t.weight is None else f"{t.weight:.4f}",
            "" if t.value is None else f"{t.value:.4f}",
            f"{t.product:.4f}",
        )
        for t in s.terms
    ]
    rest = round(round(s.total, 4) - sum(float(line.product) for line in lines), 4)
    if abs(rest) >= 5e-5:
        lines.append(Line("rounding", "", "", f"{rest:.4f}"))
    return tuple(lines)
