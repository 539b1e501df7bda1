"""Every number of a Trace against an independent reference and against the module itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz import LayerConfig, Trace, build, trace
from rnnviz.gates import Kind
from tests.unit import reference
from tests.unit.strategies import KINDS, Case, cases

# PyTorch says so once a process, at the first float32 LSTM with proj_size (aten/src/ATen/native/RNN.cpp).
pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN:UserWarning"
)

LSTM = Case(LayerConfig("LSTM", 3, 4, num_layers=2, bidirectional=True), steps=6, batch=3, lengths=(4, 6, 1))


def traced(case: Case) -> Trace:
    return trace(case.module(), case.x(), case.hx(), case.lengths)


def the_ordinary_way(case: Case) -> tuple[Tensor, Tensor, Tensor | None]:
    """output, h_n, c_n as anyone would get them: packed and unpacked again when lengths are given."""
    module, x = case.module(), case.x()
    with torch.no_grad():
        if case.lengths is None:
            output, state = module(x, case.hx())
        else:
            first = case.config.batch_first
            packed = pack_padded_sequence(x, torch.tensor(case.lengths), first, enforce_sorted=False)
            output, state = module(packed, case.hx())
            output, _ = pad_packed_sequence(output, first, total_length=case.steps)
    h_n, c_n = state if isinstance(state, tuple) else (state, None)
    return output, h_n, c_n


@settings(deadline=None, max_examples=200)
@given(cases())
def test_every_quantity_equals_the_documented_equations(case: Case) -> None:
    expected = reference.evaluate(case.module(), case.x(), case.hx(), case.lengths)
    reference.assert_trace_equals(traced(case), expected, case.atol)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("hidden", [8, 32, 33, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_long_and_wide_runs_too(kind: Kind, hidden: int, bidirectional: bool, dtype: torch.dtype) -> None:
    """Beyond what Hypothesis draws, on both sides of the size at which the scan of c changes its way."""
    config = LayerConfig(kind, 5, hidden, num_layers=2, bidirectional=bidirectional)
    case = Case(config, steps=50, batch=2, lengths=(50, 31), given_state=True, dtype=dtype)
    for run in (case, case.but(lengths=None)):
        reference.assert_trace_equals(
            traced(run), reference.evaluate(run.module(), run.x(), run.hx(), run.lengths), run.atol
        )


@settings(deadline=None, max_examples=50)
@given(
    cases(dtype=torch.float64).filter(lambda case: case.lengths is not None),
    st.sampled_from([7.0, float("nan")]),
)
def test_what_stands_in_the_padding_changes_nothing(case: Case, filler: float) -> None:
    x = case.x()
    for sample, end in enumerate(case.lengths or ()):
        (x[sample] if case.config.batch_first else x[:, sample])[end:] = filler
    result = trace(case.module(), x, case.hx(), case.lengths)
    expected = reference.evaluate(case.module(), case.x(), case.hx(), case.lengths)
    reference.assert_trace_equals(result, expected, case.atol)


@settings(deadline=None)
@given(cases())
def test_output_and_final_states_are_those_of_the_module(case: Case) -> None:
    result = traced(case)
    for actual, expected in zip((result.output, result.h_n, result.c_n), the_ordinary_way(case), strict=True):
        if expected is None:
            assert actual is None
        else:
            assert actual is not None
            torch.testing.assert_close(torch.tensor(actual), expected, rtol=0, atol=case.atol)


@settings(deadline=None)
@given(cases())
def test_the_reference_itself_agrees_with_the_module(case: Case) -> None:
    expected = reference.evaluate(case.module(), case.x(), case.hx(), case.lengths)
    for ours, theirs in zip(
        (expected.output, expected.h_n, expected.c_n), the_ordinary_way(case), strict=True
    ):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            torch.testing.assert_close(torch.tensor(ours), theirs.double(), rtol=0, atol=case.atol)


@settings(deadline=None)
@given(cases())
def test_nan_exactly_after_each_end(case: Case) -> None:
    result = traced(case)
    batch = case.batch or 1
    ends = torch.tensor(case.lengths or [case.steps] * batch).numpy()
    past = np.arange(case.steps)[:, None] >= ends  # (L, N)
    for name in result.names:
        for layer in range(case.config.num_layers):
            for direction in range(2 if case.config.bidirectional else 1):
                value = result.sel(name, layer, direction)
                np.testing.assert_array_equal(np.isnan(value), np.broadcast_to(past[..., None], value.shape))


@pytest.mark.parametrize("kind", KINDS)
def test_names_lists_what_sel_knows(kind: Kind) -> None:
    result = traced(replace(LSTM, config=LayerConfig(kind, 3, 4)))
    assert len(result.names) == len(set(result.names))
    assert set(result.names) == set(reference.NAMES[kind])
    with pytest.raises((KeyError, ValueError), match="h"):
        result.sel("no such quantity")


@pytest.mark.parametrize(("layer", "direction"), [(2, 0), (0, 2), (1, 5)])
def test_sel_refuses_what_the_layer_has_not(layer: int, direction: int) -> None:
    with pytest.raises((IndexError, KeyError, ValueError)):
        traced(LSTM).sel("h", layer, direction)


@pytest.mark.parametrize(
    "case",
    [LSTM, LSTM.but(dtype=torch.float32), LSTM.but(batch=None, lengths=None, given_state=True)],
    ids=["float64", "float32", "unbatched"],
)
def test_arrays_have_the_modules_dtype_and_are_step_major(case: Case) -> None:
    result, batch = traced(case), case.batch or 1
    widths = {"x": 3, "h": 4, "c": 4, "i": 4, "o_pre": 4}
    for name, width in widths.items():
        assert result.sel(name).shape == (case.steps, batch, width)
        assert result.sel(name).dtype == np.dtype(str(case.dtype).removeprefix("torch."))
    assert result.sel("x", layer=1).shape == (case.steps, batch, 8)


@pytest.mark.parametrize("lengths", [None, (4, 6, 1)])
def test_every_array_is_read_only(lengths: tuple[int, ...] | None) -> None:
    result = traced(LSTM.but(lengths=lengths))
    arrays = [result.output, result.h_n, result.c_n]
    arrays += [result.sel(name, layer, d) for name in result.names for layer in (0, 1) for d in (0, 1)]
    for array in arrays:
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("lengths", [None, (4, 6, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_does_not_change_with_the_tensors_it_came_from(
    kind: Kind, lengths: tuple[int, ...] | None
) -> None:
    case = LSTM.but(config=replace(LSTM.config, kind=kind), lengths=lengths, given_state=True)
    module, x, hx = case.module(), case.x(), case.hx()
    result = trace(module, x, hx, lengths)
    with torch.no_grad():
        for tensor in (x, *(hx if isinstance(hx, tuple) else [hx]), *module.parameters()):
            assert tensor is not None
            tensor.add_(1)
    expected = reference.evaluate(case.module(), case.x(), case.hx(), lengths)
    reference.assert_trace_equals(result, expected, case.atol)


@settings(deadline=None, max_examples=20)
@given(cases())
def test_frame_holds_every_value_under_its_coordinates(case: Case) -> None:
    result = traced(case)
    frame = result.frame()
    keys = ["quantity", "layer", "direction", "step", "batch", "unit"]
    assert list(frame.columns) == [*keys, "value"]
    assert not frame.duplicated(keys).any()
    parts = []
    for name in result.names:
        for layer in range(case.config.num_layers):
            for direction in range(2 if case.config.bidirectional else 1):
                value = result.sel(name, layer, direction)
                step, sample, unit = (axis.ravel() for axis in np.indices(value.shape))
                part = {
                    "quantity": name,
                    "layer": layer,
                    "direction": direction,
                    "step": step,
                    "batch": sample,
                }
                parts.append(pd.DataFrame(part | {"unit": unit, "value": value.ravel()}))
    expected = pd.concat(parts).dropna().set_index(keys)["value"].sort_index()
    actual = frame.dropna().astype({"quantity": str}).set_index(keys)["value"].sort_index()
    pd.testing.assert_series_equal(actual, expected, check_exact=True, check_index_type=False)


@pytest.mark.parametrize("kind", KINDS)
def test_training_mode_with_dropout_between_layers_is_refused(kind: Kind) -> None:
    module = build(LayerConfig(kind, 3, 4, num_layers=2, dropout=0.5)).train()
    x = torch.zeros(5, 2, 3)
    with pytest.raises(ValueError, match="dropout"):
        trace(module, x)
    expected = reference.evaluate(module.eval(), x)  # in evaluation mode dropout does nothing
    reference.assert_trace_equals(trace(module, x), expected, 1e-5)


def test_training_mode_without_dropout_is_traced() -> None:
    module, x = LSTM.module().train(), LSTM.x()
    reference.assert_trace_equals(trace(module, x), reference.evaluate(module, x), LSTM.atol)


# What is refused, and how

SHAPES = {
    "no step axis": torch.zeros(3),
    "too many axes": torch.zeros(6, 3, 3, 1),
    "another input_size": torch.zeros(6, 3, 5),
    "unbatched, another input_size": torch.zeros(6, 5),
    "no steps": torch.zeros(0, 3, 3),
}


@pytest.mark.parametrize("x", SHAPES.values(), ids=SHAPES.keys())
def test_a_wrong_x_is_a_value_error(x: Tensor) -> None:
    with pytest.raises(ValueError, match="x"):
        trace(LSTM.module(), x.double())


H_0, C_0 = torch.zeros(4, 3, 4).double(), torch.zeros(4, 3, 4).double()
STATES = {
    "no pair": H_0,
    "too few rows": (H_0[:2], C_0[:2]),
    "another batch": (H_0[:, :2], C_0[:, :2]),
    "another hidden_size": (H_0[..., :3], C_0),
    "c of another hidden_size": (H_0, C_0[..., :3]),
    "unbatched with a batch": (H_0[:, 0], C_0[:, 0]),
    "batch first": (H_0.transpose(0, 1), C_0.transpose(0, 1)),
}


@pytest.mark.parametrize("hx", STATES.values(), ids=STATES.keys())
def test_a_wrong_initial_state_is_a_value_error(hx: reference.State) -> None:
    with pytest.raises(ValueError, match="h"):
        trace(LSTM.module(), LSTM.x(), hx)


def test_a_pair_for_a_layer_with_one_state_is_a_value_error() -> None:
    module = build(LayerConfig("GRU", 3, 4), dtype=torch.float64)
    with pytest.raises(ValueError, match="h"):
        trace(module, LSTM.x(), (torch.zeros(1, 3, 4).double(), torch.zeros(1, 3, 4).double()))


@pytest.mark.parametrize(
    "lengths", [(4, 6), (4, 6, 1, 2), (), (0, 6, 1), (-1, 6, 1), (7, 6, 1)], ids=lambda lengths: str(lengths)
)
def test_wrong_lengths_are_a_value_error(lengths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="length"):
        trace(LSTM.module(), LSTM.x(), lengths=lengths)


def test_lengths_without_a_batch_are_a_value_error() -> None:
    case = LSTM.but(batch=None, lengths=None)
    with pytest.raises(ValueError, match="batch"):
        trace(case.module(), case.x(), lengths=(6,))


def test_lengths_may_be_a_tensor_or_an_array() -> None:
    expected = traced(LSTM).output
    forms: list[Any] = [torch.tensor(LSTM.lengths), np.array(LSTM.lengths), list(LSTM.lengths or ())]
    for lengths in forms:
        np.testing.assert_array_equal(trace(LSTM.module(), LSTM.x(), None, lengths).output, expected)


@pytest.mark.parametrize("module", [nn.Linear(3, 4), nn.LSTMCell(3, 4)], ids=["Linear", "LSTMCell"])
def test_only_recurrent_layers_are_traced(module: nn.Module) -> None:
    with pytest.raises((TypeError, ValueError), match=type(module).__name__):
        trace(module, torch.zeros(6, 3, 3))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(cases(dtype=torch.float64), st.sampled_from(["transposed", "strided", "grad"]))
def test_any_view_of_the_input_gives_the_same(case: Case, view: str) -> None:
    x = case.x()
    if view == "transposed":
        x = x.movedim(0, -1).contiguous().movedim(-1, 0)
    elif view == "strided":
        x = torch.stack([x, x], -1)[..., 0]
    else:
        x.requires_grad_()
    result = trace(case.module(), x, case.hx(), case.lengths)
    reference.assert_trace_equals(
        result, reference.evaluate(case.module(), x, case.hx(), case.lengths), case.atol
    )
