"""Attention, one step of it and what could be said: records exactly, figures validated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.data.pairs import Task, alignment, answer, origins
from rnnviz.figures import theme
from rnnviz.figures.attention import AttentionMap, attention_map, attention_summary
from rnnviz.figures.attention_drawn import MOST_CELLS, Chosen, attention_figure
from rnnviz.figures.attention_step import (
    NAMES,
    looked,
    looked_summary,
    products,
    products_summary,
    weighted,
    weighted_summary,
)
from rnnviz.figures.attention_sums import looked_figure, products_figure, weighted_figure
from rnnviz.figures.choices import choices, choices_figure, choices_summary
from tests.unit.test_figures_training import HOSTILE, checked, named

SOURCE = ("a", "b", "a", "c")
END = "<end>"


def softmax(values: Any) -> np.ndarray:
    raised = np.exp(values - np.max(values, axis=-1, keepdims=True))
    made: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return made


def sharp(task: Task, source: tuple[str, ...], peak: float = 8.0) -> AttentionMap:
    """Weights that peak where they should, and evenly where nothing is right."""
    target = (*answer(task, source), END)
    energies = np.zeros((len(target), len(source)))
    for t, places in enumerate(origins(task, source)):
        energies[t, list(places[:1])] = peak
    return attention_map("now", (source, target), softmax(energies), truth=origins(task, source))


def outlines(trace: Any) -> list[tuple[float, float, float]]:
    """(step, first place, last place) of each outlined run."""
    corners = np.stack([trace.x, trace.y], axis=1).reshape(-1, 6, 2)[:, :4]
    return [(float(c[:, 1].mean()), float(c[:, 0].min()) + 0.5, float(c[:, 0].max()) - 0.5) for c in corners]


# ---- maps


def test_the_right_places_of_a_repeated_letter_are_its_own() -> None:
    record = sharp("reverse", SOURCE)
    assert record.target == ("c", "a", "b", "a", END)
    assert record.peaks[:4] == (3, 2, 1, 0) and record.right == (4, 4)
    assert record.truth == ((3,), (2,), (1,), (0,), ())
    made = checked(attention_figure([record]))
    assert [trace.type for trace in made.data] == ["heatmap", "scatter"]
    assert_array_equal(made.data[0].z, record.weights)
    assert made.layout.xaxis.ticktext == SOURCE and made.layout.yaxis.ticktext[-1] == "&lt;end&gt;"
    assert made.layout.xaxis.tickvals == (0, 1, 2, 3)
    assert tuple(made.layout.yaxis.range) == (4.5, -0.5)
    assert outlines(made.data[1]) == [(0, 3, 3), (1, 2, 2), (2, 1, 1), (3, 0, 0)]
    assert made.data[1].line.color == theme.ACCENT
    assert (made.layout.coloraxis.cmin, made.layout.coloraxis.cmax) == (0, 1)
    assert made.layout.meta["labels"]["x"] == list(SOURCE)
    assert attention_summary([record]).startswith("now: 4 of 4 peaks right: c from c at position 3 (1.00), a")


def test_a_month_is_one_outline_and_every_letter_of_it_is_right() -> None:
    source = tuple("3 May 2021")
    record = sharp("dates", source)
    marked = outlines(checked(attention_figure([record])).data[1])
    assert marked[4:6] == [(5, 2, 4), (6, 2, 4)] and len(marked) == 8
    weights = record.weights.copy()
    weights[5] = np.eye(10)[4]
    other = attention_map("y", (source, record.target), weights, truth=origins("dates", source))
    assert other.right == (8, 8)
    weights[5] = np.eye(10)[5]
    assert attention_map("y", (source, record.target), weights, truth=origins("dates", source)).right == (
        7,
        8,
    )


def test_an_alignment_may_be_shorter_than_what_was_said() -> None:
    said = ("c", "c", "a", "b", "a", "a", "a")
    truth = alignment("reverse", SOURCE, said)
    record = attention_map("now", (SOURCE, said), np.full((7, 4), 0.25), truth=truth[:5])
    assert record.truth == ((3,), (2,), (1,), (0,), (), (), ())
    assert record.right == (1, 4)


def test_numbers_stand_in_the_cells_when_they_are_few_and_not_nought() -> None:
    record = sharp("copy", SOURCE, peak=4.0)
    heat = checked(attention_figure([record])).data[0]
    assert heat.texttemplate == "%{text}" and heat.meta == {"numbers": 28}
    shown = np.array(heat.text)
    assert_array_equal(shown == "", record.weights < 0.015)
    assert shown[0, 0] == f"{record.weights[0, 0]:.2f}"
    assert heat.customdata[4][2] == ["&lt;end&gt;", "a"]
    many = attention_map("now", (["x"] * 20, ["y"] * 10), np.full((10, 20), 0.05))
    heat = checked(attention_figure([many])).data[0]
    assert heat.texttemplate is None and heat.customdata is None and "%{y}" in heat.hovertemplate


def test_padding_is_named_framed_and_counted() -> None:
    weights = np.full((2, 5), 0.2)
    record = attention_map(
        "open",
        (("a", "b", "<pad>", "<pad>", "c"), ("b", END)),
        weights,
        outside=[False, False, True, True, "masked"],
    )
    assert record.outside == ("", "", "padding", "padding", "masked")
    assert record.leak == pytest.approx(0.6)
    made = checked(attention_figure([record]))
    assert [(s.x0, s.x1, s.y0, s.y1, s.line.dash) for s in made.layout.shapes] == [
        (1.5, 3.5, -0.5, 1.5, "dot"),
        (3.5, 4.5, -0.5, 1.5, "dot"),
    ]
    assert [a.text for a in made.layout.annotations] == ["<b>open</b>", "padding"]
    assert made.layout.xaxis.ticktext == ("a", "b", "·", "·", "c")
    assert "60.0% of the weight on padding" in attention_summary([record])


def test_the_chosen_row_and_cell_are_framed_in_every_map() -> None:
    record = sharp("reverse", SOURCE)
    made = checked(attention_figure([record, record], chosen=Chosen(1, 2)))
    found = [(s.xref, s.x0, s.x1, s.y0, s.y1) for s in made.layout.shapes]
    assert found == [
        *(("x", -0.5, 3.5, 0.5, 1.5), ("x", 1.5, 2.5, 0.5, 1.5)),
        *(("x2", -0.5, 3.5, 0.5, 1.5), ("x2", 1.5, 2.5, 0.5, 1.5)),
    ]
    assert not checked(attention_figure([record], chosen=Chosen(9, 9))).layout.shapes


def test_a_wrong_token_has_a_cross() -> None:
    record = attention_map("now", (SOURCE, ("c", "b")), np.full((2, 4), 0.25), wrong=[False, True])
    assert checked(attention_figure([record])).layout.yaxis.ticktext == ("c", "✗ b")


def test_a_row_that_was_not_said_yet_is_empty() -> None:
    weights = softmax(np.eye(4) * 5)
    weights[2:] = np.nan
    record = attention_map("now", (SOURCE, "abcd"), weights, truth=[0, 1, 2, 3])
    assert record.peaks == (0, 1, -1, -1) and record.right == (2, 2)
    made = checked(attention_figure([record]))
    assert made.data[0].text[3] == [""] * 4
    assert "c from" not in attention_summary([record])


def test_maps_stand_side_by_side_and_share_the_scale() -> None:
    record = sharp("reverse", SOURCE)
    made = checked(attention_figure([record] * 8))
    assert [trace.type for trace in made.data] == ["heatmap"] * 8 + ["scatter"] * 8
    assert {trace.coloraxis for trace in made.data[:8]} == {"coloraxis"}
    tops = sorted({round(made.layout[f"yaxis{k}"].domain[1], 3) for k in ("", *range(2, 9))})
    assert len(tops) == 2
    assert made.layout.yaxis.showticklabels and not made.layout.yaxis2.showticklabels
    assert made.layout.annotations[0].text == "<b>now</b> 4/4"
    five = checked(attention_figure([record] * 5, limit=0.2))
    assert len({five.layout[f"xaxis{k}"].domain[0] for k in ("", 2, 3, 4, 5)}) == 3
    assert five.layout.coloraxis.cmax == 0.2 and five.layout.coloraxis.colorbar.tickvals == (0, 0.1, 0.2)
    other = attention_map("changed", (SOURCE, "zz"), np.full((2, 4), 0.25))
    made = checked(attention_figure([record, other]))
    assert made.layout.yaxis2.showticklabels and made.layout.yaxis2.ticktext == ("z", "z")


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_64_tokens_stay_light_and_tall_enough(count: int) -> None:
    source = tuple("abcdefgh" * 8)
    record = sharp("reverse", source)
    made = checked(attention_figure([record] * count, chosen=Chosen(3, 4)))
    maps = [trace for trace in made.data if trace.type == "heatmap"]
    assert len(maps) == min(count, MOST_CELLS // record.weights.size)
    assert next(trace for trace in made.data if trace.type == "scatter").mode == "markers"
    notes = [a.text for a in made.layout.annotations if "not drawn" in a.text]
    assert notes == (
        [] if count <= len(maps) else [f"{count - len(maps)} more not drawn: too long to show all"]
    )
    assert 7 * 65 <= made.layout.height / len(maps) <= 560


def test_the_longest_strings_are_light_too() -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(100), 101)
    record = attention_map("now", (["ab"] * 100, ["ba"] * 101), weights, truth=list(range(100)))
    checked(attention_figure([record], chosen=Chosen(0)))


def test_one_token_and_nothing() -> None:
    record = attention_map("now", (["a"], ["b"]), [[1.0]], truth=[0])
    assert record.entropy == 0 and record.right == (1, 1)
    checked(attention_figure([record], chosen=Chosen(0, 0)))
    for nothing in ([], [attention_map("now", (["a"], []), [])], [attention_map("now", ([], ["b"]), [[]])]):
        made = checked(attention_figure(nothing))
        assert made.layout.annotations[0].text == "There is no attention to show."
        attention_summary(nothing)
    assert attention_summary([]) == "There is no attention to show."


def test_what_people_typed_is_only_text() -> None:
    weights = np.full((len(HOSTILE), len(HOSTILE)), 1 / len(HOSTILE))
    record = attention_map(HOSTILE[0], (HOSTILE, HOSTILE), weights, outside=["<b>x</b>", *[""] * 7])
    checked(attention_figure([record, record]))
    wide = attention_map(HOSTILE[0], (HOSTILE * 3, HOSTILE * 3), np.full((24, 24), 1 / 24))
    checked(attention_figure([wide]))


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-5, 5))
)
def test_entropy_lies_between_one_place_and_all_alike(energies: np.ndarray) -> None:
    steps, places = energies.shape
    record = attention_map("now", (["s"] * places, ["t"] * steps), softmax(energies))
    assert -1e-6 <= record.entropy <= np.log(places) + 1e-5
    assert record.peaks == tuple(record.weights.argmax(axis=1).tolist())
    even = attention_map("now", (["s"] * places, ["t"] * steps), np.full((steps, places), 1 / places))
    assert even.entropy == pytest.approx(np.log(places), abs=1e-5)
    checked(attention_figure([record]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weights": np.ones((2, 3))}, r"weights have shape \(2, 3\): expected \(2, 4\)"),
        ({"truth": [4]}, r"truth names a position outside 0\.\.3"),
        ({"outside": [True]}, "outside has 1 values: expected 4"),
        ({"wrong": [True]}, "wrong has 1 values: expected 2"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], told: str) -> None:
    given = {"weights": np.full((2, 4), 0.25)} | changes
    with pytest.raises(ValueError, match=told):
        attention_map("now", (SOURCE, ("b", END)), **given)


# ---- one step

ENERGIES = np.array([0.5, -1.0, 3.0, -2.0])


def test_a_step_s_energies_stand_over_its_weights() -> None:
    outside = [False, False, False, True]
    weights = softmax(np.where(outside, -np.inf, ENERGIES))
    record = looked("x", SOURCE, (ENERGIES, weights), outside=outside, place=2)
    made = checked(looked_figure(record))
    bars = named(made, "energies"), named(made, "weights")
    assert_array_equal(bars[0].y, ENERGIES.astype(np.float32))
    assert_allclose(bars[1].y, weights, rtol=1e-6)
    assert bars[0].marker.pattern.shape == ("", "", "", "/")
    assert bars[0].customdata[3] == ["c", "<br>left out by the softmax: padding"]
    assert [c == theme.SIGNED[0] for c in bars[0].marker.color] == [False, True, False, True]
    assert (made.layout.shapes[0].x0, made.layout.shapes[0].x1) == (1.5, 2.5)
    assert "sum 1" in made.layout.annotations[1].text
    assert looked_summary(record).startswith("To say x the model looks most at a at position 2: energy 3.00")


def test_an_energy_that_is_minus_infinity_is_a_gap() -> None:
    energies = np.array([1.0, -np.inf])
    record = looked("x", "ab", (energies, [1.0, 0.0]), outside=["", "masked"])
    bars = named(checked(looked_figure(record)), "energies")
    assert bars.y[0] == 1 and np.isnan(bars.y[1])
    checked(looked_figure(looked("x", "ab", ([-np.inf] * 2, [0.5, 0.5]))))


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.floats(-1, 1, width=32)
    ),
    st.randoms(use_true_random=False),
)
def test_row_sums_of_the_products_are_the_energies(values: np.ndarray, chance: Any) -> None:
    factors = np.array([chance.uniform(-2, 2) for _ in range(values.shape[1])], np.float32)
    record = products("x", ["s"] * len(values), (values, factors))
    assert_allclose(record.energies, (values.astype(float) * factors).sum(1), atol=1e-5)
    made = checked(products_figure(record))
    assert_allclose(np.sum(named(made, "products").z, axis=1), named(made, "energies").x, atol=1e-5)
    assert_array_equal(named(made, "values").z, values)
    assert_array_equal(named(made, "factors").z, factors[None])


def test_of_many_units_those_that_matter_are_shown_and_the_rest_is_counted() -> None:
    chance = np.random.default_rng(1)
    values, factors = np.tanh(chance.normal(size=(30, 512))), chance.normal(size=512)
    record = products("x", [str(i) for i in range(30)], (values, factors), place=3)
    made_of = np.abs(values * factors).max(axis=0)
    assert len(record.units) == 40 and record.total == 512 and list(record.units) == sorted(record.units)
    assert made_of[list(record.units)].min() >= np.delete(made_of, record.units).max() - 1e-6
    assert record.rest is not None
    assert_allclose(record.products.sum(1) + record.rest, record.energies, atol=1e-3)
    made = checked(products_figure(record))
    assert made.layout.xaxis.title.text == "unit (40 of 512)"
    assert made.layout.meta["labels"]["x2"] == [str(unit) for unit in record.units]
    assert made.layout.coloraxis.cmax == 1
    assert "from the units that are not shown" in named(made, "energies").hovertemplate


def test_other_scores_have_other_names_and_their_own_range() -> None:
    record = products("x", "ab", ([[3.0, 0.5], [-4.0, 1.0]], [0.5, 2.0]), names=NAMES["scaled_dot"])
    assert_array_equal(record.energies, np.array([2.5, 0.0], np.float32))
    made = checked(products_figure(record))
    assert made.layout.coloraxis.cmax == 4 and made.layout.coloraxis2.cmax == 2
    texts = [a.text for a in made.layout.annotations]
    assert texts[0].startswith("<b>h</b>") and texts[1].startswith("<b>× s / √S</b>")
    assert products_summary(record).startswith("h times s / √S: 2 positions, 2 units")


def test_the_context_is_the_sum_of_the_weighted_rows() -> None:
    chance = np.random.default_rng(2)
    weights, states = softmax(chance.normal(size=4)), np.tanh(chance.normal(size=(4, 8)))
    record = weighted("x", SOURCE, weights, weights[:, None] * states, states=states, place=1)
    assert_allclose(record.context, weights @ states, atol=1e-6)
    made = checked(weighted_figure(record))
    assert [trace.name for trace in made.data] == ["weights", "states", "products", "context"]
    assert_allclose(np.sum(named(made, "products").z, axis=0), named(made, "context").z[0], atol=1e-6)
    assert weighted_summary(record).endswith(f"at position {weights.argmax()}.")
    heads = weighted("x", SOURCE, weights, weights[:, None] * states)
    made = checked(weighted_figure(heads))
    assert [trace.name for trace in made.data] == ["weights", "products", "context"]
    wide = weighted(
        "x", ["w"] * 64, np.full(64, 1 / 64), chance.normal(size=(64, 512)), states=np.ones((64, 512))
    )
    assert len(wide.units) < wide.total == 512
    checked(weighted_figure(wide))


def test_one_step_of_nothing_and_of_one_token() -> None:
    empty = np.zeros((0, 3))
    assert checked(looked_figure(looked("x", [], ([], [])))).layout.annotations
    checked(products_figure(products("x", [], (empty, np.zeros(3)))))
    checked(weighted_figure(weighted("x", [], [], empty)))
    for said in (
        looked_summary(looked("x", [], ([], []))),
        products_summary(products("x", [], (empty, np.zeros(3)))),
        weighted_summary(weighted("x", [], [], empty)),
    ):
        assert said == "There is no source to look at."
    checked(looked_figure(looked("x", ["a"], ([0.0], [1.0]), place=0)))
    checked(products_figure(products("x", ["a"], ([[0.0]], [0.0]), place=0)))
    checked(weighted_figure(weighted("x", ["a"], [1.0], [[0.5]], states=[[0.5]], place=0)))
    checked(looked_figure(looked(HOSTILE[0], HOSTILE, (np.arange(8), np.full(8, 0.125)), outside=HOSTILE)))
    checked(
        products_figure(products(HOSTILE[0], HOSTILE, (np.ones((8, 2)), [1, 2]), names=(HOSTILE[0], "v")))
    )
    checked(weighted_figure(weighted("x", HOSTILE, np.full(8, 0.125), np.ones((8, 2)))))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: looked("x", "ab", ([1.0], [1.0])), r"energies has shape \(1,\): expected \(2,\)"),
        (lambda: looked("x", "ab", ([1.0, 2.0], [1.0])), "weights has shape"),
        (lambda: looked("x", "ab", ([1.0, 2.0], [0.5, 0.5]), outside=[True]), "outside has 1 values"),
        (
            lambda: products("x", "ab", (np.ones((3, 2)), [1, 2])),
            r"values have shape \(3, 2\): expected \(2, u",
        ),
        (lambda: products("x", "ab", (np.ones((2, 2)), [1])), "factors has shape"),
        (lambda: weighted("x", "ab", [1.0], np.ones((2, 2))), "weights has shape"),
        (lambda: weighted("x", "ab", [0.5, 0.5], np.ones(2)), "parts have shape"),
        (
            lambda: weighted("x", "ab", [0.5, 0.5], np.ones((2, 2)), states=np.ones((2, 3))),
            "states has shape",
        ),
    ],
)
def test_a_step_s_shapes_are_checked(make: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


# ---- what could be said

TOKENS = ("<pad>", "<end>", *"abcdef")
LOGITS = np.array([-3.0, 0.0, 2.0, 1.0, 0.5, -1.0, -2.0, 3.0])


def test_the_five_likeliest_and_the_right_one_are_listed() -> None:
    record = choices(TOKENS, LOGITS, said=7, right=6, state=np.linspace(-1, 1, 16))
    assert record.tokens == ("f", "a", "b", "c", "<end>", "e") and record.ids == (7, 2, 3, 4, 1, 6)
    assert record.rank == 7 and record.size == 8
    assert_allclose(record.probabilities, softmax(LOGITS)[list(record.ids)], rtol=1e-6)
    made = checked(choices_figure(record))
    bars = named(made, "probability")
    assert made.layout.yaxis.ticktext == ("✗ <b>f</b>", "a", "b", "c", "&lt;end&gt;", "✓ e")
    assert bars.customdata[5] == [6, "e", -2.0]
    assert bars.marker.color[0] == theme.ACCENT and set(bars.marker.color[1:]) == {theme.LINE}
    assert bars.text[0] == f"{softmax(LOGITS)[7]:.1%}   logit 3.00"
    assert_array_equal(named(made, "state").z[0], np.linspace(-1, 1, 16).astype(np.float32))
    assert choices_summary(record).endswith("The right one is e, number 7 of 8.")


def test_what_was_said_by_chance_is_listed_too() -> None:
    record = choices(TOKENS, LOGITS, said=0, right=7)
    assert record.ids == (7, 2, 3, 4, 1, 0)
    assert checked(choices_figure(record)).layout.yaxis.ticktext[0::5] == ("✓ f", "✗ <b>&lt;pad&gt;</b>")
    unknown = checked(choices_figure(choices(TOKENS, LOGITS, said=7)))
    assert unknown.layout.yaxis.ticktext[0] == "<b>f</b>"


def test_temperature_sharpens_and_flattens() -> None:
    cold, warm, hot = (choices(TOKENS, LOGITS, temperature=t).probabilities[0] for t in (0.0, 1.0, 10.0))
    assert cold == 1 > warm > hot > 1 / 8
    assert_array_equal(choices(TOKENS, LOGITS, temperature=0).logits, choices(TOKENS, LOGITS).logits)


def test_few_tokens_and_wrong_arguments() -> None:
    checked(choices_figure(choices(["a"], [0.0], said=0, right=0)))
    checked(choices_figure(choices(HOSTILE, np.arange(8.0), said=0, right=1)))
    for arguments, told in (
        ((TOKENS, [1.0]), {}),
        (([], []), {}),
        ((TOKENS, LOGITS), {"said": 8}),
        ((TOKENS, LOGITS), {"right": -1}),
        ((TOKENS, LOGITS), {"temperature": -1.0}),
    ):
        with pytest.raises(ValueError, match=r"logits have shape|is not allowed"):
            choices(*arguments, **told)


@pytest.mark.parametrize(
    ("tokens", "upright"), [(["ab", "cde"] * 10, True), (["a"] * 20, False), (["ab"], False)]
)
def test_many_short_words_below_a_map_stand_on_end(tokens: list[str], upright: bool) -> None:
    weights = np.full((1, len(tokens)), 1 / len(tokens))
    made = checked(attention_figure([attention_map("now", (tokens, ["x"]), weights)]))
    assert (made.layout.xaxis.tickangle == -90) == upright
