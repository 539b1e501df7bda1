"""What a typed text means: a shape, a count, or a slice of output. Texts are read, never run. Stdlib only."""

from __future__ import annotations

import re

NOWHERE = "nowhere"
_NOWHERE = (NOWHERE, "none", "no", "nothing", "notinoutput", "nowhereinoutput")

Index = int | tuple[int, ...]
"""What one axis is indexed with: a position, which drops the axis, or the positions that stay."""


class Unread(ValueError):
    """A text that is not an answer; the message is a hint."""


def read_shape(text: str) -> tuple[int, ...]:
    """``(5, 3, 40)``, ``5 3 40``, ``5,3,40``, ``[5, 3, 2*20]``, ``torch.Size([5, 3, 40])``. Raises Unread."""
    bare = re.sub(r"^torch\.Size|[\s]*[×x][\s]*(?=\d)", lambda m: " " if m[0] != "torch.Size" else "", text)
    bare = bare.translate(str.maketrans("()[]", "    ")).strip()
    bare = re.sub(r"\s*\*\s*", "*", bare)
    parts = [p.strip() for p in bare.split(",")] if "," in bare else bare.split()
    if parts and parts[-1] == "":
        parts.pop()  # (40,)
    if not parts:
        raise Unread("A shape is a list of whole numbers, such as (5, 3, 40).")
    return tuple(_product(part) for part in parts)


def _product(part: str) -> int:
    factors = part.split("*")
    if not all(re.fullmatch(r"\d{1,7}", f) for f in factors) or len(factors) > 4:
        shown = part if len(part) <= 20 else part[:19] + "…"
        raise Unread(f"“{shown}” is not a whole number: type sizes, such as (5, 3, 40).")
    size = 1
    for factor in factors:
        size *= int(factor)
    return size


def read_count(text: str) -> int:
    """A whole number; commas, blanks and underscores may group its digits. Raises Unread."""
    bare = re.sub(r"[\s,_'’]", "", text)
    if not re.fullmatch(r"\d{1,12}", bare):
        raise Unread("The answer is one whole number, such as 12.")
    return int(bare)


def read_slice(text: str, shape: tuple[int, ...], names: dict[str, int]) -> tuple[Index, ...] | None:
    """What ``output[...]`` picks from each axis, by Python's rules; None for "nowhere".

    ``names`` may stand for numbers (L - 1). Several brackets index what the ones before left. Raises Unread.
    """
    bare = re.sub(r"\s+", "", text)
    if bare.lower().strip(".") in _NOWHERE:
        return None
    match = re.fullmatch(r"(?:output)?((?:\[[^\[\]]*\])+)", bare)
    if match is None:
        raise Unread(f"Type a slice such as output[2, :4], or {NOWHERE}.")
    picked: list[Index] = [tuple(range(size)) for size in shape]
    for inside in re.findall(r"\[([^\[\]]*)\]", match[1]):
        _apply(picked, inside, names)
    return tuple(picked)


def _apply(picked: list[Index], inside: str, names: dict[str, int]) -> None:
    kept = [i for i, one in enumerate(picked) if isinstance(one, tuple)]
    parts = inside.split(",")
    if len(parts) > 1 and parts[-1] == "":
        parts.pop()
    if "..." in parts:
        at = parts.index("...")
        parts[at : at + 1] = [":"] * (len(kept) - len(parts) + 1)
    if "" in parts or len(parts) > len(kept):
        raise Unread(
            f"output has {len(picked)} axes: write one index or slice for each, such as output[2, :4]."
        )
    for i, part in zip(kept, parts, strict=False):
        positions = picked[i]
        assert isinstance(positions, tuple)
        picked[i] = _pick(part, positions, names)


def _pick(part: str, positions: tuple[int, ...], names: dict[str, int]) -> Index:
    if ":" not in part:
        number = _number(part, names)
        if not -len(positions) <= number < len(positions):
            raise Unread(f"{part} is out of range for an axis of size {len(positions)}.")
        return positions[number]
    bounds = [None if bound == "" else _number(bound, names) for bound in part.split(":")]
    if len(bounds) > 3 or (len(bounds) == 3 and bounds[2] is not None and bounds[2] < 1):
        raise Unread(
            f"“{part}” is not a slice that PyTorch takes: start:stop, or start:stop:step, step above 0."
        )
    return positions[slice(*bounds)]


def _number(text: str, names: dict[str, int]) -> int:
    """A sum of products of numbers and names, such as ``L-1`` or ``2*H``."""
    if not re.fullmatch(r"[+-]?[A-Za-z_0-9]+(?:[-+*][A-Za-z_0-9]+)*", text):
        raise Unread(f"“{text[:20]}” is not an index: write a number such as -1, or a slice such as :4.")
    total = 0
    for sign, product in re.findall(r"([+-]?)([^+-]+)", text):
        size = 1
        for factor in product.split("*"):
            if factor.isdecimal() and len(factor) <= 6:
                size *= int(factor)
            elif factor in names:
                size *= names[factor]
            else:
                raise Unread(f"“{factor[:20]}” is not known here: numbers, and {', '.join(names)}, are.")
        total += -size if sign == "-" else size
    return total
