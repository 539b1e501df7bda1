"""Pairs of strings as a task."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.characters import MAX_ALPHABET, MAX_LENGTH, pair, shown
from rnnviz.training.config import CharsConfig


def test_D3_hello_has_the_notebook_s_classes() -> None:
    source, target = pair("hello", "ohlol")
    assert CharsConfig(source, target).characters == ("e", "h", "l", "o")


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("你好", ["你", "好"]),
        ("e\u0301t\u00e9", ["\u00e9", "t", "\u00e9"]),
        ("x\u0301", ["x", "\u0301"]),
        ("नमस्ते", ["न", "म", "स", "\u094d", "त", "\u0947"]),
        (unicodedata.normalize("NFD", "한글"), ["한", "글"]),
        ("❤\ufe0fa", ["❤", "a"]),
        ("a b", ["a", " ", "b"]),
    ],
)
def test_a_position_is_a_code_point_of_normal_form_C(text: str, positions: list[str]) -> None:
    assert list(pair(text, text)[0]) == positions


def test_a_mark_by_itself_can_be_read() -> None:
    assert [shown(c) for c in ("a", "\u0301", "\u0947", "好")] == ["a", "◌\u0301", "◌\u0947", "好"]


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("", "a", "source is empty"),
        ("a", "", "target is empty"),
        ("\ufe0f", "a", "source is empty"),
        ("hello", "ohl", "they have 5 and 3"),
        ("a" * (MAX_LENGTH + 1), "a", "source has 41 characters: at most 40"),
        ("ab", "a\n", r"target, position 1: the character U\+000A cannot be shown$"),
        ("a\u200bb", "abc", r"source, position 1: the character U\+200B"),
        ("👩\u200d👧", "abc", "position 1: the character .*: an emoji that is joined from several"),
        ("\ud800", "a", r"source, position 0: the character U\+D800"),
    ],
)
def test_what_cannot_be_used_is_named(source: str, target: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        pair(source, target)


def test_the_alphabet_has_a_limit() -> None:
    letters = "".join(chr(0x4E00 + i) for i in range(2 * MAX_LENGTH))
    with pytest.raises(ValueError, match=f"80 different characters: at most {MAX_ALPHABET}"):
        pair(letters[:MAX_LENGTH], letters[MAX_LENGTH:])


@given(st.text(max_size=45), st.text(max_size=45) | st.none())
def test_any_two_strings_make_a_configuration_or_a_sentence(source: str, other: str | None) -> None:
    try:
        one, target = pair(source, source[::-1] if other is None else other)
    except ValueError as error:
        assert len(str(error)) > 15
    else:
        made = CharsConfig(one, target, hidden=8, readout=True)
        assert pair(one, target) == (made.source, made.target) == (one, target)
        assert all(shown(c).strip() or c.isspace() for c in made.characters)
