"""Pairs of token strings whose right alignment is known: which source position each target token comes from.

copy, reverse, sort and shift work on letters (``a``, ``b``, … then ``aa``, ``ab``, …); *shift* by k moves the
string k places to the left and what falls off comes back at the end. *dates* read "3 March 2021" character by
character and write "2021-03-03"; *numbers* read digits and write words: 4 0 7 becomes four hundred and seven.

Nothing but the standard library. `rnnviz.data.pairs_drawn` draws them and gives the text that an exported
script does it with; `rnnviz.data.pairs_text` reads people's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rnnviz.data.pairs_drawn import (
    GROUPS,
    MONTHS,
    ONES,
    TENS,
    draw_pairs,
    family,
    number_parts,
    read_date,
    symbol,
)

Task = Literal["copy", "reverse", "sort", "shift", "dates", "numbers"]
Tokens = tuple[str, ...]
Pair = tuple[Tokens, Tokens]
"""Source and target, without start, end or padding symbols."""

TASKS: tuple[Task, ...] = ("copy", "reverse", "sort", "shift", "dates", "numbers")
MAX_SYMBOLS = 1_000
MAX_LENGTH = 64  # of a source that is drawn
MAX_DIGITS = 21
MAX_PAIRS = 50_000


# ---- the pairs


def generate(
    task: Task, symbols: int, lengths: tuple[int, int], shift: int, count: int, seed: int
) -> tuple[Pair, ...]:
    """``count`` pairs with different sources, the same for the same arguments on every machine.

    ``lengths``: the shortest and the longest source, in tokens; drawn evenly, so that short ones are not
    lost among the many long ones. Fewer pairs come back when there are no more different sources. For
    "dates" symbols and lengths mean nothing, for "numbers" symbols do not, and shift counts for "shift" only.

    Raises `ValueError` naming the argument, its value and what is allowed.
    """
    check(task, symbols, lengths)
    if not 1 <= count <= MAX_PAIRS:
        raise ValueError(f"count={count!r} is not allowed: from 1 to {MAX_PAIRS:,} pairs")
    return tuple(draw_pairs(task, symbols, lengths, shift, count, seed))


def check(task: str, symbols: int, lengths: tuple[int, int]) -> None:
    """Raises `ValueError` naming the argument unless such sources can be drawn."""
    if task not in TASKS:
        raise ValueError(f"task={task!r} is not allowed: one of {', '.join(TASKS)}")
    if not 2 <= symbols <= MAX_SYMBOLS:
        raise ValueError(f"symbols={symbols!r} is not allowed: from 2 to {MAX_SYMBOLS:,}")
    most = MAX_DIGITS if task == "numbers" else MAX_LENGTH
    if not 1 <= lengths[0] <= lengths[1] <= most:
        raise ValueError(f"lengths={lengths!r} is not allowed: shortest and longest, from 1 to {most}")


def divided(pairs: Sequence[Pair], train: int, held: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """The pairs to train on and those held out: as many as asked for, or both in proportion when there are
    fewer pairs; training keeps at least one. With `generate`'s pairs no source stands on both sides.
    """
    if len(pairs) < train + held:
        held = min(len(pairs) - 1, max(1, len(pairs) * held // (train + held))) if held else 0
        train = len(pairs) - held
    return tuple(pairs[:train]), tuple(pairs[train : train + held])


# ---- the right alignment


def origins(task: Task, source: Sequence[str], shift: int = 1) -> tuple[tuple[int, ...], ...]:
    """For each token of the right target, and the end symbol, the source positions that are right to look at,
    the best first; none for the end symbol, a date's "-" and a number's "and".

    A month's two digits come from all letters of its name, a day's 0 from its only digit, "thirteen" from two
    digits, "thousand" from the three that it counts. Equal letters are sorted in the order in which they
    stand. Raises `ValueError` for a source that is no date or number.
    """
    source, count = checked_source(task, source), len(source)
    if task == "dates":
        first, second = (i for i, token in enumerate(source) if token == " ")
        month = tuple(range(first + 1, second))
        day = ((0,), (first - 1,))
        return (*((second + 1 + i,) for i in range(4)), (), month, month, (), *day, ())
    if task == "numbers":
        return (*(places for _, places in number_parts(source)), ())
    order: Sequence[int] = range(count)
    if task == "reverse":
        order = range(count - 1, -1, -1)
    elif task == "sort":
        order = sorted(range(count), key=lambda i: (len(source[i]), source[i]))
    elif task == "shift":
        order = [(i + shift) % count for i in range(count)]
    return (*((i,) for i in order), ())


def alignment(
    task: Task, source: Sequence[str], target: Sequence[str], shift: int = 1
) -> tuple[int | None, ...]:
    """For each token of ``target``, and the end symbol after it, the source position that is right to look at
    when it is said: the first of `origins`. None where there is none, and past the end of the right target;
    a wrong token does not change what was right to look at. Raises `ValueError` as `origins` does.
    """
    best = [places[0] if places else None for places in origins(task, source, shift)]
    return tuple((*best, *[None] * len(target))[: len(target) + 1])


def answer(task: Task, source: Sequence[str], shift: int = 1) -> Tokens:
    """`right_target` for a source that somebody typed. Raises `ValueError` if it is no date or number."""
    return family(task)[2](task, checked_source(task, source), shift)


def checked_source(task: Task, source: Sequence[str]) -> Tokens:
    """The source as a tuple. Raises `ValueError` that says what the task reads if this is not it."""
    source = tuple(source)
    written = "".join(source)
    if not source:
        raise ValueError("the source is empty: write at least one token")
    if task == "dates":
        try:
            day = read_date(source)
        except ValueError:
            day = None
        if day is None or tuple(f"{day.day} {MONTHS[day.month - 1]} {day.year:04}") != source:
            raise ValueError(f"“{written[:30]}” is not a date like 3 March 2021")
    if task == "numbers":
        if not (all(token in "0123456789" and len(token) == 1 for token in source)):
            raise ValueError(f"“{written[:30]}” is not a number: digits only")
        if len(source) > MAX_DIGITS or (source[0] == "0" and len(source) > 1):
            raise ValueError(f"“{written[:30]}” is not read: at most {MAX_DIGITS} digits, the first not 0")
    return source


def vocabulary(task: Task, symbols: int) -> tuple[Tokens, Tokens]:
    """Every token that a source and a target of this task can hold, in their natural order."""
    if task == "dates":
        return tuple(sorted({*"0123456789 ", *"".join(MONTHS)})), tuple("-0123456789")
    if task == "numbers":
        return tuple("0123456789"), (*ONES, *TENS[2:], "hundred", "and", *GROUPS[1:])
    letters = tuple(symbol(i) for i in range(symbols))
    return letters, letters
