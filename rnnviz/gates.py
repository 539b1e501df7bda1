"""The one table of quantities and axes: letter, name, symbol, range and colour.

Figures, labels, legends and prose read it, so that a gate is called and coloured the same everywhere. Letters
are PyTorch's (https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers); a name adds the textbook's
word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["RNN", "LSTM", "GRU"]
KINDS: tuple[Kind, ...] = ("RNN", "LSTM", "GRU")


@dataclass(frozen=True)
class Quantity:
    """One thing a recurrent layer computes at every step.

    ``scale`` is "signed" (diverging, symmetric about 0) or "unit" (sequential, [0, 1]). ``limit`` is the
    fixed half-range of a signed scale, None when it depends on the values.
    """

    letter: str
    name: str
    symbol: str
    scale: Literal["signed", "unit"]
    limit: float | None
    colour: str
    meaning: str


def _pre(gate: Quantity) -> Quantity:
    return Quantity(
        f"{gate.letter}_pre",
        f"{gate.name}, before its activation",
        f"{gate.letter}<sub>pre,t</sub>",
        "signed",
        None,
        gate.colour,
        f"the sum that enters the activation of {gate.letter}",
    )


_X = Quantity(
    "x", "input x", "x<sub>t</sub>", "signed", None, "#7a7f87", "what enters this layer at the step"
)
_H = Quantity(
    "h", "hidden state h", "h<sub>t</sub>", "signed", 1.0, "#2f7ed8", "what the layer passes on and gives out"
)
_C = Quantity("c", "cell state c", "c<sub>t</sub>", "signed", None, "#b5651d", "the LSTM's long memory")
_I = Quantity(
    "i", "input gate i", "i<sub>t</sub>", "unit", None, "#12936f", "how much of the candidate is written"
)
_F = Quantity(
    "f", "forget gate f", "f<sub>t</sub>", "unit", None, "#d1495b", "how much of the old cell state is kept"
)
_G = Quantity(
    "g", "cell gate g (candidate c̃)", "g<sub>t</sub>", "signed", 1.0, "#a35cc8", "what could be written"
)
_O = Quantity(
    "o", "output gate o", "o<sub>t</sub>", "unit", None, "#a8801a", "how much of tanh(c) is shown as h"
)
_R = Quantity(
    "r",
    "reset gate r",
    "r<sub>t</sub>",
    "unit",
    None,
    "#0f8fa8",
    "how much of the old state the candidate sees",
)
_Z = Quantity("z", "update gate z", "z<sub>t</sub>", "unit", None, "#c2478f", "near 1 keeps the old state")
_N = Quantity(
    "n", "new gate n (candidate h̃)", "n<sub>t</sub>", "signed", 1.0, "#7a8a1e", "what the new state could be"
)

QUANTITIES: dict[str, Quantity] = {q.letter: q for q in (_X, _H, _C, _I, _F, _G, _O, _R, _Z, _N)}
QUANTITIES |= {f"{q.letter}_pre": _pre(q) for q in (_I, _F, _G, _O, _R, _Z, _N, _H)}

GATES: dict[Kind, tuple[str, ...]] = {"RNN": (), "LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}
"""The gates of each kind in the order in which PyTorch stacks their blocks in ``weight_ih`` and
``weight_hh``.
"""

BLOCKS: dict[Kind, tuple[str, ...]] = {"RNN": ("h",), "LSTM": GATES["LSTM"], "GRU": GATES["GRU"]}
"""What each stacked block of H rows of a weight computes: the gates, or the RNN's h itself."""

NAMES: dict[Kind, tuple[str, ...]] = {
    "RNN": ("x", "h", "h_pre"),
    "LSTM": ("x", "h", "i", "f", "g", "o", "c", "i_pre", "f_pre", "g_pre", "o_pre"),
    "GRU": ("x", "h", "r", "z", "n", "r_pre", "z_pre", "n_pre"),
}
"""The quantities a trace of each kind holds."""


@dataclass(frozen=True)
class Axis:
    """One named axis of a tensor and its colour, the same in every box, table and line of code."""

    letter: str
    name: str
    colour: str


AXES: dict[str, Axis] = {
    a.letter: a
    for a in (
        Axis("L", "sequence length", "#2f7ed8"),
        Axis("N", "batch", "#c56a00"),
        Axis("H_in", "input size", "#12936f"),
        Axis("H_out", "hidden size of the output", "#a35cc8"),
        Axis("H", "hidden size of the cell state", "#8f6bb3"),
        Axis("layers", "layers × directions", "#c2478f"),
    )
}
"""Axes as PyTorch's pages name them. ``H_out`` is proj_size when that is set, else hidden_size; it carries
``D *`` in output.
"""

DIRECTION_NAMES = ("forward", "backward")
