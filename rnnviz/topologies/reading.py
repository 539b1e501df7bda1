"""What a student gives a model, as far as the model can read it, and a sentence about the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.topologies import brackets, reverse, tags
from rnnviz.topologies.config import NAMES

MOST = {"many-to-one": 24, "out-of-step": 8, "in-step": 12}
"""Symbols, letters, words that fit the picture; the models themselves have no limit."""
EXAMPLES: dict[str, tuple[str, ...]] = {
    "one-to-one": ("0.3 0.4", "1.0 1.0", "1.2 0", "-4 4"),
    "one-to-many": ("42", "7", "13", "90"),
    "many-to-one": ("([()])", "([)]", "((([[]])))", "[(([(([]))]))]", "()()()()()()()()()[", "]"),
    "out-of-step": ("hello", "ab", "level", "python", "sequence"),
    "in-step": (
        "she saw the old dog today",
        "the light book fell",
        "they book a book",
        "the light house liked the light",
        "the zebra ate a flumph",
    ),
}
"""Inputs worth trying; the first is the default."""


@dataclass(frozen=True)
class Reading:
    """What is read, symbol by symbol, and the sentence on what is not, or ""."""

    symbols: tuple[str, ...]
    note: str = ""


def read(name: str, text: str) -> Reading:
    """The symbols of a text for the topology of this name. What it cannot read is left out and named; where
    nothing is left, the first example is read.
    """
    if name not in MOST:
        raise ValueError(f"name={name!r} is not allowed: one of {', '.join(n for n in NAMES if n in MOST)}")
    pieces: Sequence[str]
    if name == "in-step":
        pieces, allowed, unit = text.split(), "words between spaces", "words"
        known = list(pieces)
    else:
        alphabet = brackets.SYMBOLS if name == "many-to-one" else "".join(reverse.SYMBOLS[1:])
        allowed = "( ) [ ]" if name == "many-to-one" else "letters from a to z"
        unit = "symbols" if name == "many-to-one" else "letters"
        pieces = [c for c in (text if name == "many-to-one" else text.lower()) if not c.isspace()]
        known = [c for c in pieces if c in alphabet]
    said = []
    strange = list(dict.fromkeys(c for c in pieces if c not in known))
    if strange:
        shown = " ".join(strange[:8]) + (" …" if len(strange) > 8 else "")
        said.append(f"{shown} cannot be read: allowed are {allowed}.")
    most = MOST[name]
    if len(known) > most:
        said.append(f"The first {most} of {len(known)} {unit} are read, as many as the picture has room for.")
    if not known:
        example = EXAMPLES[name][0]
        said.append(f"Nothing is left to read, so “{example}” is read. Allowed are {allowed}.")
        known = example.split() if name == "in-step" else list(example)
    if name == "in-step" and (unknown := [w for w in known[:most] if w not in tags.VOCABULARY]):
        said.append(
            f"{', '.join(dict.fromkeys(unknown))}: not among its {len(tags.VOCABULARY) - 1} words, "
            "so read as <unk> and tagged by what came before."
        )
    return Reading(tuple(known[:most]), " ".join(said))
