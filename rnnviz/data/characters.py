"""Pairs of strings of one length, in any script."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 40
MAX_ALPHABET = 64


def pair(source: str, target: str) -> tuple[str, str]:
    """Two strings as they can be learnt: as many characters to say as come in.

    A character is one code point after Unicode's normal form C, as Python's ``len`` and the exported script
    count: é and 好 are one; a vowel sign of Devanagari, or an accent that no composed letter has, is a
    position of its own. Variation selectors, which only choose between two looks, are left out.

    Raises `ValueError` for strings that are empty, of unequal length, too long or made of too many different
    characters, and for a character that cannot be seen; a space is a character like any other.
    """
    one, other = _checked("source", source), _checked("target", target)
    if len(one) != len(other):
        raise ValueError(
            "source and target must be equally long, a character to say at each position: "
            f"they have {len(one)} and {len(other)}"
        )
    count = len({*one, *other})
    if count > MAX_ALPHABET:
        raise ValueError(f"{count} different characters: at most {MAX_ALPHABET} are allowed")
    return one, other


def shown(character: str) -> str:
    """A character as it can be read by itself: a combining mark stands on a dotted circle."""
    return f"\u25cc{character}" if unicodedata.category(character[:1] or " ")[0] == "M" else character


def _checked(name: str, text: str) -> str:
    found = "".join(c for c in unicodedata.normalize("NFC", text) if not "\ufe00" <= c <= "\ufe0f")
    if not found:
        raise ValueError(f"{name} is empty: write at least one character")
    if len(found) > MAX_LENGTH:
        raise ValueError(f"{name} has {len(found)} characters: at most {MAX_LENGTH} are allowed")
    for i, character in enumerate(found):
        # Control, format, surrogate, private use, unassigned; the separators that break a line or paragraph.
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            joined = (
                ": an emoji that is joined from several is not one character" if character == "\u200d" else ""
            )
            code = f"U+{ord(character):04X}"
            raise ValueError(f"{name}, position {i}: the character {code} cannot be shown{joined}")
    return found
