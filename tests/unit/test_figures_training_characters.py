"""The pictures of *Characters*: what is said, the state as the score, the reshape before the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn.functional import cross_entropy

from rnnviz.figures import theme
from rnnviz.figures.base import sendable
from rnnviz.figures.characters import Strings, ceiling, softmax_grid, state_grid
from rnnviz.figures.losses import Thinned
from rnnviz.figures.reshape import Scored, reshape, reshape_figure, reshape_summary
from rnnviz.figures.said import MOST_ROWS, said, said_figure, said_summary
from rnnviz.figures.tags_drawn import tag_figure
from tests.unit.test_figures_training import checked, named

HELLO = Strings("hello", "ohlol", ("e", "h", "l", "o"))
RIGHT = [3, 1, 2, 3, 2]


# ---- what is said


def test_D3_every_epoch_s_string_stands_beside_its_loss() -> None:
    ids = [[2, 2, 2, 2, 2], [3, 1, 2, 3, 2]]
    record = said(HELLO, ids, [6.9, 0.5])
    assert record.rows == (("l",) * 5, tuple("ohlol"))
    assert_array_equal(record.right, [[False, False, True, False, True], [True] * 5])
    assert (record.epochs, record.until) == ((1, 2), (1, 2))
    made = checked(said_figure(record, current=2))
    letters, loss = named(made, "said"), named(made, "loss")
    assert letters.text[0] == ["l", "l", "<b>l</b>", "l", "<b>l</b>"]
    assert_array_equal(letters.z, record.right)
    assert [list(row) for row in loss.customdata] == [[1, "2 of 5 right"], [2, "5 of 5 right"]]
    assert list(loss.marker.symbol) == ["x", "circle"]
    assert made.layout.xaxis.ticktext == ("h→o", "e→h", "l→l", "l→o", "o→l")
    assert (made.layout.shapes[0].y0, made.layout.shapes[0].y1) == (0.5, 1.5)
    assert said_summary(record) == (
        "hello to ohlol: first right at epoch 2; at epoch 2 it says ohlol, 5 of 5 right, loss 0.5."
    )


def test_of_many_epochs_those_stay_at_which_the_string_changes() -> None:
    ids = np.full((1000, 5), 2)
    ids[300:] = RIGHT
    ids[700, 0] = 0
    record = said(HELLO, ids, np.arange(1000.0))
    assert record.epochs == (1, 301, 701, 702)
    assert record.until == (300, 700, 701, 1000)
    assert_array_equal(record.loss, [299, 699, 700, 999])
    assert [record.row_of(epoch) for epoch in (0, 1, 300, 301, 701, 5000)] == [0, 0, 0, 1, 2, 3]
    made = checked(said_figure(record))
    assert made.layout.yaxis.ticktext == ("1–300", "301–700", "701", "702–1000")


def test_of_too_many_changes_evenly_many_stay_with_both_ends() -> None:
    ids = np.random.default_rng(0).integers(0, 4, (10_000, 5))
    record = said(HELLO, ids, np.ones(10_000))
    assert len(record.rows) == MOST_ROWS
    assert (record.epochs[0], record.until[-1]) == (1, 10_000)
    assert record.rows[-1] == tuple(HELLO.classes[k] for k in ids[record.epochs[-1] - 1])
    checked(said_figure(record, current=5000))


def test_of_long_strings_fewer_are_drawn_so_that_three_pictures_stay_light() -> None:
    long = Strings("ab" * 20, "ba" * 20, ("a", "b"))
    record = said(long, np.random.default_rng(0).integers(0, 2, (500, 40)), np.ones(500))
    assert len(record.rows) == 20 and record.until[-1] == 500
    assert len(sendable(said_figure(record)).text) < 12_000


def test_epochs_may_be_those_of_a_thinned_log() -> None:
    record = said(HELLO, [RIGHT, RIGHT], [1.0, np.nan], epochs=[1, 50])
    assert record.epochs == (1, 50)
    assert np.isnan(named(checked(said_figure(record)), "loss").x[1])


def test_a_thinned_loss_gives_each_row_the_last_value_known_in_it() -> None:
    wrong = [0, 0, 0, 0, 0]
    record = said(
        HELLO, [wrong, RIGHT, wrong, RIGHT], Thinned([2, 15, 31, 77], [5.0, 4.0, 3.0, 1.0]), [1, 16, 32, 48]
    )
    assert_array_equal(record.loss, [4, 3, np.nan, 1])
    assert_array_equal(said(HELLO, [RIGHT], Thinned([], [])).loss, [np.nan])
    checked(said_figure(record))


def test_any_script_and_the_longest_strings() -> None:
    pairs = Strings("你好", "好你", ("你", "好"))
    assert said_summary(said(pairs, [[1, 0]], [0.1])).startswith("你好 to 好你: first right at epoch 1")
    marks = Strings("e\u0301<", "<e\u0301", ("<", "e", "\u0301"))
    text = checked(said_figure(said(marks, [[0, 1, 2]], [0.1]))).data[0].text[0]
    assert text == ["<b>&lt;</b>", "<b>e</b>", "<b>◌\u0301</b>"]
    letters = "".join(chr(0x4E00 + i) for i in range(40))
    long = Strings(letters, letters[::-1], tuple(letters))
    ids = np.random.default_rng(0).integers(0, 40, (300, 40))
    checked(said_figure(said(long, ids, np.ones(300))))


def test_before_the_first_epoch_the_picture_says_so() -> None:
    record = said(HELLO, np.zeros((0, 5)), [])
    assert "No epoch" in checked(said_figure(record)).layout.annotations[0].text
    assert said_summary(record) == "hello to ohlol: no epoch has been trained yet."


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValueError, match=r"predicted \(1, 4\)"):
        said(HELLO, [[0, 1, 2, 3]], [1.0])
    with pytest.raises(ValueError, match=r"loss \(2,\)"):
        said(HELLO, [RIGHT], [1.0, 2.0])


# ---- the state is the score


def test_D4_the_state_stands_above_its_softmax() -> None:
    h = np.tanh(np.random.default_rng(0).normal(size=(5, 4)))
    softmax = torch.tensor(h).softmax(-1).numpy()
    grid = state_grid(HELLO, h, softmax)
    assert grid.tags == ("h[0]: e", "h[1]: h", "h[2]: l", "h[3]: o")
    assert [(row.scale, row.limit) for row in grid.rows] == [("signed", 1.0), ("unit", 1.0)]
    assert grid.rows[0].panels[0].said == grid.rows[1].panels[0].said
    assert grid.rows[0].panels[0].truth == tuple(RIGHT)
    checked(tag_figure(grid))


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_D4_no_state_within_1_reaches_the_ceiling(classes: int) -> None:
    best = -torch.ones(1, classes, dtype=torch.float64)
    best[0, 0] = 1
    bound = ceiling(classes)
    assert best.softmax(-1)[0, 0].item() == pytest.approx(bound.probability)
    assert cross_entropy(best, torch.tensor([0])).item() == pytest.approx(bound.loss)
    states = torch.rand(1000, classes, dtype=torch.float64, generator=torch.manual_seed(0)) * 2 - 1
    assert states.softmax(-1).max() < bound.probability


def test_D5_softmaxes_of_several_moments() -> None:
    p = np.full((5, 4), 0.25)
    grid = softmax_grid(HELLO, [("before training", p), ("now", np.eye(4)[RIGHT])])
    assert [row.panels[0].right for row in grid.rows] == [(0, 5), (5, 5)]
    assert grid.rows[0].panels[0].words == tuple("hello")
    checked(tag_figure(grid))


# ---- the reshape


def batch(
    size: int, length: int, classes: int, reduction: str = "mean", padded: int = 0
) -> tuple[Scored, float]:
    """A batch with PyTorch's own losses, and PyTorch's loss over all positions."""
    generator = torch.manual_seed(3)
    logits = torch.randn(size, length, classes, dtype=torch.float64, generator=generator)
    target = torch.randint(0, classes, (size, length), generator=generator)
    if padded:
        target[-1, -padded:] = -1
    flat = logits.reshape(-1, classes), target.reshape(-1)
    own = cross_entropy(*flat, reduction="none", ignore_index=-1).reshape(size, length)
    loss = cross_entropy(*flat, reduction=reduction, ignore_index=-1).item()
    tokens = [[f"w{n}.{t}" for t in range(length)] for n in range(size)]
    if padded:
        tokens[-1] = tokens[-1][:-padded]
    names = [f"T{k}" for k in range(classes)]
    kind = "sum" if reduction == "sum" else "mean"
    return Scored(logits.numpy(), target.numpy(), own.numpy(), names, tokens, kind), loss  # type: ignore[arg-type]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("padded", [0, 2])
def test_D8_the_bars_add_up_to_pytorch_s_loss(reduction: str, padded: int) -> None:
    given, loss = batch(3, 5, 4, reduction, padded)
    record = reshape(given)
    assert record.loss == pytest.approx(loss, abs=1e-12)
    assert record.total == pytest.approx(loss, abs=1e-12)
    made = checked(reshape_figure(record))
    assert float(np.sum(named(made, "loss").x)) == pytest.approx(loss)
    if padded:
        assert_array_equal(record.losses[-1, -2:], [0, 0])
        assert named(made, "target").text[-2:] == ("–", "–")
        assert record.tokens[-1][-2:] == ("padding", "padding")


def test_D8_the_rows_are_the_same_numbers_one_under_the_other() -> None:
    given, _ = batch(3, 5, 4)
    made = checked(reshape_figure(reshape(given)))
    left, flat = made.data[:2]
    assert_allclose(flat.z, np.asarray(given.logits).reshape(15, 4), rtol=1e-6)
    rows = np.isfinite(left.z).all(axis=1)
    assert_array_equal(left.z[rows], flat.z)
    assert_array_equal(np.flatnonzero(~rows), [5, 11])
    assert flat.y0 == 1  # half of the two gaps
    assert list(made.layout.yaxis.tickvals) == np.flatnonzero(rows).tolist()
    texts = [note.text for note in made.layout.annotations]
    assert "(15, 4)" in texts[1] and "(15,)" in texts[2]


def test_D8_hello_adds_up() -> None:
    logits = torch.randn(5, 4, generator=torch.manual_seed(0))
    target = torch.tensor(RIGHT)
    own = cross_entropy(logits, target, reduction="none")
    record = reshape(Scored(logits[None], target[None], own[None], HELLO.classes, ["hello"], "sum"))
    total = cross_entropy(logits, target, reduction="sum").item()
    assert record.loss == pytest.approx(total, abs=1e-5)
    parts = " + ".join(f"{x:.3g}" for x in own.tolist())
    assert reshape_summary(record) == (
        f"logits (1, 5, 4) become (5, 4), target (1, 5) becomes (5,). Loss (sum) {record.loss:.4g} = {parts}."
    )
    made = checked(reshape_figure(record))
    assert [text for text in named(made, "target").text] == [f"<b>{c}</b>" for c in "ohlol"]
    assert named(made, "target").textfont.color == theme.ACCENT


def test_a_large_batch_is_drawn_in_part_and_the_loss_is_the_whole_one_s() -> None:
    given, loss = batch(8, 30, 64)
    record = reshape(given)
    assert record.logits.shape == (1, 10, 64)
    assert record.loss == pytest.approx(loss, abs=1e-12)
    assert record.total < loss / 4
    made = checked(reshape_figure(record))
    assert f"{record.total:.4g} of it drawn" in made.layout.xaxis5.title.text
    assert reshape_summary(record).endswith(" + ….")
    assert reshape(batch(1, 200, 4)[0]).logits.shape == (1, 40, 4)


def test_losses_that_are_no_numbers_have_no_bar() -> None:
    given, _ = batch(1, 3, 4)
    losses = np.array([[1.0, np.nan, np.inf]])
    made = checked(reshape_figure(reshape(replace(given, losses=losses))))
    bars = named(made, "loss")
    assert_array_equal(np.isnan(bars.x), [False, True, True])
    assert bars.text[1:] == ("not a number", "not a number")


def test_hostile_classes_and_tokens_are_shown_as_they_are() -> None:
    given, _ = batch(1, 2, 2)
    made = reshape(replace(given, classes=["<a href='x'>", "$x$"], tokens=[["<b>", "🙂"]]))
    checked(reshape_figure(made))


def test_a_batch_that_does_not_agree_is_refused() -> None:
    given, _ = batch(2, 3, 4)
    with pytest.raises(ValueError, match=r"losses \(2, 2\)"):
        reshape(replace(given, losses=np.zeros((2, 2))))
    with pytest.raises(ValueError, match="3 classes"):
        reshape(replace(given, classes=["a"] * 3))
    with pytest.raises(ValueError, match="1 sentences"):
        reshape(replace(given, tokens=[["a"]]))


@pytest.mark.parametrize("count", [1, 20, 40])
def test_letters_of_many_epochs_do_not_touch(count: int) -> None:
    strings = Strings("hello", "ohlol", tuple("ehlo"))
    ids = [[i % 4 for i in range(5)]] * count
    ids = [[(i + e) % 4 for i in range(5)] for e in range(count)]  # each says something else
    record = said(strings, ids, np.ones(count))
    made = checked(said_figure(record, height=460))
    rows = max(len(record.rows), 1)
    pitch = (460 - made.layout.margin.t - made.layout.margin.b) / (made.layout.yaxis.range[0] + 0.5)
    assert made.data[0].textfont.size <= max(7, pitch - 0.5) and rows <= count
