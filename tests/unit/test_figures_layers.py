"""The pictures of Layers & shapes: the records exactly, and every figure against plotly's full validation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from rnnviz import LayerConfig
from rnnviz.feeding import MAX_STEPS, PAD, Batch, batch, entering, vectors
from rnnviz.figures import boxes as geometry
from rnnviz.figures.feeding import (
    COLUMNS,
    ENTERING,
    PADDING,
    SENTENCES,
    STEPS,
    WAITING,
    Entering,
    FeedingPicture,
    feeding_grids,
    feeding_picture,
)
from rnnviz.figures.parameters import (
    MAX_BLOCK_ROWS,
    MAX_COLUMNS,
    MAX_ROWS,
    parameter_heatmap,
    parameter_picture,
)
from rnnviz.figures.same import Same, faces, same_slices
from rnnviz.figures.slices import MAX_COLUMNS as SLICE_COLUMNS
from rnnviz.figures.slices import slice_heatmap, tensor_slice
from rnnviz.figures.tensors import boxes, tensor_boxes
from rnnviz.gates import AXES
from rnnviz.runs import run
from rnnviz.screens.layers import LayersScreen, screen
from rnnviz.shapes import Parameter, parameters, tensors
from tests.unit.strategies import configs


def checked(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain data, after plotly has validated every property."""
    return dict(go.Figure(figure.to_dict()).to_dict())


def bytes_of(figure: go.Figure) -> int:
    content = figure.to_plotly_json()
    content["layout"].pop("template")
    return len(json.dumps(content))


# ---- boxes ------------------------------------------------------------


@settings(max_examples=25)
@given(configs(), st.integers(1, 1_000_000), st.integers(1, 1_000_000) | st.none(), st.booleans())
def test_every_axis_of_every_tensor_is_drawn_in_its_own_colour(
    config: LayerConfig, length: int, batch: int | None, given_state: bool
) -> None:
    shapes = tensors(config, length, batch)
    figure = checked(tensor_boxes(boxes(config, shapes, given_state=given_state, chosen="h_n")))
    letters = {d.letter for t in shapes.values() for d in t.dims}
    texts = {
        (a["text"], a["font"]["color"])
        for a in figure["layout"]["annotations"]
        if "color" in a.get("font", {})
    }
    for shape in shapes.values():
        for i, d in enumerate(shape.dims):
            large = i == 1 and len(shape.dims) == 3 and d.size >= 10_000  # beside the box: three digits
            assert large or (f"{d.formula} = <b>{d.size:,}</b>", AXES[d.letter].colour) in texts
    drawn = {t["line"].get("color") for t in figure["data"] if "line" in t}
    assert {AXES[letter].colour for letter in letters} <= drawn
    assert [c[0] for c in figure["data"][-1]["customdata"]] == [*record_names(config)]


def record_names(config: LayerConfig) -> list[str]:
    lstm = config.kind == "LSTM"
    return ["input", "h_0", *(["c_0"] if lstm else []), "output", "h_n", *(["c_n"] if lstm else [])]


def test_the_record_marks_what_is_left_out_and_what_is_chosen() -> None:
    config = LayerConfig("LSTM", 10, 20, num_layers=2)
    record = boxes(config, tensors(config, 5, 3), given_state=False, chosen="c_n")
    assert (record.module, record.layers, record.directions) == ("nn.LSTM", 2, 1)
    assert [(b.name, b.zeros, b.chosen) for b in record.inputs] == [
        ("input", False, False),
        ("h_0", True, False),
        ("c_0", True, False),
    ]
    assert [(b.name, b.zeros, b.chosen) for b in record.outputs] == [
        ("output", False, False),
        ("h_n", False, False),
        ("c_n", False, True),
    ]
    given_ones = boxes(config, tensors(config, 5, 3), given_state=True)
    assert not any(b.zeros for b in given_ones.inputs)


def test_left_out_states_are_dashed() -> None:
    config = LayerConfig("GRU", 10, 20)
    shapes = tensors(config, 5, 3)
    dashes = [
        {
            t["line"].get("dash")
            for t in checked(tensor_boxes(boxes(config, shapes, given_state=g)))["data"]
            if "line" in t
        }
        for g in (False, True)
    ]
    assert ["dot" in found for found in dashes] == [True, False]


def edges(config: LayerConfig, name: str) -> list[tuple[str, geometry.Line]]:
    shape = tensors(config, 9, 3)[name]
    placed = geometry.place(geometry.Box(name, shape.dims, False, False), 0, 0, 2)
    return [(dim.letter, line) for dim, line in placed.edges()]


def test_batch_first_swaps_the_drawn_axes_of_input_and_output_and_not_those_of_h_n() -> None:
    plain, first = LayerConfig("RNN", 4, 6), LayerConfig("RNN", 4, 6, batch_first=True)
    for name in ("input", "output"):
        assert [letter for letter, _ in edges(plain, name)][3:] == ["N"] * 3 + ["L"] * 3
        assert [letter for letter, _ in edges(first, name)][3:] == ["L"] * 3 + ["N"] * 3
    assert edges(plain, "h_n") == edges(first, "h_n")


def test_an_unbatched_tensor_is_flat() -> None:
    config = LayerConfig("RNN", 4, 6)
    for name, shape in tensors(config, 9, None).items():
        placed = geometry.place(geometry.Box(name, shape.dims, False, False), 0, 0, 2)
        assert placed.dx == placed.dy == 0
        assert len(list(placed.edges())) == 6


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_larger_axis_is_never_a_shorter_edge_and_stays_on_the_canvas(a: int, b: int) -> None:
    shapes = [tensors(LayerConfig("RNN", size, 6), 9, 3)["input"] for size in sorted((a, b))]
    small, large = (geometry.place(geometry.Box("input", s.dims, False, False), 0, 0, 3) for s in shapes)
    assert small.w <= large.w <= geometry.WIDTH / 4
    assert large.y >= 0 and large.y + large.h + large.dy <= geometry.HEIGHT


def test_the_boxes_of_every_kind_are_small_to_send() -> None:
    config = LayerConfig("LSTM", 10, 12, num_layers=64, bidirectional=True, proj_size=11)
    assert bytes_of(tensor_boxes(boxes(config, tensors(config, 12, 12), given_state=False))) < 25_000


@pytest.mark.parametrize(
    ("length", "text", "angle"),
    [
        (7, "L = <b>7</b>", 0),
        (30, "L = <b>30</b>", 0),
        (512, "L = <b>512</b>", -90),
        (65_536, "L ≈ <b>65.5k</b>", -90),
        (123_000, "L = <b>123k</b>", -90),
        (1_000_000, "L = <b>1M</b>", 0),
    ],
)
def test_a_long_label_beside_a_box_stands_upright_or_is_shortened(length: int, text: str, angle: int) -> None:
    config = LayerConfig("LSTM", 5, 6, batch_first=True)
    figure = checked(tensor_boxes(boxes(config, tensors(config, length, 3), given_state=False)))
    beside = [a for a in figure["layout"]["annotations"] if a["text"].startswith("L ")]
    assert {(a["text"], a["textangle"]) for a in beside} == {(text, angle)}


@pytest.mark.parametrize(
    ("both_ways", "packed", "said"),
    [
        (False, False, "h after the last step, of every layer"),
        (True, False, "h after the last step read forward, after step 0 read backward, of every layer"),
        (False, True, "h after each sequence's own last step, of every layer"),
        (
            True,
            True,
            "h after each sequence's own last step read forward, after step 0 read backward, of every layer",
        ),
    ],
)
def test_the_hover_of_h_n_says_after_which_step_each_reader_ends(
    both_ways: bool, packed: bool, said: str
) -> None:
    config = LayerConfig("RNN", 5, 6, bidirectional=both_ways)
    record = boxes(config, tensors(config, 7, 3), given_state=False, packed=packed)
    targets = checked(tensor_boxes(record))["data"][-1]
    text = targets["text"][[c[0] for c in targets["customdata"]].index("h_n")]
    assert text.split("<br>")[1] == said


# ---- the same numbers ------------------------------------------------------------


def measured(found: dict[str, Any]) -> tuple[LayersScreen, tuple[Same, ...]]:
    current = screen(found)[0]
    ran = run(current)
    return current, same_slices(current, ran.output, ran.h_n)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {},
            ["output[:, -1, :6] = h_n[0]", "output[:, 0, 6:] = h_n[1]", "output[:, -1, 6:] ≠ h_n[1]"],
        ),
        (
            {"l_bf": False, "l_layers": 2, "l_kind": "LSTM"},
            ["output[-1, :, :6] = h_n[2]", "output[0, :, 6:] = h_n[3]", "output[-1, :, 6:] ≠ h_n[3]"],
        ),
        ({"l_bi": False, "l_layers": 3}, ["output[:, -1] = h_n[2]"]),
        ({"l_unbatched": True, "l_bi": False}, ["output[-1] = h_n[0]"]),
        ({"l_len": 1}, ["output[:, -1, :6] = h_n[0]", "output[:, 0, 6:] = h_n[1]"]),
        (
            {"l_padded": True, "l_lengths": "7, 4, 2"},
            [
                "output[n, lengths - 1, :6] = h_n[0]",
                "output[:, 0, 6:] = h_n[1]",
                "output[:, -1, 6:] ≠ h_n[1]",
            ],
        ),
    ],
)
def test_A6_equal_slices_are_named_as_one_would_write_them(found: dict[str, Any], said: list[str]) -> None:
    assert [one.words for one in measured(found)[1]] == said


def test_what_is_equal_is_measured_and_not_taken_for_granted() -> None:
    current = screen({})[0]
    ran = run(current)
    wrong = same_slices(current, ran.output, ran.h_n[::-1])
    assert [one.equal for one in wrong[:2]] == [False, False]


def corners(placed: geometry.Placed, one: Same) -> set[tuple[float, float]]:
    """The corners of what is marked, in fractions of the box's front."""
    (lines,) = [lines for same, lines in faces((one,), placed) if same == one]
    return {(round((x - placed.x) / placed.w, 3), round((y - placed.y) / placed.h, 3)) for x, y in lines[0]}


def test_A6_the_marks_lie_on_the_slices_that_they_name() -> None:
    current, (forward, backward, vain) = measured({"l_len": 4, "l_batch": 2})
    shapes = tensors(current.config, 4, 2)

    def box(name: str) -> geometry.Placed:
        return geometry.place(geometry.Box(name, shapes[name].dims, False, False), 0, 0, 2)

    # The front of output is sequence 0, its rows are the steps from the top, its columns the features.
    assert corners(box("output"), forward) == {(0, 0), (0.5, 0), (0.5, 0.25), (0, 0.25)}
    assert corners(box("output"), backward) == {(0.5, 0.75), (1, 0.75), (1, 1), (0.5, 1)}
    assert corners(box("output"), vain) == {(0.5, 0), (1, 0), (1, 0.25), (0.5, 0.25)}
    assert corners(box("h_n"), forward) == {(0, 0), (1, 0), (1, 1), (0, 1)}  # row 0 is its front
    assert not list(faces((vain,), box("h_n"))) and not list(faces((forward,), box("input")))
    # Row 1 lies behind: of it the back half of the top and of the side are seen.
    ((_, lines),) = faces((backward,), box("h_n"))
    assert len(lines) == 2


@pytest.mark.parametrize("found", [{}, {"l_bf": False}, {"l_unbatched": True}, {"l_kind": "LSTM"}])
def test_one_colour_for_equal_numbers_in_both_boxes_and_words_in_both_hovers(found: dict[str, Any]) -> None:
    current, same = measured(found)
    shapes = tensors(current.config, current.length, current.batch if current.batched else None)
    figure = checked(tensor_boxes(boxes(current.config, shapes, given_state=False, same=same)))
    drawn = {t["name"]: t for t in figure["data"] if t.get("name") in {one.words for one in same}}
    assert set(drawn) == {one.words for one in same}
    filled = [t["fillcolor"] for t in drawn.values() if "fill" in t]
    assert filled == [one.colour for one in same if one.equal] and len(set(filled)) == 2
    targets = figure["data"][-1]
    for (name,), text in zip(targets["customdata"], targets["text"], strict=True):
        assert all((one.words in text) == (name in ("output", "h_n")) for one in same)


# ---- numbers of a tensor ------------------------------------------------------------


def counted(shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape) / 1e6


def test_a_slice_is_one_sequence_of_the_batch_in_the_tensor_s_own_layout() -> None:
    for batch_first in (False, True):
        config = LayerConfig("GRU", 4, 6, batch_first=batch_first, bidirectional=True)
        shape = tensors(config, 5, 3)["output"]
        array = counted(shape.shape)
        record = tensor_slice(shape, array, config, 2)
        assert record.title == ("output[2, :, :]" if batch_first else "output[:, 2, :]")
        assert_array_equal(record.values, (array[2] if batch_first else array[:, 2]).astype(np.float32))
        assert record.halves == 6
        assert record.limit == 1.0
        assert record.cropped == ""
        assert record.row_names == tuple(f"step {t}" for t in range(5))
        checked(slice_heatmap(record))


def test_rows_of_h_n_are_named_layer_by_layer_forward_then_backward() -> None:
    config = LayerConfig("LSTM", 4, 6, num_layers=2, bidirectional=True)
    shape = tensors(config, 5, None)["c_n"]
    record = tensor_slice(shape, counted(shape.shape) * 1e6, config, None)
    assert record.title == "c_n"
    assert record.row_names == ("layer 0 →", "layer 0 ←", "layer 1 →", "layer 1 ←")
    assert record.limit == record.highest == 23
    checked(slice_heatmap(record))


def test_a_large_slice_is_cropped_and_says_so() -> None:
    config = LayerConfig("RNN", 1024, 6)
    shape = tensors(config, 512, 2)["input"]
    array = counted(shape.shape)
    record = tensor_slice(shape, array, config, 1)
    assert record.values.shape == (48, SLICE_COLUMNS)
    assert record.cropped == "Shown: the first 48 of 512 rows, the first 128 of 1,024 columns."
    assert (record.lowest, record.highest) == (array[:, 1].min(), array[:, 1].max())
    assert bytes_of(slice_heatmap(record)) < 40_000


def test_a_tensor_of_another_shape_is_refused() -> None:
    config = LayerConfig("RNN", 4, 6)
    with pytest.raises(ValueError, match=r"h_n has shape \(2, 2\): expected \(1, 3, 6\)"):
        tensor_slice(tensors(config, 5, 3)["h_n"], np.zeros((2, 2)), config, 0)


# ---- parameters ------------------------------------------------------------


def by_name(config: LayerConfig, name: str) -> Parameter:
    return next(p for p in parameters(config) if p.name == name)


def test_a_weight_is_its_gate_blocks_from_the_top() -> None:
    config = LayerConfig("LSTM", 3, 2)
    weight = np.arange(24, dtype=np.float64).reshape(8, 3) - 12
    record = parameter_picture(by_name(config, "weight_ih_l0"), weight, config)
    assert [(b.label, b.first) for b in record.blocks] == [("W_ii", 0), ("W_if", 2), ("W_ig", 4), ("W_io", 6)]
    assert_array_equal(np.vstack([b.values for b in record.blocks]), weight)
    assert (record.limit, record.row_step, record.column_step, record.thinned) == (12.0, 1, 1, "")
    figure = checked(parameter_heatmap(record))
    assert [t["name"] for t in figure["data"]] == ["W_ii", "W_if", "W_ig", "W_io"]
    assert [t["y0"] for t in figure["data"]] == [0, 2, 4, 6]
    assert [s["y0"] for s in figure["layout"]["shapes"]] == [1.5, 3.5, 5.5]


def test_a_bias_is_one_column() -> None:
    config = LayerConfig("GRU", 3, 2)
    record = parameter_picture(by_name(config, "bias_hh_l0"), np.arange(6.0), config)
    assert [b.values.tolist() for b in record.blocks] == [[[0], [1]], [[2], [3]], [[4], [5]]]
    assert [b.label for b in record.blocks] == ["b_hr", "b_hz", "b_hn"]
    checked(parameter_heatmap(record))


@settings(max_examples=8)
@given(configs())
def test_every_parameter_of_every_layer_can_be_drawn(config: LayerConfig) -> None:
    for parameter in parameters(config):
        record = parameter_picture(parameter, counted(parameter.shape), config)
        assert sum(len(b.values) for b in record.blocks) == parameter.shape[0]
        checked(parameter_heatmap(record))


@pytest.mark.parametrize("hidden", [33, 512, 1021])
def test_a_large_weight_is_thinned_evenly_and_says_so(hidden: int) -> None:
    config = LayerConfig("LSTM", 1000, hidden)
    weight = counted((4 * hidden, 1000))
    record = parameter_picture(by_name(config, "weight_ih_l0"), weight, config)
    step, across = record.row_step, record.column_step
    assert across == 14
    for i, block in enumerate(record.blocks):
        own = weight[i * hidden : (i + 1) * hidden]
        assert_array_equal(block.values, own[::step, ::across].astype(np.float32))
        assert len(block.values) <= MAX_BLOCK_ROWS and block.values.shape[1] <= MAX_COLUMNS
    assert sum(len(b.values) for b in record.blocks) <= MAX_ROWS
    assert record.thinned == (
        f"Too large to draw whole: every {ordinal(step)} row of each block and every 14th column is shown."
    )
    assert bytes_of(parameter_heatmap(record)) < 56_000


def ordinal(step: int) -> str:
    return {2: "2nd", 16: "16th", 32: "32nd"}[step]


# ---- feeding order ------------------------------------------------------------


def picture(found: Batch, step: int, size: int = 4, *, batch_first: bool = False) -> FeedingPicture:
    matrix = entering(found, step, vectors(found, size, 0), size)
    fed = Entering(step, matrix, 1.0)
    return feeding_picture(found.rows, found.lengths, fed, size=size, batch_first=batch_first)


def test_the_tokens_of_one_step_enter_together_and_a_finished_sentence_pads() -> None:
    record = picture(batch("a b c\nd e", "x"), 2)
    assert record.tokens == (("a", "d"), ("b", "e"), ("c", PAD))
    assert record.states.tolist() == [[WAITING, WAITING], [WAITING, WAITING], [ENTERING, PADDING]]
    assert record.matrix is not None
    assert_array_equal(record.matrix[1], 0)
    assert record.cropped == ""


def test_equal_tokens_get_equal_vectors_and_another_seed_gives_others() -> None:
    found = batch("the cat the\ncat", "x")
    known = vectors(found, 6, 0)
    assert list(known) == ["the", "cat"]
    first, third = (entering(found, t, known, 6) for t in (0, 2))
    assert_array_equal(first[0], third[0])
    assert_array_equal(first[1], known["cat"])
    assert not np.allclose(vectors(found, 6, 1)["cat"], known["cat"])


def test_a_long_batch_is_shown_around_its_step() -> None:
    found = batch("\n".join(" ".join(f"w{n}{t}" for t in range(500)) for n in range(20)), "x")
    for step, first in ((0, 0), (250, 246), (499, 491)):
        record = picture(found, step, 100)
        assert (record.first, record.states.shape) == (first, (STEPS, SENTENCES))
        assert record.matrix is not None and record.matrix.shape == (SENTENCES, COLUMNS)
        assert ENTERING in record.states[step - first]
        assert record.cropped == (
            f"Shown: steps {first} to {first + 8} of 500, the first 6 of 20 sentences, "
            "the first 64 of 100 numbers of each vector."
        )
        assert bytes_of(feeding_grids(record)) < 20_000


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        ("", (("x", "y"),), "There is no word in the text"),
        (" \n\t\n", (("x", "y"),), "There is no word in the text"),
        ("one", (("one",),), "One sentence is a batch of one"),
        ("猫が好き\nI do", (("猫", "が", "好", "き"), ("I", "do", PAD, PAD)), "Writing without spaces"),
        ("é ñ\nб в", (("é", "ñ"), ("б", "в")), ""),
        (f"{PAD} a\nb", ((PAD, "a"), ("b", PAD)), ""),
    ],
)
def test_unusual_texts_are_read_and_spoken_of(
    text: str, rows: tuple[tuple[str, ...], ...], said: str
) -> None:
    found = batch(text, "x y")
    assert found.rows == rows
    assert said in " ".join(found.notes)
    assert bool(found.notes) == bool(said)


def test_a_typed_pad_is_a_word_of_its_own() -> None:
    found = batch(f"{PAD} a\nb", "x")
    known = vectors(found, 3, 0)
    assert_array_equal(entering(found, 0, known, 3)[0], known[PAD])
    assert_array_equal(entering(found, 1, known, 3)[1], 0)


def test_a_text_beyond_the_limits_is_cut_and_says_so() -> None:
    found = batch("\n".join(["a " * 600] * 300), "x")
    assert (len(found.rows), found.length) == (256, MAX_STEPS)
    assert len(found.notes) == 2
    with pytest.raises(ValueError, match="at most 2,000,000 numbers are drawn"):
        vectors(batch(" ".join(map(str, range(500))), "x"), 65_536, 0)


@settings(max_examples=25)
@given(st.text(max_size=200), st.integers(0, 511), st.booleans())
def test_any_text_gives_a_figure_at_any_of_its_steps(text: str, step: int, batch_first: bool) -> None:
    found = batch(text, "x y")
    record = picture(found, min(step, found.length - 1), batch_first=batch_first)
    figure = checked(feeding_grids(record))
    assert [t["name"] for t in figure["data"][:2]] == ["tokens, sequence first", "tokens, batch_first"]
    marked = [a["text"] for a in figure["layout"]["annotations"] if "this layer" in a["text"]]
    assert len(marked) == 1 and (f"batch_first={batch_first}" in marked[0])


def test_what_a_user_types_is_shown_and_never_rendered() -> None:
    record = picture(batch('<b>x</b> <a href="//h">\nq', "x"), 0)
    figure = json.dumps(checked(feeding_grids(record))["data"], default=str)
    assert "<b>x" not in figure and "&lt;b&gt;x" in figure


def test_without_vectors_the_order_is_drawn_all_the_same() -> None:
    found = batch("a b\nc", "x")
    record = feeding_picture(found.rows, found.lengths, Entering(0, None, 1.0), size=65_536, batch_first=True)
    assert len(checked(feeding_grids(record))["data"]) == 2
    assert replace(record, step=1).step == 1
    with pytest.raises(IndexError, match="expected 0 to 1"):
        feeding_picture(found.rows, found.lengths, Entering(2, None, 1.0), size=4, batch_first=True)
