"""Bags of any kind against a loop over their rows, and what PyTorch refuses, in its words and in ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.embeddings.bags import bag_of, run_bags, two_step
from rnnviz.embeddings.config import MODES, BagConfig
from rnnviz.embeddings.inputs import LOSSES, Bags, Training
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.lookup import embedding_bag, lookup
from rnnviz.embeddings.refusals import bag_rule, table_rule
from rnnviz.embeddings.spoken import bag_lines
from tests.unit.test_embeddings import bags, preset


def bag_calls() -> st.SearchStrategy[Bags]:
    @st.composite
    def made(draw: st.DrawFn) -> Bags:
        rows, mode = draw(st.integers(1, 8)), draw(st.sampled_from(MODES))
        last = draw(st.booleans())
        config = BagConfig(
            rows,
            draw(st.integers(1, 4)),
            mode,
            padding_idx=draw(st.none() | st.integers(0, rows - 1)),
            include_last_offset=last,
        )
        index = st.integers(0, rows - 1)
        if draw(st.booleans()):
            width = draw(st.integers(1, 4))
            line = st.tuples(*[index] * width)
            items = tuple(draw(st.lists(line, min_size=2, max_size=4)))
            offsets = None
        else:
            items = (tuple(draw(st.lists(index, min_size=1, max_size=9))),)
            starts = draw(st.lists(st.integers(0, len(items[0])), max_size=4))
            offsets = (0, *sorted(starts), *((len(items[0]),) if last else ()))
        count = sum(map(len, items))
        weight = st.floats(-2, 2, width=32)
        weights = draw(st.none() | st.tuples(*[weight] * count)) if mode == "sum" else None
        return Bags(config, draw(st.integers(0, 999)), items, offsets, weights)

    return made()


@given(bag_calls())
def test_any_bags_equal_a_loop_over_their_rows_forward_and_backward(call: Bags) -> None:
    found, config = run_bags(call), call.config
    assert found.refusal is None and found.output is not None and found.two_step is not None
    assert found.difference <= 1e-5
    weights = call.weights or (1.0,) * len(call.flat)
    padding, mode = config.padding_idx, config.mode
    weight = found.weight.astype(np.float64)
    rng = np.random.default_rng(0)
    given = rng.normal(size=found.output.shape)  # the gradient that comes from above
    grad = np.zeros_like(weight)
    for k, (start, end) in enumerate(found.spans):
        inside = [j for j in range(start, end) if call.flat[j] != padding]
        rows = np.array([weight[call.flat[j]] * weights[j] for j in inside]).reshape(-1, config.embedding_dim)
        reduce: Any = getattr(rows, mode)
        expected = reduce(0) if len(rows) else 0
        assert_allclose(found.output[k], expected, atol=1e-5)
        for at, j in enumerate(inside):
            if mode == "max":
                grad[call.flat[j]] += given[k] * (rows.argmax(0) == at)
            else:
                grad[call.flat[j]] += given[k] * weights[j] / (len(inside) if mode == "mean" else 1)
    above = torch.tensor(given, dtype=torch.float32)
    module = embedding_bag(config, call.seed)
    two_d = len(call.items) > 1
    items = torch.tensor(call.items if two_d else call.flat)
    offsets = None if call.offsets is None else torch.tensor(call.offsets)
    each = None if call.weights is None else torch.tensor(call.weights).view_as(items)
    module(items, offsets, each).backward(above)
    assert module.weight.grad is not None
    assert_allclose(module.weight.grad.numpy(), grad, atol=1e-4)
    twin = embedding_bag(config, call.seed).weight
    made = two_step(twin[list(call.flat)], found.spans, call)
    if made.requires_grad:  # some bag holds something
        made.backward(above)
        assert twin.grad is not None
        if mode != "max":  # amax shares a gradient among equal largest, EmbeddingBag gives it to the first
            assert_allclose(twin.grad.numpy(), grad, atol=1e-4)
    owner = bag_of(found)
    assert all(owner[j] == k for k, (a, b) in enumerate(found.spans) for j in range(a, b))
    bag_lines(call)


def test_include_last_offset_and_empty_bags() -> None:
    found = bags("C4", e_offsets="0 3 3 8", e_last=True)
    assert found.spans == ((0, 3), (3, 3), (3, 8)) and found.output is not None
    assert_array_equal(found.output[1], 0)
    assert any(
        "Bag 1 has nothing" in x for x in bag_lines(preset("C4", e_offsets="0 3 3 8", e_last=True).bags)
    )


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "first": ({"e_offsets": "1 4"}, "RuntimeError: offsets[0] has to be 0", "has to be 0"),
    "beyond": ({"e_offsets": "0 9"}, "RuntimeError: offsets[-1] can not be greater", "after its end"),
    "2-D": (
        {"e_items": "1 2\n3 4"},
        "ValueError: if input is 2D, then offsets has to be None",
        "bag already",
    ),
    "1-D": ({"e_offsets": ""}, "ValueError: offsets has to be a 1D Tensor", "where each bag starts"),
    "weights' mode": (
        {"e_mode": "max", "e_weights": "1 1 1 1 1 1 1 1"},
        "NotImplementedError: embedding_bag: per_sample_weights",
        "mode='sum' alone",
    ),
    "weights' shape": (
        {"e_weights": "1 2"},
        "ValueError: embedding_bag: If per_sample",
        "Each index needs one",
    ),
    "range": ({"e_items": "1 10"}, "RuntimeError: ", "no row 10"),
    "ragged": (
        {"e_items": "1 2\n3", "e_offsets": ""},
        "ValueError: expected sequence of length",
        "ragged edge|equally",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("mode", MODES)
def test_what_pytorch_refuses_is_said_in_its_words_and_in_ours(name: str, mode: str) -> None:
    changed, error, words = REFUSED[name]
    if name == "range":
        changed = changed | {"e_offsets": "0"}
    found = bags("C4", **{"e_mode": mode} | changed)
    assert found.refusal is not None and found.output is None
    assert found.refusal.rule.name == name
    assert found.refusal.error.startswith(error)
    assert any(part in found.refusal.rule.words for part in words.split("|"))


UNCHECKED: dict[str, dict[str, Any]] = {
    "decreasing": {"e_offsets": "0 5 3"},
    "negative": {"e_offsets": "-1 2"},
    "no bag": {"e_offsets": "0", "e_last": True},
    "no input": {"e_items": ""},
    "last": {"e_offsets": "0 3", "e_last": True},
}


@pytest.mark.parametrize("name", UNCHECKED)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_pytorch_is_not_asked_where_it_would_read_what_is_not_there(
    name: str, mode: str, padded: bool
) -> None:
    found = bags("C4", **{"e_mode": mode, "e_bag_padded": padded} | UNCHECKED[name])
    assert found.refusal is not None and found.output is None
    assert found.refusal.rule.name == name and found.refusal.error == ""


@given(
    st.lists(st.lists(st.integers(-2, 12), min_size=1, max_size=5), max_size=3),
    st.none() | st.lists(st.integers(-3, 14), min_size=1, max_size=4),
    st.none() | st.lists(st.floats(-2, 2), min_size=1, max_size=6),
    st.sampled_from(MODES),
    st.booleans(),
)
def test_any_call_is_answered_or_explained(
    items: list[list[int]], offsets: list[int] | None, weights: list[float] | None, mode: Any, last: bool
) -> None:
    config = BagConfig(8, 2, mode, include_last_offset=last)
    call = Bags(
        config,
        0,
        tuple(map(tuple, items)),
        None if offsets is None else tuple(offsets),
        None if weights is None else tuple(weights),
    )
    found, rule = run_bags(call), bag_rule(call)
    assert (found.refusal is None) == (rule is None) == (found.output is not None)
    if found.refusal is not None and found.refusal.rule.checked:
        assert found.refusal.error


@pytest.mark.parametrize(
    ("indices", "error"), [("1 2\n3", "ValueError"), ("1 10", "IndexError"), ("-1", "IndexError")]
)
def test_a_lookup_that_pytorch_refuses_is_explained(indices: str, error: str) -> None:
    table = preset("C1", e_indices=indices).table
    assert table_rule(table) is not None
    for refusal in (lookup(table).refusal, learn(Training(table, LOSSES[0], 0.1, False)).refusal):
        assert refusal is not None and refusal.error.startswith(error)
    assert lookup(table).output is None and lookup(table).weight.shape == (10, 3)
