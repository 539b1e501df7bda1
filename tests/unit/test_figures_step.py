"""The figures of *Step through*: the records exactly, the drawings by plotly's own validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz import arithmetic
from rnnviz.figures.chains import Bars, bars_figure, chain_figure, chain_maps
from rnnviz.figures.heatmap import step_heatmaps, step_maps
from rnnviz.figures.steps import (
    LEAST_DIFFERENCE,
    Coloured,
    Lines,
    Path,
    difference_maps,
    lines_figure,
    path_figure,
    side_by_side,
    text_figure,
)
from rnnviz.gates import KINDS
from rnnviz.screens import step as page
from rnnviz.stepping import step_run

TOKENS = ("the", "<b>cat</b>", "the", "猫")


def validated(made: go.Figure) -> go.Figure:
    """The figure, after plotly has checked every property of it."""
    go.Figure(made.to_dict())
    return made


def moment(kind: str) -> arithmetic.Moment:
    current, _, _ = page.screen({"s_kind": kind})
    run = step_run(current)
    return arithmetic.moment(current.config, run.trace, run.parameters, run.initial, (0, 0, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_holds_each_term_once_and_nothing_else(kind: str) -> None:
    chains = arithmetic.chains(moment(kind))
    maps = chain_maps(chains)
    assert [m.letter for m in maps] == [c.letter for c in chains]
    for chain, drawn in zip(chains, maps, strict=True):
        together = np.nansum([block.z for block in drawn.blocks], axis=0)
        np.testing.assert_allclose(together, np.stack([c.values for c in chain.columns], 1), atol=1e-7)
        assert sum((~np.isnan(block.z)).sum() for block in drawn.blocks) == together.size
        assert all(block.limit == 1.0 for block in drawn.blocks if block.scale == "unit")
    signed = {b.limit for m in maps for b in m.blocks if b.scale == "signed"} - {1.0}
    assert len(signed) <= 1  # all sums on one range


@pytest.mark.parametrize("kind", KINDS)
def test_chains_are_drawn_with_numbers_where_they_can_be_read(kind: str) -> None:
    made = validated(chain_figure(chain_maps(arithmetic.chains(moment(kind))), 2))
    assert all(trace.texttemplate for trace in made.data)
    assert {(s.y0, s.y1) for s in made.layout.shapes} == {(1.5, 2.5)}
    labels = [text for axis in made.select_xaxes() for text in axis.ticktext]
    assert ("r" in labels[6:]) == (kind == "GRU")
    assert "sum" in labels


def test_the_gru_chain_applies_r_after_the_product_and_keeps_both_biases() -> None:
    new = next(m for m in chain_maps(arithmetic.chains(moment("GRU"))) if m.letter == "n")
    assert list(zip(new.operators, new.labels, strict=True)) == [
        ("", "W<sub>in</sub>x"),
        ("+", "b<sub>in</sub>"),
        ("+", "r"),
        ("⊙ (", "W<sub>hn</sub>h"),
        ("+", "b<sub>hn</sub>"),
        (") =", "sum"),
        ("tanh", "n"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_operators_stand_above_the_labels_and_below_the_name(kind: str) -> None:
    maps = chain_maps(arithmetic.chains(moment(kind)))
    made = validated(chain_figure(maps, 0))
    drawn = [a for a in made.layout.annotations if a.xref != "paper"]
    assert [a.text for a in drawn] == [text for m in maps for text in m.operators if text]
    for operator in drawn:
        axis = made.layout[operator.xref.replace("x", "xaxis")]
        k = maps[int(operator.xref[1:] or 1) - 1].operators
        assert k[operator.x] == operator.text and axis.tickvals[operator.x] == operator.x
    names = [a for a in made.layout.annotations if a.xref == "paper"]
    assert min(a.yshift for a in names) >= max(a.yshift for a in drawn) + 15  # a line each


@pytest.mark.parametrize("kind", KINDS)
def test_the_letters_of_a_colour_bar_stand_clear_of_all_numbers(kind: str) -> None:
    current, _, _ = page.screen({"s_kind": kind})
    trace = step_run(current).trace
    values = {letter: trace.sel(letter)[:, 0] for letter in ("x", *trace.names[-3:])}
    made = validated(step_heatmaps(step_maps(values, current.tokens), height=392))
    inside = made.layout.height - made.layout.margin.t - made.layout.margin.b
    bars = [made.layout[k].colorbar for k in made.to_dict()["layout"] if k.startswith("coloraxis")]
    letters = [a for a in made.layout.annotations if a.x == bars[0].x]
    assert len(letters) == len(bars) > 1 and not any(bar.title.text for bar in bars)
    half, line = 7, 14  # pixels: of a number, of the letters
    for bar, letter in zip(bars, letters, strict=True):
        assert (letter.y - bar.y) * inside >= line + half
    for bar, below in zip(bars, letters[1:], strict=False):
        assert (bar.y - bar.len - below.y) * inside >= half


def test_bars_end_in_the_sum() -> None:
    bars = Bars("title", ("a<b", "c", "d"), ("x", "b", "h"), (1.0, -2.0, 0.5), -0.5)
    made = validated(bars_figure(bars))
    assert list(made.data[0].y) == [1.0, -2.0, 0.5, -0.5]
    assert made.data[0].customdata[0] == "a&lt;b"
    assert list(made.layout.xaxis.tickvals) == [0, 1, 2, 3]
    colours = made.data[0].marker.color
    assert colours[0] == colours[2] != colours[1]


def test_the_chosen_unit_is_drawn_last_and_over_the_others() -> None:
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    made = validated(lines_figure(Lines("h", values, TOKENS, 1)))
    assert [trace.name for trace in made.data] == ["unit 0", "unit 2", "unit 1"]
    np.testing.assert_array_equal(made.data[-1].y, values[:, 1])
    assert made.data[-1].line.color != made.data[0].line.color == made.data[1].line.color


def test_the_path_rings_the_step_and_escapes_the_tokens() -> None:
    points = np.arange(8, dtype=np.float32).reshape(4, 2)
    made = validated(path_figure(Path(points, TOKENS, (0.9, 0.1), 2)))
    assert (made.data[1].x[0], made.data[1].y[0]) == (4.0, 5.0)
    assert "<b>" not in str(made.data[0].text) and "90%" in made.layout.xaxis.title.text
    assert [c[0] for c in made.data[0].customdata] == [0, 1, 2, 3]


@pytest.mark.parametrize("length", [1, 14, 15, 128])
def test_the_text_keeps_its_order_and_its_steps(length: int) -> None:
    tokens = tuple(f"w{t}" for t in range(length))
    values = np.linspace(-1, 1, length, dtype=np.float32)
    made = validated(text_figure(Coloured("h", 0, values, tokens, 1.0, length - 1)))
    trace: Any = made.data[0]
    rows = zip(trace.customdata, trace.z, trace.text, strict=True)
    cells = [cell for row in rows for cell in zip(*row, strict=True)]
    assert [c for c, _, w in cells if w] == list(range(length))
    ring = made.layout.shapes[0]
    assert int(ring.y0 + 0.5) * min(14, length) + int(ring.x0 + 0.5) == length - 1
    np.testing.assert_array_equal([v for _, v, w in cells if w], values)
    assert all(np.isnan(v) for _, v, w in cells if not w)


def test_side_by_side_shares_a_range_and_rounding_is_no_difference() -> None:
    original = {"c": np.full((4, 2), 0.5, np.float32)}
    maps = side_by_side(original, {"c": original["c"] * 4}, TOKENS)
    assert [p.name for p in maps.panels] == ["original", "edited", "edited − original"]
    assert [p.limit for p in maps.panels] == [2.0, 2.0, 1.5]
    validated(step_heatmaps(maps, columns=3))
    rounding = difference_maps(original, {"c": original["c"] + np.float32(1e-7)}, TOKENS)
    assert rounding.panels[0].limit == LEAST_DIFFERENCE


def test_backward_maps_say_in_which_order_they_are_computed() -> None:
    maps = side_by_side({"h": np.ones((4, 2))}, {"h": np.ones((4, 2))}, TOKENS)
    assert "last step to the first" in validated(step_heatmaps(maps, backward=True)).layout.xaxis.title.text
    assert step_heatmaps(maps).layout.xaxis.title.text is None
