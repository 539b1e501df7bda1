"""The unrolled network and the traps as figures: records exactly, pictures through plotly's validation."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.figures.drift import drift_figure, drift_maps, drift_summary
from rnnviz.figures.traps import equality_figure, equality_maps, equality_summary
from rnnviz.figures.unrolled import Unrolled, shown, unrolled, unrolled_figure, unrolled_summary
from rnnviz.runs import run
from rnnviz.screens.layers import LayersScreen, screen
from rnnviz.traps import TwoRuns, drift, locate, read_out

LIMIT = 60_000  # bytes of one figure


def of(**values: Any) -> LayersScreen:
    return screen({f"l_{key}": value for key, value in values.items()})[0]


def record(row: int = 0, **values: Any) -> Unrolled:
    current = of(**values)
    return unrolled(current, row, locate(current, row).code)


def checked(made: go.Figure) -> go.Figure:
    """The figure through plotly's full validation, small enough to send."""
    content = made.to_plotly_json()
    content["layout"].pop("template")
    assert len(json.dumps(content, allow_nan=False, default=str)) < LIMIT
    return go.Figure(content)


def points(made: go.Figure, name: str) -> Any:
    return next(trace for trace in made.data if trace.name == name)


# ---- unrolled


@pytest.mark.parametrize(
    ("count", "limit", "focus", "places"),
    [
        (3, 8, None, (0, 1, 2)),
        (8, 8, None, (0, 1, 2, 3, 4, 5, 6, 7)),
        (40, 8, None, (0, 1, 2, 3, None, 37, 38, 39)),
        (9, 4, 0, (0, 1, None, 8)),
        (9, 4, 5, (0, 1, None, 5, None, 8)),
        (9, 4, 2, (0, 1, 2, None, 8)),
    ],
)
def test_long_rows_keep_both_ends_and_the_one_in_focus(
    count: int, limit: int, focus: int | None, places: tuple[int | None, ...]
) -> None:
    assert shown(count, limit, focus) == places


@given(count=st.integers(1, 10**6), limit=st.integers(4, 9), data=st.data())
def test_what_is_left_out_is_marked_and_the_rest_is_in_order(
    count: int, limit: int, data: st.DataObject
) -> None:
    focus = data.draw(st.integers(0, count - 1))
    places = shown(count, limit, focus)
    real = [p for p in places if p is not None]
    assert real == sorted(set(real))
    assert {0, focus, count - 1} <= set(real)
    assert len(places) <= limit + 2
    for before, after in pairwise(places):
        if before is not None and after is not None:
            assert after == before + 1


def test_A8_has_a_cell_for_each_layer_direction_and_step() -> None:
    made = record(5, kind="RNN", layers=4, len=4)
    figure = checked(unrolled_figure(made))
    lanes = [trace for trace in figure.data if (trace.name or "").startswith("layer")]
    assert len(lanes) == 8
    assert {tuple(row[:2]) for trace in lanes for row in trace.customdata} == {
        (r, t) for r in range(8) for t in range(4)
    }
    heights = [place.y for place in made.lanes]
    assert heights == sorted(heights)


def test_h_0_enters_and_h_n_leaves_at_opposite_ends_of_each_direction() -> None:
    figure = checked(unrolled_figure(record()))
    for name, forward_x, backward_x in (("h_0", -1, 7), ("h_n", 7, -1)):
        ends = points(figure, name)
        assert dict(zip([row[0] for row in ends.customdata], ends.x, strict=True)) == {
            0: forward_x,
            1: backward_x,
        }


def test_a_cell_says_what_enters_what_leaves_and_which_weights() -> None:
    figure = checked(unrolled_figure(record(kind="LSTM", layers=2, proj=4)))
    lane = points(figure, "layer 1 backward")
    for part in (
        "weight_ih_l1_reverse  (24, 8)",
        "weight_hr_l1_reverse  (4, 6)",
        "h of layer 0, both directions  (3, 8)",
    ):
        assert part in lane.hovertemplate
    assert "out: h<sub>%{customdata[1]}</sub>  (3, 4), and c  (3, 6)" in lane.hovertemplate
    came = {row[1]: row[2] for row in lane.customdata}
    assert came[6] == "h_0[3]"
    assert came[0] == "h<sub>1</sub>"


def test_unbatched_shapes_have_no_batch() -> None:
    figure = checked(unrolled_figure(record(unbatched=True)))
    assert "(5,)" in points(figure, "input").hovertemplate
    assert "output[%{customdata[0]}, :6]" in points(figure, "output :6").hovertemplate


@pytest.mark.parametrize(("row", "column", "side"), [(0, 6, "left"), (1, 0, "right")])
def test_the_slice_that_equals_the_row_lights_up(row: int, column: int, side: str) -> None:
    made = record(row)
    lit = checked(unrolled_figure(made)).data[14]
    assert lit.fillcolor == lit.line.color
    corners = [(x, y) for x, y in zip(lit.x, lit.y, strict=True) if x is not None and y > made.top - 0.5]
    assert len(corners) == 5
    middle = sum(x for x, _ in corners[:4]) / 4
    assert (middle < column) == (side == "left")
    assert abs(middle - column) < 0.5


def test_a_row_below_the_top_lights_no_output() -> None:
    made = record(0, layers=2)
    lit = checked(unrolled_figure(made)).data[14]
    assert made.code is None
    assert max(y for y in lit.y if y is not None) < made.top - 0.5


@pytest.mark.parametrize(
    "values",
    [{}, {"layers": 64, "len": 10**6, "hidden": 65536}, {"bi": False, "layers": 8}, {"len": 1, "batch": 1}],
)
def test_any_layer_fits_the_screen(values: dict[str, Any]) -> None:
    figure = checked(unrolled_figure(record(**values)))
    assert 250 <= figure.layout.height <= 420


def test_the_summary_has_the_numbers() -> None:
    assert unrolled_summary(record(1), 0.0) == (
        "GRU with num_layers = 1, 2 direction(s) and 7 steps: 14 cells. "
        "h_n[1] is made by layer 0, backward, at step 0 and equals output[:, 0, 6:], max |difference| 0."
    )
    assert unrolled_summary(record(0, layers=2), None).endswith("and is nowhere in output.")


# ---- traps


def equality(**values: Any) -> Any:
    current = of(**values)
    return equality_maps(read_out(current, run(current).output, run(current).h_n), current.lengths)


def test_E3_the_map_has_one_colour_step_at_the_tolerance() -> None:
    maps = equality()
    figure = checked(equality_figure(maps))
    scale = figure.data[0].colorscale
    assert scale[1][0] == scale[2][0] == 1e-6
    assert scale[1][1] != scale[2][1]
    drawn = maps.maps[0].values
    assert (drawn[:, :6] <= 1e-6).all()
    assert (drawn[:, 6:] > 1e-6).all()
    assert figure.layout.shapes[0].x0 == 5.5


def test_large_maps_show_the_first_units_of_each_half_and_say_so() -> None:
    maps = equality(hidden=300, batch=40)
    assert maps.maps[0].values.shape == (12, 48)
    assert maps.columns[23:25] == ("23", "300")
    assert equality_figure(maps).layout.meta["labels"]["x"][24] == "300"  # in the hover text and the CSV too
    assert maps.left_out == (
        "Drawn: the first 24 of 300 units of each half and the first 12 of 40 sequences. "
        "The numbers hold for all."
    )
    checked(equality_figure(maps))


@pytest.mark.parametrize(
    "values",
    [
        {"padded": True},
        {"bi": False},
        {"bi": False, "layers": 3},
        {"unbatched": True},
        {"len": 1},
        {"hidden": 1},
    ],
)
def test_every_kind_of_map_is_a_valid_figure(values: dict[str, Any]) -> None:
    maps = equality(**values)
    assert len(checked(equality_figure(maps)).data) == len(maps.maps)


def test_the_equality_summary_names_both_halves() -> None:
    assert equality_summary(equality()).startswith(
        "output[:, -1] (the last step): ✓ forward = h_n[0]  off by 0; ✗ backward ≠ h_n[1]  off by 0.7"
    )


def drifting(sequence: int = 2, **values: Any) -> Any:
    current = of(padded=True, **values)
    result = run(current)
    assert result.unpacked_output is not None and result.unpacked_h_n is not None
    both = TwoRuns(result.output, result.h_n, result.unpacked_output, result.unpacked_h_n)
    return drift_maps(drift(current, both, sequence))


def test_padded_stands_beside_packed_for_each_direction() -> None:
    maps = drifting()
    assert [[panel.title for panel in pair] for pair in maps.panels] == [
        ["padded →", "packed →"],
        ["padded ←", "packed ←"],
    ]
    assert [[panel.took for panel in pair] for pair in maps.panels] == [[6, 3], [0, 0]]
    padded, packed = maps.panels[0]
    assert padded.values.shape == (6, 7)
    assert np.isnan(packed.values[:, 4:]).all()
    figure = checked(drift_figure(maps))
    assert [trace.type for trace in figure.data] == ["heatmap"] * 4 + ["bar"]
    assert list(figure.data[4].y) == list(maps.drifts)
    assert [row[0] for row in figure.data[4].customdata] == [0, 1, 2]


def test_a_long_sequence_keeps_its_end_and_stays_small() -> None:
    maps = drifting(5, len=512, batch=8, hidden=20)
    assert {0, maps.end - 1, maps.end, 511} <= set(maps.steps.tolist())
    assert len(maps.steps) < 100
    assert maps.left_out is not None
    checked(drift_figure(maps))


def test_a_sequence_that_fills_L_has_no_padding_to_mark() -> None:
    figure = checked(drift_figure(drifting(0)))
    assert {shape.type for shape in figure.layout.shapes} == {"rect"}


def test_the_drift_summary_has_every_sequence() -> None:
    maps = drifting()
    assert f"n=2 (length 4): {maps.drifts[2]:.3g}" in drift_summary(maps)
    assert "Sequence 2 ends after 4 of 7 steps." in drift_summary(maps)
