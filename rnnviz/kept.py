"""Results kept for whoever asks again, up to a number of bytes. Standard library only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Shelf(Generic[K, R]):
    """The latest results by their keys, for all threads, up to ``most`` bytes, but always the last one.

    `functools.lru_cache` counts results. Where the largest is a thousand times the smallest, a count that
    bounds the memory keeps too few for a room of students. ``size``: the bytes of a result.
    """

    def __init__(self, most: int, size: Callable[[R], int]) -> None:
        self._most, self._size = most, size
        self._found: OrderedDict[K, tuple[R, int]] = OrderedDict()
        self._guard = threading.Lock()
        self.bytes = 0

    def get(self, key: K, make: Callable[[], R]) -> R:
        """What is kept for a key, or what ``make`` gives, whose result must depend on the key alone."""
        with self._guard:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key][0]
        result = make()  # two threads may both compute: neither waits for the other
        size = self._size(result)
        with self._guard:
            if key not in self._found:
                self._found[key] = result, size
                self.bytes += size
            while self.bytes > self._most and len(self._found) > 1:
                self.bytes -= self._found.popitem(last=False)[1][1]
        return result

    def known(self, key: K) -> R | None:
        """What is kept for a key, None if nothing is."""
        with self._guard:
            found = self._found.get(key)
            return None if found is None else found[0]

    def __len__(self) -> int:
        return len(self._found)


class Kept(Shelf[K, R]):
    """A function of one hashable argument whose latest results are kept."""

    def __init__(self, function: Callable[[K], R], most: int, size: Callable[[R], int]) -> None:
        super().__init__(most, size)
        self._function = function

    def __call__(self, key: K) -> R:
        return self.get(key, lambda: self._function(key))


def kept(most: int, size: Callable[[R], int]) -> Callable[[Callable[[K], R]], Kept[K, R]]:
    """Keep a function's latest results, as many as ``most`` bytes hold, but always the last one.

    ``size``: the bytes of a result.
    """
    return lambda function: Kept(function, most, size)
