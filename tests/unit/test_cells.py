"""The step-by-step run of rnnviz.cells against the modules: forward, and backward through every parameter."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz import LayerConfig, cells
from tests.unit import reference
from tests.unit.strategies import Case, cases

pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN:UserWarning"
)


def leaves(case: Case) -> tuple[nn.RNNBase, Tensor, tuple[Tensor, ...]]:
    """Module, x and the state(s), batched, all of them recording gradients."""
    module, x, hx = case.module(), case.x().requires_grad_(), case.hx()
    assert hx is not None
    return module, x, tuple(part.requires_grad_() for part in (hx if isinstance(hx, tuple) else (hx,)))


def by_module(case: Case) -> tuple[list[Tensor], list[Tensor]]:
    """(output, h_n, c_n), and what they depend on."""
    module, x, state = leaves(case)
    hx = state if len(state) == 2 else state[0]
    if case.lengths is None:
        output, last = module(x, hx)
    else:
        first = module.batch_first
        packed, last = module(
            pack_padded_sequence(x, torch.tensor(case.lengths), first, enforce_sorted=False), hx
        )
        output, _ = pad_packed_sequence(packed, first, total_length=case.steps)
    ends = list(last) if isinstance(last, tuple) else [last]
    return [output, *ends], [x, *state, *module.parameters()]


def cell_run(case: Case, module: nn.RNNBase, x: Tensor, state: tuple[Tensor, ...]) -> cells.CellRun:
    lengths = None if case.lengths is None else torch.tensor(case.lengths)
    c_0 = state[1] if len(state) == 2 else None
    return cells.run(module, x.transpose(0, 1) if module.batch_first else x, state[0], c_0, lengths)


def by_cells(case: Case) -> tuple[list[Tensor], list[Tensor]]:
    module, x, state = leaves(case)
    found = cell_run(case, module, x, state)
    output = found.output.transpose(0, 1) if module.batch_first else found.output
    ends = [found.h_n] if found.c_n is None else [found.h_n, found.c_n]
    return [output, *ends], [x, *state, *module.parameters()]


def gradients(results: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Of one sum in which every number of every result has its own weight, so that no two can be confused."""
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros((), dtype=results[0].dtype)
    for result in results:
        total = total + (result * torch.randn(result.shape, generator=generator, dtype=result.dtype)).sum()
    return list(torch.autograd.grad(total, leaves))


batched = cases(dtype=torch.float64).map(lambda case: case.but(batch=case.batch or 1, given_state=True))


@settings(deadline=None)
@given(batched)
def test_forward_and_backward_equal_the_modules(case: Case) -> None:
    ours, our_leaves = by_cells(case)
    theirs, their_leaves = by_module(case)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        gradients(ours, our_leaves), gradients(theirs, their_leaves), rtol=1e-10, atol=1e-11
    )


@settings(deadline=None)
@given(batched)
def test_every_quantity_of_every_living_step_equals_the_documented_equations(case: Case) -> None:
    module, x, state = leaves(case)
    expected = reference.evaluate(module, x, case.hx(), case.lengths)
    found = cell_run(case, module, x, state)
    for (name, layer, direction), value in expected.values.items():
        actual, wanted = found.values[layer, direction][name].detach(), torch.from_numpy(value)
        alive = ~wanted.isnan()
        torch.testing.assert_close(actual[alive], wanted[alive], rtol=0, atol=1e-12)


def test_the_backward_comparison_can_fail() -> None:
    # the last result's gradient is cut off, its value is not
    case = Case(LayerConfig("LSTM", 3, 4), steps=4, batch=2, given_state=True)
    ours, our_leaves = by_cells(case)
    theirs, their_leaves = by_module(case)
    cut = gradients([*ours[:-1], ours[-1].detach().requires_grad_() + 0 * ours[-1]], our_leaves)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(cut, gradients(theirs, their_leaves), rtol=1e-10, atol=1e-11)
