"""Pretrained vectors in use: nearest neighbours, a plane to see them in, nn.Embedding.from_pretrained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rnnviz.assets import FOLDER
from rnnviz.data.vectors import Vectors, read_text_vectors
from rnnviz.embeddings.learning import sgd_step
from rnnviz.embeddings.lookup import Matrix, frozen
from rnnviz.layers import stream

SHOWN = 300
"""How many words stand in the plane beside the neighbours: the first of the file, the most frequent ones."""


@lru_cache(maxsize=1)
def sample() -> Vectors:
    """The vectors that come with the page: assets/samples/vectors.txt, made by tools/vectors.py."""
    with (FOLDER / "samples" / "vectors.txt").open("rb") as file:
        return read_text_vectors(file, "vectors.txt")


@dataclass(frozen=True)
class Asked:
    """A question such as ``king - man + woman`` as (sign, word) terms, found or not in the file."""

    terms: tuple[tuple[int, str], ...]
    rows: tuple[int, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Near:
    """The nearest words, best first: rows, cosine similarities, and what was asked; ``length`` is that of the
    sum of the asked vectors, 0 where there is none.
    """

    asked: Asked
    rows: tuple[int, ...]
    cosines: tuple[float, ...]
    length: float = 0.0


def asked(vectors: Vectors, text: str) -> Asked:
    """The terms of a question: words separated by + and -, each with spaces around it; none: an empty one."""
    terms: list[tuple[int, str]] = []
    rows, missing = [], []
    sign = 1
    for word in text.split():
        if word in "+-" and len(word) == 1:
            sign = 1 if word == "+" else -1
            continue
        row = vectors.find(word)
        if row is None:
            missing.append(word)
        else:
            terms.append((sign, vectors.words[row]))
            rows.append(row)
        sign = 1
    return Asked(tuple(terms), tuple(rows), tuple(missing))


def nearest(vectors: Vectors, text: str, count: int) -> Near:
    """The words whose vectors have the largest cosine with the sum of the asked ones, those left out.

    As in the word2vec paper each asked vector counts with length 1 (Mikolov et al. 2013). A vector of zeros
    has no direction and is nobody's neighbour. Without any known word there are no neighbours.
    """
    question = asked(vectors, text)
    if question.missing or not question.rows:
        return Near(question, (), ())
    rows = list(question.rows)
    signs = np.array([sign for sign, _ in question.terms], np.float32)
    norms = np.maximum(vectors.norms, np.float32(1e-12))
    target = (signs / norms[rows]) @ vectors.matrix[rows]  # (D,)
    length = float(np.linalg.norm(target))
    if length < 1e-6:
        return Near(question, (), ())
    cosines = (vectors.matrix @ (target / length)) / norms
    cosines[vectors.norms == 0] = -np.inf
    cosines[rows] = -np.inf
    best = np.argsort(-cosines, kind="stable")[:count]
    best = best[np.isfinite(cosines[best])]
    return Near(question, tuple(map(int, best)), tuple(float(c) for c in cosines[best]), length)


@dataclass(frozen=True, eq=False)
class Plane:
    """Where words stand on the plane of greatest variance of some of them: ``points`` (n, 2) for those,
    ``crowd`` (m, 2) for others in the background; the share of those words' variance along each axis.
    """

    points: Matrix
    crowd: Matrix
    share: tuple[float, float]


def plane(vectors: Vectors, rows: tuple[int, ...], crowd: tuple[int, ...]) -> Plane:
    """The plane of ``rows``, or with fewer than three of them that of the crowd. Every vector counts with
    length 1, as for the cosine. The sign of an axis makes its largest coordinate positive.
    """
    chosen, others = unit(vectors, rows), unit(vectors, crowd)
    fitted = chosen if len(chosen) > 2 else others
    if not len(fitted):
        return Plane(np.zeros((len(chosen), 2), np.float32), np.zeros((0, 2), np.float32), (0.0, 0.0))
    centre = fitted.mean(0)
    _, size, right = np.linalg.svd(fitted - centre, full_matrices=False)
    axes = np.zeros((2, fitted.shape[1]), np.float32)
    axes[: min(2, len(right))] = right[:2]
    flat = (fitted - centre) @ axes.T
    signs = np.where(flat[np.abs(flat).argmax(0), range(2)] < 0, -1, 1)
    axes *= signs.astype(np.float32)[:, None]
    share = (*((size**2) / max(float((size**2).sum()), 1e-12)), 0.0, 0.0)
    return Plane((chosen - centre) @ axes.T, (others - centre) @ axes.T, (float(share[0]), float(share[1])))


def unit(vectors: Vectors, rows: range | tuple[int, ...]) -> Matrix:
    """The vectors of these rows with length 1; zeros stay zeros."""
    at = list(rows)
    lengths = np.maximum(vectors.norms[at], np.float32(1e-12))
    chosen: Matrix = (vectors.matrix[at] / lengths[:, None]).astype(np.float32, copy=False)
    return chosen


def cosines(matrix: Matrix) -> NDArray[np.float32]:
    """(V, V): the cosine of every pair of rows, NaN for a row of zeros, which has no direction."""
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        directed = (matrix / norms).astype(np.float32)
    found: Matrix = np.clip(directed @ directed.T, -1, 1)
    return found


@dataclass(frozen=True, eq=False)
class Taken:
    """The words of a sentence looked up in an nn.Embedding.from_pretrained made for them.

    ``words`` are the different words, ``rows`` their rows in the file (None: missing), ``weight`` (W, D) the
    module's table: a missing word has a row drawn from the seed. ``output`` (L, D). ``moved`` is the largest
    change of the table in one step of SGD, 0 when it is frozen; ``trainable`` the numbers that learn.
    """

    words: tuple[str, ...]
    rows: tuple[int | None, ...]
    indices: tuple[int, ...]
    weight: Matrix
    output: Matrix
    moved: float
    trainable: int

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(word for word, row in zip(self.words, self.rows, strict=True) if row is None)


def take(vectors: Vectors, words: tuple[str, ...], freeze: bool, seed: int) -> Taken:
    """The module of a sentence: a row for each different word, copied from the file or drawn.

    A drawn row has the spread of the file's numbers, so that it is as long as the others.
    """
    known = tuple(dict.fromkeys(words))
    rows = tuple(vectors.find(word) for word in known)
    with stream(seed):
        table = torch.randn(len(known), vectors.matrix.shape[1]) * vectors.spread
    for i, row in enumerate(rows):
        if row is not None:
            table[i] = torch.from_numpy(vectors.matrix[row].copy())
    module = nn.Embedding.from_pretrained(table, freeze=freeze)
    before = frozen(module.weight)
    indices = torch.tensor([known.index(word) for word in words], dtype=torch.long)
    # A layer above the table, as in any model: with a frozen table the loss still has something to train.
    above = torch.ones(table.shape[1], requires_grad=True)
    output = module(indices)
    (output @ above).sum().backward()
    sgd_step([p for p in (module.weight, above) if p.requires_grad], 0.1)
    moved = float(np.abs(frozen(module.weight) - before).max()) if known else 0.0
    trainable = module.weight.numel() if module.weight.requires_grad else 0
    return Taken(known, rows, tuple(map(int, indices)), before, frozen(output), moved, trainable)
