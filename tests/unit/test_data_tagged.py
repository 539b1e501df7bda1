"""Words with tags from a table, from lines of word/TAG, and from a spreadsheet; faults are named."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.checks import MAX_CHARS, MAX_SIZE, MAX_TAGS, MAX_TOKENS, MAX_WORDS, tidy
from rnnviz.data.tagged import (
    EXAMPLE,
    format_table,
    format_text,
    from_table,
    parse,
    to_table,
    typed_words,
)
from rnnviz.training.config import Sentence

D1: tuple[Sentence, ...] = (
    (("The", "DET"), ("dog", "NN"), ("ate", "V"), ("the", "DET"), ("apple", "NN")),
    (("Everybody", "NN"), ("read", "V"), ("that", "DET"), ("book", "NN")),
)


def tidied(most: int) -> st.SearchStrategy[str]:
    visible = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=most)
    return visible.map(tidy).filter(lambda text: 0 < len(text) <= most)


sentence = st.lists(st.tuples(tidied(6), tidied(3)), min_size=1, max_size=5).map(tuple)
sentences: st.SearchStrategy[tuple[Sentence, ...]] = st.lists(sentence, min_size=1, max_size=4).map(tuple)


# ---- lines of word/TAG


def test_D1_the_example_is_the_notebook_s_two_sentences() -> None:
    assert parse(EXAMPLE) == D1
    assert format_text(D1) == EXAMPLE


@given(sentences)
def test_text_written_out_is_read_back(given_sentences: tuple[Sentence, ...]) -> None:
    written = format_text(given_sentences)
    assert len(written.split("\n")) == len(given_sentences)
    assert parse(written) == given_sentences


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("1/2/NUM //PUNCT", [("1/2", "NUM"), ("/", "PUNCT")]),
        (r"New\sYork/NNP a\\/X", [("New York", "NNP"), ("a\\", "X")]),
        (r"and\/or/CC x/A\/B", [("and/or", "CC"), ("x", "A/B")]),
        ("\ufeff  The/DET\u00a0dog/NN \r\n\r\n", [("The", "DET"), ("dog", "NN")]),
        ("你好/INTJ　世界/NOUN", [("你好", "INTJ"), ("世界", "NOUN")]),
        ("cafe\u0301/NN", [("caf\u00e9", "NN")]),
        (r"C:\new/X", [(r"C:\new", "X")]),
    ],
)
def test_the_last_slash_counts_and_a_backslash_escapes(text: str, pairs: list[tuple[str, str]]) -> None:
    assert parse(text) == (tuple(pairs),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there are no words yet"),
        (" \n\n ", "there are no words yet"),
        ("The/DET\ndog runs/V", "line 2: “dog” has no tag: write it as dog/TAG"),
        ("The/DET\n/NN", "line 2: the word is missing before the tag “NN”"),
        ("The/", "line 1: the tag of “The” is missing"),
        ("a/T " * 200 + "a/T", "line 1: a sentence of more than 200 words"),
        ("a" * 61 + "/T", "line 1: the word “aaaaaaaaaaaaaaaaaaaa…” has 61 characters: at most 60"),
        ("a/" + "T" * 31, "line 1: the tag “TTTTTTTTTTTTTTTTTTTT…” has 31 characters: at most 30"),
        ("a\x00/T", r"line 1: the word 'a\\x00' has characters that cannot be shown"),
        ("\u200b/T", "line 1: the word .* cannot be shown"),
        (" ".join(f"a/T{i}" for i in range(65)), "line 1: the tag “T64” is one too many: at most 64"),
        ("a/T\n" * (MAX_TOKENS + 1), "line 20001: more than 20,000 words"),
        ("x" * (MAX_SIZE + 1), "the text has 4,000,001 characters: at most 4,000,000"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text)


def test_all_that_the_limits_allow_is_read() -> None:
    text = "\n".join([" ".join(["a/T"] * MAX_WORDS)] * (MAX_TOKENS // MAX_WORDS))
    assert sum(map(len, parse(text))) == MAX_TOKENS
    assert len(parse(" ".join(f"{'a' * MAX_CHARS}/T{i}" for i in range(MAX_TAGS)))[0]) == MAX_TAGS


@given(st.text(st.characters() | st.sampled_from("ab/\\ \t\n")))
def test_any_text_gives_sentences_or_says_why_not(text: str) -> None:
    try:
        found = parse(text)
    except ValueError as error:
        assert len(str(error)) > 20
    else:
        assert parse(format_text(found)) == found == parse(format_table(found))


# ---- rows of a spreadsheet


@pytest.mark.parametrize(
    "text",
    [
        "The\tDET\ndog\tNN\n\nread\tV",
        "The\tDET\t\r\ndog\tNN\r\n\t\r\nread\tV\r\n",
        "word\tTag\nThe\tDET\ndog\tNN\n\nread\tV",
        "POS\tToken\nDET\tThe\nNN\tdog\n\nV\tread",
        "1\tThe\tDET\n1\tdog\tNN\n2\tread\tV\n",
        "Sentence #\tWord\tPOS\nSentence: 1\tThe\tDET\n\tdog\tNN\nSentence: 2\tread\tV",
        "1\tThe\tDET\n2\tread\tV\n1\tdog\tNN",
        "The DET\ndog NN\n\nread V",
    ],
)
def test_columns_are_understood(text: str) -> None:
    assert parse(text) == ((("The", "DET"), ("dog", "NN")), (("read", "V"),))


@given(sentences)
def test_a_table_written_out_is_read_back(given_sentences: tuple[Sentence, ...]) -> None:
    assert parse(format_table(given_sentences)) == given_sentences
    assert from_table(to_table(given_sentences)) == given_sentences
    assert from_table(pd.DataFrame(to_table(given_sentences))) == given_sentences


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The\tDET\ndog\t", "line 2: the tag of “dog” is missing"),
        ("The\tDET\n\tNN", "line 2: the word is missing before the tag “NN”"),
        ("1\tThe\tDET\tx", "line 1 has 4 columns: a row is word and tag, or sentence, word and tag$"),
        ("\n1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\tx", "line 2 has 10 columns: .*: ten columns are CoNLL-U"),
        ("\t\n\t", "there are no words yet"),
    ],
)
def test_a_fault_in_a_row_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text)


# ---- the editable table


def rows(*given_rows: tuple[Any, Any, Any]) -> dict[str, list[Any]]:
    return {name: [row[k] for row in given_rows] for k, name in enumerate(("sentence", "word", "tag"))}


def test_the_table_has_a_row_a_word() -> None:
    assert to_table(D1[1:]) == {
        "sentence": [1, 1, 1, 1],
        "word": ["Everybody", "read", "that", "book"],
        "tag": ["NN", "V", "DET", "NN"],
    }


@pytest.mark.parametrize("gap", [None, math.nan, pd.NA, "", "  "])
def test_rows_added_at_the_end_join_their_sentence_and_empty_ones_are_left_out(gap: Any) -> None:
    table = rows(
        (1, "The", "DET"), (gap, gap, gap), (2.0, "read", "V"), (1.0, "dog", "NN"), (gap, "barks", "V")
    )
    expected = ((("The", "DET"), ("dog", "NN"), ("barks", "V")), (("read", "V"),))
    assert from_table(table) == expected
    assert from_table(pd.DataFrame(table)) == expected


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (rows(), "there are no words yet"),
        (rows((1, "The", "DET"), (1, "dog", None)), "row 2: the tag of “dog” is missing"),
        (rows((1, None, "DET")), "row 1: the word is missing before the tag “DET”"),
        ({"sentence": [1], "word": ["a"]}, "the table has no column “tag”"),
    ],
)
def test_a_fault_in_the_table_is_named_with_its_row(table: dict[str, list[Any]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        from_table(table)
    with pytest.raises(ValueError, match=told):
        from_table(pd.DataFrame(table))


# ---- typed words


def test_typed_words_are_spelled_as_read_ones() -> None:
    assert typed_words("  the cafe\u0301\tdog \n") == ("the", "caf\u00e9", "dog")
    assert typed_words("") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a " * 201, "a sentence of 201 words: at most 200"),
        ("the " + "a" * 61, "word 2: the word “aaaaaaaaaaaaaaaaaaaa…” has 61 characters"),
        ("a\x07", "word 1: .* cannot be shown"),
    ],
)
def test_typed_words_have_the_same_limits(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        typed_words(text)
