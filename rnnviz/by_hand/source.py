"""The source of a function as it runs, and the function that a changed source makes.

A classic fault is a change of a line or two. It is made in the text of the right function and compiled, so
that what is shown broken is what runs broken, and the rest stays word for word the same.
"""

from __future__ import annotations

import difflib
import inspect
import linecache
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any

from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]
Swaps = tuple[tuple[str, str], ...]


@lru_cache(maxsize=128)
def text(function: Callable[..., Any]) -> str:
    """The source of the function, from ``def`` to its last line."""
    return inspect.getsource(function)


@lru_cache(maxsize=128)
def changed(function: Function, swaps: Swaps) -> Function:
    """The function whose source has every (old, new) of ``swaps`` changed; without any, the function itself.

    `text` gives the changed source. Raises ValueError unless each ``old`` stands in it exactly once.
    """
    if not swaps:
        return function
    source = text(function)
    for old, new in swaps:
        if source.count(old) != 1:
            raise ValueError(
                f"{old!r} stands {source.count(old)} times in {function.__name__}: once is needed"
            )
        source = source.replace(old, new)
    file = f"<{function.__name__} with {swaps[0][1]!r}>"
    assert isinstance(function, FunctionType)
    names: dict[str, Any] = dict(function.__globals__)
    exec(compile(source, file, "exec"), names)  # our own source: nothing that a user typed
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made: Function = names[function.__name__]
    return made


def changed_lines(before: str, after: str) -> frozenset[int]:
    """The numbers, from 0, of the lines of ``after`` that are not in ``before``."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return frozenset(
        line
        for tag, _, _, first, last in matcher.get_opcodes()
        if tag != "equal"
        for line in range(first, last)
    )
