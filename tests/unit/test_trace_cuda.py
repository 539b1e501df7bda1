"""The same numbers when the module lives on a GPU; needs one."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings

from rnnviz import LayerConfig, build, trace
from rnnviz.gates import Kind
from tests.unit import reference
from tests.unit.strategies import KINDS, Case, cases

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN may round float32 products to TF32; the contract is about float32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)


def on_cuda(state: reference.State) -> reference.State:
    if state is None:
        return None
    return tuple(part.cuda() for part in state) if isinstance(state, tuple) else state.cuda()  # type: ignore[return-value]


def check(case: Case) -> None:
    module = build(case.config, seed=case.seed, device="cuda", dtype=case.dtype)
    assert {parameter.device.type for parameter in module.parameters()} == {"cuda"}
    expected = reference.evaluate(module, case.x(), case.hx(), case.lengths)
    result = trace(module, case.x().cuda(), on_cuda(case.hx()), case.lengths)
    reference.assert_trace_equals(result, expected, case.atol)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_every_quantity_equals_the_documented_equations_on_cuda(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_packed_run_on_cuda(kind: Kind, dtype: torch.dtype) -> None:
    config = LayerConfig(kind, 16, 32, num_layers=2, bidirectional=True)
    check(Case(config, steps=200, batch=4, lengths=(200, 3, 150, 77), given_state=True, dtype=dtype))


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_gives_the_same_weights_on_cpu_and_cuda(kind: Kind) -> None:
    config = replace(LayerConfig("RNN", 3, 4, num_layers=2), kind=kind)
    here, there = build(config, seed=5), build(config, seed=5, device="cuda")
    for name, weight in here.named_parameters():
        assert torch.equal(weight, there.get_parameter(name).cpu())
