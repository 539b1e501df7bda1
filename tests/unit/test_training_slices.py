"""One trip to a worker: the same bits as `advance`, with a log, kept states and reasons to stop."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from torch import nn

from rnnviz.models import Tagger
from rnnviz.presets import SENTENCES, TAGGER_PRESETS, TRAINING_PRESETS
from rnnviz.training import RunState, advance, change, parameter_names, snapshot, start, step
from rnnviz.training.changes import Device, LearningRate
from rnnviz.training.config import TaggerConfig, TrainConfig
from rnnviz.training.slices import LOG, Order, Slice, Stop, work
from rnnviz.training.state import DeviceLost
from tests.unit.training_cases import configs

D1 = TAGGER_PRESETS["D1"]
LONG = 600.0


@settings(max_examples=40)
@given(configs, st.integers(0, 4), st.integers(0, 3))
def test_a_slice_is_what_advance_does(config: TrainConfig, epochs: int, stride: int) -> None:
    state = start(config)
    done = work(state.to_bytes(), Order(epochs, LONG, stride))
    assert done.state == advance(state, epochs).to_bytes()
    assert (done.epoch, done.step, done.fault, done.stopped) == (epochs, 0, False, "")
    expected = [epoch for epoch in range(1, epochs + 1) if stride and epoch % stride == 0]
    assert [epoch for epoch, _ in done.kept] == expected
    for epoch, kept in done.kept:
        assert kept == advance(state, epoch).to_bytes()


def test_slices_end_within_an_epoch_and_lose_nothing() -> None:
    """Steps, and time that is over at once, cut anywhere: states and logs are those of one piece."""
    config = replace(D1, sentences=SENTENCES * 3, shuffle=True, dropout=0.2)
    whole = work(start(config).to_bytes(), Order(5, LONG, stride=1))
    state, steps = start(config).to_bytes(), 0
    logs: list[Mapping[str, NDArray[Any]]] = []
    kept: list[tuple[int, bytes]] = []
    orders = [Order(5, LONG, 1, steps=4), Order(5, 0.0, 1)]
    for i in range(100):
        done = work(state, orders[i % 2])
        assert done.steps == (4 if i % 2 == 0 else 1)
        state, steps = done.state, steps + done.steps
        kept += done.kept
        logs.append(done.log)
        if done.epoch == 5:
            break
    assert done.step == 0 and steps == 30 == whole.steps
    assert state == whole.state and kept == list(whole.kept)
    for name in whole.log:
        assert_array_equal(np.concatenate([log[name] for log in logs if log]), whole.log[name])


def test_one_sentence_is_one_step() -> None:
    data = start(D1).to_bytes()
    done = work(data, Order(1, LONG, steps=1))
    assert (done.epoch, done.step, done.steps, done.log) == (0, 1, 1, {})
    assert done.state == step(start(D1)).to_bytes()
    again = work(done.state, Order(1, LONG, steps=1))
    assert (again.epoch, again.step, len(again.log["loss"])) == (1, 0, 1)


def test_the_log_says_what_an_independent_loop_sees() -> None:
    config = replace(D1, held_out=((("The", "DET"), ("zebra", "NN")),))
    assert isinstance(config, TaggerConfig)
    log = work(start(config).to_bytes(), Order(3, LONG)).log
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Tagger(config)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [
        (torch.tensor(config.ids(w for w, _ in s)), torch.tensor([config.tag_ids[t] for _, t in s]))
        for s in (*config.sentences, *config.held_out)
    ]
    for epoch in range(3):
        before = [p.detach().clone() for p in model.parameters()]
        losses, right = [], 0
        for words, tags in data[:2]:
            optimizer.zero_grad()
            scores = model(words)
            loss = nn.functional.nll_loss(scores, tags)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            right += int((scores.argmax(-1) == tags).sum())
        assert log["epoch"][epoch] == epoch + 1 and log["lr"][epoch] == 0.1
        assert log["loss"][epoch] == sum(losses) / 2
        assert log["accuracy"][epoch] == right / 9
        parameters = list(model.parameters())
        norms = [float(torch.linalg.norm(p.grad)) for p in parameters if p.grad is not None]
        assert_allclose(log["grad_norm"][epoch], norms, rtol=1e-5)
        moved = [float(torch.linalg.norm(p.detach() - q)) for p, q in zip(parameters, before, strict=True)]
        assert_allclose(log["change"][epoch], moved, rtol=1e-5)
        with torch.no_grad():
            scores = model(data[2][0])
        assert_allclose(log["held_loss"][epoch], float(nn.functional.nll_loss(scores, data[2][1])), rtol=1e-5)
        assert log["held_accuracy"][epoch] == float((scores.argmax(-1) == data[2][1]).float().mean())
    assert log["grad_norm"].shape == (3, len(parameter_names(config)))
    assert parameter_names(config) == tuple(name for name, _ in model.named_parameters())


@pytest.mark.parametrize("row", TRAINING_PRESETS)
def test_every_column_of_the_log_is_described(row: str) -> None:
    log = work(start(TRAINING_PRESETS[row]).to_bytes(), Order(2, LONG)).log
    assert log.keys() <= LOG.keys()
    assert LOG.keys() - log.keys() <= {"predicted", "alignment", "entropy"}
    assert {len(column) for column in log.values()} == {2}
    assert np.isnan(log["held_loss"]).all() and np.isnan(log["held_accuracy"]).all()


def test_a_clipped_gradient_is_logged_as_it_was() -> None:
    clipped = replace(D1, optimiser=replace(D1.optimiser, clip=1e-6))
    logs = [work(start(config).to_bytes(), Order(1, LONG)).log for config in (D1, clipped)]
    assert logs[1]["grad_norm"].max() > 1e-3
    assert logs[1]["change"].max() < 1e-6 < logs[0]["change"].max()


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (Stop(all_right=True), "Every prediction is right after epoch"),
        (Stop(loss_below=0.5), "is below 0.5"),
        (Stop(epochs=57), "57 epochs are done"),
    ],
)
def test_a_run_stops_when_it_was_told_to(until: Stop, words: str) -> None:
    done = work(start(D1).to_bytes(), Order(10_000, LONG, until=until))
    assert words in done.stopped and not done.fault
    state = RunState.from_bytes(done.state)
    assert state.to_bytes() == advance(start(D1), done.epoch).to_bytes()
    if until.all_right:
        assert np.trace(snapshot(state, {})["confusion"]) == 9
        assert np.trace(snapshot(advance(start(D1), done.epoch - 1), {})["confusion"]) <= 9
    if until.loss_below:
        assert state.losses[-1] < 0.5 <= min(state.losses[:-1])
    if until.epochs:
        assert done.epoch == 57
        again = work(done.state, Order(5, LONG, until=until))
        assert again.epoch == 57 and again.steps == 0 and words in again.stopped
    onward = work(done.state, Order(2, LONG))
    assert onward.epoch == done.epoch + 2 and onward.stopped == ""


def test_dropout_does_not_hide_that_all_is_right() -> None:
    config = replace(D1, dropout=0.1, optimiser=replace(D1.optimiser, name="Adam", lr=0.02))
    done = work(start(config).to_bytes(), Order(2000, LONG, until=Stop(all_right=True)))
    assert "Every prediction is right" in done.stopped
    assert np.trace(snapshot(RunState.from_bytes(done.state), {})["confusion"]) == 9


def test_a_broken_run_comes_back_whole_with_its_log() -> None:
    good = advance(start(D1), 3)
    wild = change(good, LearningRate(1e6))
    done = work(wild.to_bytes(), Order(50, LONG, stride=1, view="{}"))
    assert done.fault and "learning rate" in done.stopped
    assert RunState.from_bytes(done.state).stopped == done.stopped
    assert done.epoch == 3 + len(done.log.get("loss", ())) == 3 + len(done.kept)
    assert done.snapshot["probabilities"].shape == (5, 3)
    again = work(done.state, Order(5, LONG))
    assert again.state == done.state and again.fault and again.steps == 0


def test_a_snapshot_is_of_the_state_that_comes_back() -> None:
    done = work(start(D1).to_bytes(), Order(3, LONG, view='{"sentence": 1}'))
    expected = snapshot(advance(start(D1), 3), {"sentence": 1})
    assert done.snapshot.keys() == expected.keys()
    for name, array in expected.items():
        assert_array_equal(done.snapshot[name], array)


def test_bytes_that_are_no_run_and_views_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="not a run"):
        work(b"nothing", Order(1, LONG))
    with pytest.raises(ValueError, match="sentence"):
        work(start(D1).to_bytes(), Order(1, LONG, view='{"sentence": 9}'))


def test_orders_and_slices_travel() -> None:
    order = Order(3, 0.5, 2, "{}", Stop(loss_below=0.1), 4)
    assert pickle.loads(pickle.dumps(order)) == order
    done = work(start(D1).to_bytes(), order)
    again = pickle.loads(pickle.dumps(done))
    assert isinstance(again, Slice) and again.state == done.state and again.steps == 4


def test_the_boundary_itself_needs_no_torch() -> None:
    code = "import sys, rnnviz.training.slices; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_named_and_the_run_goes_on_without() -> None:
    state = advance(start(D1), 2)
    moved = change(state, Device("cuda"))
    for act in (advance, step, snapshot, lambda s: work(s.to_bytes(), Order(1, LONG))):
        with pytest.raises(DeviceLost, match="No CUDA GPUs"):
            act(moved)
    back = change(moved, Device("cpu"))
    assert advance(back, 3).losses == advance(state, 3).losses
