"""The kept states of a run and its decimated curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from rnnviz.training.live.curves import POINTS, Curves
from rnnviz.training.live.history import BUDGET, MOST, History

SIZES = st.lists(st.integers(0, 400), min_size=1, max_size=300)


def state(epoch: int, size: int) -> bytes:
    return epoch.to_bytes(4, "big") + bytes(size)


def filled(sizes: list[int], budget: int) -> History:
    history = History(budget)
    for epoch, size in enumerate(sizes):
        history.put(epoch, state(epoch, size))
    return history


@given(SIZES, st.integers(0, 20_000))
def test_never_over_the_budget_unless_the_first_and_last_alone_are(sizes: list[int], budget: int) -> None:
    history = filled(sizes, budget)
    assert history.size == sum(len(kept) for _, kept in history)
    assert not history.over or len(history) <= 2
    assert history.over == (history.size > budget)
    assert bool(history.note) == history.over


@given(SIZES, st.integers(0, 20_000))
def test_the_first_the_last_and_each_multiple_of_the_stride_are_kept_exactly(
    sizes: list[int], budget: int
) -> None:
    history = filled(sizes, budget)
    last = len(sizes) - 1
    expected = sorted({0, last} | set(range(0, last + 1, history.stride)))
    assert list(history.epochs) == expected
    assert [epoch for epoch, _ in history] == expected
    for epoch, kept in history:
        assert kept == history[epoch] == state(epoch, sizes[epoch])


@given(st.integers(1, 3000), st.integers(100, 20_000), st.integers(0, 2000))
def test_spacing_is_even_within_a_factor_two_from_any_first_epoch(
    count: int, budget: int, first: int
) -> None:
    history = History(budget)
    for epoch in range(first, first + count):
        history.put(epoch, state(epoch, 96))
    gaps = np.diff(history.epochs)
    assert history.epochs[0] == first
    assert history.epochs[-1] == first + count - 1
    assert np.all(gaps <= history.stride)
    assert np.all(gaps[1:-1] == history.stride)
    # And the budget is used: half as wide a stride would not have fitted.
    few = len(history) <= MOST
    assert few
    assert history.stride == 1 or count >= MOST or 100 * (3 + count // (history.stride // 2)) > budget


@given(SIZES, st.integers(0, 20_000), st.integers(-10, 400))
def test_nearest_and_before_against_a_search(sizes: list[int], budget: int, epoch: int) -> None:
    history = filled(sizes, budget)
    assert history.nearest(epoch) == min(history.epochs, key=lambda kept: (abs(kept - epoch), kept))
    earlier = [kept for kept in history.epochs if kept <= epoch]
    if earlier:
        assert history.before(epoch) == max(earlier)
    else:
        with pytest.raises(LookupError):
            history.before(epoch)


@given(SIZES, st.integers(0, 20_000), st.integers(0, 400))
def test_a_cut_history_shares_nothing_that_changes(sizes: list[int], budget: int, epoch: int) -> None:
    history = filled(sizes, budget)
    whole = list(history)
    cut = history.until(epoch)
    assert list(cut) == [(at, kept) for at, kept in whole if at <= epoch]
    cut.put(1000, b"new")
    assert list(history) == whole


def test_the_newest_state_can_be_replaced_but_not_an_older_one() -> None:
    history = filled([5, 5, 5], BUDGET)
    history.put(2, b"changed")
    assert history[2] == b"changed"
    assert history.size == 9 + 9 + 7
    with pytest.raises(ValueError, match="epoch 1 comes after epoch 2"):
        history.put(1, b"")


def test_a_run_of_ten_thousand_epochs_stays_within_the_stated_budget() -> None:
    history = filled([20_000] * 10_000, BUDGET)
    assert history.size <= BUDGET == 8_000_000
    assert MOST / 2 <= len(history) <= MOST
    assert (history.epochs[0], history.epochs[-1]) == (0, 9_999)


def test_states_larger_than_the_budget_leave_the_first_and_the_last_and_a_sentence() -> None:
    history = filled([5_000_000] * 9, BUDGET)
    assert history.epochs == (0, 8)
    assert "10.0 MB" in history.note
    assert "computed again" in history.note


def test_an_empty_history_says_so() -> None:
    with pytest.raises(LookupError):
        History().nearest(3)
    with pytest.raises(ValueError, match="budget"):
        History(-1)


# Curves


def drawn(rows: NDArray[np.float64], cuts: list[int]) -> Curves:
    """The curves of these rows, arriving in slices that end at `cuts`."""
    curves, begin = Curves(), 0
    for end in [*sorted({cut for cut in cuts if 0 < cut < len(rows)}), len(rows)]:
        curves.extend(end, {"loss": rows[begin:end]})
        begin = end
    return curves


VALUES = st.integers(1, 4000).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.integers(0, 2**32 - 1),
        st.lists(st.integers(1, count), max_size=12),
        st.sampled_from([0.0, 0.3, 1.0]),
    )
)


@given(VALUES)
def test_points_are_true_few_and_hold_the_extremes_and_both_ends(
    given: tuple[int, int, list[int], float],
) -> None:
    count, seed, cuts, holes = given
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=count).round(1)  # rounded: ties
    rows[rng.random(count) < holes] = np.nan
    epochs, values = drawn(rows, cuts).points("loss")
    finite = np.flatnonzero(np.isfinite(rows)) + 1
    assert len(epochs) <= POINTS + 2
    assert np.all(np.diff(epochs) > 0)
    assert_array_equal(values, rows[epochs - 1])
    if count <= POINTS:
        assert_array_equal(epochs, finite)
    if len(finite):
        assert values.min() == np.nanmin(rows)
        assert values.max() == np.nanmax(rows)
    for end in (1, count):
        assert (end in epochs) == np.isfinite(rows[end - 1])


@given(VALUES)
def test_how_the_slices_were_cut_is_not_seen(given: tuple[int, int, list[int], float]) -> None:
    count, seed, cuts, _ = given
    rows = np.random.default_rng(seed).normal(size=count).round(1)
    for mine, whole in zip(drawn(rows, cuts).points("loss"), drawn(rows, []).points("loss"), strict=True):
        assert_array_equal(mine, whole)


def test_each_bucket_keeps_its_own_lowest_and_highest() -> None:
    rows = np.random.default_rng(0).normal(size=10_000)
    epochs, _ = drawn(rows, list(range(0, 10_000, 37))).points("loss")
    width = 64  # 10,000 epochs in at most 300 buckets
    for begin in range(0, 10_000, width):
        bucket = rows[begin : begin + width]
        assert {begin + 1 + bucket.argmin(), begin + 1 + bucket.argmax()} <= set(epochs.tolist())


def test_columns_are_decimated_each_by_itself() -> None:
    rows = np.random.default_rng(1).normal(size=(5000, 3))
    together = Curves()
    together.extend(5000, {"grad_norm": rows})
    assert together.columns("grad_norm") == 3
    for column in range(3):
        alone = Curves()
        alone.extend(5000, {"x": rows[:, column]})
        for a, b in zip(together.points("grad_norm", column), alone.points("x"), strict=True):
            assert_array_equal(a, b)


@given(VALUES, st.integers(0, 4000))
def test_a_cut_curve_holds_true_points_up_to_the_cut_only(
    given: tuple[int, int, list[int], float], cut: int
) -> None:
    count, seed, cuts, _ = given
    rows = np.random.default_rng(seed).normal(size=count).round(1)
    curves = drawn(rows, cuts)
    before = curves.points("loss")
    epochs, values = curves.until(cut).points("loss")
    assert np.all(epochs <= cut)
    assert_array_equal(values, rows[epochs - 1])
    if count <= POINTS:
        assert_array_equal(epochs, np.arange(1, min(cut, count) + 1))
    later = curves.until(cut)
    later.extend(cut + 1, {"loss": np.array([7.5])})
    assert later.points("loss")[1][-1] == 7.5
    for now, then in zip(curves.points("loss"), before, strict=True):
        assert_array_equal(now, then)


@given(VALUES, st.integers(0, 4000))
def test_rows_of_classes_are_thinned_evenly_and_exact(
    given: tuple[int, int, list[int], float], cut: int
) -> None:
    count, seed, cuts, _ = given
    rows = np.random.default_rng(seed).integers(0, 5, (count, 3))
    curves, begin = Curves(), 0
    for end in [*sorted({cut for cut in cuts if 0 < cut < count}), count]:
        curves.extend(end, {"predicted": rows[begin:end], "epoch": np.arange(begin, end)})
        begin = end
    assert curves.names == ("predicted",)
    epochs, kept = curves.rows("predicted")
    assert_array_equal(kept, rows[epochs - 1])
    assert epochs[-1] == count
    assert len(epochs) <= POINTS
    stride = curves.samples["predicted"].stride
    assert set(range(stride, count + 1, stride)) <= set(epochs.tolist())
    assert stride == 1 or count // (stride // 2) >= POINTS - 1
    assert_array_equal(curves.until(cut).rows("predicted")[0], epochs[epochs <= cut])


def test_nothing_known_is_nothing_drawn() -> None:
    curves = Curves()
    curves.extend(0, {"loss": np.empty(0)})
    epochs, values = curves.points("loss")
    assert len(epochs) == len(values) == 0
    assert curves.names == ()
    assert len(curves.rows("predicted")[0]) == 0
