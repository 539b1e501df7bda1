"""The same training on a GPU; needs one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from numpy.testing import assert_allclose

from rnnviz.presets import TAGGER_PRESETS, TRAINING_PRESETS
from rnnviz.training import Order, RunState, advance, change, snapshot, start, step, work
from rnnviz.training.changes import Device, Silence
from rnnviz.training.opened import on_device
from rnnviz.training.state import DeviceLost

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("row", TRAINING_PRESETS)
def test_the_losses_are_the_cpu_s(row: str) -> None:
    config = TRAINING_PRESETS[row]
    here, there = (advance(start(replace(config, device=d)), 10) for d in ("cpu", "cuda"))
    assert_allclose(there.losses, here.losses, rtol=1e-2)
    assert {weight.device.type for weight in there.weights.values()} == {"cpu"}
    assert snapshot(there, {})["probabilities"].shape == snapshot(here, {})["probabilities"].shape


def test_a_run_moves_to_the_gpu_and_back() -> None:
    config = replace(TAGGER_PRESETS["D1"], dropout=0.2, num_layers=2, shuffle=True, batch=2)
    state = step(advance(start(replace(config, batch=1)), 2))
    state = advance(change(change(state, Device("cuda")), Silence(2, layer=1)), 2)
    assert state.random.keys() == {"cpu", "cuda"}
    again = RunState.from_bytes(state.to_bytes())
    assert again.to_bytes() == state.to_bytes()
    assert len(advance(change(again, Device("cpu")), 3).losses) == 7
    done = work(state.to_bytes(), Order(2, 600.0, 1, "{}"))
    assert done.epoch == state.epoch + 2 and not done.fault


def test_the_global_random_state_of_the_gpu_is_left_alone() -> None:
    torch.cuda.manual_seed(7)
    before = torch.cuda.get_rng_state()
    advance(start(replace(TAGGER_PRESETS["D1"], device="cuda", dropout=0.5, num_layers=2)), 2)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_a_full_gpu_is_named() -> None:
    with pytest.raises(DeviceLost, match="full"), on_device("cuda"):
        torch.empty(2**50, device="cuda")
