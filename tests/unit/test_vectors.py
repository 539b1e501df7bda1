"""C8: word vectors from files, what is wrong with a file in words, neighbours, from_pretrained."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import save
from torch import nn

from rnnviz.assets import FOLDER
from rnnviz.data.vectors import (
    MAX_DIM,
    MAX_LINE,
    Vectors,
    read_safetensors,
    read_text_vectors,
    read_word_list,
)
from rnnviz.embeddings.pretrained import cosines, nearest, plane, sample, take
from rnnviz.embeddings.spoken import nobody_line
from tools import vectors as maker

SENTENCE = tuple(["the", "cat", "drinks", "milk", "and", "the", "wug", "sleeps"])


def text(content: str | bytes, most: int = 10_000) -> Vectors:
    raw = content if isinstance(content, bytes) else content.encode()
    return read_text_vectors(io.BytesIO(raw), "file.txt", most=most)


# ---- the text format -----------------------------------------------------------------------------------


def test_C8_word2vec_and_glove_give_the_same_vectors() -> None:
    lines = "cat 1 -2.5\ndog 0.5 3e-2\n"
    glove, word2vec = text(lines), text("2 2\n" + lines)
    for found in (glove, word2vec, text(lines.replace(" ", "\t")), text(lines.replace("\n", " \r\n"))):
        assert found.words == ("cat", "dog") and found.notes == ()
        assert_array_equal(found.matrix, np.array([[1, -2.5], [0.5, 0.03]], np.float32))
        assert found.matrix.dtype == np.float32 and not found.matrix.flags.writeable
    assert glove.find("dog") == 1 and glove.find("Dog") == 1 and glove.find("cow") is None


def test_words_may_hold_spaces_numbers_and_any_letter() -> None:
    found = text("猫 0.1 0.2\n. . . 0.3 0.4\nat name@domain.com 1 2\n2 3 4\nnaïve 1 1\n")
    assert found.words == ("猫", ". . .", "at name@domain.com", "2", "naïve")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cat 1 2\ndog 1\n", r"Line 2 has 1 numbers after its word: expected 2"),
        ("cat 1 2\ndog 1 2 3\n", r"Line 2 has 3 numbers after its word: expected 2"),
        ("2 3\ncat 1 2 3\ndog 1 2\n", r"Line 3 has 2 numbers after its word: expected 3"),
        ("cat 1 2\ndog 1 x\n", r"Line 2: “x” is not a finite number"),
        ("cat 1 2\n\ndog 1 nan\n", r"Line 3: “nan” is not a finite number"),
        ("cat 1 inf\n", r"Line 1: “inf” is not a finite number"),
        ("cat\n", r"Line 1 has 0 numbers"),
        ("cat 1 2\n 1 2\n", r"Line 2 has"),
        ("", r"no word vectors"),
        ("3 2\n", r"no word vectors"),
        ("3 99999\ncat 1\n", r"Line 1 announces 99999 numbers"),
        ("cat " + "1 " * (MAX_DIM + 1), r"Line 1 has 1,025 numbers"),
        ("cat 1 2\n" + "x" * (MAX_LINE + 1), r"Line 2 is longer than"),
        (b"cat 1 2\n\xff\xfe 1 2\n", r"Line 2 is not text in UTF-8"),
        ("a" * 101 + " 1 2", r"Line 1 has no word of 1 to 100"),
        (bytes(range(256)), r"Line \d"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(content: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        text(content)


def test_what_is_left_out_is_noted() -> None:
    assert text("cat 1 2\ncat 3 4\ndog 5 6\n").notes == (
        "1 lines repeat a word: the first line of each counts",
    )
    assert_array_equal(text("cat 1 2\ncat 3 4\n").matrix, [[1, 2]])
    assert "announces 9 words, and there are 1" in text("9 2\ncat 1 2\n").notes[0]
    few = text("a 1 2\nb 3 4\nc 5 6\n", most=4)
    assert few.words == ("a", "b") and "first 2 words" in few.notes[0]


def test_a_file_of_any_length_is_read_only_as_far_as_it_is_kept() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield f"word{read} {' 0.5' * 50}\n".replace("  ", " ").encode()

    tracemalloc.start()
    found = read_text_vectors(endless(), "endless", most=50 * 2_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.words) == 2_000 and read == 2_001
    assert peak < 4 * found.matrix.nbytes


@given(st.binary(max_size=300))
def test_any_bytes_give_vectors_or_a_sentence(raw: bytes) -> None:
    try:
        found = read_text_vectors(io.BytesIO(raw), "any")
    except ValueError as problem:
        assert str(problem)
    else:
        assert found.matrix.shape[0] == len(found.words) and np.isfinite(found.matrix).all()


@given(
    st.lists(
        st.tuples(st.text("abcäß字", min_size=1, max_size=5), st.tuples(*[st.floats(-9, 9, width=32)] * 3)),
        min_size=1,
        max_size=6,
        unique_by=lambda pair: pair[0],
    ),
    st.booleans(),
)
def test_what_is_written_is_read(pairs: list[tuple[str, tuple[float, ...]]], heading: bool) -> None:
    lines = [f"{word} {' '.join(map(repr, vector))}" for word, vector in pairs]
    found = text("\n".join([*([f"{len(pairs)} 3"] if heading else []), *lines]))
    assert found.words == tuple(word for word, _ in pairs)
    assert_array_equal(found.matrix, np.array([vector for _, vector in pairs], np.float32))


# ---- safetensors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_C8_a_safetensors_matrix_with_its_word_list(dtype: torch.dtype) -> None:
    matrix = torch.tensor([[1.0, -2.5, 0.25], [0.5, 3.0, 8.0]], dtype=dtype)
    content = save({"weight": matrix, "other": torch.zeros(5, dtype=dtype)})
    found = read_safetensors(content, read_word_list([b"cat\n", "größe".encode()]), "m.safetensors")
    assert found.words == ("cat", "größe")
    assert_array_equal(found.matrix, matrix.float().numpy())


def test_what_is_wrong_with_a_matrix_is_said() -> None:
    words = ("cat", "dog")
    good = torch.ones(2, 3)
    for content, message in (
        (b"nonsense", "not a .safetensors file"),
        (save({"a": torch.ones(4)}), "no matrix of floating-point numbers, but a"),
        (save({"a": torch.ones(2, 2, dtype=torch.int64)}), "no matrix"),
        (save({"a": torch.ones(3, 2)}), "2 words, but a has 3 rows"),
        (save({"a": good, "b": good.clone()}), "Several matrices"),
        (save({"a": torch.tensor([[1.0, 2.0], [torch.nan, 0.0]])}), "Row 1 .“dog”. holds a number"),
        (save({"a": torch.ones(2, MAX_DIM + 1)}), "1,025 numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            read_safetensors(content, words, "m")
    short = read_safetensors(save({"a": good}), words, "m", most=3)
    assert short.words == ("cat",) and "first 1 words" in short.notes[0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b"cat\n", b"\n"], "line 2"),
        ([b"cat\n", b"cat\n"], "on line 1 already"),
        ([b"\xff"], "UTF-8"),
        ([], "empty"),
    ],
)
def test_a_wrong_word_list_is_named(lines: list[bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_word_list(lines)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_are_a_matrix_or_a_sentence(raw: bytes, cut: int) -> None:
    good = save({"weight": torch.ones(2, 3)})
    for content in (raw, good[:cut] + raw + good[cut:], good[:cut]):
        try:
            found = read_safetensors(content, ("a", "b"), "m")
        except ValueError as problem:
            assert str(problem)
        else:
            assert found.matrix.shape[0] == 2


# ---- the sample ----------------------------------------------------------------------------------------


def test_C8_the_sample_is_what_its_script_makes() -> None:
    words, made = maker.vectors(maker.corpus())
    found = sample()
    assert found.words == words and found.matrix.shape == (len(words), maker.DIM)
    assert_allclose(found.matrix, made, atol=1e-3)
    assert found.notes == ()
    assert (FOLDER / "samples" / "vectors.txt").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("word", "among"),
    [
        ("cat", {"dog", "kitten", "puppy"}),
        ("red", {"blue", "green", "yellow", "white", "black"}),
        ("milk", {"water", "tea", "coffee", "juice"}),
        ("monday", {"tuesday", "friday", "sunday"}),
        ("paris", {"london", "rome", "berlin"}),
        ("king - man + woman", {"queen", "princess"}),
    ],
)
def test_C8_neighbours_in_the_sample_mean_something(word: str, among: set[str]) -> None:
    found = nearest(sample(), word, len(among))
    assert {sample().words[row] for row in found.rows} == among


# ---- neighbours, plane, from_pretrained ----------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_neighbours_equal_a_plain_sort_of_cosines(seed: int, count: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(25, 4)).astype(np.float32)
    matrix[7] = 0
    vectors = Vectors("v", tuple(f"w{i}" for i in range(25)), matrix)
    found = nearest(vectors, "w3 - w5", count)
    wide = matrix.astype(np.float64)
    unit = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-30)
    target = unit[3] - unit[5]
    expected = unit @ target / np.linalg.norm(target)
    others = [i for i in np.argsort(-expected) if i not in (3, 5, 7)][:count]
    assert_allclose(found.cosines, expected[others], atol=1e-5)
    assert found.asked.terms == ((1, "w3"), (-1, "w5"))
    assert 7 not in found.rows  # zeros have no direction


def test_a_question_that_cannot_be_answered_has_no_neighbours() -> None:
    vectors = sample()
    assert nearest(vectors, "cat wug", 5).asked.missing == ("wug",)
    for asked in ("", "+ -", "wug", "cat - cat"):
        assert nearest(vectors, asked, 5).rows == ()
    assert nearest(vectors, "Cat", 1).asked.terms == ((1, "cat"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Nothing is asked"),
        ("+ -", "Nothing is asked"),
        ("cat - cat", "adds up to a vector of zeros"),
        ("cat wug", "a vector for every asked word"),
    ],
)
def test_why_there_is_no_answer_is_said_with_what_can_be_asked(text: str, why: str) -> None:
    said = nobody_line(nearest(sample(), text, 5))
    assert why in said and said.count(".") == 1
    for asked in ("cat", "king - man + woman"):
        assert asked in said and nearest(sample(), asked, 5).rows
        assert nobody_line(nearest(sample(), asked, 5)) == ""


def test_vectors_without_another_word_have_no_neighbour_to_name() -> None:
    alone = Vectors("v", ("cat", "nil"), np.array([[1, 2], [0, 0]], np.float32))
    assert "No other word" in nobody_line(nearest(alone, "cat", 5))
    assert "adds up to a vector of zeros" in nobody_line(nearest(alone, "nil", 5))


def test_the_plane_shows_the_chosen_words_furthest_apart() -> None:
    vectors = sample()
    rows = tuple(range(10, 20))
    found = plane(vectors, rows, (0, 1, 2))
    unit = vectors.matrix[list(rows)] / np.linalg.norm(vectors.matrix[list(rows)], axis=1, keepdims=True)
    values = np.linalg.eigvalsh(np.cov(unit.T.astype(np.float64)))[::-1]
    assert_allclose(found.points.var(axis=0, ddof=1), values[:2], rtol=1e-3)
    assert found.share == pytest.approx(tuple(values[:2] / values.sum()), rel=1e-3)
    assert found.points.shape == (10, 2) and found.crowd.shape == (3, 2)
    for few in ((), (4,), (4, 5)):
        assert plane(vectors, few, (0, 1, 2)).points.shape == (len(few), 2)
        assert plane(vectors, few, ()).crowd.shape == (0, 2)


def test_cosines_of_equal_and_opposite_rows() -> None:
    found = cosines(np.array([[1, 0], [2, 0], [-3, 0], [0, 1]], np.float32))
    assert_allclose(found[0], [1, 1, -1, 0])


def test_C8_from_pretrained_copies_rows_and_draws_the_missing_ones() -> None:
    vectors = sample()
    found = take(vectors, SENTENCE, True, 3)
    assert found.missing == ("wug",)
    assert found.output.shape == (8, vectors.matrix.shape[1])
    for position, word in enumerate(SENTENCE):
        if word != "wug":
            assert_array_equal(found.output[position], vectors.matrix[vectors.index[word]])
    wug = found.output[SENTENCE.index("wug")]
    assert 0.3 < np.linalg.norm(wug) / np.linalg.norm(vectors.matrix, axis=1).mean() < 3
    assert_array_equal(take(vectors, SENTENCE, True, 3).weight, found.weight)  # the same seed, the same row
    assert not np.array_equal(take(vectors, SENTENCE, True, 4).weight, found.weight)


@pytest.mark.parametrize("freeze", [True, False])
def test_C8_a_frozen_table_does_not_move(freeze: bool) -> None:
    found = take(sample(), SENTENCE, freeze, 0)
    theirs = nn.Embedding.from_pretrained(torch.zeros(7, sample().matrix.shape[1]), freeze=freeze)
    assert found.trainable == sum(p.numel() for p in theirs.parameters() if p.requires_grad)
    assert (found.moved == 0) == freeze


def test_a_sentence_without_words_is_no_fault() -> None:
    assert take(sample(), (), False, 0).output.shape == (0, sample().matrix.shape[1])
