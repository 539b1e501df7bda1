"""Word vectors from files: the text format of word2vec and GloVe, or a .safetensors matrix with a word list.

Text is read line by line, and reading ends at a limit, so that a file of any size costs no more than what is
kept of it. Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MAX_DIM = 1024
MAX_NUMBERS = 1_000_000  # 4 MB as float32
MAX_LINE = 32_768  # bytes
MAX_WORD = 100
LARGEST = 1e15  # lengths and products must stay finite in float32


@dataclass(frozen=True, eq=False)
class Vectors:
    """Words and their vectors: ``matrix`` (V, D) float32, read-only, row i for ``words[i]``.

    ``name`` says where they come from, ``notes`` what was left out. Compared by identity.
    """

    name: str
    words: tuple[str, ...]
    matrix: NDArray[np.float32]
    notes: tuple[str, ...] = ()

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """(V,): the length of each vector."""
        found: NDArray[np.float32] = np.sqrt(np.einsum("vd,vd->v", self.matrix, self.matrix))
        return found

    @cached_property
    def spread(self) -> float:
        """The standard deviation of all numbers: 25 ms for BERT's, so it is worked out once."""
        return float(self.matrix.std())

    def find(self, word: str) -> int | None:
        """The row of a word as it is written, else of its lower-case form, else None."""
        return self.index.get(word, self.index.get(word.lower()))


def read_text_vectors(lines: Iterable[bytes], name: str, *, most: int = MAX_NUMBERS) -> Vectors:
    """Vectors from the lines of a text file: a word and its numbers, separated by spaces or tabs.

    A first line of two whole numbers is word2vec's heading. A word may hold spaces, as some of GloVe's do,
    but not the first one, which tells how many numbers there are. Reading ends after ``most`` numbers, which
    is noted; so is a word that comes twice, whose first line counts. Raises `ValueError` naming the line that
    is ragged, not numeric, not finite, too long, or not UTF-8.
    """
    words: dict[str, int] = {}
    rows: list[NDArray[np.float32]] = []
    notes: list[str] = []
    dim, twice, declared = 0, 0, None
    for number, parts in _parts(lines):
        if number == 1 and len(parts) == 2 and all(part.isdecimal() for part in parts):
            declared = (int(parts[0]), int(parts[1]))
            dim = declared[1]
            if not 1 <= dim <= MAX_DIM:
                raise ValueError(f"Line 1 announces {dim} numbers a word: 1 to {MAX_DIM} are allowed")
            continue
        dim = dim or _first_dim(number, parts)
        word, vector = _row(number, parts, dim)
        if (len(rows) + 1) * dim > most:
            notes.append(f"Only the first {len(rows):,} words are used: at most {most:,} numbers are kept")
            break
        if word in words:
            twice += 1
            continue
        words[word] = len(rows)
        rows.append(vector)
    if not rows:
        raise ValueError("The file holds no word vectors")
    if twice:
        notes.append(f"{twice:,} lines repeat a word: the first line of each counts")
    if declared is not None and not notes and declared[0] != len(rows):
        notes.append(f"Line 1 announces {declared[0]:,} words, and there are {len(rows):,}")
    return _made(name, tuple(words), np.stack(rows), notes)


def read_word_list(lines: Iterable[bytes]) -> tuple[str, ...]:
    """One word a line. Raises `ValueError` naming a line that is empty, repeated, too long, or not UTF-8."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        word = _decoded(number, line).strip()
        if not word or len(word) > MAX_WORD:
            raise ValueError(f"Word list, line {number}: expected a word of at most {MAX_WORD} characters")
        if word in found:
            raise ValueError(f"Word list, line {number}: “{word[:20]}” is on line {found[word]} already")
        found[word] = number
    if not found:
        raise ValueError("The word list is empty")
    return tuple(found)


def read_safetensors(
    content: bytes, words: tuple[str, ...], name: str, *, most: int = MAX_NUMBERS
) -> Vectors:
    """Vectors from the one matrix of floats in a .safetensors file, row i for ``words[i]``.

    With several matrices, the one whose rows are as many as the words counts. Raises `ValueError` for bytes
    that are no such file, no or several such matrices, another number of rows, or a number that is not
    finite.
    """
    from safetensors import SafetensorError, deserialize  # loaded where it is needed: most visits never do

    try:
        tensors = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError(f"This is not a .safetensors file: {error}") from None
    floats = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    matrices = [
        (key, entry) for key, entry in tensors if len(entry["shape"]) == 2 and entry["dtype"] in floats
    ]
    if not matrices:
        held = ", ".join(f"{key} {tuple(entry['shape'])}" for key, entry in tensors[:5]) or "nothing"
        raise ValueError(f"The file holds no matrix of floating-point numbers, but {held[:200]}")
    fitting = [(key, entry) for key, entry in matrices if entry["shape"][0] == len(words)]
    if not fitting:
        held = ", ".join(f"{key[:60]} has {entry['shape'][0]:,} rows" for key, entry in matrices[:3])
        raise ValueError(f"The word list has {len(words):,} words, but {held}: each row needs one word")
    if len(fitting) > 1:
        held = ", ".join(key[:60] for key, _ in fitting[:5])
        raise ValueError(f"Several matrices fit the word list ({held}): the file should hold one")
    _, entry = fitting[0]
    rows, dim = entry["shape"]
    if not 1 <= dim <= MAX_DIM:
        raise ValueError(f"Each row has {dim:,} numbers: 1 to {MAX_DIM} are allowed")
    raw = np.frombuffer(bytes(entry["data"]), floats[entry["dtype"]])
    if entry["dtype"] == "BF16":  # the upper half of a float32; numpy has no such type
        raw = (raw.astype("<u4") << 16).view("<f4")
    kept = min(rows, most // dim)
    matrix = raw.reshape(rows, dim)[:kept].astype(np.float32)
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(1))[0])
        raise ValueError(f"Row {row} (“{words[row][:20]}”) holds a number that is not finite")
    short = f"Only the first {kept:,} words are used: at most {most:,} numbers are kept"
    return _made(name, words[:kept], matrix, [short] if kept < rows else [])


def _parts(lines: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise ValueError(
                f"Line {number} is longer than {MAX_LINE:,} bytes: this is no file of word vectors"
            )
        parts = _decoded(number, line).replace("\t", " ").strip(" \r\n").split(" ")
        if parts != [""]:
            yield number, parts


def _decoded(number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"Line {number} is not text in UTF-8") from None


def _first_dim(number: int, parts: list[str]) -> int:
    dim = len(parts) - 1
    if not 1 <= dim <= MAX_DIM:
        raise ValueError(
            f"Line {number} has {max(dim, 0):,} numbers after its word: 1 to {MAX_DIM} are allowed"
        )
    return dim


def _row(number: int, parts: list[str], dim: int) -> tuple[str, NDArray[np.float32]]:
    extra = len(parts) - 1 - dim
    if extra < 0 or (extra > 0 and any(_float(part) is not None for part in parts[1 : 1 + extra])):
        raise ValueError(f"Line {number} has {len(parts) - 1} numbers after its word: expected {dim}")
    word = " ".join(parts[: 1 + extra])
    if not word or len(word) > MAX_WORD:
        raise ValueError(f"Line {number} has no word of 1 to {MAX_WORD} characters at its start")
    texts = parts[1 + extra :]
    try:
        values = np.fromiter(map(float, texts), np.float64, count=dim)
    except ValueError:
        values = np.full(dim, np.nan)
    if not (np.abs(values) < LARGEST).all():  # not for nan either
        wrong = next(text for text in texts if _float(text) is None)
        raise ValueError(f"Line {number}: “{wrong[:20]}” is not a finite number")
    return word, values.astype(np.float32)


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < LARGEST else None


def _made(name: str, words: tuple[str, ...], matrix: NDArray[np.float32], notes: list[str]) -> Vectors:
    matrix.flags.writeable = False
    return Vectors(name, words, matrix, tuple(notes))
