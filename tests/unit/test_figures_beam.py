"""The beam, exact match by length, what leaks onto padding, and the model as boxes and arrows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.figures import theme
from rnnviz.figures.attention_lines import (
    OVER_EPOCHS,
    by_length,
    by_length_figure,
    by_length_summary,
    leak,
    leak_figure,
    leak_summary,
)
from rnnviz.figures.beam import (
    MOST_DROPPED,
    MOST_ROWS,
    MOST_STEPS,
    BeamTree,
    Hypothesis,
    _apart,
    beam_summary,
    beam_tree,
)
from rnnviz.figures.beam_drawn import beam_figure, number
from rnnviz.figures.encoder_decoder import scheme, scheme_summary
from rnnviz.figures.encoder_decoder_drawn import scheme_figure
from rnnviz.figures.losses import History, curves, losses_figure, losses_summary
from rnnviz.models.beam import Hypothesis as Searched
from rnnviz.presets import PRESETS
from rnnviz.training.pairs_config import SCORES, Seq2SeqConfig
from tests.unit.test_figures_training import HOSTILE, checked, named

END = "<end>"


def tree(nodes: list[Hypothesis], **more: Any) -> BeamTree:
    return beam_tree(nodes, [node.token for node in nodes], **more)


def searched(width: int, steps: int, seed: int = 0, *, tokens: str = "abcdef") -> list[Hypothesis]:
    """A beam over made-up probabilities, all continuations of each step in it."""
    chance = np.random.default_rng(seed)
    nodes = [Hypothesis(0, -1, 0, "<start>", 0.0, 0.0, "kept")]
    alive = [nodes[0]]
    for step in range(1, steps + 1):
        grown = [
            (node.log_prob + float(np.log(p)), node.id, token)
            for node in alive
            for token, p in zip(
                (END, *tokens), chance.dirichlet(np.full(len(tokens) + 1, 0.4)) + 1e-9, strict=True
            )
        ]
        alive = []
        for rank, (total, parent, token) in enumerate(sorted(grown, key=lambda one: -one[0])):
            ends = token == END or step == steps
            fate: Any = (
                "dropped" if rank >= width else "finished" if token == END else "limit" if ends else "kept"
            )
            nodes.append(Hypothesis(len(nodes), parent, step, token, total, total / step, fate))
            if fate == "kept":
                alive.append(nodes[-1])
    return nodes


SMALL = [
    Hypothesis(0, -1, 0, "<start>", 0.0, 0.0, "kept"),
    Hypothesis(1, 0, 1, "a", -0.5, -0.5, "kept"),
    Hypothesis(2, 0, 1, "b", -1.0, -1.0, "kept"),
    Hypothesis(3, 0, 1, "c", -3.0, -3.0, "dropped"),
    Hypothesis(4, 1, 2, END, -1.6, -0.8, "finished"),
    Hypothesis(5, 2, 2, "b", -1.2, -0.6, "limit"),
    Hypothesis(6, 1, 2, "a", -2.5, -1.25, "dropped"),
]


def test_the_answer_is_the_best_that_ended_and_its_way_is_marked() -> None:
    record = tree(SMALL, chosen=6)
    assert record.best == SMALL[5]
    assert [p.node.id for p in record.nodes if p.best] == [0, 2, 5]
    assert [p.node.id for p in record.nodes if p.chosen] == [0, 1, 6]
    assert record.string(5) == ("<start>", "b", "b")
    assert (record.first, record.last, record.steps, record.width, record.left_out) == (0, 2, 3, 2, 0)
    assert tree(SMALL, best=4).best == SMALL[4]
    assert beam_summary(record).endswith(
        "3 kept, 2 ended and 2 dropped hypotheses. The best is <start> b b, score -0.600."
    )


def test_a_box_says_its_token_and_score_and_answers_with_its_number() -> None:
    made = checked(beam_figure(tree(SMALL)))
    points = [trace for trace in made.data if (trace.name or "").startswith("hypotheses")]
    assert sorted(custom[0] for trace in points for custom in trace.customdata) == list(range(7))
    finished = named(made, "hypotheses, finished")
    assert finished.customdata == ([4, "&lt;start&gt; a &lt;end&gt;", f"{np.exp(-1.1):.1%}", -1.6, -0.8],)
    assert "finished: it said the end symbol" in finished.hovertemplate
    assert named(made, "hypotheses, kept").customdata[0][2] == "–"
    texts = [text for trace in points for text in trace.text]
    boxes = [trace for trace in made.data if trace.type == "bar"]
    assert sum(len(trace.x) for trace in boxes) == 6  # the one at the limit is dashed
    for trace, fate in zip(boxes, ("dropped", "kept", "finished"), strict=True):
        assert_array_equal(trace.x, named(made, f"hypotheses, {fate}").x)
        assert_allclose(
            np.asarray(trace.base, float) + trace.y / 2, named(made, f"hypotheses, {fate}").y, atol=1e-3
        )
    assert {"<b>a</b><br>\u22120.50", "<b>&lt;start&gt;</b>", "c<br>\u22123.00"} <= set(texts)
    lines = [trace for trace in made.data if trace.type == "scatter" and trace.mode == "lines"]
    ways = [trace for trace in lines if trace.line.color == theme.ACCENT and trace.fill is None]
    assert ways[0].line.width == 3 and len(ways[0].x) == 2 * 3
    assert {trace.line.width for trace in lines if trace.line.dash == "dot"} == {0.8}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.0004, "\u22120.0004"), (-1.5, "\u22121.50"), (0.0, "0.00"), (-0.004, "\u22120.004")],
)
def test_a_score_that_is_almost_0_is_not_written_as_minus_0(value: float, shown: str) -> None:
    assert number(value, 2) == shown


def test_the_search_s_own_records_are_drawn() -> None:
    own = [Searched(n.id, n.parent, 7, n.step, n.log_prob, n.score, n.fate, 0, None) for n in SMALL]
    assert beam_tree(own, [n.token for n in SMALL]).nodes == tree(SMALL).nodes


@given(st.integers(1, 8), st.integers(1, 13), st.integers(0, 10**6))
def test_boxes_stand_apart_in_few_rows_and_edges_never_cross(width: int, steps: int, seed: int) -> None:
    nodes = searched(width, steps, seed)
    record = tree(nodes)
    assert {p.node.id for p in record.nodes} >= {n.id for n in nodes if n.fate != "dropped"}
    y = {p.node.id: p.y for p in record.nodes}
    fullest = 0
    for step in range(record.first, record.last + 1):
        column = sorted((p for p in record.nodes if p.node.step == step), key=lambda p: p.y)
        fullest = max(fullest, len(column))
        assert sum(p.node.fate == "dropped" for p in column) <= MOST_DROPPED
        for above, below in pairwise(column):
            assert below.y - above.y >= 1 - 2e-3
            assert y.get(above.node.parent, 0) <= y.get(below.node.parent, 0) + 2e-3
    low, high = record.rows
    assert low >= 0 and high <= fullest - 1
    assert record.left_out == len(nodes) - len(record.nodes)
    checked(beam_figure(record))


@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-20, 20)), st.integers(0, 9))
def test_heights_are_the_nearest_that_stand_apart(wanted: np.ndarray, more: int) -> None:
    rows = len(wanted) + more
    found = _apart(wanted, rows)
    assert found.min() >= -1e-9 and found.max() <= rows - 1 + 1e-9
    assert (np.diff(found) >= 1 - 1e-9).all()
    error = ((found - wanted) ** 2).sum()
    for shift in np.random.default_rng(0).normal(0, 0.3, (40, len(wanted))):
        other = found + shift
        if (np.diff(other) >= 1).all() and other.min() >= 0 and other.max() <= rows - 1:
            assert ((other - wanted) ** 2).sum() >= error - 1e-9


@pytest.mark.parametrize("tokens", ["abcdefghijkl", "αβγδεζηθικ"])
def test_width_8_and_12_steps_are_readable_and_light(tokens: str) -> None:
    nodes = searched(8, 12, tokens=tokens)
    made = checked(beam_figure(tree(nodes, chosen=nodes[-1].id)))
    assert 250 <= made.layout.height <= 680
    texts = [text for trace in made.data if trace.text is not None for text in trace.text]
    assert sum("<br>" in text for text in texts) >= 12 * 8 - 8
    assert any("more hypotheses not drawn" in a.text for a in made.layout.annotations)


def test_a_long_search_is_shown_in_parts() -> None:
    nodes = searched(3, 30)
    first = tree(nodes)
    later = tree(nodes, first=20)
    assert (first.first, first.last) == (0, MOST_STEPS - 1)
    assert (later.first, later.last, later.steps) == (20, nodes[-1].step, nodes[-1].step + 1)
    assert checked(beam_figure(later)).layout.xaxis.tickvals[0] == 20
    assert tree(nodes, first=99).first == nodes[-1].step


def test_a_wide_beam_stays_light() -> None:
    nodes = searched(40, 13, tokens="abcdefghijkl")
    record = tree(nodes, chosen=next(n.id for n in reversed(nodes) if n.fate == "dropped"))
    drawn = {p.node.id for p in record.nodes}
    assert all(p.node.parent in drawn for p in record.nodes[1:])
    assert record.width == 40 and len(record.nodes) + 2 * MOST_ROWS >= MOST_ROWS * 13
    assert len([p for p in record.nodes if p.chosen]) == 14
    made = checked(beam_figure(record), 36_000)
    assert made.layout.height <= 680


def test_no_search_and_hostile_tokens() -> None:
    assert checked(beam_figure(tree([]))).layout.annotations[0].text == "There is no search to show yet."
    assert beam_summary(tree([])) == "There is no search to show yet."
    checked(beam_figure(tree(SMALL[:1])))
    checked(beam_figure(beam_tree(SMALL, HOSTILE[:7])))


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([SMALL[0], SMALL[0]], "two hypotheses have the same id"),
        ([SMALL[0], replace(SMALL[1], fate="pruned")], "fate='pruned' is not allowed: one of kept, finished"),  # type: ignore[arg-type]
        ([SMALL[1], replace(SMALL[4], step=1)], "hypothesis 4 of step 1 comes from one of step 1"),
    ],
)
def test_a_tree_that_is_none_is_named(nodes: list[Hypothesis], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tree(nodes)
    with pytest.raises(ValueError, match="0 tokens for"):
        beam_tree(nodes, [])


# ---- by length

LENGTHS = np.arange(2, 13)
SHARES = np.linspace(1, 0, 11)


def test_exact_match_against_length_with_the_trained_ones_shaded() -> None:
    record = by_length(
        LENGTHS, {"with attention": SHARES**0.5, "without": SHARES**3}, tried=50, trained=(4, 8)
    )
    made = checked(by_length_figure(record))
    assert [trace.name for trace in made.data] == ["with attention", "without"]
    assert_array_equal(made.data[0].x, LENGTHS)
    assert_allclose(made.data[1].y, SHARES**3, rtol=1e-6)
    assert (
        len({trace.line.color for trace in made.data}) == len({trace.line.dash for trace in made.data}) == 2
    )
    shape = made.layout.shapes[0]
    assert (shape.x0, shape.x1, shape.fillcolor) == (3.5, 8.5, theme.PANEL)
    assert by_length_summary(record) == (
        "Strings wholly right. with attention: 100% at length 2, 63% at length 8, 0% at length 12. "
        "without: 100% at length 2, 6% at length 8, 0% at length 12. Trained on 4 to 8."
    )


def test_lengths_that_were_not_tried_are_gaps() -> None:
    record = by_length([1, 2], {HOSTILE[0]: [np.nan, 0.5]}, tried=[0, 9])
    made = checked(by_length_figure(record))
    assert np.isnan(made.data[0].y[0]) and not made.layout.shapes
    assert by_length_summary(record).endswith("50% at length 2.")
    for nothing in (by_length([], {}, tried=0), by_length([1], {}, tried=1)):
        assert "No length" in checked(by_length_figure(nothing)).layout.annotations[0].text
        assert by_length_summary(nothing) == "No length has been tried yet."
    for wrong, told in (([1.0], "has shape"), ([0.5, 1.5], "outside 0 to 1")):
        with pytest.raises(ValueError, match=told):
            by_length([1, 2], {"x": wrong}, tried=1)


# ---- E2


def test_E2_weight_on_padding_is_counted_for_each_step() -> None:
    open_to_all = np.full((4, 5), 0.2)
    masked = np.tile([1 / 3, 1 / 3, 1 / 3, 0, 0], (4, 1))
    record = leak(("a", "b", END), {"without the mask": open_to_all, "with the mask": masked}, 3)
    assert (record.padding, record.length) == (2, 5)
    assert_allclose(record.lines[0][1], [0.4] * 3, rtol=1e-6)
    assert_array_equal(record.lines[1][1], [0, 0, 0])
    made = checked(leak_figure(record))
    assert [trace.name for trace in made.data] == [
        "without the mask: 40.0% on average",
        "with the mask: 0.0% on average",
        "padding's share of the positions: 2 of 5",
    ]
    assert made.data[0].text == ("40%",) * 3 and made.data[0].marker.color == theme.MISMATCH
    assert_allclose(made.data[2].y, [0.4, 0.4])
    assert leak_summary(record) == (
        "2 of 5 source positions are padding. Weight on them, without the mask: 40.0% on average, at most "
        "40.0%; with the mask: 0.0% on average, at most 0.0%."
    )


def test_a_leak_of_nothing_of_much_and_of_what_does_not_fit() -> None:
    for nothing in (leak([], {"x": np.zeros((0, 3))}, 2), leak(["a"], {}, 2)):
        assert "no attention" in checked(leak_figure(nothing)).layout.annotations[0].text
        assert leak_summary(nothing) == "There is no attention to show."
    even = np.full((64, 64), 1 / 64)
    made = checked(leak_figure(leak(["<pad>"] * 64, {HOSTILE[0]: even, HOSTILE[6]: even}, 30)))
    assert made.data[0].text is None
    made = checked(leak_figure(leak(["a"], {"x": [[0.5, 0.5]]}, 2)))
    assert len(made.data) == 1
    for maps, told in (
        ({"x": np.ones(3)}, "has shape"),
        ({"x": np.ones((1, 3))}, r"expected \(2, 2 or more\)"),
        ({"x": np.ones((2, 3)), "y": np.ones((2, 4))}, r"different lengths: \[3, 4\]"),
    ):
        with pytest.raises(ValueError, match=told):
            leak("ab", maps, 2)


def test_entropy_and_right_places_are_drawn_as_losses_are() -> None:
    epochs = np.arange(1, 6)
    record = curves([History("run", epochs, loss=np.linspace(2, 0.1, 5), accuracy=np.linspace(0, 0.9, 5))])
    made = checked(losses_figure(record, words=OVER_EPOCHS))
    assert (made.layout.yaxis.title.text, made.layout.yaxis2.title.text) == ("entropy", "right places")
    assert "right places" in made.data[1].hovertemplate
    assert losses_summary(record, words=OVER_EPOCHS) == "run, epoch 5: entropy 0.1, right places 90%."


# ---- the model


def test_D6_shows_the_notebook_s_shapes() -> None:
    config = PRESETS["D6"]
    assert isinstance(config, Seq2SeqConfig)
    record = scheme(config, 4, 30, 20)
    assert record.shape("embedded") == (4, 30, 768)
    assert record.shape("outputs h") == (4, 30, 512)
    assert record.shape("final h") == (4, 512)
    assert record.shape("first s") == record.shape("new s") == (4, 256)
    assert record.shape("weights") == (4, 30)
    assert record.shape("context") == (4, 512)
    assert record.shape("logits") == (4, 20, 1000)
    assert "outputs h (4, 30, 512)" in scheme_summary(record)
    made = checked(scheme_figure(record))
    texts = [a.text for a in made.layout.annotations]
    shape = next(text for text in texts if text.startswith("logits"))
    assert shape == 'logits<br><b>(<span style="color:#c56a00">4</span>, 20, 1000)</b>'
    hover = next(c for c in named(made, "parts").customdata if c.startswith("<b>outputs h"))
    assert "<br>D*H = 512: encoder's hidden size, both directions" in hover


@pytest.mark.parametrize("attention", SCORES)
@pytest.mark.parametrize("both", [True, False])
def test_every_arrow_ends_at_a_box_and_none_without_attention(attention: Any, both: bool) -> None:
    config = Seq2SeqConfig(
        attention=attention,
        bidirectional=both,
        num_layers=3,
        decoder_layers=2,
        hidden=16 * (2 - both),
        decoder_hidden=32,
    )
    record = scheme(config, 2, 7, 5)
    names = [part.name for part in record.parts]
    assert ("attention" in names) == ("context" in names) == (attention != "none")
    for flow in record.flows:
        if flow.what != "logits":
            x, y = flow.way[-1]
            assert any(
                (abs(abs(x - part.at[0]) - 70) < 1e-6 and abs(y - part.at[1]) <= part.tall)
                or (abs(abs(y - part.at[1]) - part.tall) < 1e-6 and abs(x - part.at[0]) <= 70)
                for part in record.parts
            ), flow
    checked(scheme_figure(record))


def test_shapes_are_those_of_the_model() -> None:
    torch = pytest.importorskip("torch")
    from rnnviz.models.seq2seq import Seq2Seq

    config = Seq2SeqConfig(num_layers=2, hidden=6, decoder_hidden=5, embedding=3, attention="general")
    model = Seq2Seq(config)
    source = torch.ones((4, 7), dtype=torch.long)
    record = scheme(config, 4, 7, 9)
    state, memory, outputs = model.read(source, torch.full((4,), 7))
    assert record.shape("outputs h") == tuple(outputs.shape)
    assert record.shape("first s") == tuple(state[0].shape)
    e = model.decoder.embedding(torch.ones(4, dtype=torch.long))
    look = model.decoder.step(e, state, memory)
    assert look.weights is not None and look.context is not None
    assert record.shape("weights") == tuple(look.weights.shape)
    assert record.shape("context") == tuple(look.context.shape)
    assert record.shape("new s") == tuple(look.s.shape)
    logits = model(source, torch.full((4,), 7), torch.ones((4, 9), dtype=torch.long))
    assert record.shape("logits") == tuple(logits.shape)
