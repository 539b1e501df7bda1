"""Words and tags and their numbers: order, case, unknown words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.vocabulary import CASES, UNKNOWN, Case, Sentence, Vocabulary, cased, vocabulary

D1: tuple[Sentence, ...] = (
    (("The", "DET"), ("dog", "NN"), ("ate", "V"), ("the", "DET"), ("apple", "NN")),
    (("Everybody", "NN"), ("read", "V"), ("that", "DET"), ("book", "NN")),
)
pair = st.tuples(st.text(max_size=3), st.sampled_from("ABC"))
sentences = st.lists(st.lists(pair, min_size=1, max_size=5).map(tuple), max_size=5).map(tuple)


def test_D1_ids_are_the_notebook_s_in_order_of_first_occurrence() -> None:
    known = vocabulary(D1)
    assert known.words == ("The", "dog", "ate", "the", "apple", "Everybody", "read", "that", "book")
    assert known.tags == ("DET", "NN", "V")
    assert known.ids([w for w, _ in D1[0]]) == (0, 1, 2, 3, 4)
    assert known.ids([w for w, _ in D1[1]]) == (5, 6, 7, 8)
    assert known.tag_ids(t for _, t in D1[0]) == (0, 1, 2, 0, 1)
    assert known.unknown is None


@pytest.mark.parametrize(("case", "count"), [("keep", 9), ("first", 8), ("lower", 8)])
def test_E5_case_decides_how_many_words_there_are(case: Case, count: int) -> None:
    known = vocabulary(D1, case=case)
    assert len(known.words) == count
    assert (known.ids(["The"]) == known.ids(["the"])) == (case != "keep")


def test_first_changes_the_first_word_alone() -> None:
    assert cased(["The", "Cat", "SAT"], "first") == ("the", "Cat", "SAT")
    assert cased(["The", "Cat", "SAT"], "lower") == ("the", "cat", "sat")
    assert cased([], "first") == ()


def test_an_unknown_case_is_refused() -> None:
    with pytest.raises(ValueError, match="case='upper' is not allowed: one of keep, first, lower"):
        cased(["a"], "upper")  # type: ignore[arg-type]


def test_without_a_row_for_them_unknown_words_are_named() -> None:
    known = vocabulary(D1)
    assert known.knows(["the", "cat", "cat"]) == (True, False, False)
    with pytest.raises(ValueError, match=f"has no {UNKNOWN}: “cat”, “mat”$"):
        known.ids(["the", "cat", "mat", "cat"])
    with pytest.raises(ValueError, match="and 2 more"):
        known.ids(list("abcdefg"))
    with pytest.raises(ValueError, match="not one of the 3 tags: “X”"):
        known.tag_ids(["NN", "X"])


def test_rare_words_become_unknown_and_keep_the_others_ids() -> None:
    text: tuple[Sentence, ...] = ((("a", "T"), ("b", "T"), ("a", "T"), ("c", "T"), ("c", "T")),)
    known = vocabulary(text, unknown=2)
    assert known.words == ("a", "c", UNKNOWN)
    assert known.ids(["a", "b", "c", "zz"]) == (0, 2, 1, 2)
    assert known.knows(["a", "b", UNKNOWN]) == (True, False, False)
    assert vocabulary(text, unknown=1).words == ("a", "b", "c", UNKNOWN)


def test_held_out_words_make_a_row_and_held_out_tags_a_class() -> None:
    new: Sentence = (("dog", "NN"), ("zebra", "X"))
    known = vocabulary(D1, held_out=(new,))
    assert known.words[-1] == UNKNOWN and known.words[:-1] == vocabulary(D1).words
    assert known.tags == ("DET", "NN", "V", "X")
    assert vocabulary(D1, held_out=D1[:1]).unknown is None


def test_a_literal_unk_in_the_text_is_the_row() -> None:
    known = vocabulary((((UNKNOWN, "T"), ("a", "T")),), unknown=1)
    assert known.words == (UNKNOWN, "a")
    assert known.ids(["b", "a"]) == (0, 1)


def test_it_is_a_value() -> None:
    assert vocabulary(D1) == vocabulary(D1)
    assert hash(Vocabulary(("a",), ("T",))) == hash(Vocabulary(("a",), ("T",)))


@given(sentences, sentences, st.sampled_from(CASES), st.integers(0, 3))
def test_every_sentence_of_both_parts_has_ids(
    train: tuple[Sentence, ...], held: tuple[Sentence, ...], case: Case, unknown: int
) -> None:
    known = vocabulary(train, held_out=held, case=case, unknown=unknown)
    assert len(set(known.words)) == len(known.words)
    for sentence in (*train, *held):
        words = [w for w, _ in sentence]
        found = [known.words[i] for i in known.ids(words)]
        for word, spelled, certain in zip(found, cased(words, case), known.knows(words), strict=True):
            assert word == (spelled if certain else UNKNOWN)
        assert [known.tags[i] for i in known.tag_ids(t for _, t in sentence)] == [t for _, t in sentence]
