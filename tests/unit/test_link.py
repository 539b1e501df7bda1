"""What an address may hold: everything readable is used, everything else is corrected in words."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.link import Field, query, read

FIELDS = (
    Field("n", "Number", 3, "", 1, 10),
    Field("p", "Share", 0.5, "", 0.0, 1.0),
    Field("b", "Switch", True, ""),
    Field("k", "Kind", "RNN", "", options=("RNN", "GRU")),
    Field("t", "Text", "a b", "", max_chars=5),
)
VALUES = st.fixed_dictionaries(
    {
        "n": st.integers(1, 10),
        "p": st.floats(0, 1, allow_nan=False),
        "b": st.booleans(),
        "k": st.sampled_from(["RNN", "GRU"]),
        "t": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    }
)
JUNK = st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.none()


@given(VALUES)
def test_a_query_string_gives_the_values_it_was_made_of(values: dict[str, Any]) -> None:
    found = {k: v[0] for k, v in parse_qs(query(FIELDS, values), keep_blank_values=True).items()}
    assert read(FIELDS, found) == (values, {})


def test_defaults_are_left_out_of_the_address() -> None:
    values, _ = read(FIELDS, {})
    assert query(FIELDS, values) == ""
    assert query(FIELDS, values | {"b": False, "n": 4}) == "n=4&b=false"


@given(st.dictionaries(st.sampled_from("npbkt"), JUNK))
def test_anything_else_is_corrected_to_something_that_stands(found: dict[str, Any]) -> None:
    values, notes = read(FIELDS, found)
    assert read(FIELDS, values) == (values, {})
    assert set(notes) <= set(found)
    assert [type(values[f.key]) for f in FIELDS] == [type(f.default) for f in FIELDS]


@pytest.mark.parametrize(
    ("key", "value", "used", "said"),
    [
        ("n", "99", 10, "Number “99” is out of range, at most 10 is allowed: 10 is used"),
        ("n", "-1", 1, "Number “-1” is out of range, at least 1 is allowed: 1 is used"),
        ("n", "2.5", 3, "Number “2.5” is not a whole number: 3 is used"),
        ("n", "nan", 3, "Number “nan” is not a whole number: 3 is used"),
        ("n", "many", 3, "Number “many” is not a number: 3 is used"),
        ("p", "inf", 0.5, "Share “inf” is not a finite number: 0.5 is used"),
        ("b", "yes", True, "Switch “yes” is neither true nor false: true is used"),
        ("k", "LSTM", "RNN", "Kind “LSTM” is none of RNN, GRU: RNN is used"),
        ("t", "abcdefg", "abcde", "Text is longer than 5 characters: the rest is cut off"),
    ],
)
def test_a_correction_says_what_was_given_and_what_is_used(
    key: str, value: str, used: object, said: str
) -> None:
    values, notes = read(FIELDS, {key: value})
    assert values[key] == used
    assert notes == {key: said}


def test_a_long_value_is_quoted_in_part_only() -> None:
    _, notes = read(FIELDS, {"k": "x" * 500})
    assert len(notes["k"]) < 100
