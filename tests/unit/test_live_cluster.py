"""The same runs on a Dask cluster: a real scheduler and two real workers on the loopback, one killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rnnviz.presets import TRAINING_PRESETS
from rnnviz.training import advance, start
from rnnviz.training.live import cluster
from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.run import Run
from rnnviz.training.slices import Stop
from rnnviz.training.state import RunState
from tests.unit import live_calls as calls
from tests.unit.live_patience import PATIENCE, impatient
from tests.unit.test_live_dispatcher import halted, until

__all__ = ["impatient"]

ROOT = Path(__file__).resolve().parents[2]
D1 = start(TRAINING_PRESETS["D1"])


@contextmanager
def program(module: str, *arguments: str, ready: str) -> Iterator[tuple[int, str]]:
    """A program of distributed's, until the block ends: its process id, and its line when it was ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    assert process.stderr is not None
    line = next((line for line in process.stderr if ready in line), "")
    timer.cancel()
    reader = threading.Thread(target=process.stderr.read)  # a full pipe would stop it
    reader.start()
    try:
        assert line, f"{module} did not start"
        yield process.pid, line
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


@contextmanager
def scheduler() -> Iterator[tuple[int, str]]:
    """Process id and address of a scheduler on the loopback, without a dashboard."""
    arguments = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
    with program("dask_scheduler", *arguments, ready="Scheduler at:") as (pid, line):
        yield pid, line.split()[-1]


@contextmanager
def workers(address: str, count: int) -> Iterator[list[int]]:
    """Process ids of workers of one thread each."""
    arguments = (address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    with ExitStack() as stack:
        yield [
            stack.enter_context(program("dask_worker", *arguments, ready="Registered to:"))[0]
            for _ in range(count)
        ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_d1_on_two_workers_of_which_one_is_killed_gives_the_same_bits() -> None:
    with scheduler() as (_, address), workers(address, 2) as (first, _):
        dispatcher = Dispatcher(pool := Pool(1, address))
        try:
            run = dispatcher.add(Run.of(D1.to_bytes()))
            other = dispatcher.add(Run.of(D1.to_bytes()))
            run.play(float("inf"), Stop(epochs=400))
            other.play(float("inf"), Stop(epochs=400))
            until(run, lambda run: run.look().epoch > 20)
            until(other, lambda run: run.look().epoch > 20)
            assert pool.size == 2
            os.kill(first, 9)
            until(run, halted)
            until(other, halted)
            assert run.look().stopped == other.look().stopped == "400 epochs are done."
            expected = advance(D1, 400)
            for done in (run, other):
                assert RunState.from_bytes(done.state).losses == expected.losses
                assert done.state == expected.to_bytes()
            assert pool.message == ""
            assert pool.pids() == []  # nothing of it was done here
            assert run.seek(123, exact=True)[1] == advance(D1, 123).to_bytes()
        finally:
            dispatcher.close()


def test_a_worker_of_the_cluster_works_on_one_thread_and_tells_exceptions() -> None:
    with scheduler() as (_, address), workers(address, 1):
        pool = Pool(1, address)
        try:
            assert pool.submit(calls.torch_threads).result(PATIENCE) == 1
            with pytest.raises(ZeroDivisionError):
                pool.submit(calls.divide, 1, 0).result(PATIENCE)
        finally:
            pool.close()


@pytest.mark.slow
def test_a_scheduler_that_ends_leaves_the_run_to_this_machine() -> None:
    with ExitStack() as stack:
        pid, address = stack.enter_context(scheduler())
        stack.enter_context(workers(address, 1))
        dispatcher = Dispatcher(pool := Pool(1, address))
        stack.callback(dispatcher.close)
        run = dispatcher.add(Run.of(D1.to_bytes()))
        run.play(float("inf"), Stop(epochs=300))
        until(run, lambda run: run.look().epoch > 10)
        os.kill(pid, 9)
        until(run, halted)
        assert run.look().stopped == "300 epochs are done."
        assert run.state == advance(D1, 300).to_bytes()
        assert "was lost" in pool.message
        assert len(pool.pids()) == 1


@pytest.mark.parametrize("address", ["here", "http://127.0.0.1:80", "tcp://", "tcp://host", "tcp://a b:1"])
def test_an_address_that_is_none_is_said_and_the_local_workers_work(address: str) -> None:
    pool = Pool(1, address)
    try:
        assert pool.submit(calls.divide, 6, 3).result(PATIENCE) == 2
        assert "tcp://host:8786" in pool.message
        assert repr(address) in pool.message
        assert len(pool.pids()) == 1
    finally:
        pool.close()


def test_a_scheduler_that_is_not_there_is_said_and_the_local_workers_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv(cluster.VARIABLE, address)
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    pool = Pool.from_environment()
    try:
        assert pool.message == ""
        assert pool.submit(calls.divide, 6, 3).result(PATIENCE) == 2
        assert (
            pool.message == f"No Dask scheduler answers at {address}. Training runs on this machine instead."
        )
        assert pool.size == 1 or pool.size == len(os.sched_getaffinity(0))
    finally:
        pool.close()


def test_without_distributed_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    client, message = cluster.connect("tcp://127.0.0.1:1")
    assert client is None
    assert "requirements-cluster.txt" in message


def test_without_the_variable_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cluster.VARIABLE, raising=False)
    pool = Pool.from_environment()
    pool.start()
    assert pool.message == ""
    pool.close()
    assert pool.pids() == []
