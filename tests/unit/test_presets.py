"""The rows A1 to A9: what the course notebooks' layers give, proved on the very run that the page shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from rnnviz.config import LinearConfig
from rnnviz.feeding import batch, entering, vectors
from rnnviz.presets import EXAMPLES, PRESETS
from rnnviz.runs import Run, feed, parameter_values, run
from rnnviz.screens import by_hand, by_hand_examples
from rnnviz.screens.layers import SENTENCES, LayersScreen, preset_values, screen
from rnnviz.shapes import parameters


def shown(row: str) -> tuple[LayersScreen, Run]:
    """The screen of one click on a preset, and its run."""
    current = screen(preset_values(EXAMPLES[row]))[0]
    return current, run(current)


def test_A1_deep_and_both_ways() -> None:
    current, ran = shown("A1")
    assert current.config.call() == "nn.RNN(10, 20, num_layers=2, bidirectional=True)"
    assert (ran.x.shape, ran.output.shape, ran.h_n.shape) == ((5, 3, 10), (5, 3, 40), (4, 3, 20))
    assert ran.h_0 is None


def test_A2_lstm_has_three_inputs_and_two_results() -> None:
    current, ran = shown("A2")
    assert current.config.call() == "nn.LSTM(10, 20, num_layers=2)"
    assert ran.h_0 is not None and ran.c_0 is not None and ran.c_n is not None
    assert (ran.x.shape, ran.h_0.shape, ran.c_0.shape) == ((5, 3, 10), (2, 3, 20), (2, 3, 20))
    assert (ran.output.shape, ran.h_n.shape, ran.c_n.shape) == ((5, 3, 20), (2, 3, 20), (2, 3, 20))
    fed = feed(current)
    module = nn.LSTM(10, 20, num_layers=2)
    module.load_state_dict(fed.module.state_dict())
    result = module(fed.x, (torch.tensor(ran.h_0), torch.tensor(ran.c_0)))
    assert len(result) == 2 and len(result[1]) == 2
    torch.testing.assert_close(result[0], torch.tensor(ran.output))
    torch.testing.assert_close(result[1], (torch.tensor(ran.h_n), torch.tensor(ran.c_n)))


def test_A3_gru_has_one_state_and_weights_three_times_as_tall() -> None:
    current, ran = shown("A3")
    assert current.config.call() == "nn.GRU(10, 20, num_layers=2)"
    assert ran.h_0 is not None and ran.c_0 is None and ran.c_n is None
    assert (ran.x.shape, ran.h_0.shape) == ((5, 3, 10), (2, 3, 20))
    assert (ran.output.shape, ran.h_n.shape) == ((5, 3, 20), (2, 3, 20))
    assert ran.parameters["weight_ih_l0"].shape == (3 * 20, 10)


def test_A4_batch_first_does_not_move_h_n() -> None:
    current, ran = shown("A4")
    assert current.config.call() == "nn.RNN(128, 512, batch_first=True)"
    assert ran.h_0 is not None
    assert (ran.x.shape, ran.h_0.shape) == ((4, 30, 128), (1, 4, 512))
    assert (ran.output.shape, ran.h_n.shape) == ((4, 30, 512), (1, 4, 512))
    assert_array_equal(ran.output[:, -1], ran.h_n[0])


def test_A5_lstm_states_keep_their_layers_first() -> None:
    current, ran = shown("A5")
    assert current.config.call() == "nn.LSTM(128, 512, num_layers=2, batch_first=True)"
    assert ran.c_n is not None
    assert (ran.x.shape, ran.output.shape) == ((4, 30, 128), (4, 30, 512))
    assert (ran.h_n.shape, ran.c_n.shape) == ((2, 4, 512), (2, 4, 512))
    assert_array_equal(ran.output[:, -1], ran.h_n[1])


def test_A6_last_output_is_not_the_backward_final_state() -> None:
    current, ran = shown("A6")
    assert current.config.call() == "nn.GRU(128, 512, batch_first=True, bidirectional=True)"
    assert ran.h_0 is not None
    assert (ran.x.shape, ran.h_0.shape) == ((4, 30, 128), (2, 4, 512))
    assert (ran.output.shape, ran.h_n.shape) == ((4, 30, 1024), (2, 4, 512))
    assert_array_equal(ran.output[:, -1, :512], ran.h_n[0])
    assert_array_equal(ran.output[:, 0, 512:], ran.h_n[1])
    assert not np.isclose(ran.output[:, -1, 512:], ran.h_n[1], atol=1e-3).all(axis=1).any()


def test_A7_eight_parameters_and_the_last_output_is_the_top_state() -> None:
    current, ran = shown("A7")
    assert current.config.call() == "nn.RNN(5, 6, num_layers=2, batch_first=True)"
    assert ran.x.shape == (4, 16, 5)
    assert {name: p.shape for name, p in ran.parameters.items()} == {
        "weight_ih_l0": (6, 5),
        "weight_hh_l0": (6, 6),
        "bias_ih_l0": (6,),
        "bias_hh_l0": (6,),
        "weight_ih_l1": (6, 6),
        "weight_hh_l1": (6, 6),
        "bias_ih_l1": (6,),
        "bias_hh_l1": (6,),
    }
    assert_array_equal(ran.output[:, -1], ran.h_n[-1])


def test_A8_32_parameters_and_rows_layer_by_layer_forward_then_backward() -> None:
    current, ran = shown("A8")
    assert current.config.call() == "nn.RNN(5, 6, num_layers=4, batch_first=True, bidirectional=True)"
    assert (ran.x.shape, ran.h_n.shape) == ((3, 4, 5), (8, 3, 6))
    assert len(ran.parameters) == len(parameters(current.config)) == 32
    for suffix in ("", "_reverse"):
        assert ran.parameters[f"weight_ih_l0{suffix}"].shape == (6, 5)
        assert all(ran.parameters[f"weight_ih_l{layer}{suffix}"].shape == (6, 12) for layer in (1, 2, 3))
    # Layer by layer: each layer alone, fed what the layer below gave, ends in its own two rows.
    below = torch.tensor(ran.x)
    for layer in range(4):
        alone = nn.RNN(below.shape[-1], 6, batch_first=True, bidirectional=True)
        own = {n.replace(f"_l{layer}", "_l0"): p for n, p in ran.parameters.items() if f"_l{layer}" in n}
        alone.load_state_dict({name: torch.tensor(p) for name, p in own.items()})
        with torch.no_grad():
            below, h_n = alone(below)
        torch.testing.assert_close(h_n, torch.tensor(ran.h_n[2 * layer : 2 * layer + 2]))
        torch.testing.assert_close(below[:, -1, :6], torch.tensor(ran.h_n[2 * layer]))
        torch.testing.assert_close(below[:, 0, 6:], torch.tensor(ran.h_n[2 * layer + 1]))
    torch.testing.assert_close(below, torch.tensor(ran.output))


def test_A9_a_step_feeds_one_token_of_every_sentence() -> None:
    found = batch(SENTENCES, SENTENCES)
    known = vectors(found, 4, seed=0)
    sequence_first = np.stack([entering(found, t, known, 4) for t in range(found.length)])  # (L, N, H_in)
    assert sequence_first.shape == (5, 3, 4)
    assert [found.tokens_at(t)[:2] for t in range(4)] == [
        ("the", "everybody"),
        ("dog", "read"),
        ("ate", "that"),
        ("the", "book"),
    ]
    layer = nn.RNN(4, 6)
    with torch.no_grad():
        whole, _ = layer(torch.tensor(sequence_first))
        h = torch.zeros(1, 3, 6)
        for t, entered in enumerate(sequence_first):
            step, h = layer(torch.tensor(entered)[None], h)
            torch.testing.assert_close(step[0], whole[t])
    assert_array_equal(sequence_first[0, 0], sequence_first[3, 0])  # "the" twice
    assert_array_equal(sequence_first[2:, 2], 0)  # "she sings" has ended


@pytest.mark.parametrize("row", EXAMPLES)
def test_the_parameters_that_are_drawn_are_those_that_run(row: str) -> None:
    current, ran = shown(row)
    drawn = parameter_values(current.config, current.seed, current.dtype)
    assert list(drawn) == list(ran.parameters)
    for name, values in drawn.items():
        assert_array_equal(values, ran.parameters[name])


@pytest.mark.parametrize("row", EXAMPLES)
def test_every_fact_of_the_page_belongs_to_a_configuration_of_the_table(row: str) -> None:
    assert EXAMPLES[row].config is PRESETS["B4" if row == "A9" else row]  # A9 is an order, of any layer
    assert EXAMPLES[row].fact.endswith(".")


def test_A9_the_preset_has_the_steps_first_and_the_sentences_sizes() -> None:
    current, ran = shown("A9")
    found = batch(SENTENCES, SENTENCES)
    assert not current.config.batch_first
    assert ran.x.shape == (found.length, len(found.rows), 4)  # (L, N, H_in)


def test_given_states_are_the_first_thing_that_the_run_starts_from() -> None:
    _, ran = shown("A3")
    without = run(screen(preset_values(EXAMPLES["A3"]) | {"l_state": False})[0])
    assert_array_equal(ran.x, without.x)
    assert without.h_0 is None
    assert not np.allclose(ran.output, without.output)


ROWS = {"A": 11, "B": 8, "C": 8, "D": 9, "E": 6}
WITHOUT = {"A9", "C8"}  # an order of feeding, and a file of the user's


def test_every_row_that_has_a_configuration_is_a_preset() -> None:
    assert set(PRESETS) == {f"{k}{i + 1}" for k, count in ROWS.items() for i in range(count)} - WITHOUT


def test_the_presets_of_by_hand_are_those_of_the_table() -> None:
    for row, example in by_hand_examples.EXAMPLES.items():
        current = by_hand.screen(by_hand_examples.preset_values(example))[0]
        preset = PRESETS[row]
        if isinstance(preset, LinearConfig):
            assert (current.input_size, current.hidden) == (preset.in_features, preset.out_features)
            assert preset.memory == (current.experiment == "Memory without activation")
            assert preset.bias == (current.experiment == "Linear layer")
        else:
            assert current.config == preset, row


@pytest.mark.parametrize("wrong", [{"in_features": 0}, {"out_features": 2.0}, {"bias": 1}, {"memory": None}])
def test_a_product_that_cannot_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.* is not allowed"):
        LinearConfig(**({"in_features": 5, "out_features": 6} | wrong))
