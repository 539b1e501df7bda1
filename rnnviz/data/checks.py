"""What a sentence may be, whichever way it came: one place for the limits and for what is said about them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rnnviz.training.config import Sentence

MAX_TOKENS = 20_000
MAX_TAGS = 64
MAX_WORDS = 200  # of a sentence
MAX_CHARS = 60  # of a word
MAX_TAG_CHARS = 30
MAX_SIZE = 4_000_000  # bytes of a file, characters of a text


@dataclass(frozen=True)
class Token:
    """A word and its tag as read, and the place to name if something is wrong with them ("row 3")."""

    word: str
    tag: str
    place: str


def tidy(text: str) -> str:
    """The text in Unicode's normal form C, its white space (also no-break and tabs) as single spaces.

    Words that look the same are then the same word, typed or read from a file.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def cell(value: Any) -> str:
    """The text of a table's cell, tidy; "" for a missing value."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):  # pandas, which is not imported here
        return ""
    if isinstance(value, float):
        if value != value:
            return ""
        if value.is_integer():  # a column of numbers with a gap holds floats
            return str(int(value))
    return tidy(str(value))


def checked(sentences: Iterable[Iterable[Token]]) -> tuple[Sentence, ...]:
    """The sentences with tidy words and tags; sentences without words are left out.

    Takes no more from the iterables than the limits allow. Raises `ValueError` with a sentence that names the
    place of the first fault: a missing or unreadable word or tag, a limit passed, or no words at all.
    """
    tags: set[str] = set()
    found: list[Sentence] = []
    total = 0
    for tokens in sentences:
        sentence: list[tuple[str, str]] = []
        for token in tokens:
            total += 1
            if total > MAX_TOKENS:
                raise ValueError(f"{token.place}: more than {MAX_TOKENS:,} words: use a part of the text")
            if len(sentence) == MAX_WORDS:
                raise ValueError(f"{token.place}: a sentence of more than {MAX_WORDS} words: divide it")
            sentence.append(_pair(token))
            tags.add(sentence[-1][1])
            if len(tags) > MAX_TAGS:
                raise ValueError(
                    f"{token.place}: the tag “{sentence[-1][1]}” is one too many: "
                    f"at most {MAX_TAGS} different tags are allowed"
                )
        if sentence:
            found.append(tuple(sentence))
    if not found:
        raise ValueError("there are no words yet: write at least one word with its tag")
    return tuple(found)


def _pair(token: Token) -> tuple[str, str]:
    word, tag = tidy(token.word), tidy(token.tag)
    if not word:
        raise ValueError(
            f"{token.place}: the word is missing{f' before the tag “{tag[:30]}”' if tag else ''}"
        )
    if not tag:
        raise ValueError(f"{token.place}: the tag of “{word[:30]}” is missing")
    for name, text, most in (("word", word, MAX_CHARS), ("tag", tag, MAX_TAG_CHARS)):
        if len(text) > most:
            raise ValueError(
                f"{token.place}: the {name} “{text[:20]}…” has {len(text)} characters: "
                f"at most {most} are allowed"
            )
        kinds = [unicodedata.category(c) for c in text]
        if any(kind in ("Cc", "Cs") for kind in kinds) or all(kind[0] in "CZ" for kind in kinds):
            raise ValueError(
                f"{token.place}: the {name} {ascii(text)[:40]} has characters that cannot be shown"
            )
    return word, tag
