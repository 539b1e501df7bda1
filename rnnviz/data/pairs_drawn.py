"""What draws the pairs of the generated tasks; `rnnviz.data.pairs` says what they are.

Nothing but the standard library, and every function is whole by itself: `script_text` gives those that one
task needs, so that an exported script trains on the same pairs.
"""

from __future__ import annotations

import datetime
import inspect
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pprint import pformat

# fmt: off
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
GROUPS = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)
# fmt: on


# ---- letters: copy, reverse, sort, shift


def symbol(i: int) -> str:
    """The i-th letter: a to z, then aa, ab, …"""
    if i < 26:
        return chr(ord("a") + i)
    name = ""
    i += 1
    while i:
        i, rest = divmod(i - 1, 26)
        name = chr(ord("a") + rest) + name
    return name


def letters_source(symbols: int, length: int, draw: Callable[[], float]) -> tuple[str, ...]:
    """A string of this length from the first ``symbols`` letters."""
    return tuple(symbol(int(draw() * symbols)) for _ in range(length))


def every_letters(symbols: int, lengths: tuple[int, int]) -> Iterator[tuple[str, ...]]:
    """All such strings, each once."""
    letters = [symbol(i) for i in range(symbols)]
    for length in range(lengths[0], lengths[1] + 1):
        yield from itertools.product(letters, repeat=length)


def letters_target(task: str, source: tuple[str, ...], shift: int) -> tuple[str, ...]:
    """What the task makes of a string."""
    if task == "reverse":
        return source[::-1]
    if task == "sort":
        return tuple(sorted(source, key=lambda token: (len(token), token)))
    if task == "shift":
        k = shift % len(source)
        return source[k:] + source[:k]
    return source


# ---- dates


def date_source(symbols: int, length: int, draw: Callable[[], float]) -> tuple[str, ...]:
    """A day of the years 1900 to 2099 as the characters of "3 March 2021"."""
    first, last = datetime.date(1900, 1, 1).toordinal(), datetime.date(2099, 12, 31).toordinal()
    day = datetime.date.fromordinal(first + int(draw() * (last - first + 1)))
    return tuple(f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def every_date(symbols: int, lengths: tuple[int, int]) -> Iterator[tuple[str, ...]]:
    """All such days, each once."""
    day, after = datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)
    while day < after:
        yield tuple(f"{day.day} {MONTHS[day.month - 1]} {day.year}")
        day += datetime.timedelta(days=1)


def read_date(source: Sequence[str]) -> datetime.date:
    """The day that the characters of "3 March 2021" stand for."""
    day, month, year = "".join(source).split(" ")
    return datetime.date(int(year), MONTHS.index(month) + 1, int(day))


def date_target(task: str, source: tuple[str, ...], shift: int) -> tuple[str, ...]:
    """The characters of "2021-03-03"."""
    return tuple(read_date(source).isoformat())


# ---- numbers


def number_source(symbols: int, length: int, draw: Callable[[], float]) -> tuple[str, ...]:
    """The digits of a number of this length; only 0 itself begins with 0."""
    first = int(draw() * 10) if length == 1 else 1 + int(draw() * 9)
    return (str(first), *(str(int(draw() * 10)) for _ in range(length - 1)))


def every_number(symbols: int, lengths: tuple[int, int]) -> Iterator[tuple[str, ...]]:
    """All such numbers, each once."""
    low = 0 if lengths[0] == 1 else 10 ** (lengths[0] - 1)
    yield from (tuple(str(number)) for number in range(low, 10 ** lengths[1]))


def number_parts(digits: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """The words of a number, each with the positions of the digits that it comes from, the best first."""
    if list(digits) == ["0"]:
        return [("zero", (0,))]
    count = len(digits)
    parts: list[tuple[str, tuple[int, ...]]] = []
    for group in range((count - 1) // 3, -1, -1):
        end = count - 3 * group
        places = range(max(0, end - 3), end)  # the hundreds, tens and ones of this group of three
        hundreds, tens, ones = [0] * (3 - len(places)) + [int(digits[p]) for p in places]
        if hundreds:
            parts += [(ONES[hundreds], (end - 3,)), ("hundred", (end - 3,))]
        if tens + ones and (hundreds or (group == 0 and parts)):
            parts.append(("and", ()))
        if tens == 1:
            parts.append((ONES[10 + ones], (end - 1, end - 2)))
        elif tens:
            parts.append((TENS[tens], (end - 2,)))
        if ones and tens != 1:
            parts.append((ONES[ones], (end - 1,)))
        if group and hundreds + tens + ones:
            parts.append((GROUPS[group], tuple(reversed(places))))
    return parts


def number_target(task: str, source: tuple[str, ...], shift: int) -> tuple[str, ...]:
    """The words of the number."""
    return tuple(word for word, _ in number_parts(source))


# ---- every task


def draw_pairs(
    task: str, symbols: int, lengths: tuple[int, int], shift: int, count: int, seed: int
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """``count`` pairs with different sources, or all that there are, in random order."""
    draw_source, every_source, right_target = family(task)
    draw = random.Random(seed).random  # the one method that Python promises to keep the same for a seed
    sources = list(itertools.islice(every_source(symbols, lengths), 4 * count + 1))
    if len(sources) > 4 * count:  # many: draw until there are enough; each length is equally likely
        found: dict[tuple[str, ...], None] = {}
        while len(found) < count:
            length = lengths[0] + int(draw() * (lengths[1] - lengths[0] + 1))
            found[draw_source(symbols, length, draw)] = None
        sources = list(found)
    order = sorted(range(len(sources)), key=lambda _: draw())[:count]
    return [(sources[i], right_target(task, sources[i], shift)) for i in order]


Family = tuple[
    Callable[[int, int, Callable[[], float]], tuple[str, ...]],
    Callable[[int, tuple[int, int]], Iterator[tuple[str, ...]]],
    Callable[[str, tuple[str, ...], int], tuple[str, ...]],
]
_LETTERS: Family = (letters_source, every_letters, letters_target)
_FAMILIES: dict[str, Family] = {
    "dates": (date_source, every_date, date_target),
    "numbers": (number_source, every_number, number_target),
}


def family(task: str) -> Family:
    """What draws one source of the task, what gives all of them, and what makes the target of one."""
    return _FAMILIES.get(task, _LETTERS)


def script_text(task: str) -> str:
    """Python source that defines `draw_pairs` as it is here, with what this task needs and its imports."""
    parts = family(task)
    constants, reader = _NEEDED.get(task, ((), symbol))
    names = ", ".join(part.__name__ for part in parts)
    texts = [
        "import datetime\n" * (task == "dates")
        + "import itertools\nimport random\nfrom collections.abc import Callable, Iterator, Sequence",
        *["\n".join(f"{name} = {_folded(globals()[name])}" for name in constants)] * bool(constants),
        *(inspect.getsource(part) for part in (reader, *parts)),
        f"def family(task):\n    return {names}",
        inspect.getsource(draw_pairs),
    ]
    return "\n\n\n".join(text.rstrip() for text in texts) + "\n"


def _folded(words: tuple[str, ...]) -> str:
    return pformat(words, width=100, compact=True)


_NEEDED: dict[str, tuple[tuple[str, ...], Callable[..., object]]] = {
    "dates": (("MONTHS",), read_date),
    "numbers": (("ONES", "TENS", "GROUPS"), number_parts),
}
