"""The figures of *By hand*: records exactly, drawings by plotly's own validation; and its code as HTML."""

from __future__ import annotations

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.by_hand.experiment import TOLERANCE, operations, outcome
from rnnviz.by_hand.norms import norms
from rnnviz.by_hand.recipes import sources
from rnnviz.figures.base import sendable
from rnnviz.figures.by_hand import compared_figure, compared_maps, compared_summary
from rnnviz.figures.by_hand_steps import (
    MOST_COLUMNS,
    growth,
    growth_figure,
    growth_summary,
    operation_figure,
    operation_value,
)
from rnnviz.gates import KINDS
from rnnviz.screens import by_hand as page
from rnnviz.ui.by_hand import markup


def maps_of(n: int = 0, **values: object):  # type: ignore[no-untyped-def]
    current = page.screen(values)[0]
    results = [(one.name, one.hand, one.torch) for one in outcome(current).results]
    first = current.experiment == "Loop over a cell"
    return current, compared_maps(results, n, TOLERANCE[current.dtype], steps_first=first)


def validated(made: go.Figure) -> go.Figure:
    go.Figure(made.to_dict())
    return made


def test_the_record_holds_one_sequence_of_both_sides_and_their_difference() -> None:
    current, maps = maps_of(1, b_fault="Transpose W_hh")
    results = {one.name: one for one in outcome(current).results}
    assert [row.name for row in maps.rows] == ["output", "h_n", "y"]
    output, h_n, y = maps.rows
    np.testing.assert_array_equal(output.hand, results["output"].hand[1].T)
    np.testing.assert_array_equal(output.torch, results["output"].torch[1].T)
    np.testing.assert_array_equal(output.difference, output.hand - output.torch)
    np.testing.assert_array_equal(h_n.hand, results["h_n"].hand[:, 1])
    np.testing.assert_array_equal(y.torch, results["y"].torch[1].T)
    assert maps.difference_limit == max(np.abs(row.difference).max() for row in maps.rows)
    assert maps.limit == max(np.abs(a).max() for one in results.values() for a in (one.hand, one.torch))


def test_rounding_stays_grey_and_a_fault_lights_up() -> None:
    _, intact = maps_of()
    assert all(np.abs(row.difference).max() < intact.difference_limit / 10 for row in intact.rows)
    _, broken = maps_of(b_fault="Forget b_hh")
    assert max(np.abs(row.difference).max() for row in broken.rows) == broken.difference_limit


def test_the_loop_over_a_cell_has_its_steps_first() -> None:
    current, maps = maps_of(1, b_exp="Loop over a cell", b_batch=3, b_len=5)
    np.testing.assert_array_equal(maps.rows[0].hand, outcome(current).results[0].hand[:, 1].T)


def test_a_large_result_is_thinned_but_no_difference_is_lost() -> None:
    rng = np.random.default_rng(0)
    hand = rng.normal(size=(2, 30, 512))
    torch = hand.copy()
    torch[1, 7, 333] += 9
    record = compared_maps([("output", hand, torch), ("h_n", hand[:1, :2], torch[:1, :2])], 1, 1e-5)
    row = record.rows[0]
    assert row.difference is not None
    assert row.stride == 21 and row.hand.shape == row.difference.shape == (25, 30)
    assert row.difference.min() == pytest.approx(-9) and np.argmin(row.difference) == 333 // 21 * 30 + 7
    assert len(sendable(compared_figure(record, 280)).text) < 40_000


def test_different_shapes_are_said_and_not_drawn() -> None:
    _, maps = maps_of(2, b_fault="batch_first data", b_batch=3, b_len=2)
    h_n = maps.rows[1]
    assert h_n.difference is None and h_n.note == "shapes differ: (1, 3, 6) and (1, 2, 6)"
    made = validated(compared_figure(maps, 280))
    assert "shapes differ" in [a.text for a in made.layout.annotations]  # in full it would leave its place
    assert "shapes differ" in compared_summary(maps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
def test_every_comparison_is_a_figure_that_fits_its_height(experiment: str, kind: str) -> None:
    _, maps = maps_of(b_exp=experiment, b_kind=kind, b_layers=4)
    made = validated(compared_figure(maps, 285))
    assert len(made.data) == 3 * len(maps.rows) and made.layout.height == 285
    ends = [
        getattr(made.layout, name).domain for name in made.to_dict()["layout"] if name.startswith("yaxis")
    ]
    assert all(0 <= low < high <= 1 for low, high in ends)
    for above, below in zip(ends[::3], ends[3::3], strict=False):
        assert below[1] < above[0]


def test_an_operations_value_is_one_matrix() -> None:
    sheet = operation_value(np.arange(24.0).reshape(2, 3, 4), 5)
    np.testing.assert_array_equal(sheet.values, np.arange(12.0, 24).reshape(3, 4))
    assert sheet.shown == "[1] of (2, 3, 4)" and sheet.left_out == ""
    assert operation_value(np.ones(7), 0).values.shape == (1, 7)
    wide = operation_value(np.ones((4, 512)), 0)
    assert wide.values.shape == (4, MOST_COLUMNS) and "(4, 512)" in wide.left_out
    small, large = validated(operation_figure(sheet)), validated(operation_figure(wide))
    assert small.data[0].texttemplate == "%{z:.2f}" and large.data[0].texttemplate is None


def test_growth_has_a_guide_only_where_the_radius_alone_decides() -> None:
    found = norms(page.memory(page.screen({})[1]))
    record = growth(found.curves, found.radius, guided=True)
    assert record.guide is not None
    assert record.guide[10] == pytest.approx(record.curves["memory"][0] * 1.1**10)
    made = validated(growth_figure(record))
    assert made.layout.yaxis.type == "log" and len(made.data) == 4
    assert np.isnan(made.data[0].y[1:]).all()  # without memory the norm is 0: no place on a log axis
    point = made.data[0]
    assert point.mode == "markers" and point.name == "no memory: 0 after step 0" and point.zorder == 1
    left, right = made.layout.xaxis.range
    assert -left * 340 / (right - left) >= point.marker.size / 2  # of 340 pixels: the axis does not halve it
    every = norms(page.memory(page.screen({"b_drive": page.DRIVES[1]})[1]))
    drawn = growth_figure(growth(every.curves, every.radius, guided=False)).data
    assert [(trace.name, trace.mode) for trace in drawn] == [(name, "lines") for name in every.curves]
    assert "spectral radius 1.1" in growth_summary(record)


# ---- code as HTML ------------------------------------------------------------------------------------------


def bare(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


def test_the_code_is_shown_word_for_word() -> None:
    for experiment in page.EXPERIMENTS:
        running, right = sources(page.screen({"b_exp": experiment})[0])["hand"]
        html = markup.code(running, right, markup.Box("x"))
        shown = re.findall(r"<div style=\"padding[^>]*>(.*?)</div>", html)
        assert [bare(line) for line in shown] == running.rstrip().splitlines()


def test_a_broken_line_is_marked_and_the_right_one_struck_out() -> None:
    running, right = sources(page.screen({"b_fault": "Transpose W_hh"})[0])["hand"]
    html = markup.code(running, right, markup.Box("x"))
    (gone,) = re.findall(r"<s>(.*?)</s>", html)
    assert bare(gone) == "h = torch.tanh(x[:, t] @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
    assert html.count("broken: ") == 1 and html.count("right: ") == 1
    assert "broken" not in markup.code(right, right, markup.Box("x"))


def test_the_operation_is_marked_where_it_stands() -> None:
    current = page.screen({"b_fault": "Transpose W_hh"})[0]
    for o in operations(current).operations:
        html = markup.code(*sources(current)["hand"], markup.Box("x"), o)
        (marked,) = re.findall(r"<mark[^>]*>(.*?)</mark>", html)
        assert bare(marked) == o.code


def test_the_verdict_says_every_number() -> None:
    found = outcome(page.screen({"b_fault": "batch_first data", "b_batch": 3})[0])
    said = bare(markup.verdict(found))
    assert "h_n shapes differ: (1, 3, 6) ≠ (1, 4, 6) ✗" in said
    assert f"output {markup.number(found.results[0].largest or 0)} ✗" in said
    assert bare(markup.verdict(outcome(page.screen({})[0]))).count("✓") == 4


def test_numbers_are_short() -> None:
    assert [markup.number(x) for x in (0.0, 5.96e-8, 0.348, 228.4)] == ["0", "6.0e-08", "0.348", "228"]
