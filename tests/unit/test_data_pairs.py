"""The generated tasks and people's own pairs."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.checks import MAX_CHARS, MAX_SIZE
from rnnviz.data.pairs import (
    MAX_DIGITS,
    MAX_LENGTH,
    MAX_PAIRS,
    MAX_SYMBOLS,
    TASKS,
    Task,
    alignment,
    answer,
    divided,
    generate,
    origins,
    vocabulary,
)
from rnnviz.data.pairs_drawn import MONTHS, script_text
from rnnviz.data.pairs_text import (
    MAX_DIFFERENT,
    MAX_OWN,
    MAX_TOKENS,
    UNITS,
    Unit,
    format_pairs,
    from_table,
    joined,
    parse,
    to_table,
    tokens,
    typed,
)
from rnnviz.training.pairs_config import Seq2SeqConfig

LETTERS: tuple[Task, ...] = ("copy", "reverse", "sort", "shift")
tasks = st.sampled_from(TASKS)
lengths = st.tuples(st.integers(1, 9), st.integers(0, 8)).map(lambda two: (two[0], two[0] + two[1]))
seeds = st.integers(0, 2**40)


# ---- generated


@given(tasks, st.integers(2, 60), lengths, st.integers(0, 20), st.integers(1, 80), seeds)
def test_pairs_are_different_known_and_repeatable(
    task: Task, symbols: int, span: tuple[int, int], shift: int, count: int, seed: int
) -> None:
    pairs = generate(task, symbols, span, shift, count, seed)
    sources = [source for source, _ in pairs]
    assert len(set(sources)) == len(sources) == min(count, _how_many(task, symbols, span))
    assert pairs == generate(task, symbols, span, shift, count, seed)
    of_source, of_target = map(set, vocabulary(task, symbols))
    for source, target in pairs:
        assert set(source) <= of_source and set(target) <= of_target
        assert answer(task, source, shift) == target
        assert task == "dates" or span[0] <= len(source) <= span[1]


def _how_many(task: Task, symbols: int, span: tuple[int, int]) -> int:
    if task == "dates":
        return 73_049  # 200 years with 49 leap days: 1900 has none
    if task == "numbers":
        return int(10 ** span[1] - (0 if span[0] == 1 else 10 ** (span[0] - 1)))
    return int(sum(symbols**n for n in range(span[0], span[1] + 1)))


@given(st.sampled_from(LETTERS), lengths, st.integers(0, 30), seeds)
def test_each_letter_comes_from_where_the_alignment_says(
    task: Task, span: tuple[int, int], shift: int, seed: int
) -> None:
    for source, target in generate(task, 5, span, shift, 20, seed):
        places = alignment(task, source, target, shift)
        assert places[-1] is None
        known = [place for place in places[:-1] if place is not None]
        assert sorted(known) == list(range(len(source)))
        assert tuple(source[place] for place in known) == target
        expected = {
            "copy": source,
            "reverse": tuple(reversed(source)),
            "sort": tuple(sorted(source)),
            "shift": tuple(source[(i + shift) % len(source)] for i in range(len(source))),
        }
        assert target == expected[task]
        if task == "sort":
            assert all(one < other for one, other in pairwise(known) if source[one] == source[other])


@given(seeds)
def test_each_part_of_a_date_comes_from_where_the_alignment_says(seed: int) -> None:
    for source, target in generate("dates", 2, (1, 1), 0, 20, seed):
        found = re.fullmatch(r"(\d{1,2}) (\w+) (\d{4})", "".join(source))
        assert found is not None
        day, month, year = found.groups()
        assert "".join(target) == f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}"
        places = alignment("dates", source, target)
        assert [t for t, place in enumerate(places) if place is None] == [4, 7, 10]
        for t in (*range(4), 9, *([8] if len(day) == 2 else [])):
            place = places[t]
            assert place is not None and source[place] == target[t]
        letters = tuple(range(found.start(2), found.end(2)))
        assert origins("dates", source)[5] == origins("dates", source)[6] == letters
        assert places[5] == letters[0]
        assert (target[8] == "0" and places[8] == 0) or len(day) == 2


@pytest.mark.parametrize(
    ("digits", "words", "places"),
    [
        ("0", "zero", [(0,)]),
        ("407", "four hundred and seven", [(0,), (0,), (), (2,)]),
        ("13", "thirteen", [(1, 0)]),
        ("42", "forty two", [(0,), (1,)]),
        ("100", "one hundred", [(0,), (0,)]),
        ("1007", "one thousand and seven", [(0,), (0,), (), (3,)]),
        (
            "210000",
            "two hundred and ten thousand",
            [(0,), (0,), (), (2, 1), (2, 1, 0)],
        ),
        ("5000120", "five million one hundred and twenty", [(0,), (0,), (4,), (4,), (), (5,)]),
        ("1000000", "one million", [(0,), (0,)]),
    ],
)
def test_numbers_are_said_as_people_say_them(digits: str, words: str, places: list[tuple[int, ...]]) -> None:
    assert answer("numbers", tuple(digits)) == tuple(words.split())
    assert origins("numbers", tuple(digits)) == (*places, ())


@given(st.integers(0, 10**MAX_DIGITS - 1))
def test_the_words_of_a_number_add_up_to_it(number: int) -> None:
    source = tuple(str(number))
    target = answer("numbers", source)
    _, known = vocabulary("numbers", 2)
    value = dict(zip(known, [*range(20), *range(20, 100, 10), 100, 0], strict=False))
    total = group = 0
    for word in target:
        if word in known[30:]:  # thousand, million, …
            total, group = total + group * 1000 ** (known.index(word) - 29), 0
        else:
            group = group * 100 if word == "hundred" else group + value[word]
    assert total + group == number
    places = alignment("numbers", source, target)
    assert [word for word, place in zip((*target, "end"), places, strict=True) if place is None] == [
        *["and"] * target.count("and"),
        "end",
    ]


@given(tasks, st.integers(1, 6), seeds)
def test_an_alignment_fits_whatever_was_said(task: Task, said: int, seed: int) -> None:
    ((source, target),) = generate(task, 4, (2, 3), 1, 1, seed)
    right = alignment(task, source, target)
    found = alignment(task, source, ("?",) * said)
    assert len(found) == said + 1
    assert found[: len(right)] == right[: len(found)]
    assert set(found[len(right) :]) <= {None}
    assert [places[:1] for places in origins(task, source)] == [() if p is None else (p,) for p in right]


@given(tasks, st.integers(1, 60), st.integers(0, 60), seeds)
def test_held_out_strings_are_never_trained_on(task: Task, train: int, held: int, seed: int) -> None:
    pairs = generate(task, 3, (1, 3), 1, train + held, seed)
    one, other = divided(pairs, train, held)
    assert not {source for source, _ in one} & {source for source, _ in other}
    assert one and bool(other) == (held > 0 and len(pairs) > 1)
    if task != "numbers" and len(pairs) == train + held:
        assert (len(one), len(other)) == (train, held)
    assert len(one) + len(other) == len(pairs)


def test_too_few_strings_are_shared_out() -> None:
    pairs = generate("copy", 2, (1, 2), 1, 100, 0)
    assert len(pairs) == 6
    assert [len(part) for part in divided(pairs, 70, 30)] == [5, 1]
    assert [len(part) for part in divided(pairs[:1], 70, 30)] == [1, 0]
    assert [len(part) for part in divided(pairs, 100, 0)] == [6, 0]


def test_each_length_is_drawn_equally_often() -> None:
    counts = Counter(len(source) for source, _ in generate("reverse", 12, (4, 8), 1, 5_000, 0))
    assert sorted(counts) == [4, 5, 6, 7, 8]
    assert all(800 < n < 1_200 for n in counts.values())


def test_a_seed_means_the_same_strings_for_ever() -> None:
    drawn = ["".join(source) for source, _ in generate("reverse", 12, (3, 8), 1, 4, 7)]
    assert drawn == ["agafa", "hlge", "fjb", "bhag"]


@pytest.mark.parametrize("task", TASKS)
def test_a_script_draws_the_same_pairs(task: Task) -> None:
    text = script_text(task)
    made: dict[str, object] = {}
    exec(compile(text, "script", "exec"), made)
    draw = made["draw_pairs"]
    assert callable(draw)
    assert tuple(draw(task, 12, (1, 6), 2, 50, 3)) == generate(task, 12, (1, 6), 2, 50, 3)
    assert ("MONTHS" in text) == (task == "dates") and ("hundred" in text) == (task == "numbers")
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", 5, (1, 2), 1, 9), "task='add' is not allowed: one of copy, reverse"),
        (("copy", 1, (1, 2), 1, 9), "symbols=1 is not allowed: from 2"),
        (("copy", MAX_SYMBOLS + 1, (1, 2), 1, 9), "symbols=1001 is not allowed"),
        (("copy", 5, (0, 2), 1, 9), r"lengths=\(0, 2\) is not allowed"),
        (("copy", 5, (3, 2), 1, 9), r"lengths=\(3, 2\) is not allowed"),
        (("copy", 5, (3, MAX_LENGTH + 1), 1, 9), f"from 1 to {MAX_LENGTH}"),
        (("numbers", 5, (3, MAX_DIGITS + 1), 1, 9), f"from 1 to {MAX_DIGITS}"),
        (("copy", 5, (1, 2), 1, 0), "count=0 is not allowed"),
        (("copy", 5, (1, 2), 1, MAX_PAIRS + 1), "count=50001 is not allowed"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    arguments: tuple[Task, int, tuple[int, int], int, int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        generate(*arguments, seed=0)


@pytest.mark.parametrize(
    ("task", "source", "told"),
    [
        ("dates", "31 June 2021", "“31 June 2021” is not a date like 3 March 2021"),
        ("dates", "03 March 2021", "is not a date"),
        ("dates", "3 March", "is not a date"),
        ("dates", "tomorrow", "is not a date"),
        ("numbers", "4x", "“4x” is not a number: digits only"),
        ("numbers", "٤", "is not a number"),
        ("numbers", "07", "the first not 0"),
        ("numbers", "1" * 22, "at most 21 digits"),
        ("reverse", "", "the source is empty"),
    ],
)
def test_what_a_task_cannot_read_is_named(task: Task, source: str, told: str) -> None:
    for ask in (answer, origins):
        with pytest.raises(ValueError, match=told):
            ask(task, tuple(source))


# ---- people's own

symbols = st.text(
    st.characters(blacklist_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=8,
)
sides = st.lists(symbols, min_size=1, max_size=6).map(" ".join)
units = st.sampled_from(UNITS)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=6), units)
def test_pairs_survive_text_and_table(rows: list[tuple[str, str]], unit: Unit) -> None:
    pairs = tuple((tokens(one, unit), tokens(other, unit)) for one, other in rows)
    text = format_pairs(pairs, unit)
    assert parse(text, unit) == pairs
    assert parse("\ufeff" + text.replace("\n", "\r\n"), unit) == pairs
    assert parse("\n \n" + text.replace("\n", "\r\r"), unit) == pairs
    assert from_table(to_table(pairs, unit), unit) == pairs
    assert from_table(pd.DataFrame(to_table(pairs, unit)), unit) == pairs
    for source, _ in pairs:
        assert typed(joined(source, unit), unit, source) == source


def test_a_quotation_mark_is_a_token() -> None:
    assert parse('"a\tb"\n# c\td\n', "character") == ((('"', "a"), ("b", '"')), (("#", " ", "c"), ("d",)))
    assert parse("the  cat\tle chat\t\t\n", "word") == ((("the", "cat"), ("le", "chat")),)
    assert parse("Source\tTarget\nsource\ttarget\n", "word") == ((("source",), ("target",)),)


def test_a_table_may_have_gaps_and_numbers() -> None:
    frame = pd.DataFrame({"Target ": ["x", None, "y"], "source": [12.0, None, 7.5]})
    assert from_table(frame, "character") == ((("1", "2"), ("x",)), (("7", ".", "5"), ("y",)))


@pytest.mark.parametrize(
    ("text", "unit", "told"),
    [
        ("", "word", "there are no pairs yet: write at least one source with its target"),
        ("source\ttarget\n", "word", "there are no pairs yet"),
        ("a\tb\nc d", "word", "line 2 has no tab: a line is source, one tab, target"),
        ("a\tb\n\na\tb\tc\r\n", "word", "line 3 has 2 tabs"),
        ("a\tb\n\tc", "word", "line 2: the source is empty: write at least one word"),
        ("a\tb\nc\t ", "character", "line 2: the target is empty: write at least one character"),
        ("a" * (MAX_TOKENS + 1) + "\tb", "character", "line 1: the source has 65 characters: at most 64"),
        ("a\t" + "b " * (MAX_TOKENS + 1), "word", "line 1: the target has 65 words: at most 64"),
        ("a\t" + "b" * (MAX_CHARS + 1), "word", "line 1: the target has a word of 61 characters"),
        ("a\tb\x00", "character", "line 1: the target has what cannot be shown: '.x00'"),
        ("a\u200b\tb", "character", "line 1: the source has what cannot be shown: '.u200b'"),
        ("a \ud800\tb", "word", "line 1: the source has what cannot be shown: '.ud800'"),
        ("a\tb\n" * (MAX_OWN + 1), "word", "line 5001: more than 5,000 pairs"),
        (
            "\n".join(f"w{i}\tx" for i in range(MAX_DIFFERENT + 1)),
            "word",
            "line 1991: more than 1,990 different words in the sources",
        ),
        (
            f"{'a ' * 64}\t{'b ' * 64}\n" * 782,
            "word",
            "line 782: more than 100,000 tokens in all: use fewer pairs",
        ),
        ("a <end>\tb", "word", "line 1: the source has the word <end>, which the model uses itself"),
        ("a" * (MAX_SIZE + 1), "word", "at most 4,000,000 are allowed"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, unit: Unit, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text, unit)


def test_a_fault_of_a_table_is_named_with_its_row() -> None:
    with pytest.raises(ValueError, match="no column “target”: it needs source, target"):
        from_table({"source": ["a"]}, "word")
    with pytest.raises(ValueError, match="row 2: the target is empty"):
        from_table({"source": ["a", "b"], "target": ["c", None]}, "word")
    with pytest.raises(ValueError, match="there are no pairs yet"):
        from_table({"source": [None], "target": [""]}, "word")


def test_an_unknown_symbol_of_a_typed_source_is_named() -> None:
    with pytest.raises(ValueError, match=r"“z” is unknown to this model: it knows “a” “b” “c”$"):
        typed("abz", "character", "abc")
    with pytest.raises(ValueError, match="“x” “y” are unknown"):
        typed("xyx", "character", "abc")
    with pytest.raises(ValueError, match=r"“g” and 2 more are unknown .* “30” and 10 more$"):
        typed("c d e f g h i", "word", [str(i) for i in range(1, 41)])
    with pytest.raises(ValueError, match=r"^the source is empty"):
        typed("  ", "character", "abc")
    with pytest.raises(ValueError, match=r"^the source has 65 characters"):
        typed("a" * 65, "character", "a")


@given(st.text(max_size=60), units)
def test_any_text_makes_pairs_or_a_sentence(text: str, unit: Unit) -> None:
    try:
        pairs = parse(text, unit)
    except ValueError as error:
        assert len(str(error)) > 15
    else:
        assert parse(format_pairs(pairs, unit), unit) == pairs
        assert Seq2SeqConfig(data=pairs, batch=1).pairs == pairs


def test_as_many_pairs_as_are_read_can_be_trained() -> None:
    different = "".join(f"s{i}\tt{i}\n" for i in range(MAX_DIFFERENT))
    assert len(Seq2SeqConfig(data=parse(different, "word"), batch=1).pairs) == MAX_DIFFERENT
    long = f"{'a ' * MAX_TOKENS}\t{'b ' * MAX_TOKENS}\n" * 781
    assert len(Seq2SeqConfig(data=parse(long, "word")).pairs) == 781
    many = parse("a\tb\n" * MAX_OWN, "character")
    assert len(Seq2SeqConfig(data=many).pairs) == MAX_OWN
