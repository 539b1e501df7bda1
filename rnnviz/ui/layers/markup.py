"""The call and the table of shapes as HTML, each axis in its own colour.

Written from the module's own words and numbers only: nothing that a user typed as text comes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import prod

from rnnviz.figures import tensors
from rnnviz.figures.same import Same
from rnnviz.gates import AXES
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import Dim, TensorShape

_MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
MOST = 8  # lengths that are written out
GROUPED = 10**9  # the largest count that is written with all of its digits
_CELL = 'style="padding:3px 14px 3px 0;text-align:left"'
# Where the page is too narrow for the words beside the numbers, they stand below them.
_NARROW = """<style>
.rv-shapes { container-type: inline-size; }
.rv-shapes td, .rv-shapes th { white-space: nowrap; vertical-align: top; }
.rv-shapes .rv-words { white-space: normal; min-width: 200px; }
.rv-shapes .rv-below { display: none; }
@container (max-width: 719px) {
  .rv-shapes .rv-words { display: none; }
  .rv-shapes .rv-below { display: table-row; }
  .rv-shapes td, .rv-shapes th { white-space: normal; }
}
</style>"""


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
    heads = ("tensor", *(f"axis {i}" for i in range(most)), "numbers")
    rows = []
    for name, t in shapes.items():
        axes = [_axis(d) for d in t.dims]
        cells = (f"<b>{name}</b>", *axes, _count(prod(t.shape)))
        words = holds(current, name)
        rows += [
            f"<tr>{''.join(f'<td {_CELL}>{cell}</td>' for cell in cells)}"
            f'<td class="rv-words" style="padding:3px 0">{words}</td></tr>',
            f'<tr class="rv-below"><td></td><td colspan="{most + 1}">{words}</td></tr>',
        ]
    head = "".join(f'<th scope="col" {_CELL}>{word}</th>' for word in heads)
    return (
        f'<div class="rv-shapes">{_NARROW}<table style="border-collapse:collapse;font-size:14px">'
        f'<thead><tr>{head}<th scope="col" class="rv-words" style="padding:3px 0;text-align:left">'
        f"what it holds</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def same(found: Sequence[Same]) -> str:
    """The legend of the marks in the boxes: which slice is which row of h_n, and where it is not."""
    marks = []
    for one in found:
        look = f"background:{one.colour}99;" if one.equal else ""
        box = f"display:inline-block;width:14px;height:11px;border:2px {'solid' if one.equal else 'dashed'}"
        marks.append(
            f'<span style="white-space:nowrap"><span style="{box} {one.colour};{look}"></span> '
            f"{escape(one.words)}</span>"
        )
    style = f"{_MONO};font-size:13px;display:flex;flex-wrap:wrap;gap:2px 22px"
    return f'<div style="{style}" role="group" aria-label="The same numbers">{"".join(marks)}</div>'


def _count(numbers: int) -> str:
    """A count with its digits grouped; of an astronomical one the first digits."""
    if numbers <= GROUPED:
        return f"{numbers:,}"
    digits, power = f"{numbers:.2e}".split("e+")
    return f'<span style="white-space:nowrap">{digits} · 10<sup>{int(power)}</sup></span>'


def holds(current: LayersScreen, name: str) -> str:
    """What a tensor holds in this run, in words."""
    words = tensors.holds(
        name,
        both_ways=current.config.bidirectional,
        batched=current.batched,
        packed=current.lengths is not None,
    )
    left_out = name in ("h_0", "c_0") and not current.given_state
    return words + (" (left out: zeros)" if left_out else "")


def _axis(dim: Dim) -> str:
    more = ";white-space:nowrap" if dim.size < 1000 else ""  # a longer one may have to be broken
    return _in_colour(f"{dim.formula} = {dim.size:,}", dim.letter, more)


def _in_colour(text: object, letter: str, more: str = "") -> str:
    style = f"color:{AXES[letter].colour};font-weight:600{more}"
    return f'<span style="{style}">{escape(str(text))}</span>'


def _tuple(dims: Sequence[Dim]) -> str:
    return f"({', '.join(_in_colour(d.size, d.letter) for d in dims)})"
