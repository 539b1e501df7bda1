"""Runs that share real worker processes: true bits, fair shares, and whatever may go wrong in a slice."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.run import Run
from rnnviz.training.slices import Stop
from tests.unit.live_patience import PATIENCE, impatient
from tests.unit.live_standin import STANDIN, after, start

__all__ = ["impatient"]

ROOT = Path(__file__).resolve().parents[2]
MAX = float("inf")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and named pipes")


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[Dispatcher]:
    here = Dispatcher(Pool(2))
    yield here
    here.close()


def new(dispatcher: Dispatcher, state: bytes) -> Run:
    return dispatcher.add(Run.of(state, engine=STANDIN))


def until(run: Run, true: Callable[[Run], bool]) -> None:
    """Wait, as a page does, until something is true of a run."""
    end = time.monotonic() + PATIENCE
    while not true(run):
        version = run.version
        if not true(run):
            assert run.wait(version, end - time.monotonic()), run.look()


def halted(run: Run) -> bool:
    return not run.look().busy


def test_a_run_in_workers_gives_the_bits_of_one_here(dispatcher: Dispatcher) -> None:
    state = start()
    run = new(dispatcher, state)
    run.play(MAX, Stop(epochs=300))
    until(run, halted)
    assert run.look().stopped == "300 epochs are done."
    assert run.state == after(state, 300)
    assert run.seek(123, exact=True) == (123, after(state, 123))
    for _ in range(3):
        run.one_epoch()
    run.one_step()
    until(run, halted)
    assert (run.look().epoch, run.look().step) == (303, 1)


@posix
@pytest.mark.parametrize("seconds", [0.2])
def test_a_killed_worker_costs_one_slice_and_one_line(
    seconds: float, dispatcher: Dispatcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    marker = tmp_path / "killed"
    state = start(kill=40, marker=str(marker))
    calm = start()
    run, other = new(dispatcher, state), new(dispatcher, calm)
    with caplog.at_level(logging.INFO, "rnnviz.training"):
        run.play(MAX, Stop(epochs=100))
        other.play(MAX, Stop(epochs=100))
        until(run, halted)
        until(other, halted)
    assert marker.read_text() == "x"
    assert run.look().stopped == "100 epochs are done."
    assert run.state == after(state, 100)
    assert other.state == after(calm, 100)
    assert [record.message for record in caplog.records] == [caplog.records[0].message]
    assert "sent again" in caplog.records[0].message


@posix
def test_a_slice_that_kills_every_worker_pauses_its_run_with_the_reason(
    dispatcher: Dispatcher, tmp_path: Path
) -> None:
    state = start(kill=5, marker=str(tmp_path / "killed"), times=99)
    run = new(dispatcher, state)
    run.play()
    until(run, halted)
    look = run.look()
    assert look.fault
    assert "ended 3 times in a row" in look.stopped
    assert (tmp_path / "killed").read_text() == "xxx"
    assert look.epoch <= 5
    healthy = new(dispatcher, start())
    healthy.play(MAX, Stop(epochs=5))
    until(healthy, halted)
    assert healthy.look().stopped == "5 epochs are done."


def test_a_lost_device_pauses_with_the_reason(dispatcher: Dispatcher) -> None:
    run = new(dispatcher, start(fail=3, saying="CUDA out of memory. Tried to allocate 2 GiB\nand more"))
    run.play()
    until(run, halted)
    look = run.look()
    assert look.fault and not look.playing
    assert look.stopped.startswith("CUDA out of memory. Tried to allocate 2 GiB. The run is paused")
    assert "CPU" in look.stopped
    run.one_step()  # the dispatcher lives, and the run can be told to try again
    until(run, halted)


@pytest.mark.parametrize("fault", ["shapes do not fit", "refused"])
def test_any_other_fault_pauses_with_a_number_that_is_in_the_log(
    fault: str, dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    state = start(fail=3, saying=fault)
    run = new(dispatcher, state)
    run.play(0.5)
    run.set_speed(MAX)
    until(run, halted)
    look = run.look()
    assert look.fault
    assert "nothing is lost" in look.stopped
    number = look.stopped.split()[-1].rstrip(".")
    (record,) = [record for record in caplog.records if f"incident {number}" in record.message]
    assert record.exc_info is not None
    assert "in _obey" in str(caplog.text)  # the worker's own traceback
    assert STANDIN.check(run.state)[0] <= 3


@posix
def test_pause_needs_no_worker_and_what_was_under_way_is_dropped(
    dispatcher: Dispatcher, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(f"{gate}.out")
    os.mkfifo(f"{gate}.in")
    state = start(gate=str(gate))
    run = new(dispatcher, state)
    run.play()
    assert Path(f"{gate}.out").read_text() == "0\n"  # a worker has the slice, and waits
    began = time.monotonic()
    run.pause()
    assert time.monotonic() - began < 1.0
    assert not run.look().busy
    version = run.version
    Path(f"{gate}.in").write_text("go on\n")
    other = new(dispatcher, start())
    other.play(MAX, Stop(epochs=20))
    until(other, halted)
    assert run.version == version
    assert run.state == state


@posix
def test_never_two_slices_of_a_run_at_a_time(dispatcher: Dispatcher, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(f"{gate}.out")
    os.mkfifo(f"{gate}.in")
    run = new(dispatcher, start(gate=str(gate)))
    run.play()
    assert Path(f"{gate}.out").read_text() == "0\n"
    for _ in range(3):
        run.pause()
        run.play()
    seats = [seat for seat in dispatcher._seats.values() if seat.run is run]
    assert len(seats) == 1
    run.pause()
    run.one_step()
    Path(f"{gate}.in").write_text("go on\n")
    assert Path(f"{gate}.out").read_text() == "0\n"  # only now the next
    Path(f"{gate}.in").write_text("go on\n")
    until(run, halted)
    assert (run.look().epoch, run.look().step) == (0, 1)


def test_thirty_runs_share_the_workers_fairly_and_a_new_one_need_not_wait(dispatcher: Dispatcher) -> None:
    runs = [new(dispatcher, start(cost=200)) for _ in range(30)]
    for run in runs:
        run.play(MAX)
    for run in runs:
        until(run, lambda run: run.look().epoch > 0)
    for first in (Run.play, Run.one_step):
        newcomer = new(dispatcher, start(cost=200))
        turns = sum(run.version for run in runs)
        seen = newcomer.version
        first(newcomer)
        while newcomer.version <= seen + 1:  # what it was told, and what was then done
            assert newcomer.wait(newcomer.version, PATIENCE)
        newcomer.pause()
        # Those that were in the pool before it, and what landed together with it; not a round of thirty.
        assert sum(run.version for run in runs) - turns <= 12
    for run in runs:
        until(run, lambda run: run.version > 6)
    turns_of_each = [run.version for run in runs]  # not epochs: what fits in a turn is the machine's
    for run in runs:
        run.pause()
    assert min(turns_of_each) >= 0.5 * sum(turns_of_each) / len(runs), sorted(turns_of_each)


def test_a_slow_run_keeps_its_pace_beside_fast_ones(dispatcher: Dispatcher) -> None:
    fast = [new(dispatcher, start(cost=200)) for _ in range(4)]
    slow = new(dispatcher, start())
    for run in fast:
        run.play(MAX)
    began = time.monotonic()
    slow.play(5.0, Stop(epochs=6))
    until(slow, halted)
    took = time.monotonic() - began
    for run in fast:
        run.pause()
    assert 0.99 <= took < 3.0, took  # five fifths of a second between six epochs


def test_chores_are_done_and_a_bad_one_ends_nothing(dispatcher: Dispatcher) -> None:
    done = threading.Event()

    def bad() -> None:
        raise RuntimeError("a bad chore")

    dispatcher.every(0.01, bad)
    dispatcher.every(0.02, done.set)
    assert done.wait(PATIENCE)
    done.clear()
    assert done.wait(PATIENCE)
    dispatcher._chores.clear()


@posix
def test_a_call_is_made_again_when_its_worker_is_lost(dispatcher: Dispatcher, tmp_path: Path) -> None:
    from tests.unit.live_calls import die, divide

    assert dispatcher.call(divide, 6, 2) == 3
    with pytest.raises(RuntimeError, match="worker process has ended"):
        dispatcher.call(die)
    with pytest.raises(ZeroDivisionError):
        dispatcher.call(divide, 6, 0)


def test_closing_ends_threads_and_processes_at_once_and_again() -> None:
    before = set(threading.enumerate())
    here = Dispatcher(Pool(1))
    run = new(here, start())
    run.play(MAX)
    until(run, lambda run: run.look().epoch > 0)
    began = time.monotonic()
    here.close()
    here.close()
    assert time.monotonic() - began < 5
    assert set(threading.enumerate()) <= before
    run.pause()
    run.play()  # nothing happens any more, and nothing fails
    assert run.look().playing


def test_nothing_runs_before_the_first_play() -> None:
    before = set(threading.enumerate())
    here = Dispatcher(Pool(1))
    run = new(here, start())
    run.reset()
    run.look()
    assert set(threading.enumerate()) == before
    assert here.pool.pids() == []
    here.close()


PROGRAM = """
import threading
from rnnviz.training.live import house
from rnnviz.training.live.run import Run
from tests.unit.live_standin import STANDIN, start
visit = house().lobby.enter()
run = house().lobby.add(visit, Run.of(start(), engine=STANDIN))
run.play()
assert run.wait(run.version, 60)
print(len(house().pool.pids()), flush=True)
{end}
"""


@posix
@pytest.mark.parametrize("end", ["", "import os; os.kill(os.getpid(), 9)"], ids=["by itself", "killed"])
def test_the_house_ends_with_its_process(end: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(end=end)]
    # The workers inherit stderr: this returns when they have ended too.
    done: Any = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=PATIENCE, check=False)
    assert int(done.stdout) >= 1
    assert done.returncode == (-9 if end else 0)
    assert b"Traceback" not in done.stderr, done.stderr
