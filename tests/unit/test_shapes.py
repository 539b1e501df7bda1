"""Every line of the shape tables, and every slice that is a final state, against a real module."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnnviz import LayerConfig
from rnnviz.layers import build
from rnnviz.shapes import final_states, multiply_adds, parameter_count, parameters, tensors, too_large
from tests.unit.strategies import configs

SIZES = st.integers(1, 5)


def run(config: LayerConfig, length: int, batch: int | None) -> dict[str, Tensor]:
    module = build(config, dtype=torch.float64)
    shapes = tensors(config, length, batch)
    found = {
        name: torch.randn(t.shape, dtype=torch.float64)
        for name, t in shapes.items()
        if name in ("input", "h_0", "c_0")
    }
    with torch.no_grad():
        if config.kind == "LSTM":
            found["output"], (found["h_n"], found["c_n"]) = module(
                found["input"], (found["h_0"], found["c_0"])
            )
        else:
            found["output"], found["h_n"] = module(found["input"], found["h_0"])
    return found


@given(configs(), SIZES, SIZES | st.none())
def test_a_module_takes_and_gives_the_shapes_that_are_shown(
    config: LayerConfig, length: int, batch: int | None
) -> None:
    found = run(config, length, batch)
    shown = tensors(config, length, batch)
    assert {name: tuple(t.shape) for name, t in found.items()} == {name: t.shape for name, t in shown.items()}


@given(configs())
def test_parameters_are_the_module_s_own_in_its_order(config: LayerConfig) -> None:
    real = [(name, tuple(p.shape)) for name, p in build(config).named_parameters()]
    assert [(p.name, p.shape) for p in parameters(config)] == real
    assert parameter_count(config) == sum(p.numel() for p in build(config).parameters())


@given(configs())
def test_a_step_multiplies_by_every_number_of_every_weight_once(config: LayerConfig) -> None:
    weights = [p.numel() for p in build(config).parameters() if p.ndim == 2]
    assert multiply_adds(config) == sum(weights)


@given(configs(), SIZES, SIZES | st.none())
def test_the_slice_of_output_that_is_named_equals_its_row_of_h_n(
    config: LayerConfig, length: int, batch: int | None
) -> None:
    found = run(config, length, batch)
    states = final_states(config, length, batched=batch is not None)
    assert [s.row for s in states] == list(range(found["h_n"].shape[0]))
    for state in states:
        assert (state.where is None) == (state.layer < config.num_layers - 1)
        if state.where is not None:
            named = eval(state.where, {"output": found["output"]})
            torch.testing.assert_close(named, found["h_n"][state.row], rtol=0, atol=0)


def test_blocks_are_named_as_pytorch_names_them() -> None:
    config = LayerConfig("LSTM", 5, 6, proj_size=2)
    assert [p.blocks for p in parameters(config)] == [
        ("W_ii", "W_if", "W_ig", "W_io"),
        ("W_hi", "W_hf", "W_hg", "W_ho"),
        ("b_ii", "b_if", "b_ig", "b_io"),
        ("b_hi", "b_hf", "b_hg", "b_ho"),
        ("W_hr",),
    ]
    assert [p.blocks for p in parameters(LayerConfig("GRU", 5, 6))][:2] == [
        ("W_ir", "W_iz", "W_in"),
        ("W_hr", "W_hz", "W_hn"),
    ]


def test_batch_first_swaps_the_axes_of_input_and_output_only() -> None:
    plain = tensors(LayerConfig("LSTM", 10, 20), 5, 3)
    first = tensors(LayerConfig("LSTM", 10, 20, batch_first=True), 5, 3)
    for name, shape in plain.items():
        swapped = (shape.dims[1], shape.dims[0], shape.dims[2])
        assert first[name].dims == (swapped if name in ("input", "output") else shape.dims)


def test_unbatched_has_no_axis_n_whatever_batch_first_says() -> None:
    for batch_first in (False, True):
        shapes = tensors(LayerConfig("GRU", 10, 20, batch_first=batch_first), 5, None)
        assert all(d.letter != "N" for t in shapes.values() for d in t.dims)
        assert shapes["input"].shape == (5, 10)


@pytest.mark.parametrize(
    ("config", "length", "batch", "reason"),
    [
        (LayerConfig("LSTM", 1024, 1024, num_layers=8), 5, 3, "parameters"),
        (LayerConfig("RNN", 1024, 1024), 512, 256, "multiply-adds"),
        (LayerConfig("RNN", 64, 4), 512, 256, "numbers in one layer"),
    ],
)
def test_a_run_too_large_for_a_shared_machine_is_refused_with_its_number(
    config: LayerConfig, length: int, batch: int, reason: str
) -> None:
    said = too_large(config, length, batch)
    assert said is not None and reason in said and any(c.isdigit() for c in said)
    assert too_large(config, 1, 1) is None or reason == "parameters"
