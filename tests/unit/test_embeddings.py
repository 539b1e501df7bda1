"""Rows C1 to C7 on the very runs that the page shows, and the two modules against references of NumPy's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from rnnviz.embeddings.bags import BagRun, run_bags
from rnnviz.embeddings.compare import compare
from rnnviz.embeddings.config import MODES, BagConfig, EmbeddingConfig
from rnnviz.embeddings.inputs import LOSSES, Table, Training
from rnnviz.embeddings.learning import Learned, learn, sgd_step
from rnnviz.embeddings.lookup import embedding, lookup, prepared
from rnnviz.embeddings.spoken import learned_lines, lookup_line
from rnnviz.presets import PRESETS
from rnnviz.screens import embeddings as page

ROOT = Path(__file__).resolve().parents[2]


def preset(row: str, **changed: Any) -> page.EmbeddingsScreen:
    """The screen of one click on a preset, perhaps with something moved after it."""
    current, _, notes = page.screen(page.preset_values(page.EXAMPLES[row]) | changed)
    assert not notes
    return current


def learned(row: str, **changed: Any) -> Learned:
    return learn(preset(row, **changed).training)


def bags(row: str, **changed: Any) -> BagRun:
    return run_bags(preset(row, **changed).bags)


def test_C1_lookup_gives_a_row_for_each_index_and_equals_one_hot_times_weight() -> None:
    table = preset("C1").table
    assert table.config == PRESETS["C1"] == EmbeddingConfig(10, 3)
    assert np.shape(table.indices) == (2, 4)
    found = lookup(table)
    assert found.shape == (2, 4, 3) and found.output is not None and found.product is not None
    torch.manual_seed(0)
    theirs = nn.Embedding(10, 3)
    assert_array_equal(found.weight, theirs.weight.detach().numpy())
    assert_array_equal(found.output, found.weight[np.array(table.indices).ravel()])
    assert table.indices[0][1] == table.indices[1][2] == 2
    assert_array_equal(found.output[1], found.output[6])  # equal indices, equal rows
    by_hand = np.zeros((8, 10))
    by_hand[np.arange(8), np.array(table.indices).ravel()] = 1
    assert_array_equal(found.one_hot, by_hand)
    assert_allclose(found.product, by_hand @ found.weight.astype(np.float64), atol=1e-7)
    assert found.difference == 0.0


def test_C2_padding_rows_are_zero_and_their_gradient_stays_zero() -> None:
    table = preset("C2").table
    assert table.config == PRESETS["C2"] == EmbeddingConfig(10, 3, padding_idx=0)
    assert table.indices == ((0, 2, 0, 5),)
    found = lookup(table)
    assert found.output is not None
    assert_array_equal(found.output[[0, 2]], 0)
    assert np.abs(found.output[[1, 3]]).min() > 0
    step = learned("C2")
    assert step.grad is not None
    assert step.learned == (2, 5) and step.counts.tolist() == [2, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert_array_equal(step.grad[0], 0)
    assert_array_equal(step.after[0], 0)
    assert learned("C2", e_padded=False).learned == (0, 2, 5)  # the gradient is there to be kept away


def test_C3_an_overwritten_padding_vector_is_looked_up_and_still_gets_no_gradient() -> None:
    found = lookup(preset("C3").table)
    assert found.output is not None
    assert_array_equal(found.output[[0, 2]], 1)
    for loss in LOSSES:
        step = learned("C3", e_loss=loss)
        assert step.grad is not None
        assert_array_equal(step.grad[0], 0)
        assert_array_equal(step.after[0], 1)
        assert step.learned == (2, 5) == step.moved


def test_C4_two_bags_of_four_equal_embedding_then_sum() -> None:
    current = preset("C4").bags
    assert current.config == PRESETS["C4"] == BagConfig(10, 3, mode="sum")
    assert current.flat == (1, 2, 4, 5, 4, 3, 2, 9) and current.offsets == (0, 4)
    found = bags("C4")
    assert found.spans == ((0, 4), (4, 8)) and found.output is not None
    rows = found.weight.astype(np.float64)
    assert_allclose(found.output, [rows[[1, 2, 4, 5]].sum(0), rows[[4, 3, 2, 9]].sum(0)], atol=1e-6)
    assert found.difference <= 1e-6


def test_C5_padding_is_left_out_of_every_bag_and_a_bag_of_padding_is_zero() -> None:
    current = preset("C5").bags
    assert current.config == PRESETS["C5"] == BagConfig(10, 3, mode="sum", padding_idx=2)
    assert current.flat == (2, 2, 2, 2, 4, 3, 2, 9) and current.offsets == (0, 3, 6)
    found = bags("C5")
    assert found.left_out == (0, 1, 2, 3, 6) and found.output is not None
    rows = found.weight.astype(np.float64)
    assert_array_equal(found.output[0], 0)
    assert_allclose(found.output[1:], [rows[4] + rows[3], rows[9]], atol=1e-6)
    # Not because the padding row is zero: filled with ones it is left out all the same, also of a mean.
    for mode, expected in (("sum", 3.0), ("mean", 3.0), ("max", 3.0)):
        module = nn.EmbeddingBag(3, 1, mode=mode, padding_idx=0)
        with torch.no_grad():
            module.weight[:] = torch.tensor([[1.0], [3.0], [5.0]])
        assert module(torch.tensor([[0, 1, 0]])).item() == expected


@pytest.mark.parametrize("mode", MODES)
def test_C6_each_mode_equals_the_two_step_computation(mode: str) -> None:
    found = bags("C6", e_mode=mode, e_weights="")
    assert found.output is not None
    rows = found.weight[np.array(found.items)].astype(np.float64).reshape(2, 4, 3)
    expected = {"sum": rows.sum(1), "mean": rows.mean(1), "max": rows.max(1)}[mode]
    assert_allclose(found.output, expected, atol=1e-6)
    assert found.difference <= 1e-6


def test_C6_weights_work_with_sum_alone() -> None:
    current = preset("C6").bags
    assert current.config == PRESETS["C6"] and current.weights is not None
    found = bags("C6")
    assert found.output is not None and found.difference <= 1e-6
    rows = found.weight[np.array(found.items)].astype(np.float64) * np.array(current.weights)[:, None]
    assert_allclose(found.output, rows.reshape(2, 4, 3).sum(1), atol=1e-6)
    for mode in ("mean", "max"):
        refusal = bags("C6", e_mode=mode).refusal
        assert refusal is not None and refusal.error.startswith("NotImplementedError")
        assert "only supported for mode='sum'" in refusal.error


def test_C7_one_hot_is_wide_sparse_and_knows_no_similarity() -> None:
    table = preset("C7").table
    assert table.config == PRESETS["C7"] and len(table.names) == 10
    found = compare(table, False)
    assert_array_equal(found.one_hot, np.eye(10))
    assert_array_equal(np.diag(found.vectors), pytest.approx(np.ones(10), abs=1e-6))
    off = found.vectors[~np.eye(10, dtype=bool)]
    assert np.abs(off).max() > 0.5  # an embedding's rows do point the same way, or opposite ways
    sizes = {line[0]: line[1:] for line in found.sizes}
    assert sizes["numbers that go in for a token"] == ("10 / 30,522", "1: its row number")
    assert sizes["zeros among them"][0] == "9 / 30,521"
    assert sizes["numbers that come out for it"] == ("3 / 768", "3 / 768")
    assert sizes["multiplications for a token"][0] == f"30 / {30_522 * 768:,}"


def test_C7_both_ways_take_what_the_table_of_sizes_says() -> None:
    table = preset("C7").table
    here = {line[0]: [cell.split(" / ")[0] for cell in line[1:]] for line in compare(table, False).sizes}
    module, indices = prepared(table), torch.tensor(table.indices)
    one_hot = torch.nn.functional.one_hot(indices, 10).float()
    weight = str(module.weight.numel())
    assert here["numbers in the learnable weight"] == [weight, weight]  # the product learns as well
    for out in (module(indices), one_hot @ module.weight):
        assert torch.autograd.grad(out.sum(), module.weight)[0].count_nonzero()
        assert here["numbers that come out for it"][0] == str(out.shape[-1])
    assert here["zeros among them"][0] == str(int((one_hot[0, 0] == 0).sum()))
    taken = [str(one_hot.nbytes), str(indices.nbytes)]
    assert here["bytes that go in for 10 tokens, float32 or int64"] == taken


def test_C7_trained_vectors_know_which_words_are_alike() -> None:
    found = compare(preset("C7").table, True)
    assert found.names == ("king", "queen", "man", "woman", "cat", "dog", "milk", "bread", "red")
    cosine = {
        (a, b): found.vectors[i, j] for i, a in enumerate(found.names) for j, b in enumerate(found.names)
    }
    assert cosine["cat", "dog"] > 0.6 > cosine["cat", "red"]
    assert cosine["king", "queen"] > 0.6 > cosine["king", "milk"]
    assert not found.missing
    odd = page.screen({"e_text": "cat wug"})[0].table
    assert compare(odd, True).missing == ("wug",)
    assert "no two tokens" in compare(odd, True).closest


def test_a_row_of_zeros_has_no_direction() -> None:
    found = compare(page.screen({})[0].table, False)
    assert np.isnan(found.vectors[0]).all() and np.isnan(found.vectors[:, 0]).all()
    assert not np.isnan(found.vectors[1:, 1:]).any()


# ---- what each switch of the table does ----------------------------------------------------------------


def test_max_norm_shortens_looked_up_rows_in_place_during_forward() -> None:
    step = learned("C1", e_view="Gradient", e_norm=1.0)
    before, after = (np.linalg.norm(t, axis=1) for t in (step.before, step.forward))
    read = step.counts > 0
    long = read & (before > 1)
    assert long.any() and (~read & (before > 1)).any()
    assert step.shortened == tuple(np.flatnonzero(long))
    assert_allclose(after[long], 1, atol=1e-5)
    assert_array_equal(step.forward[~long], step.before[~long])
    line = learned_lines(preset("C1", e_norm=1.0).training)[0]
    assert "max_norm = 1" in line and "in place" in line and "stay" in line
    assert "no row that was looked up is longer" in learned_lines(preset("C1", e_norm=4.0).training)[0]


def test_scale_grad_by_freq_divides_by_the_count() -> None:
    plain, scaled = learned("C1", e_view="Gradient"), learned("C1", e_view="Gradient", e_freq=True)
    assert plain.grad is not None and scaled.grad is not None
    read = plain.counts > 0
    assert plain.counts.max() == 2
    assert_array_equal(plain.grad, np.repeat(plain.counts[:, None], 3, 1))
    assert_array_equal(scaled.grad[read], 1)


def test_sparse_stores_the_looked_up_rows_alone_and_moves_the_same() -> None:
    dense, sparse = learned("C2"), learned("C2", e_sparse=True)
    assert sparse.grad is not None and sparse.stored == 2  # the padding row is not even stored
    assert np.flatnonzero(~np.isnan(sparse.grad).all(1)).tolist() == [2, 5]
    assert_array_equal(np.nan_to_num(sparse.grad), dense.grad)
    assert_array_equal(sparse.after, dense.after)
    assert any("stores 2 of 10 rows" in line for line in learned_lines(preset("C2", e_sparse=True).training))


def test_freeze_leaves_nothing_to_learn_and_shows_pytorchs_words() -> None:
    step = learned("C2", e_freeze=True)
    assert step.grad is None and step.refusal is not None
    assert "does not require grad" in step.refusal.error
    assert_array_equal(step.after, step.before)
    assert step.moved == () == step.learned
    shortened = learned("C2", e_freeze=True, e_norm=0.5)
    assert shortened.shortened == (2, 5)  # freezing does not keep max_norm from writing
    assert_array_equal(shortened.after, shortened.forward)


def test_sparse_and_scale_grad_by_freq_do_not_go_together() -> None:
    step = learned("C1", e_view="Gradient", e_sparse=True, e_freq=True)
    assert step.refusal is not None and "not supported with sparse" in step.refusal.error


def test_a_rate_of_zero_moves_nothing() -> None:
    step = learned("C1", e_view="Gradient", e_lr=0.0)
    assert step.moved == () and step.learned
    assert "moves no row" in learned_lines(preset("C1", e_lr=0.0).training)[-1]


@pytest.mark.parametrize("sparse", [True, False])
def test_a_step_is_torch_optim_sgd_s_to_the_last_bit(sparse: bool) -> None:
    ours, theirs = (nn.Embedding(9, 4, sparse=sparse) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    for module in (ours, theirs):
        module(torch.tensor([1, 1, 5])).pow(2).sum().backward()
    sgd_step([ours.weight], 0.37)
    torch.optim.SGD(theirs.parameters(), lr=0.37).step()
    assert torch.equal(ours.weight, theirs.weight)


def test_a_step_does_not_load_the_compiler() -> None:
    code = (
        "import sys\nfrom rnnviz.embeddings.learning import learn\n"
        "from rnnviz.screens.embeddings import screen\n"
        "step = learn(screen({})[0].training); assert step.moved; print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def tables() -> st.SearchStrategy[Table]:
    @st.composite
    def made(draw: st.DrawFn) -> Table:
        rows, dim = draw(st.integers(1, 9)), draw(st.integers(1, 5))
        config = EmbeddingConfig(
            rows,
            dim,
            padding_idx=draw(st.none() | st.integers(0, rows - 1)),
            max_norm=draw(st.none() | st.floats(0.2, 3)),
            scale_grad_by_freq=draw(st.booleans()),
            sparse=draw(st.booleans()),
        )
        n, length = draw(st.integers(1, 3)), draw(st.integers(1, 6))
        indices = tuple(tuple(draw(st.integers(0, rows - 1)) for _ in range(length)) for _ in range(n))
        ones = draw(st.booleans()) and config.padding_idx is not None
        return Table(config, draw(st.integers(0, 999)), ones, (), indices)

    return made()


def one_token(padding_idx: int | None) -> Table:
    config = EmbeddingConfig(2, 1, padding_idx=padding_idx, sparse=True)
    return Table(config, 0, False, (), ((1,),))


@example(one_token(None), LOSSES[0], 0.1)
@example(one_token(0), LOSSES[0], 0.1)
@given(tables(), st.sampled_from(LOSSES), st.sampled_from([0.0, 0.1, 1.0]))
def test_any_step_equals_the_arithmetic_of_numpy(table: Table, loss: str, lr: float) -> None:
    config = table.config
    start = embedding(config, table.seed).weight.detach().numpy().astype(np.float64)
    if config.padding_idx is not None:
        assert_array_equal(start[config.padding_idx], 0)
        if table.ones:
            start[config.padding_idx] = 1
    read = np.array(table.indices).ravel()
    forward = start.copy()
    if config.max_norm is not None:
        for row in set(read.tolist()):
            norm = np.linalg.norm(start[row])
            if norm > config.max_norm:
                forward[row] *= config.max_norm / (norm + 1e-7)  # as PyTorch's embedding_renorm_ does
    grad = np.zeros_like(start)
    for row in read.tolist():
        if row != config.padding_idx:
            grad[row] += 1.0 if loss == LOSSES[0] else 2 * forward[row]
    counts = np.bincount(read, minlength=config.num_embeddings)
    if config.scale_grad_by_freq:
        grad /= np.maximum(counts, 1)[:, None]

    found = lookup(table)
    assert found.output is not None
    assert_allclose(found.weight, forward, atol=1e-5)
    assert_allclose(found.output, forward[read], atol=1e-5)
    assert found.difference <= 1e-6
    step = learn(Training(table, loss, lr, False))
    assert_array_equal(step.counts, counts)
    assert_allclose(step.forward, forward, atol=1e-5)
    if config.sparse and config.scale_grad_by_freq:
        assert step.refusal is not None
        return
    assert step.grad is not None and step.refusal is None
    one_number = config.embedding_dim == 1 and len(read) == 1 and loss == LOSSES[0]
    if config.sparse and one_number and config.padding_idx is None:
        # torch 2.13 loses a sparse gradient that is one expanded number, here and in its optimiser; with a
        # padding_idx it copies the numbers first, to leave out those of padding
        assert_array_equal(step.after, step.forward)
        return
    assert_allclose(np.nan_to_num(step.grad), grad, atol=1e-4)
    assert_allclose(step.after, forward - lr * grad, atol=1e-4)
    for position in range(len(read)):
        assert f"reads row {read[position]}" in lookup_line(table, position)


# ---- configurations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_embeddings": 0}, "num_embeddings=0"),
        ({"embedding_dim": 2.5}, "embedding_dim=2.5"),
        ({"padding_idx": 10}, "padding_idx=10"),
        ({"max_norm": 0}, "max_norm=0"),
        ({"norm_type": float("nan")}, "norm_type=nan"),
        ({"sparse": 1}, "sparse=1"),
    ],
)
def test_an_invalid_configuration_names_the_field(arguments: dict[str, Any], message: str) -> None:
    for kind in (EmbeddingConfig, BagConfig):
        with pytest.raises(ValueError, match=message):
            kind(**{"num_embeddings": 10, "embedding_dim": 3} | arguments)


@pytest.mark.parametrize(
    "arguments", [{"mode": "min"}, {"include_last_offset": 1}, {"mode": "max", "sparse": True}]
)
def test_an_invalid_bag_configuration_names_the_field(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(reversed(arguments))):
        BagConfig(10, 3, **arguments)


def test_a_call_is_what_a_person_would_write() -> None:
    assert EmbeddingConfig(10, 3, padding_idx=-1).call() == "nn.Embedding(10, 3, padding_idx=9)"
    assert (
        BagConfig(10, 3, "sum", padding_idx=2).call() == "nn.EmbeddingBag(10, 3, mode='sum', padding_idx=2)"
    )
    assert BagConfig(10, 3).call() == "nn.EmbeddingBag(10, 3, mode='mean')"
    for config in (EmbeddingConfig(4, 2, max_norm=1.5, sparse=True), BagConfig(4, 2, "max")):
        assert isinstance(eval(config.call(), {"nn": nn}), nn.Module)
