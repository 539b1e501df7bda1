"""A10: one set of weights serves every step. The counts are those of PyTorch's own modules, exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnviz import PRESETS
from rnnviz.figures.sharing import SHOWN, wirings
from rnnviz.topologies.config import MAX_LENGTH, SharingConfig
from rnnviz.topologies.sharing import counted, crossing, curves, layers, lengths, modules

SIZES = st.builds(
    SharingConfig, st.integers(1, 64), st.integers(1, 64), st.integers(1, 15), st.integers(1, 100)
)


@given(SIZES)
@settings(max_examples=60)
def test_A10_every_count_is_that_of_the_real_module(config: SharingConfig) -> None:
    assert {layer.name: layer.count for layer in layers(config)} == counted(config)


def test_A10_the_modules_named_on_screen_are_those_counted() -> None:
    config = SharingConfig(3, 5, 4, 7)
    for layer in layers(config):
        made = eval(layer.call, {"nn": nn})  # the page's own text
        assert sum(p.numel() for p in made.parameters()) == layer.count == counted(config)[layer.name]
        assert type(made) is type(modules(config)[layer.name])


def test_A10_recurrent_and_convolution_do_not_grow_with_L_and_fully_connected_does() -> None:
    preset = PRESETS["A10"]
    assert isinstance(preset, SharingConfig)
    found = curves(preset)
    for layer in layers(preset):
        counts = found[layer.name]
        assert len(counts) == len(lengths())
        assert (counts == tuple(sorted(set(counts)))) == layer.grows
        assert (len(set(counts)) == 1) != layer.grows
    assert found["LSTM"][0] == 4 * found["RNN"][0] and found["GRU"][0] == 3 * found["RNN"][0]
    assert lengths()[0] == 1 and lengths()[-1] == MAX_LENGTH


def test_A10_the_same_module_runs_at_any_length_but_the_fully_connected_layer_only_at_its_own() -> None:
    config = SharingConfig(3, 5, 3, 7)
    rnn, conv, linear = nn.LSTM(3, 5), nn.Conv1d(3, 5, 3, padding="same"), nn.Linear(7 * 3, 7 * 5)
    for length in (1, 7, 30):
        assert rnn(torch.zeros(length, 1, 3))[0].shape == (length, 1, 5)
        assert conv(torch.zeros(1, 3, length)).shape == (1, 5, length)
        if length == config.length:
            assert linear(torch.zeros(1, length * 3)).view(1, length, 5).shape == (1, 7, 5)
        else:
            with pytest.raises(RuntimeError):
                linear(torch.zeros(1, length * 3))


@given(SIZES, st.sampled_from(("RNN", "LSTM", "GRU")))
@settings(max_examples=20)
def test_A10_where_the_fully_connected_layer_passes_is_where_it_passes(
    config: SharingConfig, name: str
) -> None:
    length = crossing(config, name)
    assert length is not None
    at = {layer.name: layer.count for layer in layers(replace(config, length=length))}
    assert at["Fully connected"] > at[name]
    if length > 1:
        before = {layer.name: layer.count for layer in layers(replace(config, length=length - 1))}
        assert before["Fully connected"] <= before[name]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(st.integers(1, MAX_LENGTH), st.integers(1, 15))
@settings(max_examples=40)
def test_A10_the_picture_s_lines_are_the_entries_that_the_modules_use(length: int, kernel: int) -> None:
    n = min(length, SHOWN)
    full, convolution, recurrent = wirings(length, kernel)
    assert len(full.lines) == full.blocks == n * n
    # A convolution's own Jacobian says which output reads which input through which tap of the kernel.
    conv = nn.Conv1d(1, 1, kernel, padding="same", bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.arange(1.0, kernel + 1).view(1, 1, kernel))
    x = torch.zeros(1, 1, n, requires_grad=True)
    out = conv(x)[0, 0]
    expected = set()
    for j in range(n):
        (gradient,) = torch.autograd.grad(out[j], x, retain_graph=True)
        expected |= {(i, j, int(tap) - 1) for i, tap in enumerate(gradient[0, 0]) if tap}
    assert {(line.start, line.stop, line.block) for line in convolution.lines} == expected
    assert recurrent.blocks == (2 if n > 1 else 1) and len(recurrent.lines) == 2 * n - 1


@pytest.mark.parametrize("field", ["input_size", "hidden_size", "kernel_size", "length"])
def test_sizes_out_of_bounds_are_refused(field: str) -> None:
    wrong: tuple[Any, ...] = (0, -1, 10_000, 1.5)
    for value in wrong:
        with pytest.raises(ValueError, match=f"{field}="):
            replace(SharingConfig(), **{field: value})
