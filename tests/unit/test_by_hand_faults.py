"""Each classic fault breaks what it should, is shown as it runs, and says when it changes nothing."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnnviz.by_hand import cells, matmul
from rnnviz.by_hand.experiment import outcome
from rnnviz.by_hand.faults import fault_of
from rnnviz.by_hand.recipes import broken_recipe, setup, sources
from rnnviz.by_hand.source import changed, changed_lines, text
from rnnviz.gates import KINDS
from rnnviz.screens import by_hand as page

EVERY = [
    (experiment, kind, way, fault)
    for experiment in page.EXPERIMENTS
    for kind in (KINDS if experiment in page.EXPERIMENTS[3:] else KINDS[:1])
    for way in (page.WAYS if experiment == page.EXPERIMENTS[0] else page.WAYS[:1])
    for fault in page.faults(experiment, kind, way)
]


def broken(experiment: str, fault: str, **more: Any) -> page.ByHandScreen:
    values = {"b_exp": experiment, "b_fault": fault, "b_batch": 3, "b_len": 5, **more}
    current, _, notes = page.screen(values)
    assert current.fault == fault and not notes
    return current


def apart(current: page.ByHandScreen) -> dict[str, np.ndarray]:
    return {
        one.name: np.abs(one.hand - one.torch) for one in outcome(current).results if one.largest is not None
    }


@pytest.mark.parametrize(("experiment", "kind", "way", "fault"), EVERY)
def test_every_switch_breaks_and_marks_the_line_that_it_breaks(
    experiment: str, kind: str, way: str, fault: str
) -> None:
    current = broken(experiment, fault, b_kind=kind, b_way=way, b_layers=2)
    found = outcome(current)
    assert not found.equal and not found.harmless
    assert found.fault is not None and found.fault.name == fault and found.fault.why.endswith(".")
    now = sources(current)
    different = [name for name, (running, right) in now.items() if running != right]
    assert different == ([] if found.fault.side == "layer" else [found.fault.side])
    for name in different:
        lines = changed_lines(now[name][1], now[name][0])
        assert 1 <= len(lines) <= 4 and all(now[name][0].splitlines()[k] not in now[name][1] for k in lines)


@pytest.mark.parametrize(("experiment", "kind", "way", "fault"), EVERY)
def test_what_is_shown_is_what_runs(experiment: str, kind: str, way: str, fault: str) -> None:
    current = broken(experiment, fault, b_kind=kind, b_way=way, b_layers=2)
    for screen in (current, current.intact()):
        parts, made, shown = broken_recipe(screen), setup(screen), sources(screen)
        sides = ((parts.hand, "hand", (made.shared,)), (parts.call, "call", made.modules))
        for function, name, arguments in sides:
            assert shown[name][0] == inspect.getsource(function)
            names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": torch.Tensor}
            exec(shown[name][0], names)
            read = names[shown[name][0].split("(")[0].removeprefix("def ")]
            for a, b in zip(read(made.x, *arguments), function(made.x, *arguments), strict=True):
                assert torch.equal(a, b)


def test_forget_b_hh() -> None:
    for kind in KINDS:
        current = broken("From matmul", "Forget b_hh", b_kind=kind)
        assert (apart(current)["output"].max(axis=(0, 2)) > 1e-3).all()
        assert outcome(current).missing == {"bias_hh_l0"}
        bare = broken("From matmul", "Forget b_hh", b_kind=kind, b_bias=False)
        assert outcome(bare).equal and "bias is off" in outcome(bare).harmless


def test_forget_b_is_off_by_the_same_vector_everywhere() -> None:
    current = broken("Linear layer", "Forget b")
    found = outcome(current).results[0]
    b = setup(current).modules[0].bias.detach().numpy()
    np.testing.assert_allclose(found.torch - found.hand, np.broadcast_to(b, found.hand.shape), atol=1e-6)


def test_transpose_w_hh_leaves_step_0_right() -> None:
    for kind in KINDS:
        off = apart(broken("From matmul", "Transpose W_hh", b_kind=kind))["output"].max(axis=(0, 2))
        assert off[0] < 1e-6 and (off[1:] > 1e-3).all()


def test_transpose_w_hh_changes_nothing_for_one_unit_or_one_step() -> None:
    for more, said in (({"b_hidden": 1}, "one number"), ({"b_len": 1}, "h_0 = 0")):
        found = outcome(broken("From matmul", "Transpose W_hh", **more))
        assert found.equal and said in found.harmless


def test_r_before_the_product_is_the_textbooks_gru() -> None:
    current = broken("From matmul", "r before the product", b_kind="GRU", b_dtype="float64")
    made = setup(current)
    layer = made.modules[0]
    W_ir, W_iz, W_in = layer.weight_ih_l0.chunk(3)
    W_hr, W_hz, W_hn = layer.weight_hh_l0.chunk(3)
    b_ir, b_iz, b_in = layer.bias_ih_l0.chunk(3)
    b_hr, b_hz, b_hn = layer.bias_hh_l0.chunk(3)
    h = torch.zeros(3, 6, dtype=torch.float64)
    for t in range(5):
        x = made.x[:, t]
        r = torch.sigmoid(x @ W_ir.T + b_ir + h @ W_hr.T + b_hr)
        z = torch.sigmoid(x @ W_iz.T + b_iz + h @ W_hz.T + b_hz)
        n = torch.tanh(x @ W_in.T + b_in + (r * h) @ W_hn.T + b_hn)
        h = (1 - z) * n + z * h
    found = outcome(current)
    np.testing.assert_allclose(found.results[1].hand[0], h.detach(), atol=1e-12)
    assert not found.equal
    one = broken("From matmul", "r before the product", b_kind="GRU", b_hidden=1, b_bias=False)
    assert outcome(one).equal and "H = 1" in outcome(one).harmless


def test_no_second_reversal_breaks_the_backward_half_only() -> None:
    for kind in KINDS:
        off = apart(broken("Both directions", "No second reversal", b_kind=kind))["output"]
        assert off[..., :6].max() < 1e-6 and off[..., 6:].max() > 1e-2
    current = broken("Both directions", "No second reversal")
    half = outcome(current).results[0]
    np.testing.assert_allclose(half.hand[:, ::-1, 6:], half.torch[..., 6:], atol=1e-6)


def test_wrong_slice_leaves_output_right_and_h_n_wrong() -> None:
    for experiment in ("Loop over a cell", "From matmul", "Layers stacked", "Both directions"):
        for kind in KINDS:
            off = apart(broken(experiment, "Wrong slice", b_kind=kind, b_layers=2))
            assert off["output"].max() < 1e-6 < 1e-2 < off["h_n"].max()


def test_wrong_slice_of_a_stack_shows_the_top_layer_in_every_row() -> None:
    for experiment in ("Layers stacked", "Stack of cells"):
        for kind in KINDS:
            found = outcome(broken(experiment, "Wrong slice", b_kind=kind, b_layers=3))
            assert found.results[0].equal
            for k in range(3):
                np.testing.assert_allclose(found.results[1].hand[k], found.results[1].torch[-1], atol=1e-6)
        assert outcome(broken(experiment, "Wrong slice", b_layers=1)).harmless


def test_E4_only_the_first_cell_is_silently_a_one_layer_model() -> None:
    for kind in KINDS:
        current = broken("Stack of cells", "Only the first cell", b_kind=kind, b_layers=3)
        found = outcome(current)
        assert {name[-3:] for name in found.missing} == {"_l1", "_l2"}
        assert found.results[0].hand.shape == found.results[0].torch.shape  # so nothing complains
    alone = outcome(broken("Stack of cells", "Only the first cell", b_layers=1))
    assert alone.equal and "num_layers" in alone.harmless


def test_batch_first_data_in_a_sequence_first_layer_reads_across_the_batch() -> None:
    for kind in KINDS:
        current = broken("From matmul", "batch_first data", b_kind=kind)
        found, made = outcome(current), setup(current)
        assert not made.modules[0].batch_first
        output, h_n = (one for one in found.results[:2])
        assert (
            output.hand.shape == output.torch.shape and output.largest is not None and output.largest > 1e-2
        )
        assert h_n.hand.shape == (1, 3, 6) and h_n.torch.shape == (1, 5, 6) and h_n.largest is None
        with torch.no_grad():  # what it takes for step 0 of all is the whole first sentence
            first = made.modules[0](made.x[:1])[0]
        np.testing.assert_allclose(output.torch[:1], first, atol=1e-6)
    assert outcome(broken("From matmul", "batch_first data", b_batch=1, b_len=1)).harmless


def test_state_not_handed_on_makes_each_step_the_first() -> None:
    for experiment in ("Loop over a cell", "Stack of cells"):
        current = broken(experiment, "State not handed on", b_layers=1)
        off = apart(current)["output"]
        first, later = (off[0], off[1:]) if experiment == "Loop over a cell" else (off[:, 0], off[:, 1:])
        assert first.max() < 1e-6 and later.max() > 1e-2


def test_reshape_is_not_transpose_but_the_same_numbers() -> None:
    found = outcome(broken("No memory", "Reshape, not transpose")).results[0]
    assert found.largest is not None and found.largest > 0.1
    np.testing.assert_allclose(np.sort(found.hand.ravel()), np.sort(found.torch.ravel()), atol=1e-6)


def test_halves_swapped_meets_the_wrong_rows() -> None:
    current = broken("Memory without activation", "Halves swapped", b_dtype="float64")
    made = setup(current)
    W = torch.cat(list(made.modules)).detach().numpy()
    first = np.concatenate([np.zeros((3, 6)), made.x[:, 0].numpy()], 1) @ W
    np.testing.assert_allclose(outcome(current).results[0].torch[:, 0], first, atol=1e-12)


def test_a_fault_whose_line_is_gone_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        changed(matmul.rnn, (("no such text", ""),))
    with pytest.raises(ValueError, match="once"):
        changed(matmul.gru, (("h @ ", ""),))
    assert changed(matmul.rnn, ()) is matmul.rnn


def test_a_changed_function_is_another_one_and_the_right_one_stays() -> None:
    source = text(cells.stack)
    other = changed(cells.stack, (("enumerate(cells)", "enumerate(cells[:1])"),))
    assert other is not cells.stack and text(cells.stack) == source
    assert text(other) == source.replace("enumerate(cells)", "enumerate(cells[:1])")
    assert changed_lines(source, text(other)) == {6}


def test_an_intact_screen_has_no_fault() -> None:
    assert fault_of(page.screen({})[0]) is None
    assert isinstance(setup(page.screen({})[0]).modules[1], nn.Linear)


def test_a_fault_that_only_moves_numbers_moves_the_gradients_too() -> None:
    found = outcome(broken("No memory", "Reshape, not transpose"))
    assert not any(one.equal for one in found.gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_E6_joined_states_of_two_layers_no_longer_fit_the_linear_layer(kind: str) -> None:
    linear = torch.nn.Linear(12, 6)
    one = broken("Join final states", "Join every layer", b_kind=kind, b_layers=1)
    assert outcome(one).equal and "num_layers = 1" in outcome(one).harmless
    two = broken("Join final states", "Join every layer", b_kind=kind, b_layers=2)
    joined = next(found for found in outcome(two).results if found.name == "joined")
    assert (joined.hand.shape, joined.torch.shape) == ((1, 3, 24), (1, 3, 12))
    assert linear(torch.tensor(joined.torch[0])).shape == (3, 6)
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(3x24 and 12x6\)"):
        linear(torch.tensor(joined.hand[0]))
    assert "(3x24 and 12x6)" in (outcome(two).fault or pytest.fail("no fault")).why
    right = two.intact()
    module = setup(right).modules[0]
    h_n = module(setup(right).x)[1]
    h_n = h_n[0] if kind == "LSTM" else h_n
    top = h_n.view(2, 2, 3, 6)[-1]  # (layers, directions, N, H): the last layer
    torch.testing.assert_close(
        torch.tensor(next(f for f in outcome(right).results if f.name == "joined").hand[0]),
        torch.cat([top[0], top[1]], 1).detach(),
    )
