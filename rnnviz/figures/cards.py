"""The cards' small pictures: SVG from real arrays, drawn so that one file fits both themes.

Values are opacities of one hue over the page's own background, so that 0 is that background; lines and
letters have colours between light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.gates import AXES, QUANTITIES

LEVELS = 8
NEGATIVE, POSITIVE, GATE = theme.SIGNED[0], theme.SIGNED[-1], theme.UNIT[5]
HEIGHT, MARGIN, BETWEEN = 104.0, 2.0, 26.0


@dataclass(frozen=True)
class Picture:
    """An SVG and what it shows, in words."""

    svg: str
    label: str


@dataclass(frozen=True, eq=False)
class Sheets:
    """A tensor of three axes, one of them N: its name, the quantity in it, its axes as in `gates.AXES`."""

    name: str
    letter: str
    axes: tuple[str, str, str]
    values: NDArray[np.floating[Any]]


def tensors_card(tensors: Iterable[Sheets]) -> Picture:
    """The tensors side by side, each a stack of N sheets with edges in the colours of its axes."""
    parts: list[str] = []
    shapes: list[str] = []
    x = MARGIN
    for tensor in tensors:
        drawn, wide = _sheets(tensor, x)
        parts += drawn
        shapes.append(f"{tensor.name} {tensor.values.shape}")
        x += max(wide, 84.0) + BETWEEN
    return _picture(parts, x - BETWEEN + MARGIN, f"A layer's tensors: {', '.join(shapes)}")


def gates_card(values: Mapping[str, ArrayLike], words: Sequence[str], step: int) -> Picture:
    """Quantities (L, units) as small maps, three in a row; the step of one of the words is marked in each."""
    wide, high, parts = 112.0, 44.0, []
    for i, (letter, given) in enumerate(values.items()):
        quantity, array = QUANTITIES[letter], np.asarray(given)
        left, top = 16.0 + (i % 3) * (wide + BETWEEN), 4.0 + (i // 3) * (high + 8.0)
        cell = (wide / array.shape[0], high / array.shape[1])
        parts += [
            _cells(array.T, (left, top), cell, signed=quantity.scale == "signed"),
            _rect((left, top), (wide, high), f'stroke="{theme.LINE}"'),
            _rect(
                (left + step * cell[0], top), (cell[0], high), f'stroke="{quantity.colour}" stroke-width="2"'
            ),
            f'<text x="{left - 5:g}" y="{top + high / 2 + 4:g}" text-anchor="end" font-weight="700" '
            f'font-size="14" fill="{quantity.colour}">{escape(letter)}</text>',
        ]
    label = f"{', '.join(values)} of an LSTM over {len(words)} words, “{words[step]}” marked"
    return _picture(parts, 16.0 + 3 * (wide + BETWEEN) - BETWEEN + MARGIN, label)


def equality_card(by_hand: ArrayLike, pytorch: ArrayLike) -> Picture:
    """Two results (units, L) side by side, an equals sign between them, and how far they are apart."""
    one, other = np.asarray(by_hand, dtype=np.float64), np.asarray(pytorch, dtype=np.float64)
    wide, high, top, parts = 150.0, 74.0, 24.0, []
    for left, name, array in ((MARGIN, "by hand", one), (MARGIN + wide + 40, "PyTorch", other)):
        cell = (wide / array.shape[1], high / array.shape[0])
        parts += [
            _cells(array, (left, top), cell),
            _rect((left, top), (wide, high), f'stroke="{theme.LINE}"'),
            f'<text x="{left:g}" y="14" font-weight="700" fill="{QUANTITIES["h"].colour}">{name}</text>',
        ]
    apart = float(np.abs(one - other).max())
    parts.append(
        f'<text x="{MARGIN + wide + 20:g}" y="{top + high / 2 + 8:g}" text-anchor="middle" font-size="24" '
        f'font-weight="700" fill="{QUANTITIES["h"].colour}">=</text>'
    )
    label = f"A state by hand and PyTorch's own, at most {apart:.0e} apart"
    return _picture(parts, 2 * (MARGIN + wide) + 40, label)


def lookup_card(weight: ArrayLike, reads: Sequence[int]) -> Picture:
    """A table (rows, numbers) with a line from the row of each read to its copy on the right."""
    table = np.asarray(weight, dtype=np.float64)
    wide, top, cell = 110.0, 18.0, 84.0 / max(len(table), len(reads))
    left, parts = MARGIN + wide + 84, []
    scaled = table / np.abs(table).max()  # one scale for both
    for x, name, array in ((MARGIN, "weight", scaled), (left, "output", scaled[list(reads)])):
        parts += [
            _cells(array, (x, top), (wide / array.shape[1], cell), limit=1.0),
            _rect((x, top), (wide, cell * len(array)), f'stroke="{theme.LINE}"'),
            f'<text x="{x:g}" y="12" font-weight="700" fill="{theme.MUTED}">{name}</text>',
        ]
    for k, row in enumerate(reads):
        start, end = top + (row + 0.5) * cell, top + (k + 0.5) * cell
        middle = (MARGIN + wide + left) / 2
        curve = (
            f"M{MARGIN + wide + 2:g} {start:g}C{middle:g} {start:g} {middle:g} {end:g} {left - 2:g} {end:g}"
        )
        parts.append(f'<path d="{curve}" fill="none" stroke="{theme.ACCENT}" stroke-width="1.5"/>')
    return _picture(parts, left + wide + MARGIN, f"{len(reads)} rows of a table of {len(table)}, looked up")


def tags_card(before: ArrayLike, after: ArrayLike, words: Sequence[str]) -> Picture:
    """Probabilities (L, tags) before and after training, one above the other, words along both."""
    wide, cell, parts = 300.0, 12.0, []
    for top, name, found in ((16.0, "before training", before), (MARGIN + 66, "after", after)):
        array = np.asarray(found, dtype=np.float64).T
        step = wide / array.shape[1]
        parts += [
            f'<text x="{MARGIN:g}" y="{top - 4:g}" font-weight="700" fill="{theme.MUTED}">{name}</text>',
            _cells(array, (MARGIN, top), (step, cell), signed=False),
            _rect((MARGIN, top), (wide, cell * len(array)), f'stroke="{theme.LINE}"'),
        ]
    return _picture(parts, wide + 2 * MARGIN, f"The tags of “{' '.join(words)}”, guessed, then learnt")


def strings_card(strings: Sequence[str], target: str) -> Picture:
    """A string an epoch, each from top to bottom; the characters that are right stand on colour."""
    wide, cell, top, parts = 300.0, 16.0, 16.0, []
    step = wide / len(strings)
    right = np.array([[a == b for a, b in zip(text, target, strict=True)] for text in strings], float)
    name = f"epoch 1 to {len(strings)}"
    parts = [
        f'<text x="{MARGIN:g}" y="12" font-weight="700" fill="{theme.MUTED}">{name}</text>',
        _cells(-0.5 * right.T, (MARGIN, top), (step, cell), limit=1.0),
        _rect((MARGIN, top), (wide, cell * len(target)), f'stroke="{theme.LINE}"'),
    ]
    for k, text in enumerate(strings):
        parts += [
            f'<text x="{MARGIN + (k + 0.5) * step:.5g}" y="{top + (i + 0.75) * cell:g}" text-anchor="middle" '
            f'fill="{theme.MUTED}">{escape(letter)}</text>'
            for i, letter in enumerate(text)
        ]
    return _picture(parts, wide + 2 * MARGIN, f"{strings[0]}, {len(strings)} epochs later {strings[-1]}")


def attention_card(weights: ArrayLike, source: Sequence[str], target: Sequence[str]) -> Picture:
    """Weights (T, S): a row for each token that is said, a column for each that is read."""
    array = np.asarray(weights, dtype=np.float64)
    steps, count = array.shape
    left, wide, high = 52.0, 240.0, 84.0
    cell = (wide / count, high / steps)
    text = f'font-weight="700" fill="{theme.MUTED}"'
    parts = [
        _cells(array, (left, MARGIN), cell, signed=False),
        _rect((left, MARGIN), (wide, high), f'stroke="{theme.LINE}"'),
    ]
    for j, token in enumerate(source):
        x = left + (j + 0.5) * cell[0]
        parts.append(f'<text x="{x:.5g}" y="101" text-anchor="middle" {text}>{escape(token)}</text>')
    for t, token in enumerate(target):
        y = MARGIN + (t + 0.85) * cell[1]
        parts.append(f'<text x="{left - 6:g}" y="{y:.5g}" text-anchor="end" {text}>{escape(token)}</text>')
    label = f"{''.join(source)} is read, {''.join(target)} is said; where the decoder looks for each token"
    return _picture(parts, left + wide + MARGIN, label)


def answer_card(states: ArrayLike, symbols: Sequence[str], answer: str) -> Picture:
    """States (steps, units), each above what was read; an arrow leads from the last one to the answer."""
    array = np.asarray(states, dtype=np.float64)
    step, wide, high, top, parts = 58.0, 22.0, 60.0, 22.0, []
    colour = QUANTITIES["h"].colour
    for t, (h, symbol) in enumerate(zip(array, symbols, strict=True)):
        x = MARGIN + t * step
        parts += [
            _cells(h[:, None], (x, top), (wide, high / len(h)), limit=1.0),
            _rect((x, top), (wide, high), f'stroke="{colour}"'),
            f'<text x="{x + wide / 2:g}" y="{top + high + 16:g}" text-anchor="middle" font-weight="700" '
            f'fill="{theme.MUTED}">{escape(symbol)}</text>',
        ]
        if t:
            start = x - step + wide
            arrow = f"M{start:g} {top + high / 2:g}H{x - 2:g}m-5 -4l5 4l-5 4"
            parts.append(f'<path d="{arrow}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    last = MARGIN + (len(array) - 1) * step + wide / 2
    parts += [
        f'<path d="M{last:g} {top}V14" stroke="{AXES["H_out"].colour}" stroke-width="1.5"/>',
        f'<text x="{last + wide / 2:g}" y="11" text-anchor="end" font-weight="700" '
        f'fill="{AXES["H_out"].colour}">{escape(answer)}</text>',
    ]
    label = f"“{''.join(symbols)}” read symbol by symbol; the last state answers: {answer}"
    return _picture(parts, last + wide / 2 + MARGIN, label)


def _picture(parts: Sequence[str], width: float, label: str) -> Picture:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {HEIGHT:g}" height="{HEIGHT:g}"'
    return Picture(f'{head} font-family="sans-serif" font-size="12">{"".join(parts)}</svg>', label)


def _sheets(tensor: Sheets, x: float) -> tuple[list[str], float]:
    """A tensor's parts from x on, and how wide they are."""
    sheets = np.moveaxis(tensor.values, tensor.axes.index("N"), 0)
    row, column = (letter for letter in tensor.axes if letter != "N")
    cell, slant, top = (4.0, 11.0), 5.0, 32.0
    wide, high = sheets.shape[2] * cell[0], sheets.shape[1] * cell[1]
    depth = (len(sheets) - 1) * slant
    parts = []
    for n in range(1, len(sheets)):  # of the sheets behind, what the one before them leaves to see
        left, above = x + n * slant, top - n * slant
        edge = f"M{left:g} {above + slant:g}V{above:g}h{wide:g}v{high:g}h{-slant:g}"
        parts.append(f'<path d="{edge}" fill="none" stroke="{theme.LINE}"/>')
    parts.append(_cells(sheets[0], (x, top), cell))
    parts.append(_rect((x, top), (wide, high), f'stroke="{theme.LINE}"'))
    for letter, edge in (
        (row, f"M{x:g} {top:g}v{high:g}"),
        (column, f"M{x:g} {top + high:g}h{wide:g}"),
        ("N", f"M{x + wide:g} {top + high:g}l{depth:g} {-depth:g}"),
    ):
        parts.append(
            f'<path d="{edge}" stroke="{AXES[letter].colour}" stroke-width="3" stroke-linecap="round"/>'
        )
    numbers = ", ".join(
        f'<tspan fill="{AXES[letter].colour}" font-weight="700">{size}</tspan>'
        for letter, size in zip(tensor.axes, tensor.values.shape, strict=True)
    )
    colour = QUANTITIES[tensor.letter].colour
    parts.append(f'<text x="{x:g}" y="12" fill="{colour}">{escape(tensor.name)} ({numbers})</text>')
    return parts, wide + depth


def _cells(
    values: ArrayLike,
    origin: tuple[float, float],
    cell: tuple[float, float],
    *,
    signed: bool = True,
    limit: float | None = None,
) -> str:
    """A matrix (rows, columns) as cells: one path for each hue and opacity, which keeps the text short.

    ``limit`` is the value of full opacity, else the largest here, or 1 for what is never negative.
    """
    array = np.asarray(values, dtype=np.float64)
    limit = limit or (float(np.abs(array).max()) or 1.0 if signed else 1.0)
    level = np.ceil(np.abs(array) / limit * LEVELS)
    hue = np.where(array < 0, NEGATIVE, POSITIVE) if signed else np.full(array.shape, GATE)
    (x, y), (w, h) = origin, cell
    found = []
    for colour in np.unique(hue):
        for opacity in range(1, LEVELS + 1):
            at = np.argwhere((level == opacity) & (hue == colour))
            path = "".join(f"M{x + j * w:.5g} {y + i * h:.5g}h{w:.4g}v{h:.4g}h{-w:.4g}z" for i, j in at)
            if path:
                found.append(f'<path d="{path}" fill="{colour}" fill-opacity="{opacity / LEVELS:g}"/>')
    return "".join(found)


def _rect(origin: tuple[float, float], size: tuple[float, float], stroke: str) -> str:
    (x, y), (width, height) = origin, size
    return f'<rect x="{x:.5g}" y="{y:.5g}" width="{width:.5g}" height="{height:.5g}" fill="none" {stroke}/>'
