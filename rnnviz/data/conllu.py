"""The field's format for tagged text: CoNLL-U (https://universaldependencies.org/format.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from rnnviz.data.checks import MAX_SIZE, Token, checked
from rnnviz.training.config import Sentence

Column = Literal["UPOS", "XPOS"]
COLUMNS: dict[Column, int] = {"UPOS": 3, "XPOS": 4}
"""The columns that hold tags: universal ones, and the language's own."""

WIDTH = 10
_WORD = re.compile(r"[1-9][0-9]{0,5}")
_RANGE = re.compile(r"([1-9][0-9]{0,5})-([1-9][0-9]{0,5})")
_EMPTY = re.compile(r"[0-9]{1,6}\.[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Reading:
    """The sentences of a file; how many multiword tokens were read as their words (au as à, le), and how many
    empty nodes, which stand for words that are not in the text, were left out.
    """

    sentences: tuple[Sentence, ...]
    multiword: int
    empty: int

    def told(self) -> str:
        """One sentence on what was read."""
        words = sum(map(len, self.sentences))
        tags = len({tag for sentence in self.sentences for _, tag in sentence})
        parts = [_count(len(self.sentences), "sentence"), _count(words, "word"), _count(tags, "tag")]
        more = []
        if self.multiword:
            more.append(f"{_count(self.multiword, 'multiword token')} read as the words in it")
        if self.empty:
            more.append(f"{_count(self.empty, 'empty node')} left out")
        return ", ".join(parts) + ("; " + ", ".join(more) if more else "") + "."


def read(source: bytes | str | BinaryIO, column: Column = "UPOS") -> Reading:
    """The words and tags of CoNLL-U, as bytes, pasted text, or an open binary file.

    Comments, multiword tokens (``1-2``) and empty nodes (``1.1``) are understood, as are a byte order mark,
    any line ending and a missing last line. A form may hold spaces. At most `MAX_SIZE` bytes are read.

    Raises `ValueError` for another format, encoding or size, and for a fault in a line, which it names.
    """
    if column not in COLUMNS:
        raise ValueError(f"column={column!r} is not allowed: {' or '.join(COLUMNS)}")
    data: bytes | str
    data = source if isinstance(source, bytes | str) else source.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise ValueError(f"the file is larger than {MAX_SIZE // 10**6} MB: use a part of it")
    text = data if isinstance(data, str) else _decoded(data)
    reader = _Reader(column)
    sentences = checked(reader.sentences(text))
    return Reading(sentences, reader.multiword, reader.empty)


def write(sentences: Sequence[Sentence], column: Column = "UPOS") -> str:
    """The sentences as CoNLL-U, tags in ``column``, all that is not known left as ``_``."""
    lines = []
    for number, sentence in enumerate(sentences, 1):
        lines.append(f"# sent_id = {number}")
        for i, (word, tag) in enumerate(sentence, 1):
            cells = [str(i), word, *["_"] * (WIDTH - 2)]
            cells[COLUMNS[column]] = tag
            lines.append("\t".join(cells))
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:1000]:
        raise ValueError("the file is not UTF-8 text (UTF-16, or no text at all): save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line}: the byte 0x{data[error.start]:02X} is not UTF-8; "
            "the file may be in Latin-1 or another older encoding: save it as UTF-8"
        ) from None


class _Reader:
    """Reads sentence by sentence, so that a file beyond the limits is left where it passes them."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.multiword = 0
        self.empty = 0

    def sentences(self, text: str) -> Iterator[list[Token]]:
        tokens: list[Token] = []
        # Only these end a line: a form may hold what else `str.splitlines` divides at.
        for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
            line = line.removeprefix("\ufeff")  # files that were joined keep each one's mark
            if not line.strip():
                if tokens:
                    yield tokens
                tokens = []
            elif not line.startswith("#"):
                self._line(number, line, tokens)
        if tokens:
            yield tokens

    def _line(self, number: int, line: str, tokens: list[Token]) -> None:
        cells = line.split("\t")
        if len(cells) != WIDTH:
            raise ValueError(_width(number, line, len(cells)))
        key, form = cells[0], cells[1]
        if span := _RANGE.fullmatch(key):
            if not len(tokens) + 1 == int(span[1]) < int(span[2]):
                raise ValueError(
                    f"line {number}: the multiword token {key} must stand before its first word, "
                    f"which here would be {len(tokens) + 1}, and have more than one"
                )
            self.multiword += 1
        elif _EMPTY.fullmatch(key):
            self.empty += 1
        elif not _WORD.fullmatch(key):
            raise ValueError(
                f"line {number}: the id “{key[:20]}” is none: 1, 2, 3 … for words, "
                "1-2 for a multiword token, 1.1 for an empty node"
            )
        elif int(key) != len(tokens) + 1:
            hint = " (an empty line ends a sentence)" if key == "1" else ""
            raise ValueError(f"line {number}: the id is {key} where {len(tokens) + 1} comes next{hint}")
        else:
            tokens.append(self._token(number, form, cells[COLUMNS[self.column]]))

    def _token(self, number: int, form: str, tag: str) -> Token:
        if tag.strip() in ("", "_"):
            other = next(name for name in COLUMNS if name != self.column)
            raise ValueError(
                f"line {number}: “{form[:30]}” has no {self.column} tag: add it, or choose {other}"
            )
        return Token(form, tag, f"line {number}")


def _width(number: int, line: str, found: int) -> str:
    said = f"line {number} has {_count(found, 'column')}: CoNLL-U has {WIDTH}, with a tab between them"
    if found == 1 and len(line.split()) >= WIDTH:
        return f"{said}; here the tabs seem to have become spaces"
    return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
