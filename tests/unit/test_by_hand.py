"""Rows B1 to B8 and E4: by hand equals PyTorch, forward and backward, and an independent reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnviz.by_hand import memory
from rnnviz.by_hand import recipes as runs
from rnnviz.by_hand.experiment import REPEATS, gradients, leaves, operations, outcome, times
from rnnviz.by_hand.recipes import recipe, setup
from rnnviz.gates import KINDS
from rnnviz.link import query
from rnnviz.presets import PRESETS
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import EXAMPLES, active_preset, preset_values
from tests.unit.reference import evaluate

LAYERS = page.EXPERIMENTS[3:]


def preset(row: str, **more: Any) -> page.ByHandScreen:
    current, _, notes = page.screen(preset_values(EXAMPLES[row]) | more)
    assert not notes
    return current


def by_name(current: page.ByHandScreen) -> dict[str, Any]:
    return {one.name: one for one in outcome(current).results}


def assert_all_equal(current: page.ByHandScreen, atol: float) -> None:
    found = outcome(current)
    assert found.equal and found.fault is None and not found.harmless
    for one in found.results:
        np.testing.assert_allclose(one.hand, one.torch, rtol=0, atol=atol, err_msg=one.name)
    for one in gradients(current):
        scale = max(1.0, float(np.abs(one.torch).max()))
        np.testing.assert_allclose(
            one.hand / scale, one.torch / scale, rtol=0, atol=10 * atol, err_msg=one.name
        )


def assert_like_the_reference(current: page.ByHandScreen) -> None:
    """The hand-written side against plain loops in numpy, which know nothing of either side."""
    made = setup(current)
    expected = evaluate(made.modules[0], made.x)
    found = by_name(current)
    for name, wanted in (("output", expected.output), ("h_n", expected.h_n), ("c_n", expected.c_n)):
        assert (wanted is None) == (name not in found)
        if wanted is not None:
            np.testing.assert_allclose(found[name].hand, wanted, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("way", page.WAYS)
def test_B1_a_linear_layer_is_a_matmul_sample_by_sample_and_step_by_step(way: str) -> None:
    current = preset("B1", b_way=way)
    made = setup(current)
    assert made.x.shape == (4, 16, 5) and by_name(current)["output"].hand.shape == (4, 16, 6)
    assert_all_equal(current, 1e-6)
    W, b = (p.detach().double().numpy() for p in made.modules[0].parameters())
    expected = np.einsum("nlk,hk->nlh", made.x.double().numpy(), W) + b
    np.testing.assert_allclose(by_name(current)["output"].hand, expected, atol=1e-6)


def test_B2_without_memory_step_by_step_equals_one_product() -> None:
    current = preset("B2")
    assert_all_equal(current, 1e-6)
    made = setup(current)
    expected = np.einsum("nlk,kh->nlh", made.x.numpy(), made.modules[0].detach().numpy())
    np.testing.assert_allclose(by_name(current)["output"].hand, expected, atol=1e-6)


def test_B3_split_form_equals_concatenated_form() -> None:
    current = preset("B3", b_dtype="float64")
    assert_all_equal(current, 1e-12)
    made = setup(current)
    W_1, W_2 = (W.detach().numpy() for W in made.modules)
    h = np.zeros((4, 6))
    for t in range(16):
        h = made.x.numpy()[:, t] @ W_1 + h @ W_2
        np.testing.assert_allclose(by_name(current)["output"].hand[:, t], h, atol=1e-12)
    np.testing.assert_allclose(by_name(current)["h_n"].hand[0], h, atol=1e-12)


def test_B4_a_loop_over_a_cell_equals_the_layer_and_has_these_sizes_at_each_step() -> None:
    current = preset("B4")
    assert current.config == PRESETS["B4"] and setup(current).x.shape == (3, 1, 4)
    assert_all_equal(current, 1e-6)
    steps = [o for o in operations(current).operations if o.code == "cell(x[t], h)"]
    assert [(o.where["t"], o.shapes) for o in steps] == [(t, ((1, 2),)) for t in range(3)]
    for o in steps:
        np.testing.assert_allclose(o.values, by_name(current)["output"].torch[o.where["t"]], atol=1e-6)


def test_B5_an_rnn_from_matmul_equals_pytorch_within_1e_6() -> None:
    current = preset("B5")
    assert current.config == PRESETS["B5"] and setup(current).x.shape == (2, 4, 5)
    found = by_name(current)
    assert set(found) == {"output", "h_n", "y"} and found["y"].hand.shape == (2, 4, 3)
    assert all(one.largest <= 1e-6 for one in found.values())
    assert all(one.largest <= 1e-5 for one in outcome(current).gradients)


def test_B6_two_one_layer_rnns_equal_a_two_layer_rnn() -> None:
    current = preset("B6")
    assert current.config == PRESETS["B6"] and setup(current).x.shape == (4, 16, 5)
    assert_all_equal(current, 1e-6)
    h_n = by_name(current)["h_n"]
    assert h_n.hand.shape == (2, 4, 6)
    for k in range(2):
        np.testing.assert_allclose(h_n.hand[k], h_n.torch[k], atol=1e-6)


def test_B7_two_readers_equal_a_bidirectional_layer() -> None:
    current = preset("B7")
    assert current.config == PRESETS["B7"] and setup(current).x.shape == (3, 4, 5)
    assert_all_equal(current, 1e-6)
    assert by_name(current)["output"].hand.shape == (3, 4, 12)


def test_B8_lstm_cells_equal_an_lstm() -> None:
    current = preset("B8")
    assert current.config == PRESETS["B8"] and setup(current).x.shape == (4, 30, 128)
    assert_all_equal(current, 1e-6)
    assert by_name(current)["output"].hand.shape == (4, 30, 512)


def test_B8_with_any_number_of_layers() -> None:
    for layers in (1, 2, 3, 4):
        assert_all_equal(preset("B8", b_in=5, b_hidden=7, b_layers=layers), 1e-6)


def test_E4_the_preset_runs_its_first_cell_only_and_the_others_never_learn() -> None:
    current = preset("E4")
    assert current.config.num_layers == 2 and current.length == 30
    found = outcome(current)
    assert not found.equal and found.missing == {
        f"{n}_l1" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    one_layer = nn.LSTM(128, 512, batch_first=True)
    with torch.no_grad():
        for mine, its in zip(one_layer.parameters(), setup(current).modules[0].parameters(), strict=False):
            mine.copy_(its)
        silently, _ = one_layer(setup(current).x)
    np.testing.assert_allclose(found.results[0].hand, silently, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("experiment", LAYERS)
def test_every_kind_by_hand_equals_a_reference_written_independently(experiment: str, kind: str) -> None:
    layers = 3 if experiment in page.EXPERIMENTS[5:] else 1
    values = {"b_exp": experiment, "b_kind": kind, "b_layers": layers, "b_dtype": "float64", "b_len": 6}
    current = page.screen(values)[0]
    assert_like_the_reference(current)
    assert_all_equal(current, 1e-12)


@st.composite
def screens(draw: st.DrawFn, experiments: tuple[str, ...] = page.EXPERIMENTS) -> page.ByHandScreen:
    experiment, kind = draw(st.sampled_from(experiments)), draw(st.sampled_from(KINDS))
    way = draw(st.sampled_from(page.WAYS))
    values = {
        "b_exp": experiment,
        "b_kind": kind,
        "b_way": way,
        "b_fault": draw(st.sampled_from((page.INTACT, *page.faults(experiment, kind, way)))),
        "b_batch": draw(st.integers(1, 4)),
        "b_len": draw(st.integers(1, 5)),
        "b_in": draw(st.integers(1, 4)),
        "b_hidden": draw(st.integers(1, 4)),
        "b_out": draw(st.integers(1, 3)),
        "b_layers": draw(st.integers(1, 3)),
        "b_bias": draw(st.booleans()),
        "b_dtype": "float64",
        "b_seed": draw(st.integers(0, 2**31 - 1)),
    }
    current, clean, notes = page.screen(values)
    assert not notes and clean["b_fault"] == values["b_fault"]
    return current


@settings(max_examples=120, deadline=None)
@given(screens())
def test_intact_equals_pytorch_forward_and_backward_in_every_configuration(
    current: page.ByHandScreen,
) -> None:
    current = current.intact()
    assert_all_equal(current, 1e-12)
    if current.recurrent:
        assert_like_the_reference(current)


@settings(max_examples=200, deadline=None)
@given(screens())
def test_a_fault_breaks_unless_it_says_why_it_cannot(current: page.ByHandScreen) -> None:
    if not current.broken:
        return
    found = outcome(current)
    assert found.fault is not None
    assert found.equal == bool(found.fault.harmless(current)), current
    assert found.harmless == (found.fault.harmless(current) if found.equal else "")


@settings(max_examples=30, deadline=None)
@given(screens())
def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_stream_alone(
    current: page.ByHandScreen,
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = setup(current), runs._made(current)
    assert first is not second and torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.x, second.x)
    for a, b in zip(leaves(first.shared), leaves(second.shared), strict=True):
        assert torch.equal(a, b)


def test_the_weights_by_hand_are_copies_with_gradients_of_their_own() -> None:
    for experiment in page.EXPERIMENTS:
        made = setup(page.screen({"b_exp": experiment, "b_layers": 2})[0])
        theirs = [p for m in made.modules for p in (m.parameters() if isinstance(m, nn.Module) else [m])]
        mine = leaves(made.shared)
        assert len(mine) == len(theirs) == len(made.names)
        for a, b in zip(mine, theirs, strict=True):
            assert torch.equal(a, b) and a.data_ptr() != b.data_ptr()


def test_float64_shows_that_what_remains_is_rounding() -> None:
    for kind in KINDS:
        single, double = (
            max(
                one.largest or 0
                for one in outcome(preset("B5", b_kind=kind, b_dtype=dtype, b_hidden=64)).results
            )
            for dtype in page.DTYPES
        )
        assert 0 < double < single / 1e6


def test_the_projection_that_follows_is_linear_in_each_state() -> None:
    current = preset("B5", b_kind="GRU", b_out=4)
    found, made = by_name(current), setup(current)
    W, b = (p.detach().numpy() for p in made.modules[1].parameters())
    np.testing.assert_allclose(found["y"].hand, found["output"].torch @ W.T + b, atol=1e-6)


def test_times_are_medians_of_both_sides_warm() -> None:
    found = times(preset("B5"))
    assert 1 <= found.repeats <= REPEATS and 0 < found.hand < 1 and 0 < found.torch < 1
    large = times(preset("B8"))
    assert large.hand > found.hand and large.repeats == 1  # two runs of 30 steps are long enough
    assert times(preset("B5", b_seed=7)) is found and times(preset("B5", b_hidden=7)) is not found


def test_results_carry_the_names_of_the_recipe() -> None:
    assert recipe(preset("B5", b_kind="LSTM")).results == ("output", "h_n", "c_n", "y")
    assert recipe(preset("B2")).results == ("output",)
    assert recipe(preset("B2")).hand is memory.no_memory


@pytest.mark.parametrize("row", list(EXAMPLES))
def test_every_preset_is_a_link_that_shows_itself(row: str) -> None:
    current, values, _ = page.screen(preset_values(EXAMPLES[row]))
    again = page.screen(
        dict(p.split("=") for p in query(page.FIELDS, values).replace("+", " ").split("&") if p)
    )[0]
    assert active_preset(current) == row
    assert again == current or row == "B5"  # B5 is the first visit: its link is empty
    assert EXAMPLES[row].fact.endswith(".")
