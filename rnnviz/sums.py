"""One unit's sum at one step: every product of it, written out so that the lines add up to the digit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.arithmetic import Moment, activation


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
            share * float(v),
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
    numbers, each rounded to 4 digits, hence ≈.
    """
    n = {k: float(v[unit]) for k, v in m.now.items() if k != "x"}
    if m.config.kind == "LSTM":
        assert m.c is not None
        c, tanh_c = n["f"] * float(m.c[unit]) + n["i"] * n["g"], float(np.tanh(n["c"]))
        return (
            (
                f"c_{{{unit}}}",
                r"f \cdot c_{\text{before}} + i \cdot g",
                rf"{_d(n['f'])} \cdot {_d(m.c[unit])} + {_d(n['i'])} \cdot {_d(n['g'])} "
                + _ends(m, "c", unit, c),
            ),
            (
                f"h_{{{unit}}}",
                r"o \cdot \tanh(c)",
                rf"{_d(n['o'])} \cdot {_d(tanh_c)} {_ends(m, 'h', unit, n['o'] * tanh_c)}",
            ),
        )
    if m.config.kind == "GRU":
        h = (1 - n["z"]) * n["n"] + n["z"] * float(m.h[unit])
        return (
            (
                f"h_{{{unit}}}",
                r"(1 - z) \cdot n + z \cdot h_{\text{before}}",
                rf"{_d(1 - n['z'])} \cdot {_d(n['n'])} + {_d(n['z'])} \cdot {_d(m.h[unit])} "
                + _ends(m, "h", unit, h),
            ),
        )
    return ()


_SQUASH: dict[str, tuple[str, Callable[[float], float]]] = {
    "σ": (r"\sigma", lambda v: 1 / (1 + math.exp(-v))),
    "tanh": (r"\tanh", math.tanh),
    "ReLU": (r"\operatorname{ReLU}", lambda v: max(v, 0.0)),
}


def gate_line(m: Moment, s: Sum) -> str:
    """One unit's gate as LaTeX: its activation of the sum, and what an edit holds it at."""
    name, squash = _SQUASH[s.activation]
    end = _ends(m, s.letter, s.unit, squash(s.total))
    return rf"{s.letter}_{{{s.unit}}} &= {name}({s.total:.4f}) {end}"


def _ends(m: Moment, letter: str, unit: int, computed: float) -> str:
    value = float(m.now[letter][unit])
    if unit not in m.held.get(letter, ()):
        return rf"\approx {value:.4f}"
    return rf"\approx {computed:.4f},\ \text{{held at}}\ {value:.4f}"


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
