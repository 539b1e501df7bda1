"""Where the boxes of `rnnviz.figures.tensors` stand and the lines they are drawn with, in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from rnnviz.shapes import Dim

# Pixels at the width of a full page; across, everything shrinks with the page.
WIDTH, HEIGHT = 840.0, 420
MANY = 12  # cells of an axis that are still drawn one by one
LARGEST = 1024

Point = tuple[float, float]
Line = list[Point]
Part = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """One tensor: its axes in order, and whether it is left out of the call, which means zeros."""

    name: str
    dims: tuple[Dim, ...]
    zeros: bool
    chosen: bool


@dataclass(frozen=True)
class Placed:
    """A box on the canvas: lower left corner and size of its front, and how far its depth goes."""

    box: Box
    x: float
    y: float
    w: float
    h: float
    dx: float
    dy: float

    @property
    def front(self) -> Line:
        return rectangle(self.x, self.y, self.w, self.h)

    @property
    def top(self) -> Line:
        (left, right), up = (self.x, self.x + self.w), self.y + self.h
        return [(left, up), (left + self.dx, up + self.dy), (right + self.dx, up + self.dy), (right, up)]

    @property
    def side(self) -> Line:
        right, (low, up) = self.x + self.w, (self.y, self.y + self.h)
        return [(right, low), (right + self.dx, low + self.dy), (right + self.dx, up + self.dy), (right, up)]

    def edges(self) -> Iterator[tuple[Dim, Line]]:
        """Every visible edge with the axis along which it runs."""
        *deep, down, across = self.box.dims
        x, y, w, h, dx, dy = self.x, self.y, self.w, self.h, self.dx, self.dy
        for at, up in ((x, y), (x, y + h), (x + dx, y + h + dy)):
            yield across, [(at, up), (at + w, up)]
        for at, up in ((x, y), (x + w, y), (x + w + dx, y + dy)):
            yield down, [(at, up), (at, up + h)]
        for dim in deep:
            for at, up in ((x, y + h), (x + w, y + h), (x + w, y)):
                yield dim, [(at, up), (at + dx, up + dy)]

    def part(self, deep: Part, down: Part, across: Part) -> Iterator[Line]:
        """What is seen of a slab of the box: its pieces of the front, the top and the side.

        Each part is where the slab begins and ends along an axis, as fractions from index 0: the front is
        the first along the depth, the top the first row.
        """

        def at(a: float, d: float, z: float) -> Point:
            return self.x + a * self.w + z * self.dx, self.y + (1 - d) * self.h + z * self.dy

        (near, far), (high, low), (left, right) = deep, down, across
        if near == 0:
            yield [at(left, low, 0), at(right, low, 0), at(right, high, 0), at(left, high, 0)]
        if self.dx and high == 0:
            yield [at(left, 0, near), at(right, 0, near), at(right, 0, far), at(left, 0, far)]
        if self.dx and right == 1:
            yield [at(1, low, near), at(1, high, near), at(1, high, far), at(1, low, far)]

    def cells(self) -> Iterator[Line]:
        """Lines between the cells of every axis that is short enough to count."""
        *deep, down, across = self.box.dims
        x, y, w, h, dx, dy = self.x, self.y, self.w, self.h, self.dx, self.dy
        for part in _between(across.size):
            at = x + part * w
            yield [(at, y), (at, y + h), (at + dx, y + h + dy)]
        for part in _between(down.size):
            up = y + part * h
            yield [(x, up), (x + w, up), (x + w + dx, up + dy)]
        for dim in deep:
            for part in _between(dim.size):
                right, up = part * dx, part * dy
                yield [(x + right, y + h + up), (x + w + right, y + h + up), (x + w + right, y + up)]


def place(box: Box, left: float, row: int, rows: int) -> Placed:
    """A box in row ``row`` of ``rows``. Lengths grow with the logarithm of a size: 5 and 512 fit one page."""
    room = HEIGHT / rows
    *deep, down, across = box.dims
    depth = _long(deep[0].size, 26, 60) if deep else 0.0
    dx, dy = depth, depth * 0.6
    tallest = room - 78
    w, h = _long(across.size, 60, 180), _long(down.size, tallest * 0.4, tallest)
    middle = HEIGHT - (row + 0.5) * room
    return Placed(box, left, middle - (h + dy) / 2, w, h, dx, dy)


def _long(size: int, shortest: float, longest: float) -> float:
    return shortest + (longest - shortest) * min(1.0, log(size) / log(LARGEST))


def part_of(size: int, index: int) -> Part:
    """Where one index of an axis begins and ends; of a long axis wide enough to be seen."""
    thick = 1 / size if size <= MANY else 1 / 7
    start = index / size if index < size - 1 else 1 - thick
    return start, min(1.0, start + thick)


def _between(size: int) -> list[float]:
    return [i / size for i in range(1, size)] if size <= MANY else []


def rectangle(x: float, y: float, w: float, h: float) -> Line:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def path(paths: list[Line], *, closed: bool = False) -> dict[str, list[float | None]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for path in paths:
        for at, up in [*path, path[0]] if closed else path:
            x.append(round(at, 1))
            y.append(round(up, 1))
        x.append(None)
        y.append(None)
    return {"x": x[:-1], "y": y[:-1]}
