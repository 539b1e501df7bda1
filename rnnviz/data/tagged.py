"""Words with tags as people write them: an editable table, lines of ``word/TAG``, rows of a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rnnviz.data.checks import MAX_SIZE, MAX_WORDS, Token, cell, checked, tidy
from rnnviz.training.config import Sentence

COLUMNS = ("sentence", "word", "tag")
EXAMPLE = "The/DET dog/NN ate/V the/DET apple/NN\nEverybody/NN read/V that/DET book/NN"
"""Row D1's two sentences."""

_HEADINGS = {
    "sentence": "sentence",
    "sentence #": "sentence",
    **dict.fromkeys(("word", "token", "form"), "word"),
    **dict.fromkeys(("tag", "pos", "upos", "xpos"), "tag"),
}
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*(/)")
_ESCAPED = re.compile(r"\\([\\/s])")


# ---- the table


def to_table(sentences: Sequence[Sentence]) -> dict[str, list[Any]]:
    """The columns of a table with a row a word: the number of its sentence from 1 on, the word, its tag."""
    rows = [(i, word, tag) for i, sentence in enumerate(sentences, 1) for word, tag in sentence]
    return {name: [row[k] for row in rows] for k, name in enumerate(COLUMNS)}


def from_table(table: Mapping[str, Iterable[Any]] | Any) -> tuple[Sentence, ...]:
    """The sentences of a table with the columns of `COLUMNS` (a mapping of lists or a pandas DataFrame).

    Rows with the same mark under "sentence", a number or any text, make one sentence wherever they stand; a
    row without one belongs to the sentence of the row above. Rows that are empty but for that are left out.
    Raises `ValueError` with a sentence that names the column that is missing or the row at fault, from 1 on.
    """
    names = {str(name).strip().lower(): name for name in table}
    for wanted in COLUMNS:
        if wanted not in names:
            raise ValueError(f"the table has no column “{wanted}”: it needs {', '.join(COLUMNS)}")
    columns = [table[names[wanted]] for wanted in COLUMNS]
    rows = enumerate(zip(*columns, strict=True), 1)
    return checked(_grouped((cell(mark), cell(word), cell(tag), f"row {n}") for n, (mark, word, tag) in rows))


def _grouped(rows: Iterable[tuple[str, str, str, str]]) -> list[list[Token]]:
    found: dict[str, list[Token]] = {}
    current = ""
    for mark, word, tag, place in rows:
        current = mark or current
        if word or tag:
            found.setdefault(current, []).append(Token(word, tag, place))
    return list(found.values())


# ---- text


def parse(text: str) -> tuple[Sentence, ...]:
    r"""The sentences of a text in one of four forms, told apart by what occurs in it.

    - with tabs: rows pasted from a spreadsheet, or TSV: word and tag, an empty line between sentences; or
      sentence, word and tag as in `from_table`. A first line of headings is understood.
    - exactly two words in each line and no slash: word and tag, an empty line between sentences.
    - else one sentence a line, each word as ``word/TAG``; the last slash counts, and ``\s`` ``\/`` and ``\\``
      stand for a space, a slash in a tag and a backslash.

    Raises `ValueError` naming the line.
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"the text has {len(text):,} characters: at most {MAX_SIZE:,} are allowed")
    lines = list(enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1))
    if "\t" in text:
        return checked(_rows([(n, line.split("\t")) for n, line in lines]))
    if "/" not in text:
        cells = [(n, line.split()) for n, line in lines]
        if any(row for _, row in cells) and all(len(row) in (0, 2) for _, row in cells):
            return checked(_rows(cells))
    return checked(_slashed(n, line) for n, line in lines)


def _slashed(n: int, line: str) -> Iterator[Token]:
    for written in line.split():
        slashes = [found.start(1) for found in _SLASH.finditer(written)]
        if not slashes:
            raise ValueError(f"line {n}: “{written[:30]}” has no tag: write it as {written[:30]}/TAG")
        word, tag = written[: slashes[-1]], written[slashes[-1] + 1 :]
        yield Token(_unescaped(word), _unescaped(tag), f"line {n}")


def _rows(lines: list[tuple[int, list[str]]]) -> Iterator[list[Token]]:
    rows = [(n, _trimmed(cells)) for n, cells in lines]
    order, rows = _order(rows)
    for n, cells in rows:
        if len(cells) > len(order):
            hint = ": ten columns are CoNLL-U" if len(cells) == 10 else ""
            raise ValueError(
                f"line {n} has {len(cells)} columns: a row is word and tag, or sentence, word and tag{hint}"
            )
    named = [(n, dict(zip(order, cells, strict=False))) for n, cells in rows]
    if "sentence" in order:
        yield from _grouped(
            (row.get("sentence", ""), row.get("word", ""), row.get("tag", ""), f"line {n}")
            for n, row in named
        )
    else:
        for filled, group in groupby(named, key=lambda row: bool(row[1])):
            if filled:
                yield [Token(row.get("word", ""), row.get("tag", ""), f"line {n}") for n, row in group]


def _order(rows: list[tuple[int, list[str]]]) -> tuple[Sequence[str], list[tuple[int, list[str]]]]:
    """What the columns are, and the rows without the line of headings."""
    filled = [i for i, (_, cells) in enumerate(rows) if cells]
    if filled:
        headings = [_HEADINGS.get(cell.lower(), "") for cell in rows[filled[0]][1]]
        if {"word", "tag"} <= set(headings) <= set(COLUMNS):
            return headings, rows[filled[0] + 1 :]
    return COLUMNS[0 if any(len(cells) > 2 for _, cells in rows) else 1 :], rows


def _trimmed(cells: list[str]) -> list[str]:
    tidied = [tidy(cell) for cell in cells]
    while tidied and not tidied[-1]:
        tidied.pop()
    return tidied


def format_text(sentences: Sequence[Sentence]) -> str:
    """One sentence a line as ``word/TAG word/TAG``, which `parse` reads back; short, for an address."""
    return "\n".join(
        " ".join(f"{_escaped(word)}/{_escaped(tag).replace('/', chr(92) + '/')}" for word, tag in sentence)
        for sentence in sentences
    )


def format_table(sentences: Sequence[Sentence]) -> str:
    """Tab-separated values with headings, which `parse` and any spreadsheet read."""
    rows = ["\t".join(COLUMNS)]
    rows += [f"{i}\t{word}\t{tag}" for i, sentence in enumerate(sentences, 1) for word, tag in sentence]
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(" ", "\\s")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: " " if found[1] == "s" else found[1], text)


# ---- words without tags


def typed_words(text: str) -> tuple[str, ...]:
    """The words of a sentence that somebody typed to have it tagged, spelled as the readers spell them.

    White space separates words; a full stop or comma is a word only if it stands alone. Raises `ValueError`
    for too many words, too long ones, and characters that cannot be shown.
    """
    words = text.split()
    if len(words) > MAX_WORDS:
        raise ValueError(f"a sentence of {len(words)} words: at most {MAX_WORDS} are allowed")
    if not words:
        return ()
    (sentence,) = checked([[Token(word, "TAG", f"word {i}") for i, word in enumerate(words, 1)]])
    return tuple(word for word, _ in sentence)
