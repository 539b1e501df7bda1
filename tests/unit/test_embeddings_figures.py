"""The figures of *Embeddings*: the records exactly, the drawings by plotly's own validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.embeddings.bags import bag_of, run_bags
from rnnviz.embeddings.compare import compare
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.lookup import lookup
from rnnviz.figures.bags import BagMaps, bags_figure
from rnnviz.figures.base import sendable
from rnnviz.figures.embeddings import Arrays, Labels, LookupMaps, lookup_figure, lookup_maps, table_figure
from rnnviz.figures.embeddings_matrices import HEIGHT
from rnnviz.figures.embeddings_training import StepMaps, Tables, step_figure, step_maps
from rnnviz.figures.embeddings_words import Alike, Neighbours, alike_figure, neighbours_figure, taken_figure
from rnnviz.screens import embeddings as page


def validated(made: go.Figure) -> go.Figure:
    """The figure, after plotly has checked every property of it."""
    go.Figure(made.to_dict())
    return made


def maps_of(position: int = 0, **values: Any) -> LookupMaps:
    table = page.screen(values)[0].table
    found = lookup(table)
    assert found.output is not None and found.product is not None
    read = [i for line in table.indices for i in line]
    names = tuple(map(table.row_name, range(table.config.num_embeddings)))
    arrays = Arrays(found.one_hot, found.weight, found.output, found.product, found.shape)
    return lookup_maps(arrays, Labels(tuple(map(str, read)), names), position)


@pytest.mark.parametrize("position", [0, 3])
def test_the_marked_position_and_its_row_are_framed(position: int) -> None:
    maps = maps_of(position, e_text="a b\nc a")
    assert maps.output.marked == maps.product.marked == maps.one_hot.marked == position
    assert maps.weight.marked == maps.reads[position]
    assert maps.one_hot.breaks == (2,) and maps.weight.breaks == ()
    made = validated(lookup_figure(maps))
    frames = [shape for shape in made.layout.shapes if shape.type == "rect"]
    assert [(frame.y0 + 0.5, frame.yref) for frame in frames] == [
        (position, "y"),
        (maps.reads[position], "y2"),
        (position, "y3"),
        (position, "y4"),
    ]


def test_the_first_four_traces_are_the_matrices() -> None:
    maps = maps_of(e_text="a b\nc a")
    made = lookup_figure(maps)
    assert [trace.name for trace in made.data[:4]] == [
        "one_hot",
        "weight",
        "output",
        "product",
    ]
    np.testing.assert_array_equal(made.data[1].z, maps.weight.values)
    assert all(trace.type == "scatter" for trace in made.data[4:])


def test_each_line_runs_from_its_row_to_its_position() -> None:
    maps = maps_of(1, e_source="Indices", e_rows=40, e_indices="39 0 7")
    made = lookup_figure(maps)
    quiet, chosen = made.data[4:6]
    ends = [y for y in (*quiet.y, None)]
    first, last = ends[0], ends[ends.index(None) - 1]
    assert first == pytest.approx((39 + 0.5) * HEIGHT / 40, abs=0.01)
    assert last == pytest.approx(0.5 * 27)
    assert chosen.y[0] == pytest.approx(0.5 * HEIGHT / 40) and chosen.y[-2] == pytest.approx(1.5 * 27)


@pytest.mark.parametrize(
    "values",
    [
        {"e_source": "Indices", "e_rows": 64, "e_dim": 24, "e_indices": "1 " * 64},
        {"e_source": "Indices", "e_rows": 1, "e_dim": 1, "e_indices": "0"},
        {"e_text": "<b>bold</b> &amp; [x](y) " + "long" * 20},
    ],
)
def test_the_smallest_and_the_largest_lookup_are_drawn_and_sent_small(values: dict[str, Any]) -> None:
    made = validated(lookup_figure(maps_of(**values)))
    assert made.layout.height <= 460
    sent = sendable(lookup_figure(maps_of(**values))).text
    assert len(sent) < 46_000 and "<b>bold" not in sent


def test_labels_that_do_not_fit_are_refused() -> None:
    arrays = Arrays(np.zeros((2, 3), np.uint8), *(np.zeros((2, 2), np.float32),) * 3, (1, 2, 2))
    with pytest.raises(ValueError, match="expected 2, 3"):
        lookup_maps(arrays, Labels(("a",), ("x", "y", "z")), 0)


def steps(**values: Any) -> StepMaps:
    training = page.screen(values | {"e_view": "Gradient"})[0].training
    found, config = learn(training), training.table.config
    tables = Tables(found.before, found.forward, found.grad, found.after)
    names = [training.table.row_name(row) for row in range(config.num_embeddings)]
    return step_maps(tables, names, found.counts.tolist(), sparse=config.sparse, padding=config.padding_idx)


def test_a_step_shows_the_table_after_forward_only_where_forward_changed_it() -> None:
    assert [part.title for part in steps().parts] == ["weight", "weight.grad", "after the step"]
    shortened = steps(e_norm=0.5)
    assert [part.title for part in shortened.parts] == [
        "weight",
        "after forward",
        "weight.grad",
        "after the step",
    ]
    assert [part.title for part in steps(e_freeze=True).parts] == ["weight"]
    assert steps().parts[0].rows[1] == "1 the ×3" and steps().parts[1].scale == "difference"
    assert {part.marked for part in steps().parts} == {0}
    assert {part.marked for part in steps(e_padded=False).parts} == {None}
    limits = {part.limit for part in shortened.parts if part.scale == "signed"}
    assert len(limits) == 1  # one scale for all tables, or they could not be compared
    for values in ({}, {"e_sparse": True}, {"e_norm": 0.5}, {"e_freeze": True}):
        validated(step_figure(steps(**values)))


def test_rows_that_a_sparse_gradient_does_not_store_are_gaps() -> None:
    values = {"e_source": "Indices", "e_indices": "0 2 0 5", "e_sparse": True}
    part = next(part for part in steps(**values).parts if part.title == "weight.grad")
    assert part.shape == "2 of 10 rows stored" and np.isnan(part.values).all(1).sum() == 8


def bag_maps(**values: Any) -> BagMaps:
    bags = page.screen(values)[0].bags
    found = run_bags(bags)
    owner = tuple(map(int, bag_of(found)))
    arrays = (found.vectors, found.output, found.two_step)
    return BagMaps(found.items, owner, found.spans, found.left_out, bags.weights, *arrays)


def test_bags_are_drawn_with_their_list_their_rows_and_both_results() -> None:
    maps = bag_maps(e_offsets="0 3 3 3 6 8", e_weights="1 2 3 4 5 6 7 8")
    assert maps.empties == ((3, "bags 1–2"), (8, "bag 5"))
    made = validated(bags_figure(maps))
    assert [trace.name for trace in made.data[:4]] == [
        "weight[input]",
        "EmbeddingBag",
        "in two steps",
        "difference",
    ]
    np.testing.assert_array_equal(np.asarray(made.data[1].z), maps.output.T if maps.output is not None else 0)
    texts = [
        text for trace in made.data if trace.type == "scatter" and trace.mode == "text" for text in trace.text
    ]
    assert "bags 1–2: empty" in texts and "<b>4</b><br>× 3" in texts
    targets = next(trace for trace in made.data if trace.name == "bags")
    assert [list(custom) for custom in targets.customdata][5] == [5, 3]


def test_padding_is_struck_out_in_the_list_and_faded_below_it() -> None:
    made = validated(bags_figure(bag_maps(e_bag_padded=True)))
    texts = [
        text for trace in made.data if trace.type == "scatter" and trace.mode == "text" for text in trace.text
    ]
    assert [text for text in texts if "<s>" in text] == ["<s>2</s>", "<s>2</s>"]
    assert [shape.x0 for shape in made.layout.shapes if shape.type == "rect"] == [0.5, 5.5]


@pytest.mark.parametrize(
    "values",
    [
        {"e_offsets": "1 4"},
        {"e_items": "", "e_offsets": ""},
        {"e_items": "3", "e_offsets": "0", "e_dim": 1},
        {"e_items": "9 " * 40, "e_offsets": "0 " * 20, "e_dim": 24},
        {"e_items": "1 2\n3 4", "e_offsets": "", "e_mode": "max"},
    ],
)
def test_any_bags_are_drawn(values: dict[str, Any]) -> None:
    made = validated(bags_figure(bag_maps(**values)))
    assert made.layout.height <= 480
    assert len(sendable(bags_figure(bag_maps(**values))).text) < 40_000


def test_names_of_columns_may_turn_where_there_is_no_room() -> None:
    names = ("king", "queen", "woman")
    made = alike_figure(Alike(names, np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), "weight"))
    for axis in (made.layout.xaxis, made.layout.xaxis2):
        assert axis.tickangle is None and axis.autotickangles == (0, 45, 90)


def test_one_hot_s_cosines_are_drawn_beside_the_table_s() -> None:
    found = compare(page.screen({})[0].table, False)
    made = validated(alike_figure(Alike(found.names, found.one_hot, found.vectors, found.title)))
    np.testing.assert_array_equal(made.data[0].z, np.eye(8))
    assert np.isnan(np.asarray(made.data[1].z)[0]).all()
    nothing = np.zeros((0, 0), np.float32)
    assert not alike_figure(Alike((), nothing, nothing, "x")).data


@pytest.mark.parametrize("words", [10, 12])
def test_C7_the_cosines_in_the_cells_are_those_of_the_sentence(words: int) -> None:
    text = " ".join(f"w{i}" for i in range(words - 1))
    found = compare(page.screen({"e_padded": False, "e_text": text})[0].table, False)
    made = validated(alike_figure(Alike(found.names, found.one_hot, found.vectors, found.title)))
    drawn, off = made.data[1], ~np.eye(words, dtype=bool)
    assert len(found.names) == words and drawn.texttemplate == "%{z:.2f}"
    assert f"cosine {found.vectors[off].max():.2f}," in found.closest
    assert drawn.meta["numbers"] > 2.3 * drawn.textfont.size  # "-0.99" is 2.28 times as wide as it is high


def neighbours(count: int, asked: int = 1) -> Neighbours:
    rng = np.random.default_rng(0)

    def points(n: int) -> Any:
        return rng.normal(size=(n, 2)).astype(np.float32)

    names = tuple(f"<i>{k}" for k in range(count))
    cosines = tuple(0.9 - 0.2 * k for k in range(count))
    questions = tuple(f"q{k}" for k in range(asked))
    return Neighbours(
        names, cosines, points(count), questions, points(asked), ("a", "b"), points(2), (0.5, 0.25)
    )


@pytest.mark.parametrize("count", [0, 1, 8, 20])
@pytest.mark.parametrize("asked", [0, 1, 3])
def test_neighbours_are_bars_and_points(count: int, asked: int) -> None:
    made = validated(neighbours_figure(neighbours(count, asked)))
    bars, crowd, near, questions = made.data
    assert (len(bars.x), len(crowd.x), len(near.x), len(questions.x)) == (count, 2, count, asked)
    assert made.layout.xaxis.range[0] <= min([0.0, *bars.x])
    assert "<i>" not in sendable(neighbours_figure(neighbours(count, asked))).text


def test_labels_of_points_on_one_spot_do_not_cover_each_other() -> None:
    record = neighbours(4, 0)
    points = np.zeros((4, 2), np.float32)
    points[3] = 1
    made = neighbours_figure(
        Neighbours(record.names, record.cosines, points, (), points[:0], (), points[:0], (1.0, 0.0))
    )
    assert len(set(made.data[2].textposition[:3])) == 3


def test_a_sentence_s_vectors_name_what_was_drawn() -> None:
    output = np.ones((2, 80), np.float32)
    made = validated(taken_figure(("cat", "wug"), output, [1]))
    assert tuple(made.layout.yaxis.ticktext) == ("cat", "wug (drawn)")
    assert np.asarray(made.data[0].z).shape == (2, 64)
    assert not taken_figure((), output[:0], []).data


def test_a_refused_call_still_shows_its_table() -> None:
    weight = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(validated(table_figure(weight, ("0", "1", "2"))).data[0].z, weight)
