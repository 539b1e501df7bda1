"""What-if edits as plain data: one line of text each, checked against a layer.

    weight_hh_l0[3, 2] = 0.5        one weight (or bias_ih_l0[4] = 1)
    forget_bias l0 = 2              all of the LSTM's b_if + b_hf (l0 reverse: the backward direction)
    clamp f l0 steps 2-4 = 1        a quantity, held at a value; "unit 3" for one unit, without "steps" at
    every step silence l0 unit 3               clamp h l0 unit 3 = 0

The text is the edit: it stands in the address, in the box on the page and, as code, in the exported script.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from rnnviz.config import LayerConfig
from rnnviz.gates import NAMES, QUANTITIES, Kind
from rnnviz.shapes import parameters

MAX_EDITS = 24
MAX_VALUE = 1000.0

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_LANE = r"\s+l(?P<layer>\d{1,2})(?P<reverse>\s+reverse)?"
_UNIT = r"(?:\s+unit\s+(?P<unit>\d{1,3}))"
_STEPS = r"(?:\s+steps?\s+(?P<first>\d{1,3})(?:\s*-\s*(?P<last>\d{1,3}))?)"
_VALUE = rf"\s*=\s*(?P<value>{_NUMBER})"
_WEIGHT = re.compile(
    rf"(?P<name>(?:weight|bias)_\w{{2}}_l\d+(?:_reverse)?)\s*\[(?P<index>[\d,\s]+)\]{_VALUE}"
)
_FORGET = re.compile(rf"forget_bias{_LANE}{_VALUE}")
_CLAMP = re.compile(rf"clamp\s+(?P<letter>\w){_LANE}{_UNIT}?{_STEPS}?{_VALUE}")
_SILENCE = re.compile(rf"silence{_LANE}{_UNIT}")


@dataclass(frozen=True)
class SetWeight:
    """One number of one parameter."""

    name: str
    index: tuple[int, ...]
    value: float

    def line(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.index))}] = {self.value:g}"


@dataclass(frozen=True)
class ForgetBias:
    """The whole bias of the forget gate: b_if + b_hf = value (PyTorch adds two; the second is set to 0)."""

    layer: int
    direction: int
    value: float

    def line(self) -> str:
        return f"forget_bias {_lane(self)} = {self.value:g}"


@dataclass(frozen=True)
class Clamp:
    """A quantity held at a value: at steps first..last (None: every step), in one unit (None: all)."""

    letter: str
    layer: int
    direction: int
    value: float
    unit: int | None = None
    first: int | None = None
    last: int | None = None

    def line(self) -> str:
        if (self.letter, self.value, self.first) == ("h", 0.0, None) and self.unit is not None:
            return f"silence {_lane(self)} unit {self.unit}"
        unit = "" if self.unit is None else f" unit {self.unit}"
        steps = ""
        if self.first is not None:
            steps = f" steps {self.first}" + (f"-{self.last}" if self.last != self.first else "")
        return f"clamp {self.letter} {_lane(self)}{unit}{steps} = {self.value:g}"

    def covers(self, step: int) -> bool:
        """Whether it acts at a step."""
        return self.first is None or (self.last is not None and self.first <= step <= self.last)


Edit = SetWeight | ForgetBias | Clamp


def _lane(edit: ForgetBias | Clamp) -> str:
    return f"l{edit.layer}" + (" reverse" if edit.direction else "")


def clampable(kind: Kind) -> tuple[str, ...]:
    """What may be clamped: everything a step computes after its activation."""
    return tuple(n for n in NAMES[kind] if n != "x" and not n.endswith("_pre"))


def clamp_range(letter: str) -> tuple[float, float]:
    """The values a quantity may be held at: the range it can have."""
    quantity = QUANTITIES[letter]
    if quantity.scale == "unit":
        return 0.0, 1.0
    limit = quantity.limit or 10.0
    return -limit, limit


def held(edits: tuple[Edit, ...], where: tuple[int, int, int], units: int) -> dict[str, frozenset[int]]:
    """Which units of which quantities are clamped at ``where`` = (layer, direction, step)."""
    found: dict[str, frozenset[int]] = {}
    for edit in edits:
        if isinstance(edit, Clamp) and (edit.layer, edit.direction) == where[:2] and edit.covers(where[2]):
            which = range(units) if edit.unit is None else (edit.unit,)
            found[edit.letter] = found.get(edit.letter, frozenset()) | frozenset(which)
    return found


def parse(text: str, config: LayerConfig, length: int) -> tuple[tuple[Edit, ...], list[str]]:
    """The edits of a text, and a sentence for every line that is none. Later lines win over earlier ones.

    ``length`` is L. Empty lines are skipped; at most `MAX_EDITS` lines are read.
    """
    edits: list[Edit] = []
    notes: list[str] = []
    lines = [(i, line.strip()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    for i, line in lines[:MAX_EDITS]:
        try:
            edits.append(_edit(line, config, length))
        except ValueError as error:
            notes.append(f"What if, line {i}, “{line[:60]}”: {error}")
    if len(lines) > MAX_EDITS:
        notes.append(
            f"What if: at most {MAX_EDITS} edits are made, the other {len(lines) - MAX_EDITS} are left out"
        )
    return tuple(edits), notes


def _edit(line: str, config: LayerConfig, length: int) -> Edit:
    if found := _WEIGHT.fullmatch(line):
        return _set_weight(found, config)
    if found := _FORGET.fullmatch(line):
        if config.kind != "LSTM" or not config.bias:
            raise ValueError("only an LSTM with bias has a forget bias")
        return ForgetBias(*_checked_lane(found, config), _finite(found["value"], -MAX_VALUE, MAX_VALUE))
    if found := _SILENCE.fullmatch(line):
        return Clamp("h", *_checked_lane(found, config), 0.0, _checked_unit(found["unit"], config))
    if found := _CLAMP.fullmatch(line):
        return _clamp(found, config, length)
    raise ValueError(
        "not understood; write for example “weight_hh_l0[3, 2] = 0.5”, “forget_bias l0 = 2”, "
        "“clamp f l0 steps 2-4 = 1” or “silence l0 unit 3”"
    )


def _set_weight(found: re.Match[str], config: LayerConfig) -> SetWeight:
    shapes = {p.name: p.shape for p in parameters(config)}
    name = found["name"]
    if name not in shapes:
        raise ValueError(f"there is no {name}; there are {', '.join(shapes)}")
    words = [word.strip() for word in found["index"].split(",")]
    if len(words) != len(shapes[name]) or not all(word.isdecimal() and len(word) < 7 for word in words):
        raise ValueError(f"{name} has shape {shapes[name]}: {len(shapes[name])} whole numbers are its index")
    index = tuple(map(int, words))
    for position, size in zip(index, shapes[name], strict=True):
        if position >= size:
            raise ValueError(
                f"{name} has shape {shapes[name]}: {position} is outside, 0 to {size - 1} is allowed"
            )
    return SetWeight(name, index, _finite(found["value"], -MAX_VALUE, MAX_VALUE))


def _clamp(found: re.Match[str], config: LayerConfig, length: int) -> Clamp:
    letter = found["letter"]
    if letter not in clampable(config.kind):
        raise ValueError(f"{config.kind} can be clamped at {', '.join(clampable(config.kind))}")
    low, high = clamp_range(letter)
    if letter == "h" and config.nonlinearity == "relu":
        low, high = 0.0, 10.0
    unit = None if found["unit"] is None else _checked_unit(found["unit"], config)
    first = last = None
    if found["first"] is not None:
        first = int(found["first"])
        last = first if found["last"] is None else int(found["last"])
        if not 0 <= first <= last < length:
            raise ValueError(f"steps {first} to {last} are not within 0 to {length - 1}, first to last")
    return Clamp(letter, *_checked_lane(found, config), _finite(found["value"], low, high), unit, first, last)


def _checked_lane(found: re.Match[str], config: LayerConfig) -> tuple[int, int]:
    layer, direction = int(found["layer"]), int(found["reverse"] is not None)
    if layer >= config.num_layers:
        raise ValueError(f"there is no layer {layer}: 0 to {config.num_layers - 1} is allowed")
    if direction and not config.bidirectional:
        raise ValueError("there is no reverse direction: the layer is not bidirectional")
    return layer, direction


def _checked_unit(word: str, config: LayerConfig) -> int:
    if int(word) >= config.hidden_size:
        raise ValueError(f"there is no unit {int(word)}: 0 to {config.hidden_size - 1} is allowed")
    return int(word)


def _finite(word: str, low: float, high: float) -> float:
    value = float(word)
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"the value {word} is not allowed: from {low:g} to {high:g}")
    return value
