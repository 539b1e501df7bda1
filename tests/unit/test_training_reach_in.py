"""Reaching into a run: rates, weights, silent units, unknown words, and what a snapshot shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from rnnviz.gates import KINDS, NAMES, Kind
from rnnviz.layers import MODULES
from rnnviz.models import Tagger
from rnnviz.presets import SENTENCES, TAGGER_PRESETS, TRAINING_PRESETS
from rnnviz.training import advance, change, snapshot, start, step
from rnnviz.training.changes import Edit, LearningRate, Silence
from rnnviz.training.config import UNKNOWN, CharsConfig, Optimiser, TaggerConfig
from rnnviz.training.engine import weights
from rnnviz.training.state import RunState
from tests.unit.training_cases import optimisers, taggers

D1 = TAGGER_PRESETS["D1"]


def model_of(state: RunState) -> Tagger:
    """The state's weights in a model of their own."""
    assert isinstance(state.config, TaggerConfig)
    with torch.random.fork_rng():
        model = Tagger(state.config)
    model.load_state_dict(dict(state.weights))
    return model.eval()


def test_a_learning_rate_counts_from_the_next_step_on() -> None:
    state = advance(start(D1), 2)
    assert len(set(advance(change(state, LearningRate(0.0)), 3).losses[2:])) == 1
    assert len(set(advance(change(state, LearningRate(0.2)), 3).losses[2:])) == 3
    still = step(change(state, LearningRate(0.0)))
    assert all(torch.equal(still.weights[name], state.weights[name]) for name in state.weights)
    assert change(state, LearningRate(0.3)).lr == 0.3 and state.lr == 0.1


def test_an_edit_changes_one_number() -> None:
    state = advance(start(D1), 2)
    edited = change(state, Edit("embedding.weight", (1, 4), 0.5))
    before, after = weights(state), weights(edited)
    assert after["embedding.weight"][1, 4] == 0.5
    after["embedding.weight"].flags.writeable = True
    after["embedding.weight"][1, 4] = before["embedding.weight"][1, 4]
    for name in before:
        assert_array_equal(after[name], before[name])
    assert advance(edited, 1).losses != advance(state, 1).losses


@pytest.mark.parametrize("layer", ["cell", "layer"])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8)
@given(optimiser=optimisers(), unit=st.integers(0, 3))
def test_a_silent_character_unit_is_zero_at_every_step(
    kind: Kind, layer: str, optimiser: Optimiser, unit: int
) -> None:
    config = CharsConfig(layer=layer, kind=kind, readout=True, optimiser=optimiser)  # type: ignore[arg-type]
    state = advance(change(advance(start(config), 2), Silence(unit)), 3)
    h = snapshot(state, {})["h/0/0"]
    assert_array_equal(h[:, unit], 0.0)
    assert np.delete(h, unit, 1).all()


@settings(max_examples=25)
@given(taggers(), st.data())
def test_silent_units_are_zero_at_every_word_while_training_goes_on(
    config: TaggerConfig, data: st.DataObject
) -> None:
    layer = data.draw(st.integers(0, config.num_layers - 1))
    direction = data.draw(st.integers(0, config.directions - 1))
    units = data.draw(st.sets(st.integers(0, config.hidden - 1), min_size=1))
    state = advance(start(config), 1)
    for unit in units:
        state = change(state, Silence(unit, layer, direction))
    assert {silence.unit for silence in state.silenced} == units
    for moment in (state, step(state), advance(state, 2)):
        assert_array_equal(snapshot(moment, {})[f"h/{layer}/{direction}"][:, sorted(units)], 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_unit_is_as_if_it_were_not_there(kind: Kind) -> None:
    """The same h as a layer of one unit less, made of the other units' rows and columns."""
    config = replace(D1, kind=kind)
    state = advance(change(start(config), Silence(3)), 4)
    model = model_of(state)
    layer: type[nn.RNNBase] = MODULES[kind]
    others = [unit for unit in range(8) if unit != 3]
    own = {name: parameter for name, parameter in model.rnn.named_parameters()}
    rows = [8 * block + unit for block in range(len(own["bias_ih_l0"]) // 8) for unit in others]
    smaller = layer(6, 7)  # type: ignore[arg-type, call-arg]
    smaller.load_state_dict(
        {
            "weight_ih_l0": own["weight_ih_l0"][rows],
            "weight_hh_l0": own["weight_hh_l0"][rows][:, others],
            "bias_ih_l0": own["bias_ih_l0"][rows],
            "bias_hh_l0": own["bias_hh_l0"][rows],
        }
    )
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model.rnn(x)[0][:, others], smaller(x)[0])


def test_a_unit_that_is_let_go_learns_again() -> None:
    state = advance(change(start(D1), Silence(3)), 2)
    state = change(state, Silence(3, on=False))
    assert state.silenced == ()
    assert not snapshot(state, {})["h/0/0"][:, 3].any()
    assert snapshot(advance(state, 2), {})["h/0/0"][:, 3].any()


# --- unknown words

RARE = TaggerConfig(
    (
        (("the", "DET"), ("dog", "NN"), ("ate", "V")),
        (("the", "DET"), ("cat", "NN"), ("ate", "V")),
    ),
    unknown=2,
)


def test_rare_words_are_read_as_unk_and_train_its_vector() -> None:
    assert RARE.vocabulary == ("the", "ate", UNKNOWN)
    state = start(RARE)
    before, after = (weights(s)["embedding.weight"][2] for s in (state, advance(state, 1)))
    assert (before != after).all()
    look = snapshot(state, {"words": ["the", "cat", "zebra"]})
    assert look["ids"].tolist() == [0, 2, 2] and look["known"].tolist() == [True, False, False]
    assert_array_equal(look["x"][1], look["x"][2])


def test_a_held_out_word_makes_a_row_that_nothing_trains() -> None:
    config = replace(RARE, unknown=0, held_out=((("the", "DET"), ("zebra", "NN")),))
    assert config.vocabulary == ("the", "dog", "ate", "cat", UNKNOWN)
    state = start(config)
    trained = advance(state, 5)
    assert_array_equal(weights(state)["embedding.weight"][4], weights(trained)["embedding.weight"][4])
    look = snapshot(trained, {"sentence": 0, "held_out": True})
    assert look["ids"].tolist() == [0, 4] and look["known"].tolist() == [True, False]
    assert look["tags"].tolist() == [0, 1]


def test_without_a_row_an_unknown_word_is_marked_and_read_as_zeros() -> None:
    assert UNKNOWN not in replace(RARE, unknown=0).vocabulary
    assert replace(RARE, unknown=1).vocabulary == ("the", "dog", "ate", "cat", UNKNOWN)
    look = snapshot(start(D1), {"words": ["The", "zebra", "ate"]})
    assert look["ids"].tolist() == [0, -1, 2] and look["known"].tolist() == [True, False, True]
    assert_array_equal(look["x"][1], 0.0)
    assert look["x"][0].any() and look["tags"].tolist() == [-1, -1, -1]
    assert_allclose(look["probabilities"].sum(-1), 1.0, rtol=1e-5)


def test_a_word_that_is_written_unk_is_that_row() -> None:
    config = TaggerConfig((((UNKNOWN, "A"), ("a", "B")),))
    assert config.vocabulary == ("a", UNKNOWN) and config.ids(["a", UNKNOWN, "b"]) == (0, 1, 1)
    assert config.knows(["a", UNKNOWN, "b"]) == (True, False, False)


def test_all_words_may_be_unknown() -> None:
    config = TaggerConfig(SENTENCES, unknown=1000)
    assert config.vocabulary == (UNKNOWN,)
    assert len(advance(start(config), 1).losses) == 1


# --- snapshots


@settings(max_examples=25)
@given(taggers(), st.integers(0, 1))
def test_a_tagger_s_snapshot_is_what_the_model_gives(config: TaggerConfig, epochs: int) -> None:
    state = advance(start(config), epochs)
    model = model_of(state)
    sentence = config.sentences[-1]
    ids = torch.tensor(config.ids(word for word, _ in sentence))
    look = snapshot(state, {"sentence": len(config.sentences) - 1})
    with torch.no_grad():
        scores = model(ids).exp().numpy()
        x = model.embedding(ids)
        h = model.rnn(x)[0].numpy()
    assert_allclose(look["probabilities"], scores, rtol=1e-4, atol=1e-6)
    assert_array_equal(look["predicted"], look["probabilities"].argmax(-1))
    assert [config.tags[i] for i in look["tags"]] == [tag for _, tag in sentence]
    assert_array_equal(look["x"], x.numpy())
    top = [look[f"h/{config.num_layers - 1}/{d}"] for d in range(config.directions)]
    assert_allclose(np.concatenate(top, -1), h, rtol=1e-4, atol=1e-6)
    lanes = [(n, d) for n in range(config.num_layers) for d in range(config.directions)]
    expected = {f"{name}/{n}/{d}" for name in NAMES[config.kind] for n, d in lanes}
    assert expected <= look.keys()
    assert not any(array.flags.writeable for name, array in look.items() if name in ("x", "probabilities"))


def test_the_hidden_states_of_all_training_words_are_those_of_their_sentences() -> None:
    config = TaggerConfig((*SENTENCES, SENTENCES[0][:2]), bidirectional=True, kind="GRU")
    state = advance(start(config), 1)
    look = snapshot(state, {})
    assert look["states"].shape == (11, 16)
    for row, (s, t) in enumerate(zip(look["state_sentences"], look["state_steps"], strict=True)):
        one = snapshot(state, {"sentence": int(s)})
        assert_allclose(look["states"][row, :8], one["h/0/0"][t], rtol=1e-4, atol=1e-6)
        assert_allclose(look["states"][row, 8:], one["h/0/1"][t], rtol=1e-4, atol=1e-6)
        assert (look["state_words"][row], look["state_tags"][row]) == (one["ids"][t], one["tags"][t])


def test_confusion_counts_every_word_once() -> None:
    held = ((("The", "DET"), ("book", "V")), (("dog", "NN"),))
    config = replace(D1, held_out=held)
    state = advance(start(config), 300)
    look = snapshot(state, {})
    assert_array_equal(look["confusion"], np.diag([3, 4, 2]))  # DET NN V
    counts = np.zeros((3, 3), int)
    for i in (0, 1):
        one = snapshot(state, {"sentence": i, "held_out": True})
        np.add.at(counts, (one["tags"], one["predicted"]), 1)
    assert_array_equal(look["held_confusion"], counts)
    assert counts.sum() == 3


def test_only_the_parts_that_are_asked_for_are_made() -> None:
    full, bare = snapshot(start(D1), {}), snapshot(start(D1), '{"parts": []}')
    assert full.keys() - bare.keys() == {
        *("embeddings", "states", "state_words", "state_tags", "state_sentences", "state_steps"),
        *("confusion", "held_confusion"),
    }


def test_large_data_are_shown_in_part() -> None:
    words = tuple((f"w{i}", "AB"[i % 2]) for i in range(3000))
    config = TaggerConfig(tuple(words[i : i + 30] for i in range(0, 3000, 30)), embedding=2, hidden=2)
    look = snapshot(start(config), {})
    assert look["embeddings"].shape == (2000, 2) and look["states"].shape == (2000, 2)
    assert look["confusion"].sum() == 3000
    assert_array_equal(look["state_words"], np.arange(2000))


@pytest.mark.parametrize(
    "view",
    [
        *('{"sentence": 2}', '{"sentence": -1}', '{"sentence": true}', '{"held_out": true}'),
        *('{"words": []}', '{"words": "ab"}', '{"words": [1]}', "[]", "{"),
    ],
)
def test_a_view_of_what_is_not_there_is_refused(view: str) -> None:
    with pytest.raises(ValueError):
        snapshot(start(D1), view)


def test_characters_can_be_tried_on_another_string() -> None:
    state = advance(start(TRAINING_PRESETS["D5"]), 20)
    look = snapshot(state, {"text": "hell"})
    assert look["probabilities"].shape == (4, 4) and "losses" not in look
    for wrong in ("help", "", 3):
        with pytest.raises(ValueError, match="text"):
            snapshot(state, {"text": wrong})
