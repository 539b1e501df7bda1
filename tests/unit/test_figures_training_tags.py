"""Words by tags, and points in a plane: records exactly, figures validated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.figures import theme
from rnnviz.figures.cloud import MOST_POINTS, Cloud, Dots, cloud, cloud_figure, cloud_summary, look
from rnnviz.figures.tags import Tagged, TagGrid, tag_grid, tag_row, tag_summary, tagged
from rnnviz.figures.tags_drawn import readable, tag_figure
from rnnviz.projection import basis
from tests.unit.test_figures_training import HOSTILE, checked, named

TAGS = ["DET", "NN", "V"]
WORDS = ["The", "dog", "ate", "the", "apple"]
TRUTH = [0, 1, 2, 0, 1]
SURE = np.eye(3)[TRUTH] * 0.8 + 0.2 / 3


def grid(*rows: tuple[str, Any]) -> TagGrid:
    return tag_grid([tag_row(name, [tagged(WORDS, p, truth=TRUTH)]) for name, p in rows], TAGS)


# ---- words by tags


def test_D1_before_stands_beside_now() -> None:
    before = np.full((5, 3), 0.3)
    before[:, 2] = 0.4
    record = grid(("before training", before), ("now", SURE))
    old, new = (row.panels[0] for row in record.rows)
    assert old.said == (2, 2, 2, 2, 2) and old.wrong == (True, True, False, True, True)
    assert new.said == tuple(TRUTH) and not any(new.wrong)
    assert (old.right, new.right) == ((1, 5), (5, 5))
    made = checked(tag_figure(record))
    assert [trace.name for trace in made.data[:2]] == ["before training", "now"]
    assert_array_equal(made.data[1].z, SURE.T.astype(np.float32))
    scales = [made.layout[trace.coloraxis] for trace in made.data[:2]]
    assert [(scale.cmin, scale.cmax) for scale in scales] == [(0, 1), (0, 1)]
    assert made.layout.meta["cursor"] == {"group": "step", "axes": [["x", "y", False], ["x2", "y2", False]]}
    assert "1 of 5 right" in made.layout.annotations[0].text
    assert tag_summary(record).startswith("before training: 1 of 5 right: The: V instead of DET, dog: V")


def marks(made: Any) -> tuple[list[tuple[float, float]], list[tuple[int, float, str]]]:
    """The middles of the outlines, and the (word, row, symbol) of what is said, of the last panel."""
    outline, dots = made.data[-2:]
    corners = np.stack([outline.x, outline.y], axis=1).reshape(-1, 6, 2)[:, :4]
    middles = [(float(x), float(y)) for x, y in corners.mean(axis=1)]
    return middles, [
        (x, round(y + 0.31), s) for x, y, s in zip(dots.x, dots.y, dots.marker.symbol, strict=True)
    ]


def test_the_true_tag_is_outlined_and_a_wrong_one_has_a_cross() -> None:
    scores = SURE.copy()
    scores[1] = [0.1, 0.2, 0.7]
    outlined, said = marks(checked(tag_figure(grid(("now", scores)))))
    assert outlined == [(i, t) for i, t in enumerate(TRUTH)]
    assert said == [(0, 0, "circle"), (1, 2, "x"), (2, 2, "circle"), (3, 0, "circle"), (4, 1, "circle")]


def test_repeated_words_keep_their_places_and_unknown_ones_are_marked() -> None:
    panel = tagged(["the", "zebra", "the"], SURE[:3], known=[True, False, True])
    record = tag_grid([tag_row("typed", [panel])], TAGS)
    made = checked(tag_figure(record))
    assert made.layout.xaxis.ticktext == ("the", "? zebra", "the")
    assert made.layout.meta["labels"]["x"] == ["the", "? zebra", "the"]
    assert panel.right is None and panel.wrong == (False,) * 3
    assert [trace.type for trace in made.data] == ["heatmap", "scatter"]
    assert tag_summary(record) == "typed: the: DET, zebra: NN (unknown word), the: V."


def test_a_word_whose_tag_is_not_known_is_neither_right_nor_wrong() -> None:
    panel = tagged(WORDS, SURE, truth=[0, -1, 0, -1, 1])
    assert panel.wrong == (False, False, True, False, False)
    assert panel.right == (2, 3)
    assert tagged(WORDS, SURE, truth=[-1] * 5).truth is None
    outlined, _ = marks(checked(tag_figure(tag_grid([tag_row("", [panel])], TAGS))))
    assert outlined == [(0, 0), (2, 0), (4, 1)]


def test_models_stand_in_rows_and_sentences_in_columns() -> None:
    other = tagged(["Everybody", "read", "that", "book"], np.full((4, 3), 1 / 3), truth=[1, 2, 0, 1])
    rows = [tag_row(kind, [tagged(WORDS, SURE, truth=TRUTH), other]) for kind in ("RNN", "LSTM", "GRU")]
    made = checked(tag_figure(tag_grid(rows, TAGS)))
    assert [trace.name for trace in made.data[:6]] == ["RNN", "RNN", "LSTM", "LSTM", "GRU", "GRU"]
    assert [trace.z.shape for trace in made.data[:6]] == [(3, 5), (3, 4)] * 3
    assert "cursor" not in made.layout.meta
    first, second = made.layout.xaxis.domain, made.layout.xaxis2.domain
    assert first[1] < second[0] and second[1] == pytest.approx(1)
    assert (first[1] - first[0]) / (second[1] - second[0]) == pytest.approx(5 / 4)
    downs = [made.layout[f"yaxis{i}".removesuffix("1")].domain for i in (1, 3, 5)]
    assert downs[0][0] > downs[1][1] > downs[1][0] > downs[2][1]
    assert [made.layout[f"xaxis{i}".removesuffix("1")].showticklabels for i in (1, 3, 5)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("tags", [3, 13, 17])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_at_the_readable_height_every_row_of_tags_has_its_numbers(tags: int, rows: int) -> None:
    panel = tagged(["The", "dog"], np.full((2, tags), 1 / tags), truth=[0, 1])
    made = tag_grid([tag_row(f"row {k}", [panel]) for k in range(rows)], [f"T{k}" for k in range(tags)])
    drawn = tag_figure(made, height=readable(made))
    heats = [trace for trace in drawn.data if trace.type == "heatmap"]
    assert len(heats) == rows and all(trace.texttemplate for trace in heats)
    squeezed = tag_figure(made, height=readable(made) - 5 * rows * tags)
    assert not any(trace.texttemplate for trace in squeezed.data if trace.type == "heatmap")


def test_scores_of_either_sign_have_their_own_scale() -> None:
    panel = tagged(WORDS, SURE * 4 - 2, truth=TRUTH)
    row = tag_row("scores", [panel], signed=True)
    assert (row.scale, row.limit) == ("signed", float(np.abs(panel.scores).max()))
    made = checked(tag_figure(tag_grid([row, tag_row("softmax", [tagged(WORDS, SURE)])], TAGS)))
    assert (made.layout.coloraxis.cmin, made.layout.coloraxis2.cmin) == (-row.limit, 0)
    assert tag_row("h", [panel], signed=True, limit=1.0).limit == 1


def test_scores_that_are_no_numbers_say_nothing() -> None:
    scores = SURE.copy()
    scores[2] = np.nan
    record = grid(("now", scores))
    panel = record.rows[0].panels[0]
    assert panel.said == (0, 1, -1, 0, 1) and panel.right == (4, 5)
    assert "ate: no number instead of V" in tag_summary(record)
    assert len(marks(checked(tag_figure(record)))[1]) == 4
    checked(tag_figure(tag_grid([tag_row("x", [tagged(["a"], [[np.nan]])], signed=True)], ["T"])))


def test_the_largest_sentence_with_all_tags_twice_stays_light() -> None:
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(64), 200)
    truth = rng.integers(0, 64, 200)
    words = [f"unbelievable{i}" for i in range(200)]
    panel = tagged(words, scores, truth=truth.tolist())
    record = tag_grid([tag_row("before", [panel]), tag_row("now", [panel])], [f"TAG{i}" for i in range(64)])
    assert len(record.places) == 15 and list(record.places) == sorted(record.places)
    checked(tag_figure(record))
    one = np.zeros((200, 64))
    one[:, 40:43] = 1 / 3
    few = tag_grid([tag_row("", [tagged(words, one, truth=[63] * 200)])] * 2, [str(i) for i in range(64)])
    assert {40, 41, 42, 63} <= set(few.places)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((["a"], np.zeros((2, 3)), None, None), r"scores have shape \(2, 3\): expected \(1, tags\)"),
        ((["a"], np.zeros((1, 0)), None, None), r"scores have shape \(1, 0\)"),
        ((["a"], np.zeros((1, 3)), [3], None), "truth has 1 ids: expected 1, less than 3"),
        ((["a"], np.zeros((1, 3)), [0, 1], None), "truth has 2 ids"),
        ((["a"], np.zeros((1, 3)), None, [True, False]), "known has 2 values: expected 1"),
    ],
)
def test_what_does_not_agree_is_refused(arguments: tuple[Any, Any, Any, Any], told: str) -> None:
    words, scores, truth, known = arguments
    with pytest.raises(ValueError, match=told):
        tagged(words, scores, truth=truth, known=known)


def test_rows_of_other_sentences_or_tags_are_refused() -> None:
    one, other = tagged(["a"], [[1.0]]), tagged(["b"], [[1.0]])
    with pytest.raises(ValueError, match="every row needs a panel"):
        tag_grid([tag_row("", [one]), tag_row("", [other])], ["T"])
    with pytest.raises(ValueError, match=r"expected \(L, 2\)"):
        tag_grid([tag_row("", [one])], ["T", "U"])


def test_without_words_the_figure_says_so() -> None:
    for record in (
        tag_grid([], []),
        tag_grid([tag_row("", [Tagged((), np.zeros((0, 3), np.float32), None, (), ())])], TAGS),
    ):
        assert "no sentence" in checked(tag_figure(record)).layout.annotations[0].text


@pytest.mark.parametrize("text", HOSTILE)
def test_words_tags_and_names_are_shown_as_they_are(text: str) -> None:
    record = tag_grid(
        [tag_row(text, [tagged([text] * 2, [[0.9, 0.1]] * 2, known=[True, False])])], [text, "T"]
    )
    checked(tag_figure(record))
    assert text in tag_summary(record)
    dots = Dots(text, [[0, 1], [1, 0]], [text, "b"], [0, -1], [text])
    assert checked(cloud_figure(cloud(dots))).data[0].hovertemplate.count("%{") == 3


# ---- a plane that does not jump

clouds = hnp.arrays(np.float64, st.tuples(st.integers(3, 9), st.integers(1, 6)), elements=st.floats(-10, 10))


@given(clouds)
def test_a_basis_is_orthogonal_and_keeps_most_of_the_variance(values: np.ndarray) -> None:
    found = basis(values)
    product = found.axes.T @ found.axes
    assert_allclose(product, np.diag(np.diag(product)), atol=1e-9)
    assert set(np.diag(product).round(9)) <= {0.0, 1.0}
    assert 0 <= sum(found.share) <= 1 + 1e-9
    size = np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2
    if size.sum() > 1e-6:
        assert sum(found.share) == pytest.approx(size[:2].sum() / size.sum(), abs=1e-6)


@given(st.integers(0, 2**31))
def test_an_aligned_basis_undoes_signs_order_and_turns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(12, 5)) * [3, 2, 1, 0.5, 0.1]
    before = basis(values)
    moved = values + rng.normal(size=values.shape) * 1e-4
    after = basis(moved, like=before)
    assert np.abs(after.project(moved) - before.project(values)).max() < 0.05
    # The same states seen through another turn of the plane: the turn is undone, not shown.
    angle = rng.uniform(0, 7)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    turned = type(before)(before.centre, before.axes @ turn, before.share)
    assert_allclose(basis(values, like=turned).axes, turned.axes, atol=1e-7)


def test_an_aligned_basis_shows_the_same_share_of_the_variance() -> None:
    rng = np.random.default_rng(1)
    values, others = rng.normal(size=(20, 6)), rng.normal(size=(20, 6))
    assert sum(basis(values, like=basis(others)).share) == pytest.approx(sum(basis(values).share))


def test_a_basis_of_nothing_is_a_point() -> None:
    for values in (np.zeros((4, 3)), np.zeros((0, 3)), np.full((2, 3), np.nan)):
        found = basis(values)
        assert found.share == (0, 0)
        assert_array_equal(found.project(np.ones((1, 3))), [[0, 0]])
    one = basis(np.array([[1.0], [3.0]]))
    assert_allclose(np.abs(one.project(np.array([[1.0], [3.0]]))), [[1, 0], [1, 0]])


def test_rows_that_are_no_numbers_do_not_decide_the_plane() -> None:
    values = np.random.default_rng(0).normal(size=(6, 3))
    broken = np.concatenate([values, [[np.nan, 0, 0]]])
    assert_array_equal(basis(broken).axes, basis(values).axes)


# ---- points


def test_points_are_coloured_and_shaped_by_tag() -> None:
    record = cloud(
        Dots(
            "Embeddings",
            [[0.0, 0.0], [3.0, 1.0], [0.1, 0.0]],
            ["The", "dog", "the"],
            [0, 1, 0],
            TAGS,
            (0.6, 0.2),
        )
    )
    assert record.groups == (0, 1, 0)
    assert record.limit == pytest.approx((3 * 1.12, 1.12))
    made = checked(cloud_figure(record))
    assert list(named(made, "DET").customdata) == [0, 2]
    assert (named(made, "NN").marker.color, named(made, "NN").marker.symbol) == look(1)
    assert list(made.layout.xaxis.range) == [-record.limit[0], record.limit[0]]
    assert cloud_summary(record) == (
        "Embeddings: 3 points in a plane with 80% of the variance. "
        "Closest: The next to the, the next to The, dog next to the."
    )


def test_groups_differ_in_more_than_colour() -> None:
    assert len({look(k) for k in range(63)}) == 63
    assert look(-1) == (theme.MUTED, "circle")


def test_axes_reach_as_far_as_the_trail_and_as_asked() -> None:
    trail = [[[2.0, 0.0]], [[-5.0, 1.0]]]
    record = cloud(Dots("h", [[1, 0]], ["a"], trail=trail, limit=(1.0, 9.0)))
    assert record.limit == pytest.approx((5.6, 9.0))
    made = checked(cloud_figure(record))
    assert_array_equal(made.data[0].x, np.array([2, -5, 1, np.nan], np.float32))
    assert made.data[0].meta == {"decoration": True}


def test_two_thousand_states_stay_light_and_say_what_is_left_out() -> None:
    points = np.random.default_rng(0).normal(size=(2000, 2))
    record = cloud(
        Dots(
            "States",
            points,
            [f"unbelievable{i}" for i in range(2000)],
            [i % 17 for i in range(2000)],
            range(17),
        )
    )
    assert len(record.labels) == MOST_POINTS and record.left_out == 1200
    made = checked(cloud_figure(record))
    assert "the first 800 of 2000" in made.layout.xaxis.title.text
    assert all(trace.mode == "markers" for trace in made.data)


def test_points_that_are_no_numbers_leave_the_axes_alone() -> None:
    record = cloud(Dots("h", [[np.nan, np.inf], [1.0, 2.0]], ["a", "b"]))
    assert record.limit == pytest.approx((1.12, 2.24))
    checked(cloud_figure(record))
    assert cloud_summary(record) == "h: 2 points in a plane with 0% of the variance."


def test_no_points_are_said() -> None:
    made = checked(cloud_figure(cloud(Dots("h", np.zeros((0, 2)), []))))
    assert "nothing to show" in made.layout.annotations[0].text
    assert isinstance(cloud(Dots("h", [[0, 0]], ["a"])), Cloud)


@pytest.mark.parametrize(
    "dots",
    [Dots("h", [[0, 0]], []), Dots("h", [[0, 0]], ["a"], [0, 1]), Dots("h", [[0, 0]], ["a"], trail=[[0, 0]])],
)
def test_points_that_do_not_agree_are_refused(dots: Dots) -> None:
    with pytest.raises(ValueError, match="shape"):
        cloud(dots)
