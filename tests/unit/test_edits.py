"""What-if edits: their text, their bounds, and that they do to the run what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnviz.config import LayerConfig
from rnnviz.edits import MAX_EDITS, Clamp, ForgetBias, SetWeight, clamp_range, clampable, parse
from rnnviz.layers import build
from rnnviz.screens.step import screen
from rnnviz.stepping import step_run

LSTM = LayerConfig("LSTM", 4, 6, num_layers=2, bidirectional=True)


@pytest.mark.parametrize(
    ("line", "edit"),
    [
        ("weight_hh_l0[3, 2] = 0.5", SetWeight("weight_hh_l0", (3, 2), 0.5)),
        ("bias_ih_l1_reverse[23] = -0.001", SetWeight("bias_ih_l1_reverse", (23,), -1e-3)),
        ("forget_bias l0 = 2", ForgetBias(0, 0, 2.0)),
        ("forget_bias l1 reverse = -2", ForgetBias(1, 1, -2.0)),
        ("clamp f l0 = 1", Clamp("f", 0, 0, 1.0)),
        ("clamp f l0 steps 2-4 = 1", Clamp("f", 0, 0, 1.0, None, 2, 4)),
        ("clamp c l1 reverse unit 5 steps 3 = -2.5", Clamp("c", 1, 1, -2.5, 5, 3, 3)),
        ("silence l0 unit 3", Clamp("h", 0, 0, 0.0, 3)),
    ],
)
def test_a_line_is_read_as_written_and_written_as_read(line: str, edit: Any) -> None:
    assert parse(line, LSTM, 7) == ((edit,), [])
    assert edit.line() == line


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "not understood"),
        ("weight_hh_l2[0, 0] = 1", "there is no weight_hh_l2"),
        ("weight_hh_l0[24, 0] = 1", "0 to 23 is allowed"),
        ("weight_hh_l0[1] = 1", "2 whole numbers"),
        ("weight_hh_l0[1, 1] = 1e9", "from -1000 to 1000"),
        ("clamp z l0 = 1", "can be clamped at"),
        ("clamp f l0 = 1.5", "from 0 to 1"),
        ("clamp f l0 steps 4-2 = 1", "first to last"),
        ("clamp f l0 steps 2-7 = 1", "within 0 to 6"),
        ("clamp f l2 = 1", "no layer 2"),
        ("clamp f l0 unit 6 = 1", "no unit 6"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(line: str, complaint: str) -> None:
    edits, notes = parse(f"silence l0 unit 1\n{line}", LSTM, 7)
    assert edits == (Clamp("h", 0, 0, 0.0, 1),)
    assert len(notes) == 1 and "line 2" in notes[0] and complaint in notes[0]


def test_reverse_and_forget_bias_need_a_layer_that_has_them() -> None:
    gru = LayerConfig("GRU", 4, 6)
    assert "not bidirectional" in parse("clamp z l0 reverse = 1", gru, 5)[1][0]
    assert "only an LSTM" in parse("forget_bias l0 = 1", gru, 5)[1][0]


def test_no_more_edits_than_allowed() -> None:
    edits, notes = parse("\n".join(["silence l0 unit 1"] * (MAX_EDITS + 3)), LSTM, 7)
    assert len(edits) == MAX_EDITS and "other 3 are left out" in notes[0]


@given(st.text(max_size=80))
def test_no_text_raises(text: str) -> None:
    edits, notes = parse(text, LSTM, 5)
    assert len(edits) + len(notes) <= len([line for line in text.splitlines() if line.strip()])


def run(**values: Any) -> Any:
    current, _, notes = screen(values)
    assert not notes
    return current, step_run(current)


def test_changed_weights_give_what_the_module_gives_with_those_weights() -> None:
    _, edited = run(s_kind="LSTM", s_seed=5, s_edits="weight_hh_l0[3, 2] = 0.5\nforget_bias l0 = 2")
    module: Any = build(LayerConfig("LSTM", 4, 6), seed=5)
    with torch.no_grad():
        module.weight_hh_l0[3, 2] = 0.5
        module.bias_ih_l0[6:12] = 2
        module.bias_hh_l0[6:12] = 0
        x = torch.from_numpy(edited.trace.sel("x").copy())
        output, (h_n, c_n) = module(x)
    np.testing.assert_allclose(edited.trace.output, output.numpy(), atol=1e-6)
    np.testing.assert_allclose(edited.trace.h_n, h_n.numpy(), atol=1e-6)
    np.testing.assert_allclose(edited.trace.c_n, c_n.numpy(), atol=1e-6)
    np.testing.assert_array_equal(edited.parameters["bias_ih_l0"], module.bias_ih_l0.detach().numpy())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_clamp_holds_where_it_says_and_nowhere_else(kind: str) -> None:
    for letter in clampable(kind):  # type: ignore[arg-type]
        value = sum(clamp_range(letter)) / 2 + 0.25
        settings = {"s_kind": kind, "s_source": "Random", "s_len": 6}
        _, edited = run(**settings, s_edits=f"clamp {letter} l0 unit 1 steps 2-3 = {value}")
        _, original = run(**settings)
        held = edited.trace.sel(letter)[:, 0]
        assert edited.clamped
        np.testing.assert_array_equal(held[2:4, 1], np.float32(value))
        for name in edited.trace.names:  # nothing before the clamp may change
            before, after = original.trace.sel(name)[:2], edited.trace.sel(name)[:2]
            np.testing.assert_allclose(after, before, atol=1e-6)
        assert np.abs(edited.trace.output - original.trace.output)[2:].max() > 1e-3
        np.testing.assert_array_equal(edited.trace.output[-1], edited.trace.h_n[-1])


def test_a_clamped_cell_still_obeys_the_other_equations() -> None:
    _, edited = run(s_kind="LSTM", s_edits="clamp f l0 steps 1-4 = 1\nclamp i l0 steps 1-4 = 0")
    c, h = edited.trace.sel("c"), edited.trace.sel("h")
    np.testing.assert_allclose(
        c[1:5], np.broadcast_to(c[0], c[1:5].shape), atol=1e-7
    )  # f = 1, i = 0: kept for ever
    np.testing.assert_allclose(h, edited.trace.sel("o") * np.tanh(c), atol=1e-6)


def test_a_silenced_unit_reaches_neither_the_output_nor_the_next_step() -> None:
    _, edited = run(s_kind="GRU", s_layers=2, s_edits="silence l0 unit 3")
    assert not edited.trace.sel("h", 0)[..., 3].any() and not edited.trace.sel("x", 1)[..., 3].any()
    module: Any = build(LayerConfig("GRU", 4, 6, num_layers=2))
    with torch.no_grad():  # a unit that nobody reads: its columns are zero wherever it is read
        module.weight_hh_l0[:, 3] = 0
        module.weight_ih_l1[:, 3] = 0
        output, _ = module(torch.from_numpy(edited.trace.sel("x").copy()))
    np.testing.assert_allclose(edited.trace.output, output.numpy(), atol=1e-6)


def test_an_edited_screen_leaves_the_cached_original_alone() -> None:
    current, edited = run(s_edits="weight_ih_l0[0, 0] = 9")
    original = step_run(current.original())
    fresh = nn.LSTM(4, 6)
    assert original.parameters["weight_ih_l0"].shape == fresh.weight_ih_l0.shape
    assert original.parameters["weight_ih_l0"][0, 0] != 9 and edited.parameters["weight_ih_l0"][0, 0] == 9
