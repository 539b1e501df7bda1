"""Each operation is recorded where it stands in the source; norms explode or die with the radius."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import torch

from rnnviz.by_hand.experiment import operations, outcome
from rnnviz.by_hand.norms import norm, norms, spectral_radius, weights
from rnnviz.by_hand.recipes import broken_recipe, setup, sources
from rnnviz.by_hand.recorder import record
from rnnviz.gates import KINDS
from rnnviz.screens import by_hand as page


def screen(**values: object) -> page.ByHandScreen:
    return page.screen(values)[0]


@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_operation_is_an_expression_of_the_source_that_runs(experiment: str, kind: str) -> None:
    fault = page.faults(experiment, kind, page.WAYS[0])[0]
    for current in (
        screen(b_exp=experiment, b_kind=kind, b_layers=2),
        screen(b_exp=experiment, b_kind=kind, b_fault=fault),
    ):
        recorded = operations(current)
        lines = sources(current)["hand"][0].splitlines()
        assert recorded.total == len(recorded.operations) >= 2
        for o in recorded.operations:
            assert lines[o.line][o.start : o.stop] == o.code
            ast.parse(o.code, mode="eval")
            assert o.values.shape == o.shapes[0]


def test_an_rnns_step_is_walked_product_by_product() -> None:
    walked = [o for o in operations(screen()).operations if o.where.get("t") == 1 and "stack" not in o.code]
    assert [o.code for o in walked[:7]] == [
        "x[:, t]",
        "x[:, t] @ W_ih.T",
        "x[:, t] @ W_ih.T + b_ih",
        "h @ W_hh.T",
        "x[:, t] @ W_ih.T + b_ih + h @ W_hh.T",
        "x[:, t] @ W_ih.T + b_ih + h @ W_hh.T + b_hh",
        "torch.tanh(x[:, t] @ W_ih.T + b_ih + h @ W_hh.T + b_hh)",
    ]
    assert [o.name for o in walked[:7]] == [""] * 6 + ["h"]
    assert [o.shapes for o in walked[:7]] == [((2, 5),), *[((2, 6),)] * 6]


def test_intermediates_are_the_values_of_the_run() -> None:
    current = screen(b_kind="LSTM")
    made, found = setup(current), {one.name: one for one in outcome(current).results}
    named = {(o.name, o.where.get("t")): o.values for o in operations(current).operations if o.name}
    x, h_before = made.x[:, 2].numpy(), found["output"].hand[:, 1]
    layer = made.modules[0]
    pre = x @ layer.weight_ih_l0.detach().numpy().T + h_before @ layer.weight_hh_l0.detach().numpy().T
    pre += (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy()
    i, f, g, o = np.split(pre, 4, axis=1)
    for letter, wanted in (("i", 1 / (1 + np.exp(-i))), ("f", 1 / (1 + np.exp(-f))), ("g", np.tanh(g))):
        np.testing.assert_allclose(named[letter, 2], wanted, atol=1e-6, err_msg=letter)
    np.testing.assert_allclose(named["h", 2], found["output"].hand[:, 2], atol=1e-6)
    np.testing.assert_allclose(named["c", 3], found["c_n"].hand[0], atol=1e-6)
    np.testing.assert_allclose(named["o", 2], 1 / (1 + np.exp(-o)), atol=1e-6)


def test_a_module_inside_is_one_operation_with_all_its_results() -> None:
    current = screen(b_exp="Layers stacked", b_kind="LSTM", b_layers=2)
    calls = [o for o in operations(current).operations if o.code == "part(x)"]
    assert [o.shapes for o in calls] == [((2, 4, 6), (1, 2, 6), (1, 2, 6))] * 2
    assert calls[0].name == "x, (h, c)"
    np.testing.assert_allclose(calls[1].values, outcome(current).results[0].hand, atol=1e-6)


def test_a_long_run_is_recorded_up_to_a_limit_and_says_so() -> None:
    current = screen(b_kind="LSTM", b_len=64)
    recorded = operations(current)
    assert len(recorded.operations) == page.MAX_OPERATIONS < recorded.total
    big = operations(screen(b_kind="LSTM", b_len=30, b_batch=8, b_in=128, b_hidden=512))
    kept = sum(o.values.size for o in big.operations)
    assert kept < 400_000 and len(big.operations) < big.total


def test_what_is_kept_holds_no_tensor_for_the_collection_of_garbage_to_walk_over() -> None:
    current = screen(b_kind="GRU")
    for array in [
        *(o.values for o in operations(current).operations),
        *(side for one in outcome(current).results for side in (one.hand, one.torch)),
    ]:
        assert array.base is None and not array.flags.writeable


def test_operations_are_a_sequence() -> None:
    found = operations(screen()).operations
    assert [o.code for o in found[2:4]] == [found[2].code, found[3].code]
    assert found[-1].code == found[len(found) - 1].code
    with pytest.raises(IndexError):
        found[len(found)]


def test_watching_changes_nothing_and_ends_with_the_run() -> None:
    current = screen(b_kind="GRU")
    parts, made = broken_recipe(current), setup(current)
    before = parts.hand(made.x, made.shared)
    recorded = record(parts.hand, (made.x, made.shared), 1000)
    after = parts.hand(made.x, made.shared)
    for a, b in zip(before, after, strict=True):
        assert torch.equal(a, b)
    assert recorded.total == len(recorded.operations)
    assert record(parts.hand, (made.x, made.shared), 5).total == recorded.total


# ---- B2 and B3 over a long sequence ------------------------------------------------------------------------


def setting(**more: object) -> page.Memory:
    return page.memory(page.screen({"b_exp": "Memory without activation", **more})[1])


@pytest.mark.parametrize("radius", [0.5, 0.8, 1.0, 1.2, 1.5])
def test_B3_without_activation_the_state_grows_or_dies_with_the_spectral_radius(radius: float) -> None:
    chosen = setting(b_radius=radius, b_steps=200)
    found = norms(chosen)
    assert found.radius == radius == pytest.approx(spectral_radius(weights(chosen)[1]), rel=1e-9)
    memory = found.curves["memory"]
    per_step = float(np.exp(np.log(memory[199] / memory[99]) / 100))
    assert per_step == pytest.approx(radius, rel=0.03)


def test_B3_it_is_a_power_of_a_matrix() -> None:
    chosen = setting(b_radius=1.3, b_steps=40)
    W_1, W_2, x = (W.numpy() for W in weights(chosen))
    for t in (0, 1, 7, 39):
        expected = np.linalg.norm(x[0, 0] @ W_1 @ np.linalg.matrix_power(W_2, t))
        assert norms(chosen).curves["memory"][t] == pytest.approx(expected, rel=1e-9)


def test_B3_tanh_cannot_explode() -> None:
    found = norms(setting(b_radius=1.5, b_steps=200))
    assert found.curves["memory"][-1] > 1e30
    assert 0.1 < found.curves["memory and tanh"][-1] < 6**0.5


def test_B3_with_a_small_radius_both_die() -> None:
    found = norms(setting(b_radius=0.5, b_steps=100))
    assert found.curves["memory"][-1] < 1e-20 and found.curves["memory and tanh"][-1] < 1e-20


def test_B2_without_memory_nothing_is_left_after_the_step() -> None:
    assert (norms(setting()).curves["no memory"][1:] == 0).all()
    assert (norms(setting(b_drive=page.DRIVES[1])).curves["no memory"] > 0).all()


def test_the_ends_of_every_slider_stay_finite() -> None:
    for radius in (0.1, 1.5):
        for hidden in (1, 512):
            found = norms(setting(b_radius=radius, b_steps=200, b_hidden=hidden, b_drive=page.DRIVES[1]))
            assert all(np.isfinite(curve).all() for curve in found.curves.values())


def test_the_smallest_state_still_has_a_norm() -> None:
    tiny = norm(torch.tensor([[3e-200, 4e-200], [0.0, 0.0], [3e180, 4e180]], dtype=torch.float64))
    np.testing.assert_allclose(tiny, [5e-200, 0.0, 5e180], rtol=1e-12)
    assert norms(setting(b_radius=0.1, b_steps=200)).curves["memory"][-1] > 0


def test_spectral_radius() -> None:
    assert spectral_radius(torch.tensor([[0.0, -2.0], [2.0, 0.0]])) == pytest.approx(2.0)
