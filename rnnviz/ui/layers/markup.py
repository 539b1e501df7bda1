"""The call and the table of shapes as HTML, each axis in its own colour.

Written from the module's own words and numbers only: nothing that a user typed as text comes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import prod

from rnnviz.figures import tensors
from rnnviz.gates import AXES
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import Dim, TensorShape

_MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
MOST = 8  # lengths that are written out
_CELL = 'style="padding:3px 14px 3px 0;text-align:left;white-space:nowrap"'


def code(current: LayersScreen, shapes: Mapping[str, TensorShape]) -> str:
    """A few lines: the constructor, the call (packed if there are lengths), and every tensor's shape."""
    config = current.config
    name, lstm = config.kind.lower(), config.kind == "LSTM"
    hidden = "H" if config.proj_size else "H_out"
    sizes = f"{_in_colour(config.input_size, 'H_in')}, {_in_colour(config.hidden_size, hidden)}"
    more = "".join(
        f", {k}={v!r}" for k, v in config.arguments().items() if k not in ("input_size", "hidden_size")
    )
    state = (", (h_0, c_0)" if lstm else ", h_0") if current.given_state else ""
    result = "(h_n, c_n)" if lstm else "h_n"
    shown = [f"{'x' if n == 'input' else n} {_tuple(t.dims)}" for n, t in shapes.items()]
    half = len(shown) // 2
    lines = [
        f"{name} = nn.{config.kind}({sizes}{escape(more, quote=False)})",
        *_call(current, f"output, {result} = {name}", state),
        f"# {'  '.join(shown[:half])}  →  {'  '.join(shown[half:])}",
    ]
    style = f"{_MONO};font-size:13px;line-height:1.55;white-space:pre-wrap"
    label = "The call, with the shape of every tensor"
    return f'<div style="{style}" role="group" aria-label="{label}">{"<br>".join(lines)}</div>'


def _call(current: LayersScreen, start: str, state: str) -> list[str]:
    if current.lengths is None:
        return [f"{start}(x{state})"]
    few = ", ".join(map(str, current.lengths[:MOST])) + (", …" if current.batch > MOST else "")
    first = ", batch_first=True" if current.config.batch_first else ""
    total = "" if max(current.lengths) == current.length else f", total_length={current.length}"
    return [
        f"lengths = [{few}]",
        f"packed = pack_padded_sequence(x, lengths{first}, enforce_sorted=False)",
        f"{start}(packed{state})",
        f"output, _ = pad_packed_sequence(output{first}{total})",
    ]


def table(current: LayersScreen, shapes: Mapping[str, TensorShape]) -> str:
    """One row a tensor: its axes in order, how many numbers it has, and what they are."""
    most = max(len(t.dims) for t in shapes.values())
    heads = ("tensor", *(f"axis {i}" for i in range(most)), "numbers", "what it holds")
    rows = []
    for name, t in shapes.items():
        axes = [_in_colour(f"{d.formula} = {d.size:,}", d.letter) for d in t.dims]
        cells = (f"<b>{name}</b>", *axes, f"{prod(t.shape):,}")
        words = f'<td style="padding:3px 0;min-width:220px">{holds(current, name)}</td>'
        rows.append(f"<tr>{''.join(f'<td {_CELL}>{cell}</td>' for cell in cells)}{words}</tr>")
    head = "".join(f'<th scope="col" {_CELL}>{word}</th>' for word in heads)
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:14px">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def holds(current: LayersScreen, name: str) -> str:
    """What a tensor holds in this run, in words."""
    words = tensors.holds(name, both_ways=current.config.bidirectional, batched=current.batched)
    left_out = name in ("h_0", "c_0") and not current.given_state
    return words + (" (left out: zeros)" if left_out else "")


def _in_colour(text: object, letter: str) -> str:
    return f'<span style="color:{AXES[letter].colour};font-weight:600">{escape(str(text))}</span>'


def _tuple(dims: Sequence[Dim]) -> str:
    return f"({', '.join(_in_colour(d.size, d.letter) for d in dims)})"
