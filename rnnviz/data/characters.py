"""Pairs of strings of one length, position by position, in any script."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

MAX_LENGTH = 40
MAX_ALPHABET = 64
MAX_CODE_POINTS = 16  # of one character; emoji of families have 10

_JOINER, _NON_JOINER = "\u200d", "\u200c"


@dataclass(frozen=True)
class Pair:
    """What enters and what is to be said at each position; ``alphabet`` has every character once, sorted.

    A character's place in the alphabet is its id and its class: for hello → ohlol e h l o, as in the course.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    alphabet: tuple[str, ...]

    @property
    def source_ids(self) -> tuple[int, ...]:
        """(L,)"""
        return tuple(map(self.alphabet.index, self.source))

    @property
    def target_ids(self) -> tuple[int, ...]:
        """(L,)"""
        return tuple(map(self.alphabet.index, self.target))


def characters(text: str) -> tuple[str, ...]:
    """The text's characters as a reader counts them, after Unicode's normal form C.

    What belongs to the character before: combining marks (an accent that has no composed letter, a vowel
    sign, a variation selector), an emoji's skin tone, and the emoji after a zero-width joiner; two regional
    indicators are one flag. This is the rule for grapheme clusters (https://unicode.org/reports/tr29/)
    but for two things that need its tables: jamo which normal form C cannot compose, and Indic conjuncts.
    """
    found: list[str] = []
    for c in unicodedata.normalize("NFC", text):
        if found and _belongs(c, found[-1]):
            found[-1] += c
        else:
            found.append(c)
    return tuple(found)


def pair(source: str, target: str) -> Pair:
    """Two strings as one task.

    Raises `ValueError` for strings that are empty, of unequal length, too long, or made of too many different
    characters, and for a character that cannot be seen; a space is a character like any other.
    """
    one, other = _checked("source", source), _checked("target", target)
    if len(one) != len(other):
        raise ValueError(
            "source and target must be equally long, a character to say at each position: "
            f"they have {len(one)} and {len(other)}"
        )
    alphabet = sorted({*one, *other})
    if len(alphabet) > MAX_ALPHABET:
        raise ValueError(f"{len(alphabet)} different characters: at most {MAX_ALPHABET} are allowed")
    return Pair(one, other, tuple(alphabet))


def _checked(name: str, text: str) -> tuple[str, ...]:
    found = characters(text)
    if not found:
        raise ValueError(f"{name} is empty: write at least one character")
    if len(found) > MAX_LENGTH:
        raise ValueError(f"{name} has {len(found)} characters: at most {MAX_LENGTH} are allowed")
    for i, character in enumerate(found):
        # Other: control, format, surrogate, private use, unassigned. Zl and Zp break the line.
        if unicodedata.category(character[0]) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            code = f"U+{ord(character[0]):04X}"
            raise ValueError(f"{name}, position {i}: the character {code} cannot be shown, leave it out")
        if len(character) > MAX_CODE_POINTS:
            raise ValueError(f"{name}, position {i}: a character of {len(character)} code points is too long")
    return found


def _belongs(c: str, before: str) -> bool:
    """Whether the code point c is part of the character that stands before it."""
    if unicodedata.category(before[-1]) in ("Cc", "Zl", "Zp"):
        return False
    if c in (_JOINER, _NON_JOINER) or unicodedata.category(c)[0] == "M":
        return True
    if "\U0001f3fb" <= c <= "\U0001f3ff" or before[-1] == _JOINER:
        return unicodedata.category(before[0]) == "So"
    return _indicator(c) and _indicator(before)


def _indicator(text: str) -> bool:
    return len(text) == 1 and "\U0001f1e6" <= text <= "\U0001f1ff"
