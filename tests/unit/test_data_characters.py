"""Strings as characters, and pairs of them as a task."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.characters import MAX_ALPHABET, MAX_LENGTH, characters, pair


def test_D3_hello_has_the_notebook_s_ids() -> None:
    task = pair("hello", "ohlol")
    assert task.alphabet == ("e", "h", "l", "o")
    assert task.source_ids == (1, 0, 2, 2, 3)
    assert task.target_ids == (3, 1, 2, 3, 2)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("你好", ["你", "好"]),
        ("e\u0301t\u00e9", ["\u00e9", "t", "\u00e9"]),
        ("x\u0301y", ["x\u0301", "y"]),
        ("नमस्ते", ["न", "म", "स्", "ते"]),
        ("한글", ["한", "글"]),
        (unicodedata.normalize("NFD", "한글"), ["한", "글"]),
        ("👩‍👩‍👧a👍🏽", ["👩‍👩‍👧", "a", "👍🏽"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("❤️a", ["❤️", "a"]),
        ("a b", ["a", " ", "b"]),
        ("", []),
    ],
)
def test_a_position_is_a_character_as_a_reader_counts_it(text: str, parts: list[str]) -> None:
    assert list(characters(text)) == parts


@given(st.text())
def test_no_text_is_lost(text: str) -> None:
    assert "".join(characters(text)) == unicodedata.normalize("NFC", text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x24F)))
def test_plain_text_has_a_position_for_each_code_point(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert characters(text) == tuple(composed)


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("", "a", "source is empty"),
        ("a", "", "target is empty"),
        ("hello", "ohl", "they have 5 and 3"),
        ("a" * (MAX_LENGTH + 1), "a", "source has 41 characters: at most 40"),
        ("ab", "a\n", r"target, position 1: the character U\+000A cannot be shown"),
        ("a\u200bb", "abc", r"source, position 1: the character U\+200B"),
        ("\ud800", "a", r"source, position 0: the character U\+D800"),
        ("a" + "\u0301" * 17, "a", "source, position 0: a character of 17 code points"),
    ],
)
def test_what_cannot_be_used_is_named(source: str, target: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        pair(source, target)


def test_the_alphabet_has_a_limit() -> None:
    letters = "".join(chr(0x4E00 + i) for i in range(2 * MAX_LENGTH))
    with pytest.raises(ValueError, match=f"80 different characters: at most {MAX_ALPHABET}"):
        pair(letters[:MAX_LENGTH], letters[MAX_LENGTH:])


@given(st.text(max_size=45), st.text(max_size=45))
def test_any_two_strings_give_a_task_or_a_sentence(source: str, target: str) -> None:
    try:
        task = pair(source, target)
    except ValueError as error:
        assert len(str(error)) > 15
    else:
        assert len(task.source) == len(task.target) == len(task.source_ids)
        assert [task.alphabet[i] for i in task.target_ids] == list(task.target)
