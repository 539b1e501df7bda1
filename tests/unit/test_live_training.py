"""The runtime with the real engine: D1 and D3 live, to the bit, with changes, branches, files and faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.presets import TRAINING_PRESETS
from rnnviz.training import Device, LearningRate, advance, change, snapshot, start, step
from rnnviz.training.live import runfile
from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.run import Run
from rnnviz.training.slices import Stop
from rnnviz.training.state import RunState
from tests.unit.live_patience import impatient
from tests.unit.test_live_dispatcher import halted, until

__all__ = ["impatient"]

MAX = float("inf")
D1 = start(TRAINING_PRESETS["D1"])


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[Dispatcher]:
    here = Dispatcher(Pool(2))
    yield here
    here.close()


def new(dispatcher: Dispatcher, state: RunState = D1) -> Run:
    return dispatcher.add(Run.of(state.to_bytes()))


def test_D1_live_is_D1_to_the_bit_and_ends_when_all_tags_are_right(dispatcher: Dispatcher) -> None:
    run = new(dispatcher)
    run.watch(json.dumps({}))
    run.play(MAX, Stop(epochs=300))
    until(run, halted)
    expected = advance(D1, 300)
    assert run.state == expected.to_bytes()
    look = run.look()
    assert look.stopped == "300 epochs are done."
    epochs, losses = look.curves.points("loss")
    assert_array_equal(epochs, np.arange(1, 301))
    assert_array_equal(losses, expected.losses)
    assert losses[-1] < 0.05
    for name, array in snapshot(expected, "{}").items():
        # This process may use more threads than a worker: another order of additions in a picture's numbers.
        assert_allclose(look.snapshot[name], array, rtol=0, atol=1e-6, err_msg=name)
    again = new(dispatcher)
    again.play(MAX, Stop(all_right=True))
    until(again, halted)
    assert "right" in again.look().stopped
    assert not again.look().fault
    assert again.look().epoch < 300


def test_any_epoch_comes_back_exactly_across_changes_and_steps(dispatcher: Dispatcher) -> None:
    run = new(dispatcher)
    run.play(MAX, Stop(epochs=40))
    until(run, halted)
    run.one_step()
    until(run, halted)
    run.change(LearningRate(0.01))
    run.play(MAX, Stop(epochs=400))
    until(run, halted)
    expected = change(step(advance(D1, 40)), LearningRate(0.01))
    assert run.state == advance(expected, 360).to_bytes()
    for epoch in (39, 40, 41, 257, 399):
        way = advance(D1, epoch) if epoch <= 40 else advance(expected, epoch - 40)
        assert run.seek(epoch, exact=True) == (epoch, way.to_bytes())
    branch = dispatcher.add(run.branch(41, LearningRate(0.5), label="faster"))
    branch.play(MAX, Stop(epochs=60))
    until(branch, halted)
    assert branch.state == advance(change(advance(expected, 1), LearningRate(0.5)), 19).to_bytes()
    back = dispatcher.add(runfile.from_bytes(runfile.to_bytes(branch)))
    assert back.state == branch.state
    assert back.seek(57, exact=True) == branch.seek(57, exact=True)


def test_a_kept_epoch_is_back_with_its_picture_within_a_fifth_of_a_second(
    dispatcher: Dispatcher, record_property: Callable[[str, object], None]
) -> None:
    run = new(dispatcher)
    run.play(MAX, Stop(epochs=200))
    until(run, halted)
    times = []
    for epoch in range(0, 200, 10):
        began = time.perf_counter()
        at, arrays = run.picture("{}", epoch)
        times.append(time.perf_counter() - began)
        assert at == epoch
        assert arrays
    record_property("a kept epoch with its picture, ms", f"{1e3 * min(times):.1f}")
    assert min(times) < 0.2


def test_a_loss_that_is_no_number_stops_with_a_sentence_and_keeps_the_history(dispatcher: Dispatcher) -> None:
    run = new(dispatcher)
    run.play(MAX, Stop(epochs=20))
    until(run, halted)
    run.change(LearningRate(1e6))
    run.play(MAX)
    until(run, halted)
    look = run.look()
    assert look.fault
    assert "learning rate" in look.stopped
    assert look.kept[:21] == tuple(range(21))
    run.change(LearningRate(0.01))
    assert run.look().stopped == ""
    end = run.look().epoch + 3
    run.play(MAX, Stop(epochs=end))
    until(run, halted)
    assert run.look().epoch == end


def test_a_device_that_is_not_there_pauses_and_the_run_goes_on_on_the_cpu(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Dispatcher(Pool(1))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # for machines that have one
    try:
        run = new(here, change(D1, Device("cuda")))
        run.play(MAX, Stop(epochs=5))
        until(run, halted)
        look = run.look()
        assert look.fault
        assert "GPU" in look.stopped and "CPU" in look.stopped
        run.change(Device("cpu"))
        run.play(MAX, Stop(epochs=5))
        until(run, halted)
        assert RunState.from_bytes(run.state).losses == advance(D1, 5).losses
    finally:
        here.close()


def test_D3_live_shows_what_was_predicted_at_each_epoch(dispatcher: Dispatcher) -> None:
    state = start(TRAINING_PRESETS["D3"])
    run = new(dispatcher, state)
    run.play(MAX, Stop(epochs=20))
    until(run, halted)
    assert run.state == advance(state, 20).to_bytes()
    epochs, rows = run.look().curves.rows("predicted")
    assert_array_equal(epochs, np.arange(1, 21))
    assert rows.shape == (20, 5)
    back = runfile.from_bytes(runfile.to_bytes(run))
    assert_array_equal(back.look().curves.rows("predicted")[1], rows)


def test_bytes_that_are_no_run_are_refused() -> None:
    with pytest.raises(ValueError):
        Run.of(b"something else")
    with pytest.raises(ValueError):
        runfile.from_bytes(D1.to_bytes())
