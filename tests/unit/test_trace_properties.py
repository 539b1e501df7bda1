"""What holds whatever the options: ranges, symmetries, repeatability, and a module left as it was."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from rnnviz import LayerConfig, Trace, build, trace
from rnnviz.gates import Kind
from tests.unit.reference import NAMES
from tests.unit.strategies import KINDS, Case, cases, configs

# PyTorch says so once a process, at the first float32 LSTM with proj_size (aten/src/ATen/native/RNN.cpp).
pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN:UserWarning"
)

SIGMOIDS, TANHS = ("i", "f", "o", "r", "z"), ("g", "n")


def directions(case: Case) -> range:
    return range(2 if case.config.bidirectional else 1)


@settings(deadline=None)
@given(cases())
def test_gates_stay_in_their_range(case: Case) -> None:
    result = trace(case.module(), case.x(), case.hx(), case.lengths)
    for layer in range(case.config.num_layers):
        for direction in directions(case):
            for name in NAMES[case.config.kind]:
                value = result.sel(name, layer, direction)
                value = value[~np.isnan(value)]
                if name in SIGMOIDS:
                    assert (value >= 0).all() and (value <= 1).all()
                    assert ((value > 0.5) == (pre(result, name, layer, direction) > 0)).all()
                if name in TANHS:
                    assert (value >= -1).all() and (value <= 1).all()


def pre(result: Trace, name: str, layer: int, direction: int) -> NDArray[Any]:
    value = result.sel(f"{name}_pre", layer, direction)
    return value[~np.isnan(value)]


@settings(deadline=None)
@given(cases(kinds=("GRU",)))
def test_GRU_h_lies_between_n_and_the_old_h(case: Case) -> None:
    config = case.config
    result = trace(case.module(), case.x(), case.hx(), case.lengths)
    batch = case.batch or 1
    ends = case.lengths or (case.steps,) * batch
    hx = case.hx()
    assert not isinstance(hx, tuple)
    rows = config.num_layers * len(directions(case))
    h_0 = np.zeros((rows, batch, config.hidden_size)) if hx is None else hx.reshape(rows, batch, -1).numpy()
    for layer in range(config.num_layers):
        for direction in directions(case):
            h, n = result.sel("h", layer, direction), result.sel("n", layer, direction)
            for sample, end in enumerate(ends):
                new, candidate = h[:end, sample], n[:end, sample]
                first = h_0[layer * len(directions(case)) + direction, sample][None]
                old = np.concatenate([new[1:], first] if direction else [first, new[:-1]])
                assert (new >= np.minimum(old, candidate) - 1e-6).all()
                assert (new <= np.maximum(old, candidate) + 1e-6).all()


@settings(deadline=None)
@given(cases(dtype=torch.float64))
def test_reverse_equals_forward_on_the_flipped_input(case: Case) -> None:
    """With the same weights in both directions and the input flipped within each true length."""
    case = case.but(
        config=LayerConfig(
            case.config.kind,
            3,
            4,
            proj_size=case.config.proj_size and 2,
            bias=case.config.bias,
            bidirectional=True,
        ),
        given_state=False,
    )
    batch, ends = case.batch or 1, case.lengths or (case.steps,) * (case.batch or 1)
    module, x = case.module(), case.x()
    weights = dict(module.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            if name.endswith("_reverse"):
                weight.copy_(weights[name.removesuffix("_reverse")])

    def flip(value: Tensor) -> Tensor:
        flipped = value.clone().reshape(case.steps, batch, -1)
        for sample, end in enumerate(ends):
            flipped[:end, sample] = flipped[:end, sample].flip(0)
        return flipped.reshape(value.shape)

    straight = trace(module, x, lengths=case.lengths)
    flipped = trace(module, flip(x), lengths=case.lengths)
    for name in straight.names:
        backward = torch.tensor(straight.sel(name, 0, 1))
        torch.testing.assert_close(
            flip(backward), torch.tensor(flipped.sel(name, 0, 0)), rtol=0, atol=1e-12, equal_nan=True
        )


@settings(deadline=None, max_examples=30)
@given(cases())
def test_the_same_run_twice_gives_the_same_bits(case: Case) -> None:
    one, two = (trace(case.module(), case.x(), case.hx(), case.lengths) for _ in range(2))
    assert one.output.tobytes() == two.output.tobytes()
    assert one.frame()["value"].to_numpy().tobytes() == two.frame()["value"].to_numpy().tobytes()


@settings(deadline=None)
@given(configs(), st.integers(0, 2**32 - 1))
def test_any_seed_twice_gives_the_same_weights(config: LayerConfig, seed: int) -> None:
    one = build(config, seed=seed)
    torch.rand(3)  # neither what was drawn before...
    before = torch.get_rng_state()
    two = build(config, seed=seed)
    assert torch.equal(before, torch.get_rng_state())  # ...nor what is drawn after depends on it
    for name, weight in one.named_parameters():
        assert torch.equal(weight, two.get_parameter(name))


def test_another_seed_gives_other_weights() -> None:
    config = LayerConfig("LSTM", 3, 4)
    weights = zip(build(config, seed=0).parameters(), build(config, seed=1).parameters(), strict=True)
    assert not any(torch.equal(one, two) for one, two in weights)


@settings(deadline=None)
@given(configs())
def test_build_passes_every_option_on(config: LayerConfig) -> None:
    module = build(config, dtype=torch.float64)
    assert type(module) is getattr(torch.nn, config.kind)
    for name in (
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ):
        assert getattr(module, name) == getattr(config, name)
    if config.kind == "RNN":
        assert module.nonlinearity == config.nonlinearity
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float64}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_the_module_is_left_as_it_was_and_can_be_trained(kind: Kind, training: bool) -> None:
    case = Case(LayerConfig(kind, 3, 4, num_layers=2, bidirectional=True), steps=5, batch=2, lengths=(3, 5))
    module, x = case.module().train(training), case.x()
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    before = copy.deepcopy(module.state_dict())
    attributes, hooks = set(vars(module)), dict(module._forward_hooks)
    random_state = torch.get_rng_state()

    result = trace(module, x, lengths=case.lengths)

    assert module.training is training
    assert dict(module._forward_hooks) == hooks and not module._forward_pre_hooks
    assert set(vars(module)) == attributes
    assert torch.equal(random_state, torch.get_rng_state())
    for name, parameter in module.named_parameters():
        assert parameter.requires_grad and parameter.grad is None and parameter.grad_fn is None
        assert torch.equal(parameter, before[name])

    packed = pack_padded_sequence(x, torch.tensor(case.lengths), enforce_sorted=False)
    module(packed)[0].data.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters())
    torch.optim.SGD(module.parameters(), lr=0.1).step()
    assert not np.array_equal(trace(module, x, lengths=case.lengths).output, result.output)


def test_a_frozen_module_and_grad_mode_stay_as_they_were() -> None:
    module = build(LayerConfig("GRU", 3, 4)).requires_grad_(False)
    with torch.enable_grad():
        trace(module, torch.zeros(5, 2, 3))
        assert torch.is_grad_enabled()
    with torch.inference_mode():
        inside = trace(module, torch.zeros(5, 2, 3)).output
    np.testing.assert_array_equal(inside, trace(module, torch.zeros(5, 2, 3)).output)
    assert not any(parameter.requires_grad for parameter in module.parameters())
