"""Held-out sentences."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.split import split
from rnnviz.training.config import Sentence


def numbered(count: int) -> tuple[Sentence, ...]:
    return tuple(((str(i), "T"),) for i in range(count))


def names(sentences: tuple[Sentence, ...]) -> list[int]:
    return [int(sentence[0][0]) for sentence in sentences]


@given(st.integers(2, 60), st.floats(0, 1, exclude_min=True, exclude_max=True), st.integers(0, 2**31))
def test_both_sides_have_sentences_in_their_order_and_none_is_lost(
    count: int, fraction: float, seed: int
) -> None:
    found = split(numbered(count), fraction, seed)
    train, held = names(found.train), names(found.held_out)
    assert train == sorted(train) and held == sorted(held)
    assert train and held and sorted(train + held) == list(range(count))
    assert len(held) == min(max(round(fraction * count), 1), count - 1)
    assert split(numbered(count), fraction, seed) == found


def test_a_seed_chooses_the_same_sentences_everywhere_and_the_global_generator_is_left_alone() -> None:
    before = random.getstate()
    assert names(split(numbered(12), 0.25, 3).held_out) == [5, 6, 9]
    assert random.getstate() == before
    assert names(split(numbered(12), 0.25, 4).held_out) != [5, 6, 9]


def test_a_larger_share_keeps_what_was_held_out() -> None:
    small, large = (set(names(split(numbered(20), f, 5).held_out)) for f in (0.2, 0.5))
    assert small < large


def test_equal_sentences_are_told_apart() -> None:
    found = split((((("a", "T"),),) * 4), 0.5)
    assert len(found.train) == len(found.held_out) == 2


def test_nothing_held_out() -> None:
    assert split(numbered(1), 0.0).train == numbered(1)
    assert split((), 0.0) == split((), 0)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"fraction=.* is not allowed"):
        split(numbered(3), fraction)


@pytest.mark.parametrize(("count", "told"), [(0, "0 sentences cannot"), (1, "1 sentence cannot be split")])
def test_too_few_sentences_are_told(count: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        split(numbered(count), 0.5)
