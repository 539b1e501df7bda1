"""Long series in few points, without hiding what they do: every peak, every dip and every gap stays."""

from __future__ import annotations

from itertools import count as count_up
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_POINTS = 600


def kept(values: ArrayLike, most: int = MOST_POINTS) -> NDArray[np.int64]:
    """The indices of at most ``most`` (at least 8) of the values: all, or of each bucket of equal size its
    smallest and largest, and the first that is not finite; always the first and the last value.

    The sizes of buckets are few (`bucket_size`), so that a series which grows changes at its end alone, but
    for the moments when they grow.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or most < 8:
        raise ValueError(f"values have shape {array.shape}, most is {most}: expected (E,) and at least 8")
    count = len(array)
    if count <= most:
        return np.arange(count)
    finite = np.isfinite(array)
    size = bucket_size(count, (most - 2) // (2 if finite.all() else 3))
    buckets = -(-count // size)
    padded = np.full(buckets * size, np.nan)
    padded[:count] = np.where(finite, array, np.nan)
    table = padded.reshape(buckets, size)
    start = np.arange(buckets) * size
    found = [
        start + np.where(np.isnan(table), np.inf, table).argmin(axis=1),
        start + np.where(np.isnan(table), -np.inf, table).argmax(axis=1),
        np.array([0, count - 1]),
    ]
    if not finite.all():
        gaps = np.flatnonzero(~finite)
        found.append(gaps[np.unique(gaps // size, return_index=True)[1]])
    return np.unique(np.concatenate(found))


def bucket_size(count: int, most: int) -> int:
    """The smallest of 1, 2, 3, 4, 6, 8, 12, 16 … that makes at most ``most`` buckets of ``count`` values."""
    sizes = (size for power in count_up() for size in (1 << power, (3 << power) // 2))
    return next(size for size in sizes if -(-count // size) <= most)


def largest(values: ArrayLike, most: int) -> tuple[NDArray[np.floating[Any]], int]:
    """Rows of (E, P) in at most ``most`` rows: of each bucket the largest finite value, NaN if it has none.

    Returns them and how many rows a bucket holds; the last may be a part of one.
    """
    array = np.asarray(values)
    size = bucket_size(len(array), most)
    starts = np.arange(0, len(array), size)
    finite = np.where(np.isfinite(array), array, -np.inf)
    top = np.maximum.reduceat(finite, starts, axis=0) if len(array) else finite
    return np.where(np.isfinite(top), top, np.nan), size
