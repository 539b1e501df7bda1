"""A11: each of the five on its own input, against step-by-step loops over PyTorch's documented equations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from rnnviz import PRESETS
from rnnviz.topologies import brackets, point, reverse, spell, tags
from rnnviz.topologies.config import NAMES, TOPOLOGIES, topology
from rnnviz.topologies.kits import KITS, fresh, shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.plane import POINTS, REACH, inside
from rnnviz.topologies.record import Look
from tests.unit.reference import Array, Weights, gru_step, lstm_step, to_float64

STATES = pytest.mark.parametrize("trained", [True, False], ids=["trained", "untrained"])


def model(name: str, trained: bool = True) -> Any:
    config = topology(name)
    return shipped(config)[0] if trained else fresh(config)


def run(name: str, given: Any, trained: bool = True) -> Look:
    return look(topology(name), model(name, trained), given)


def row(module: nn.Linear, h: Array) -> Array:
    assert module.bias is not None
    found: Array = to_float64(module.weight) @ h + to_float64(module.bias)
    return found


def softmax(scores: Array) -> Array:
    found: Array = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    return found


def gru_loop(rnn: nn.GRU, x: Array, h: Array) -> list[Array]:
    states = []
    for x_t in x:
        h = gru_step(Weights.of(rnn, 0, 0), x_t, h)["h"]
        states.append(h)
    return states


def lstm_loop(rnn: nn.LSTM, x: Array) -> list[Array]:
    h, c = np.zeros(rnn.hidden_size), np.zeros(rnn.hidden_size)
    states = []
    for x_t in x:
        step = lstm_step(Weights.of(rnn, 0, 0), x_t, h, c)
        h, c = step["h"], step["c"]
        states.append(h)
    return states


def assert_outputs(found: Look, scores: list[Array]) -> None:
    """Scores, probabilities, the answers, and each output's own loss."""
    taken = list(found.outputs)
    assert len(taken) == len(scores)
    np.testing.assert_allclose(found.scores[taken], scores, atol=1e-4)
    np.testing.assert_allclose(found.probabilities[taken], [softmax(s) for s in scores], atol=1e-5)
    for i, score in zip(taken, scores, strict=True):
        column = found.columns[i]
        assert column.wrote == found.classes[int(score.argmax())]
        if column.right is not None:
            wanted = softmax(score)[found.classes.index(column.right)]
            assert found.losses[i] == pytest.approx(-np.log(wanted), abs=1e-4)
    others = [i for i in range(len(found.columns)) if i not in taken]
    assert np.isnan(found.scores[others]).all() and np.isnan(found.losses[others]).all()


def test_A11_the_row_has_five_configurations_one_a_shape() -> None:
    assert PRESETS["A11"] == TOPOLOGIES and [config.name for config in TOPOLOGIES] == list(NAMES)


@STATES
@pytest.mark.parametrize("given", [(0.3, 0.4), (1.2, -0.1), (-4.0, 4.0)])
def test_A11_one_to_one_is_one_step_without_a_state(given: tuple[float, float], trained: bool) -> None:
    net, found = model("one-to-one", trained), run("one-to-one", given, trained)
    h = np.tanh(row(net.hidden, np.array(given)))
    assert (
        found.h.shape == (1, 16) and found.shapes["x"] == "(1, 2)" and found.shapes["y"] == "(1, 16) → (1, 2)"
    )
    np.testing.assert_allclose(found.h[0], h, atol=1e-6)
    assert_outputs(found, [row(net.linear, h)])


@STATES
@pytest.mark.parametrize("number", [0, 13, 24, 42, 90, 99])
def test_A11_one_to_many_reads_its_own_letters_after_one_vector(number: int, trained: bool) -> None:
    net, found = model("one-to-many", trained), run("one-to-many", number, trained)
    tens, ones = divmod(number, 10)
    x = np.zeros(20)
    x[tens] = x[10 + ones] = 1
    state = np.tanh(row(net.start, x))
    table, symbol, states, scores = to_float64(net.embedding.weight), 0, [], []
    for column in found.columns:
        state = gru_step(Weights.of(net.rnn, 0, 0), table[symbol], state)["h"]
        states.append(state)
        scores.append(row(net.linear, state))
        assert column.enters == spell.SYMBOLS[symbol] and column.own == (len(states) > 1)
        symbol = int(scores[-1].argmax())
    np.testing.assert_allclose(found.h, states, atol=1e-5)
    assert_outputs(found, scores)
    assert symbol == 0 or len(found.columns) == spell.LONGEST
    assert found.outputs == tuple(range(len(found.columns))) and found.shapes["first"] == "(1, 20)"


@STATES
@pytest.mark.parametrize("text", ["([()])", "]", "((((((()))))))", "()" * 12])
def test_A11_many_to_one_answers_from_the_last_state_alone(text: str, trained: bool) -> None:
    net, found = model("many-to-one", trained), run("many-to-one", text, trained)
    x = to_float64(net.embedding.weight)[["()[]".index(symbol) for symbol in text]]
    states = lstm_loop(net.rnn, x)
    np.testing.assert_allclose(found.h, states, atol=1e-5)
    assert_outputs(found, [row(net.linear, states[-1])])
    assert found.outputs == (len(text) - 1,)
    assert (found.shapes["x"], found.shapes["h"], found.shapes["y"]) == ("(1, 1, 4)", "(1, 1, 24)", "(1, 2)")


@STATES
@pytest.mark.parametrize("word", ["hello", "a", "abcdefgh"])
def test_A11_out_of_step_hands_one_state_from_the_encoder_to_the_decoder(word: str, trained: bool) -> None:
    net, found = model("out-of-step", trained), run("out-of-step", word, trained)
    table = to_float64(net.embedding.weight)
    read = gru_loop(net.encoder, table[[ord(c) - 96 for c in word]], np.zeros(64))
    np.testing.assert_allclose(found.h[: len(word)], read, atol=1e-5)
    state, symbol, scores = read[-1], 0, []
    for i, column in enumerate(found.columns[len(word) :], len(word)):
        state = gru_loop(net.decoder, table[[symbol]], state)[0]
        np.testing.assert_allclose(found.h[i], state, atol=1e-4)
        scores.append(row(net.linear, state))
        assert column.part == "decoder"
        symbol = int(scores[-1].argmax())
    assert_outputs(found, scores)
    assert found.outputs == tuple(range(len(word), len(found.columns)))


@STATES
@pytest.mark.parametrize("text", ["she saw the old dog today", "the light book fell", "the zebra ate"])
def test_A11_in_step_gives_a_tag_at_every_word(text: str, trained: bool) -> None:
    net, found = model("in-step", trained), run("in-step", text, trained)
    words = text.split()
    rows = [tags.VOCABULARY.index(w) if w in tags.VOCABULARY else 0 for w in words]
    states = lstm_loop(net.rnn, to_float64(net.embedding.weight)[rows])
    np.testing.assert_allclose(found.h, states, atol=1e-5)
    assert_outputs(found, [row(net.linear, state) for state in states])
    assert found.outputs == tuple(range(len(words)))


def test_A11_in_step_no_later_word_changes_an_earlier_output() -> None:
    one, other = run("in-step", "the light book fell"), run("in-step", "the light fell")
    np.testing.assert_array_equal(one.probabilities[:2], other.probabilities[:2])
    right = [[column.right for column in found.columns] for found in (one, other)]
    assert right == [["DET", "ADJ", "NN", "V"], ["DET", "NN", "V"]]
    both = [found.columns[1].wrote == found.columns[1].right for found in (one, other)]
    assert sum(both) == 1, "the same tag for both cannot be right twice"


def test_A11_the_losses_are_those_of_the_picture() -> None:
    """Training's loss is the mean over the outputs; a right decoder feeds itself the same letters."""
    for name, asked, module, item in (
        ("one-to-one", (0.3, 0.4), point, ((0.3, 0.4), 1)),
        ("one-to-many", 42, spell, (42, "forty-two")),
        ("many-to-one", "([()])", brackets, ("([()])", 1)),
        ("out-of-step", "hello", reverse, "hello"),
        ("in-step", "she saw the dog", tags, (("she", "PRON"), ("saw", "V"), ("the", "DET"), ("dog", "NN"))),
    ):
        loss = module.loss(model(name), [item])
        assert run(name, asked).loss == pytest.approx(loss.item(), rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("name", NAMES)
def test_A11_a_batch_gives_each_item_what_it_gets_alone(name: str) -> None:
    kit, net = KITS[name], fresh(topology(name))
    items = kit.sets()["trained on"][:7]
    with torch.no_grad():
        apart = [float(kit.loss(net, [item])) for item in items]
        count = {"one-to-many": lambda i: len(i[1]) + 1, "out-of-step": lambda i: len(i) + 1, "in-step": len}
        weights = [count.get(name, lambda _: 1)(item) for item in items]
        together = float(kit.loss(net, items))
    assert together == pytest.approx(float(np.average(apart, weights=weights)), rel=1e-5)
    each = [answer for item in items for answer in kit.right(net, [item])]
    found = kit.right(net, items)
    assert (sum(found), len(found)) == (sum(each), len(each))


def test_the_plane_holds_the_model_s_own_answers() -> None:
    net = model("one-to-one")
    found, step = inside(net), 2 * REACH / (POINTS - 1)
    assert found.shape == (POINTS, POINTS)
    for i, j in ((0, 0), (32, 32), (32, 41), (41, 32), (64, 3)):
        given = (-REACH + j * step, -REACH + i * step)
        assert found[i, j] == pytest.approx(float(run("one-to-one", given).probabilities[0, 1]), abs=1e-5)


@given(st.text("()[]", min_size=1, max_size=16))
@settings(max_examples=200)
def test_depth_is_what_deleting_pairs_says(text: str) -> None:
    left, deep = text, 0
    while "()" in left or "[]" in left:
        left = left.replace("()", "").replace("[]", "")
    heights = np.cumsum([1 if symbol in "([" else -1 for symbol in text])
    deep = int(heights.max())
    assert brackets.depth(text) == (-1 if left else deep)


def test_the_items_are_what_they_are_said_to_be() -> None:
    sets = brackets.sets()
    for text, answer in (item for items in sets.values() for item in items):
        assert answer == (brackets.depth(text) >= 0) and len(text) >= 1
    assert all(len(text) <= 12 and brackets.depth(text) <= 4 for text, _ in sets["trained on"])
    assert all(brackets.depth(text) > 4 for text, _ in sets["deeper than 4, all balanced"])
    assert all(len(text) >= 13 for text, _ in sets["longer, 14 to 24 symbols"])
    assert 0.4 < np.mean([answer for _, answer in sets["trained on"]]) < 0.6
    assert (
        spell.spelled(13) == "thirteen"
        and spell.spelled(90) == "ninety"
        and spell.spelled(24) == "twenty-four"
    )
    assert {n for n, _ in spell.numbers(True)} | {n for n, _ in spell.numbers(False)} == set(range(100))
    assert all(
        tags.parse([w for w, _ in item]) in (None, [t for _, t in item]) for item in tags.sentences(200, 9)
    )


@pytest.mark.parametrize("name", NAMES)
def test_held_out_items_are_not_trained_on(name: str) -> None:
    sets = KITS[name].sets()
    trained = set(sets["trained on"])
    assert len(trained) == len(sets["trained on"])
    for other, items in sets.items():
        assert other == "trained on" or not trained & set(items), other


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "six"}, "name"),
        ({"hidden": 0}, "hidden"),
        ({"steps": -1}, "steps"),
        ({"decay": 2.0}, "decay"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}="):
        replace(topology("one-to-one"), **values)


def test_cross_entropy_is_what_the_picture_says_it_is() -> None:
    scores, wanted = torch.tensor([[0.2, -1.0, 3.0]]), torch.tensor([0])
    assert float(cross_entropy(scores, wanted)) == pytest.approx(-np.log(softmax(to_float64(scores[0]))[0]))
