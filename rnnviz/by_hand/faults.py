"""The classic faults: which lines they change, what they do, and when they change nothing. Standard library
only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rnnviz.screens.by_hand import ByHandScreen

Side = Literal["hand", "call", "layer"]
Harmless = Callable[[ByHandScreen], str]


@dataclass(frozen=True)
class Fault:
    """One fault in one experiment.

    ``side``: whose lines change: the hand-written function's, PyTorch's call's, or the line that makes the
    layer. ``swaps``: (old, new) texts for `rnnviz.by_hand.source.changed`. ``why``: what goes wrong, as
    Markdown. ``harmless``: why it changes nothing for a screen, or "" if it does.
    """

    name: str
    side: Side
    swaps: tuple[tuple[str, str], ...]
    why: str
    harmless: Harmless


_LETTERS = {"LSTM": "ifgo", "GRU": "rzn"}
_ENDS = {"RNN": (("W_hh.T + b_hh)", "W_hh.T)"),)} | {
    kind: tuple((f"W_h{k}.T + b_h{k})", f"W_h{k}.T)") for k in letters) for kind, letters in _LETTERS.items()
}
_TURNED = {"RNN": (("h @ W_hh.T", "h @ W_hh"),)} | {
    kind: tuple((f"h @ W_h{k}.T", f"h @ W_h{k}") for k in letters) for kind, letters in _LETTERS.items()
}
_CARRIED = {
    "Loop over a cell": ("cell(x[t], h)", "cell(x[t])"),
    "Loop over a cell, LSTM": ("cell(x[t], (h, c))", "cell(x[t])"),
    "Stack of cells": ("cell(below, h[k])", "cell(below)"),
    "Stack of cells, LSTM": ("cell(below, (h[k], c[k]))", "cell(below)"),
}


def fault_of(screen: ByHandScreen) -> Fault | None:
    """The fault that the screen introduces, or None."""
    return _MAKERS[screen.fault](screen) if screen.broken else None


def _one_step(s: ByHandScreen) -> str:
    return "with L = 1 the only state that is handed on is h_0 = 0" if s.length == 1 else ""


def _no_step(s: ByHandScreen) -> str:
    return "with L = 1 the first step is also the last" if s.length == 1 else ""


def _forget_bias(s: ByHandScreen) -> Fault:
    why = (
        "`b_hh` is added at every step, beside `b_ih`. Both are vectors of the same size, so no shape "
        "complains; PyTorch has two because cuDNN has two"
    )
    why += ": in a GRU they are not even interchangeable, since $r$ acts on $b_{hn}$ and not on $b_{in}$." * (
        s.kind == "GRU"
    )
    return Fault(s.fault, "hand", _ENDS[s.kind], why.rstrip(".") + ".", _no_bias)


def _no_bias(s: ByHandScreen) -> str:
    return "" if s.bias else "bias is off, so there is none to forget"


def _forget_b(s: ByHandScreen) -> Fault:
    swap = ("@ W.T + b)", "@ W.T)")
    return Fault(s.fault, "hand", (swap,), "Every row is off by the same vector: $-b$.", _no_bias)


def _transpose(s: ByHandScreen) -> Fault:
    one = s.experiment == "Memory without activation"
    swaps = (("h @ W_2", "h @ W_2.T"),) if one else _TURNED[s.kind]
    why = (
        "The matrix from state to state is square, so its transpose fits as well, and no shape complains."
        " Step 0 is right, since $h_0 = 0$; every later step is not."
    )

    def harmless(s: ByHandScreen) -> str:
        number = "with H = 1 the matrix is one number, which is its own transpose"
        return number if s.hidden == 1 else _one_step(s)

    return Fault(s.fault, "hand", swaps, why, harmless)


def _reset_before(s: ByHandScreen) -> Fault:
    swap = ("r * (h @ W_hn.T + b_hn)", "(r * h) @ W_hn.T + b_hn")
    why = (
        "The textbook's GRU (Cho et al. 2014) forgets first and multiplies then: $W_{hn}(r \\odot h) + "
        "b_{hn}$. PyTorch, as cuDNN, computes $r \\odot (W_{hn}h + b_{hn})$. Both are GRUs, but weights "
        "trained for one do not fit the other."
    )

    def harmless(s: ByHandScreen) -> str:
        if s.bias:
            return ""
        number = "with H = 1 and no bias both are the product of the same three numbers"
        return number if s.hidden == 1 else (_one_step(s) and "with L = 1, no bias and h_0 = 0 both are 0")

    return Fault(s.fault, "hand", (swap,), why, harmless)


def _slice(s: ByHandScreen) -> Fault:
    if s.experiment in ("Layers stacked", "Stack of cells"):
        return _slice_of_a_stack(s)
    if s.experiment == "Both directions":
        why = (
            "The backward reader starts at the last step: there it has read one token. Its final state is at "
            "**step 0**: `output[:, 0, H:]`. `output` itself is right, only the comparison with `h_n` fails: "
            "the classic trap."
        )
        return Fault(s.fault, "hand", (("back[:, 0]]", "back[:, -1]]"),), why, _no_step)
    why = "`h_n` is the state after the **last** step; this is the one after the first. `output` is right. "
    if s.experiment == "Loop over a cell":
        why += "Here the steps come first: `output[-1]`."
        return Fault(s.fault, "hand", (("output[-1][None]", "output[0][None]"),), why, _no_step)
    why += (
        "Here the batch comes first: `output[-1]` would be the last *sequence*, `output[:, -1]` is the last "
        "step."
    )
    return Fault(s.fault, "hand", (("output[:, -1][None]", "output[:, 0][None]"),), why, _no_step)


def _slice_of_a_stack(s: ByHandScreen) -> Fault:
    swap = ("x, torch.cat(h_n)", "x, x[:, -1].expand(len(parts), -1, -1)")
    if s.experiment == "Stack of cells":
        swap = ("torch.stack(h)", "output[-1].expand(len(cells), -1, -1)")
    why = (
        "`output` holds the **top** layer's states only, so its last step is `h_n[-1]`. The states of the "
        "layers below are nowhere in `output`: `h_n[0]` is not `output[:, -1]`."
    )
    return Fault(s.fault, "hand", (swap,), why, lambda s: _few(s, "the top layer is the only one"))


def _few(s: ByHandScreen, said: str) -> str:
    return f"with num_layers = 1 {said}" if s.layers == 1 else ""


def _reversal(s: ByHandScreen) -> Fault:
    swap = (
        "back = back.flip(1)  # the second: step t at place t again",
        "back = back  # stays in reading order",
    )
    why = (
        "The backward reader was fed the reversed sequence, so its outputs come out in reversed order. "
        "Without the second reversal the backward half of step $t$ stands beside the forward half of step"
        " $L - 1 - t$. The forward half is right."
    )
    return Fault(s.fault, "hand", (swap,), why, _no_step)


def _only_first(s: ByHandScreen) -> Fault:
    cells = s.experiment == "Stack of cells"
    what = "cell" if cells else "layer"
    swaps = (("enumerate(cells)", "enumerate(cells[:1])"),) if cells else (("in parts:", "in parts[:1]:"),)
    why = (
        f"However many layers are asked for, only the first {what} runs: silently a one-layer model. All "
        "the others get no gradient and never learn; see *Gradients* below."
    )
    return Fault(
        s.fault,
        "hand",
        swaps,
        why,
        lambda s: _few(s, f"there is no second {what} to leave out: raise num_layers"),
    )


def _batch_first(s: ByHandScreen) -> Fault:
    why = (
        "Without `batch_first=True` the layer takes the first axis for the steps: it reads across the "
        f"sentences of the batch, L = {s.batch} steps of N = {s.length}. `output` has the right shape, so "
        f"nothing complains; `h_n` has {s.length} columns of states instead of {s.batch}."
    )
    same = "with N = L = 1 both axes are the same"
    return Fault(s.fault, "layer", (), why, lambda s: same if s.batch == s.length == 1 else "")


def _stateless(s: ByHandScreen) -> Fault:
    swap = _CARRIED[s.experiment + (", LSTM" if s.kind == "LSTM" else "")]
    why = (
        "A cell that is not given the state starts from zeros at every step: each step is the first. "
        "Only step 0 is right."
    )
    return Fault(s.fault, "hand", (swap,), why, _one_step)


def _reshape(s: ByHandScreen) -> Fault:
    swap = ("torch.stack(rows, 1)", "torch.stack(rows).reshape(*x.shape[:2], -1)")
    why = (
        "`torch.stack(rows)` is (L, N, H). `reshape` gives it the wanted shape without moving an axis: "
        "the same numbers, in places that belong to other sequences and steps. `stack(rows, 1)` or "
        "`transpose(0, 1)` moves the axis."
    )

    def harmless(s: ByHandScreen) -> str:
        letter = "N" if s.batch == 1 else "L"
        return f"with {letter} = 1 there is only one order" if 1 in (s.batch, s.length) else ""

    return Fault(s.fault, "hand", (swap,), why, harmless)


def _swap_halves(s: ByHandScreen) -> Fault:
    swap = ("torch.cat([x[:, t], h], 1)", "torch.cat([h, x[:, t]], 1)")
    why = (
        "$[h;\\,x]$ is as long as $[x;\\,h]$, so the product fits, but each number meets the wrong row of "
        "$[W_1;\\,W_2]$. The order must be the same in both."
    )
    return Fault(s.fault, "call", (swap,), why, lambda s: "")


def _join_all(s: ByHandScreen) -> Fault:
    swap = ("torch.cat(h_n[-2:], 1)", "torch.stack(h_n).permute(1, 0, 2).reshape(len(x), -1)")
    wide = 2 * s.layers * s.hidden
    why = (
        "`permute` and `reshape` join the states of **every** layer, as the notebook's encoder does: with "
        f"one layer the wanted pair, here {wide} numbers a sequence instead of 2 · H = {2 * s.hidden}. The "
        f"`nn.Linear({2 * s.hidden}, {s.hidden})` that comes next refuses them: *mat1 and mat2 shapes cannot "
        f"be multiplied ({s.batch}x{wide} and {2 * s.hidden}x{s.hidden})*. The top layer's pair comes last: "
        "`h_n[-2]` and `h_n[-1]`."
    )
    return Fault(s.fault, "hand", (swap,), why, lambda s: _few(s, "the pair is all there is to join"))


_MAKERS: dict[str, Callable[[ByHandScreen], Fault]] = {
    "Forget b_hh": _forget_bias,
    "Forget b": _forget_b,
    "Transpose W_hh": _transpose,
    "Transpose W_2": _transpose,
    "r before the product": _reset_before,
    "Wrong slice": _slice,
    "No second reversal": _reversal,
    "Only the first cell": _only_first,
    "Only the first layer": _only_first,
    "batch_first data": _batch_first,
    "State not handed on": _stateless,
    "Reshape, not transpose": _reshape,
    "Halves swapped": _swap_halves,
    "Join every layer": _join_all,
}
