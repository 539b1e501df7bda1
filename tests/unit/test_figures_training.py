"""The pictures over epochs: losses, norms, and the confusion of tags. Records exactly, figures validated."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from rnnviz.figures import theme
from rnnviz.figures.base import sendable
from rnnviz.figures.confusion import confusion, confusion_figure, confusion_summary
from rnnviz.figures.losses import MOST_RUNS, History, Thinned, curves, losses_figure, losses_summary
from rnnviz.figures.norms import norms, norms_figure, norms_summary
from rnnviz.figures.thinning import bucket_size, kept, largest

LIMIT = 60_000
HOSTILE = (
    "<a href='https://example.org'>x</a>",
    "$x^2$",
    "🙂🙃",
    "שלום",
    "w" * 60,
    "%{y}",
    "&lt;",
    '"\\',
)
MARKUP = re.compile(r"</?(?:b|sub|sup|br|extra|span)(?: style=\\?[\"']color:#[0-9a-f]{6}\\?[\"'])?>")


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def checked(made: go.Figure, limit: int = LIMIT) -> go.Figure:
    """The figure through plotly's full validation; small, pure JSON, without any mark-up but our own."""
    text = sendable(made).text
    assert len(text.encode()) < limit
    json.loads(text, parse_constant=refuse)
    assert "<" not in MARKUP.sub("", text)
    content = made.to_dict()
    data = [_listed(trace) for trace in content["data"]]
    layout = {k: v for k, v in content["layout"].items() if k != "template"}
    return go.Figure({"data": data, "layout": layout})


def _listed(part: Any) -> Any:
    """Arrays for the browser as plain arrays again, which the tests can read."""
    if isinstance(part, dict) and "bdata" in part:
        flat = np.frombuffer(base64.b64decode(part["bdata"]), np.dtype(part["dtype"]))
        return flat.reshape([int(n) for n in part["shape"].split(",")]) if "shape" in part else flat
    return {k: _listed(v) for k, v in part.items()} if isinstance(part, dict) else part


def named(made: go.Figure, name: str) -> Any:
    return next(trace for trace in made.data if trace.name == name)


# ---- thinning

values = hnp.arrays(
    np.float64,
    st.integers(0, 400),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


@given(values, st.integers(8, 80))
def test_thinned_series_keep_ends_extremes_and_gaps(series: np.ndarray, most: int) -> None:
    places = kept(series, most)
    assert len(places) <= min(most, len(series))
    assert_array_equal(places, np.unique(places))
    if not len(series):
        return
    assert {0, len(series) - 1} <= set(places.tolist())
    finite = series[np.isfinite(series)]
    shown = series[places]
    if len(finite):
        assert shown[np.isfinite(shown)].max() == finite.max()
        assert shown[np.isfinite(shown)].min() == finite.min()
    assert np.isfinite(shown).all() == np.isfinite(series).all()


@given(values, st.integers(8, 80))
def test_what_a_thinned_line_covers_is_what_the_whole_line_covers(series: np.ndarray, most: int) -> None:
    """In each bucket the smallest and the largest value stand, so no peak is lost however narrow it is."""
    places = kept(series, most)
    size = (
        1
        if len(series) <= most
        else bucket_size(len(series), (most - 2) // (2 + (~np.isfinite(series)).any()))
    )
    for start in range(0, len(series), size):
        bucket = series[start : start + size]
        chosen = series[places[(places >= start) & (places < start + size)]]
        if np.isfinite(bucket).any():
            assert np.nanmax(bucket[np.isfinite(bucket)]) in chosen
            assert np.nanmin(bucket[np.isfinite(bucket)]) in chosen
        assert (~np.isfinite(bucket)).any() == (~np.isfinite(chosen)).any()


def test_a_growing_series_keeps_its_points_until_its_buckets_grow() -> None:
    series = np.random.default_rng(0).random(2000)
    changes = 0
    for end in range(700, 1999):
        size = bucket_size(end, 299)
        if size != bucket_size(end + 1, 299):
            changes += 1
            continue
        full = (end - 1) // size * size
        before, after = kept(series[:end]), kept(series[: end + 1])
        assert_array_equal(before[before < full], after[after < full])
    assert changes == 3


def test_bucket_sizes_are_few() -> None:
    assert sorted({bucket_size(count, 100) for count in range(1, 3000)}) == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]


def test_thinning_refuses_what_is_no_series() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        kept(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="at least 8"):
        kept(np.zeros(3), 4)


def test_buckets_of_rows_show_their_largest() -> None:
    rows = np.array([[1.0, np.nan], [3.0, np.nan], [2.0, np.inf], [0.5, 4.0], [9.0, 5.0]])
    thinned, size = largest(rows, 3)
    assert size == 2
    assert_array_equal(thinned, [[3.0, np.nan], [2.0, 4.0], [9.0, 5.0]])
    assert largest(rows[:0], 3)[0].shape == (0, 2)


# ---- losses


def run(name: str = "run", epochs: int = 4, **more: Any) -> History:
    return History(name, np.arange(1, epochs + 1), 1 / np.arange(1, epochs + 1), **more)


def test_a_run_is_drawn_with_its_held_out_part() -> None:
    record = curves([run(accuracy=[0, 0.5, 1, 1], held_loss=[2, 1, 1, 1.5], held_accuracy=[0, 0, 0.5, 0.5])])
    assert [(line.panel, line.held_out) for line in record.lines] == [
        ("loss", False),
        ("loss", True),
        ("accuracy", False),
        ("accuracy", True),
    ]
    assert_array_equal(record.lines[0].epochs, [1, 2, 3, 4])
    assert_array_equal(record.lines[1].values, np.array([2, 1, 1, 1.5], np.float32))
    assert record.last == (
        {"epoch": 4, "loss": 0.25, "accuracy": 1, "held-out loss": 1.5, "held-out accuracy": 0.5},
    )
    assert record.end == 4
    made = checked(losses_figure(record))
    assert [trace.line.dash for trace in made.data[:4]] == ["solid", "dot", "solid", "dot"]
    assert [trace.yaxis for trace in made.data[:4]] == ["y", "y", "y2", "y2"]
    assert made.layout.meta["cursor"] == {
        "group": "epoch",
        "line": True,
        "axes": [["x", "y", False], ["x", "y2", False]],
    }


def test_nothing_held_out_is_no_line_and_no_panel() -> None:
    record = curves([run(held_loss=[np.nan] * 4, held_accuracy=[np.nan] * 4)])
    assert len(record.lines) == 1
    made = checked(losses_figure(record))
    assert made.layout.showlegend is False
    assert "yaxis2" not in made.layout


def test_a_branch_begins_where_it_left_its_parent() -> None:
    record = curves([run("first", 4), run("second", 6, since=3)])
    assert_array_equal(record.lines[0].epochs, [1, 2, 3, 4])
    assert_array_equal(record.lines[1].epochs, [3, 4, 5, 6])
    thinned = curves(
        [run("thinned", since=3), History("b", [], Thinned([1, 2, 5, 9], [4, 3, 2, 1]), since=3)]
    )
    assert thinned.lines[1].epochs.tolist() == [2, 5, 9]  # no gap between it and its parent
    made = checked(losses_figure(record))
    assert made.layout.showlegend is True
    assert made.data[0].line.color != made.data[1].line.color


def test_many_names_stand_below_the_lines_and_take_no_room_from_them() -> None:
    runs = [History(f"run {k}, from 0", [1, 2, 3], [1.0, 0.5, 0.2], [0.1, 0.2, 0.3]) for k in range(9)]
    few, many = losses_figure(curves(runs[:2]), height=300), losses_figure(curves(runs), height=300)
    checked(many)
    assert (few.layout.height, few.layout.legend.orientation) == (300, None)
    assert many.layout.legend.orientation == "h"
    lines = [made.layout.height - made.layout.margin.t - made.layout.margin.b for made in (few, many)]
    assert lines[0] == lines[1]


def test_a_loss_that_is_no_number_is_a_gap_with_a_mark() -> None:
    record = curves([History("a", [1, 2, 3, 4], [1.0, np.inf, np.nan, 0.5])])
    assert_array_equal(record.lines[0].values, np.array([1, np.nan, np.nan, 0.5], np.float32))
    assert record.broken == ((0, 2),)
    made = checked(losses_figure(record, log=True))
    heads = named(made, "changed")
    assert (list(heads.x), list(heads.customdata)) == ([2], ["the loss is not a number"])
    assert "not a number at epoch 2" in losses_summary(record)
    checked(losses_figure(curves([History("a", [1], [np.nan])])))


def test_ten_thousand_epochs_of_many_runs_stay_light_and_say_what_is_left_out() -> None:
    count = 10_000
    rng = np.random.default_rng(0)
    loss = rng.random(count)
    loss[4321] = 50.0
    histories = [
        History(f"run {i}", np.arange(1, count + 1), loss, loss, loss, loss, 0, ((5, "lr"),))
        for i in range(9)
    ]
    record = curves(histories)
    assert len(record.names) == MOST_RUNS and record.left_out == 2
    for line in record.lines:
        assert line.values.max() == 50
        assert (line.epochs[0], line.epochs[-1]) == (1, count)
    assert "2 earlier runs not drawn" in checked(losses_figure(record)).layout.annotations[0].text
    one = curves(histories[:1])
    assert all(400 < len(line.values) <= 600 for line in one.lines)
    assert "2 earlier runs" in losses_summary(record)


def test_changes_are_marked_where_they_were_made() -> None:
    record = curves([run("a", 300, changes=((60, "lr 0.1 → 0.01"), (200, "unit 3 <silenced>")))])
    assert record.marks == ((0, 60, "lr 0.1 → 0.01"), (0, 200, "unit 3 <silenced>"))
    heads = named(checked(losses_figure(record)), "changed")
    assert list(heads.x) == [60, 200]
    assert list(heads.customdata) == ["lr 0.1 → 0.01", "unit 3 &lt;silenced&gt;"]
    close = curves([run("a", 300, changes=tuple((60 + i, "lr") for i in range(100)))])
    assert named(checked(losses_figure(close)), "changed").mode == "markers"
    assert losses_summary(record) == (
        "a, epoch 300: loss 0.003333, lr 0.1 → 0.01 at epoch 60, unit 3 <silenced> at epoch 200."
    )


def test_a_series_that_was_thinned_has_epochs_of_its_own() -> None:
    thinned = Thinned([1, 50, 100], [0.0, 0.5, 1.0])
    record = curves([History("a", [], Thinned([1, 7, 100], [3.0, np.nan, 1.0]), accuracy=thinned)])
    assert [line.epochs.tolist() for line in record.lines] == [[1, 7, 100], [1, 50, 100]]
    assert (record.end, record.broken) == (100, ((0, 7),))
    assert record.last == ({"epoch": 100, "loss": 1, "accuracy": 1},)
    checked(losses_figure(record))


def test_before_the_first_epoch_the_figure_says_so() -> None:
    for record in (curves([]), curves([History("a", [], [])])):
        assert "No epoch" in checked(losses_figure(record)).layout.annotations[0].text
        assert losses_summary(record) == "No epoch has been trained yet."


def test_series_of_other_lengths_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"a: held-out loss has shape \(2,\), epochs \(3,\)"):
        curves([History("a", [1, 2, 3], [1, 2, 3], held_loss=[1, 2])])


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_changes_are_shown_as_they_are(name: str) -> None:
    record = curves([run(name, changes=((2, name),)), run("b")])
    made = checked(losses_figure(record))
    assert made.data[0].hovertemplate.count("%{") == 2
    assert name in losses_summary(record)


@given(st.lists(st.floats(width=32), max_size=30), st.booleans())
def test_any_losses_are_drawn(losses: list[float], log: bool) -> None:
    checked(losses_figure(curves([History("a", range(1, len(losses) + 1), losses)]), log=log))


# ---- norms


def test_norms_keep_the_largest_of_each_bucket_and_six_decades() -> None:
    table = 10.0 ** -np.arange(8)[None] * np.ones((700, 1))
    table[699, 0] = 5.0
    record = norms("gradient norm", table, [f"p{i}" for i in range(8)])
    assert (record.size, record.values.shape, record.first) == (2, (8, 350), 1)
    assert record.values[0, -1] == 5
    assert record.range == pytest.approx((np.log10(5) - 6, np.log10(5)))
    made = checked(norms_figure(record))
    assert (made.data[0].x0, made.data[0].dx) == (1.5, 2)
    assert list(made.layout.xaxis.range) == [0.5, 700.5]
    np.testing.assert_allclose(made.data[0].z[1], -1)
    assert made.layout.meta["cursor"]["group"] == "epoch"


def test_a_norm_of_0_or_none_is_left_empty_and_the_value_is_in_the_hover_text() -> None:
    record = norms("weight change", [[0.0, 2.0], [np.nan, 0.02]], ["a", "<b>"], first=11)
    made = checked(norms_figure(record))
    assert_array_equal(np.isnan(made.data[0].z), [[True, True], [False, False]])
    assert made.data[0].text[1] == ["2", "0.02"]
    assert made.layout.yaxis.ticktext == ("a", "&lt;b&gt;")
    assert norms_summary(record) == "weight change of 2 parameters up to epoch 12; now from <b> 0.02."


def test_many_parameters_over_many_epochs_stay_light() -> None:
    table = np.exp(np.random.default_rng(0).normal(size=(10_000, 35)))
    record = norms("gradient norm", table, [f"rnn.weight_hh_l{i}_reverse" for i in range(35)])
    made = checked(norms_figure(record))
    assert made.data[0].text is None
    assert record.values.max() == np.float32(table.max())


@pytest.mark.parametrize("table", [np.zeros((3, 2)), np.full((3, 2), np.nan), np.zeros((0, 2))])
def test_norms_without_any_number_are_drawn(table: np.ndarray) -> None:
    record = norms("gradient norm", table, ["a", "b"])
    checked(norms_figure(record))
    assert ("not a number" in norms_summary(record)) == (len(table) > 0 and np.isnan(table).all())


def test_norms_may_come_in_buckets() -> None:
    record = norms("gradient norm", np.ones((700, 1)), ["a"], first=9, width=4)
    assert (record.values.shape, record.size, record.first) == ((1, 350), 8, 9)
    assert "up to epoch 2808" in norms_summary(record)
    assert list(checked(norms_figure(record)).layout.xaxis.range) == [8.5, 2808.5]


def test_norms_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"gradient norm has shape \(3, 2\): expected \(epochs, 1\)"):
        norms("gradient norm", np.zeros((3, 2)), ["a"])


# ---- confusion


def test_confusion_is_shaded_by_row_and_says_the_counts() -> None:
    record = confusion([[3, 1, 0], [0, 2, 0], [0, 0, 0]], ["DET", "NN", "<V>"])
    assert_array_equal(
        record.shares, np.array([[0.75, 0.25, 0], [0, 1, 0], [np.nan, np.nan, np.nan]], np.float32)
    )
    made = checked(confusion_figure(record))
    assert made.data[0].customdata == ([3, 1, 0], [0, 2, 0], [0, 0, 0])
    texts = made.data[2]
    assert list(zip(texts.x, texts.y, texts.text, strict=True)) == [(0, 0, "3"), (1, 0, "1"), (1, 1, "2")]
    assert list(texts.textfont.color) == [theme.BACKGROUND, theme.TEXT, theme.BACKGROUND]
    assert made.layout.meta["labels"]["y"] == ["DET", "NN", "&lt;V&gt;"]
    assert made.layout.annotations[0].text == "5 of 6 right"
    assert confusion_summary(record) == "5 of 6 words right; DET taken for NN once."


def test_sixty_four_tags_stay_light() -> None:
    counts = np.random.default_rng(0).integers(0, 20_000, (64, 64))
    made = checked(confusion_figure(confusion(counts, [f"TAGNAME{i:02}" for i in range(64)], "held out")))
    assert len(made.data) == 2
    assert "<b>held out</b>" in made.layout.annotations[0].text  # it stands beside the training words' map


def test_nothing_tagged_is_said() -> None:
    record = confusion(np.zeros((2, 2)), ["a", "b"])
    assert "No word" in checked(confusion_figure(record)).layout.annotations[0].text
    assert confusion_summary(record) == "No word has been tagged yet."


@pytest.mark.parametrize("counts", [np.zeros((2, 3)), np.full((2, 2), -1)])
def test_counts_that_are_none_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="counts have shape"):
        confusion(counts, ["a", "b"])


@pytest.mark.parametrize("tag", HOSTILE)
def test_tags_are_shown_as_they_are(tag: str) -> None:
    checked(confusion_figure(confusion(np.eye(2), [tag, "b"])))
    checked(norms_figure(norms(tag, [[1.0, 2.0]], [tag, "b"])))
