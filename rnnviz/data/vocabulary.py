"""Which words and tags a model knows, and their numbers.

A configuration holds sentences, so this module needs the standard library alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Sentence = tuple[tuple[str, str], ...]
"""(word, tag) for each token."""

Case = Literal["keep", "first", "lower"]
CASES: tuple[Case, ...] = ("keep", "first", "lower")
"""Words as they are; the first word of each sentence in lower case; all words in lower case."""

UNKNOWN = "<unk>"


def cased(words: Sequence[str], case: Case) -> tuple[str, ...]:
    """The words of one sentence as the vocabulary spells them. Raises `ValueError` for an unknown case."""
    if case not in CASES:
        raise ValueError(f"case={case!r} is not allowed: one of {', '.join(CASES)}")
    count = {"keep": 0, "first": 1, "lower": len(words)}[case]
    return tuple(word.lower() if i < count else word for i, word in enumerate(words))


@dataclass(frozen=True)
class Vocabulary:
    """The known words and tags in the order in which they first come; a word's place is its id.

    `UNKNOWN` is one of the words if there is a row for words that are not known. It stands last, so that the
    other ids do not depend on it (unless the text itself has the word ``<unk>``, which then is that row).
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    case: Case = "keep"

    @cached_property
    def _word_ids(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _tag_ids(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    @property
    def unknown(self) -> int | None:
        """The id of `UNKNOWN`, None if there is no such row."""
        return self._word_ids.get(UNKNOWN)

    def knows(self, words: Sequence[str]) -> tuple[bool, ...]:
        """For each word of one sentence, whether it has an id of its own."""
        return tuple(word in self._word_ids and word != UNKNOWN for word in cased(words, self.case))

    def ids(self, words: Sequence[str]) -> tuple[int, ...]:
        """The ids of one sentence's words, that of `UNKNOWN` for words that are not known.

        Raises `ValueError` naming those words if there is no such row.
        """
        spelled = cased(words, self.case)
        unknown = self.unknown
        if unknown is None:
            missing = dict.fromkeys(word for word in spelled if word not in self._word_ids)
            if missing:
                raise ValueError(f"not in the vocabulary, which has no {UNKNOWN}: {_listed(list(missing))}")
            return tuple(self._word_ids[word] for word in spelled)
        return tuple(self._word_ids.get(word, unknown) for word in spelled)

    def tag_ids(self, tags: Iterable[str]) -> tuple[int, ...]:
        """The ids of tags. Raises `ValueError` naming those that are not known."""
        given = tuple(tags)
        missing = dict.fromkeys(tag for tag in given if tag not in self._tag_ids)
        if missing:
            raise ValueError(f"not one of the {len(self.tags)} tags: {_listed(list(missing))}")
        return tuple(self._tag_ids[tag] for tag in given)


def vocabulary(
    sentences: Sequence[Sentence],
    *,
    held_out: Sequence[Sentence] = (),
    case: Case = "keep",
    unknown: int = 0,
) -> Vocabulary:
    """What `sentences` teach: their words, and the tags of these and of `held_out`.

    There is a row for unknown words if ``unknown`` ≥ 1 or if `held_out` has a word that `sentences` lack;
    words that come fewer than ``unknown`` times are left out and become it. When no word becomes it, nothing
    trains that row: it keeps its first, random vector. Raises `ValueError` for an unknown case.
    """
    counts = Counter(word for sentence in sentences for word in cased([w for w, _ in sentence], case))
    words = [word for word, count in counts.items() if count >= unknown]
    tags = dict.fromkeys(tag for part in (sentences, held_out) for sentence in part for _, tag in sentence)
    known = Vocabulary(tuple(words), tuple(tags), case)
    needed = unknown >= 1 or not all(all(known.knows([w for w, _ in s])) for s in held_out)
    if needed and known.unknown is None:
        known = Vocabulary((*words, UNKNOWN), tuple(tags), case)
    return known


def _listed(words: list[str], most: int = 5) -> str:
    shown = ", ".join(f"“{word[:30]}”" for word in words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
