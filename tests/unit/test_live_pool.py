"""Worker processes: what they are, that they end with their parent, and what the death of one costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from pathlib import Path

import pytest

from rnnviz.training.live.pool import RemoteTraceback, WorkerLost, Workers
from rnnviz.training.live.worker import NICENESS, STARTING, is_device_error
from tests.unit import live_calls as calls
from tests.unit.live_patience import PATIENCE, POLITE, impatient

__all__ = ["impatient"]

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(2)
    yield pool
    pool.close()


def test_calls_run_in_other_processes_and_give_values(workers: Workers) -> None:
    assert isinstance(workers, Executor)
    assert workers.submit(calls.pid).result(PATIENCE) != os.getpid()
    assert list(workers.map(calls.divide, [6, 9], [2, 3])) == [3, 3]


def test_no_process_is_started_before_the_first_call() -> None:
    pool = Workers(2)
    assert pool.pids() == []
    pool.submit(calls.pid).result(PATIENCE)
    assert len(pool.pids()) <= 2
    pool.close()
    assert pool.pids() == []


def test_an_exception_comes_back_with_the_traceback_of_the_worker(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        workers.submit(calls.divide, 1, 0).result(PATIENCE)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "in divide" in str(caught.value.__cause__)


def test_exceptions_and_values_that_do_not_travel_are_told_and_hurt_nobody(workers: Workers) -> None:
    with pytest.raises(RuntimeError, match="TwoArguments: cannot be read back"):
        workers.submit(calls.unreadable).result(PATIENCE)
    with pytest.raises(TypeError, match="lock"):
        workers.submit(calls.unpicklable).result(PATIENCE)
    assert workers.submit(calls.divide, 6, 3).result(PATIENCE) == 2


def test_what_a_library_prints_is_no_answer(workers: Workers) -> None:
    assert workers.submit(calls.speak, "x" * 100_000).result(PATIENCE) == "x" * 100_000


def test_megabytes_travel_both_ways(workers: Workers) -> None:
    assert len(workers.submit(bytes.upper, b"ab" * 4_000_000).result(PATIENCE)) == 8_000_000


def test_only_positional_arguments() -> None:
    with pytest.raises(TypeError, match="positional"):
        Workers(1).submit(calls.divide, a=1, b=2)


@posix
def test_a_worker_has_low_priority_one_thread_and_no_ear_for_ctrl_c(workers: Workers) -> None:
    assert workers.submit(calls.niceness).result(PATIENCE) >= min(19, os.nice(0) + 10)
    assert workers.submit(calls.torch_threads).result(PATIENCE) == 1
    assert workers.submit(calls.interrupted).result(PATIENCE)


@posix
def test_a_worker_is_polite_while_it_loads_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.training.live.pool._BOOT", POLITE)
    with Workers(1, ["tests.unit.live_calls:note_niceness"]) as pool:
        assert pool.submit(calls.niceness_at_start).result(PATIENCE) == min(19, os.nice(0) + STARTING)
        assert pool.submit(calls.niceness).result(PATIENCE) == min(19, os.nice(0) + NICENESS)


def test_a_worker_has_imported_what_it_was_told_to() -> None:
    with Workers(1, ["wave"]) as pool:
        assert pool.submit(calls.modules_after, "wave").result(PATIENCE)
        assert not pool.submit(calls.modules_after, "sndhdr").result(PATIENCE)


@posix
def test_a_killed_worker_fails_its_own_call_alone_and_is_replaced(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    pool = Workers(2)
    busy = pool.submit(calls.spin, str(told))
    assert told.read_text() == "begun\n"
    for _ in range(3):
        with pytest.raises(WorkerLost):
            pool.submit(calls.die).result(PATIENCE)
    assert pool.submit(calls.divide, 6, 2).result(PATIENCE) == 3
    assert not busy.done()
    pool.close()
    with pytest.raises(WorkerLost):
        busy.result(0)


@posix
def test_a_worker_that_dies_while_idle_costs_nothing() -> None:
    pool = Workers(1)
    first = pool.submit(calls.pid).result(PATIENCE)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert pool.submit(calls.pid).result(PATIENCE) != first
    pool.close()


def test_a_worker_whose_device_failed_is_replaced() -> None:
    pool = Workers(1)
    first = pool.submit(calls.pid).result(PATIENCE)
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        pool.submit(calls.out_of_memory).result(PATIENCE)
    assert pool.submit(calls.pid).result(PATIENCE) != first
    pool.close()


def test_which_errors_are_the_devices() -> None:
    class OutOfMemoryError(RuntimeError):
        pass

    assert is_device_error(OutOfMemoryError("full"))
    assert is_device_error(RuntimeError("CUDA error: device-side assert triggered"))
    assert is_device_error(AssertionError("Torch not compiled with CUDA enabled"))
    assert not is_device_error(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_device_error(ValueError("CUDA error"))


def test_close_is_fast_and_repeatable_and_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    told = tmp_path / "told"
    os.mkfifo(told)
    pool = Workers(1)
    running = pool.submit(calls.spin, str(told))
    waiting = pool.submit(calls.pid)
    assert told.read_text() == "begun\n"
    began = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - began < 5
    assert set(threading.enumerate()) <= before
    with pytest.raises(WorkerLost):
        running.result(0)
    with pytest.raises(CancelledError):
        waiting.result(0)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(calls.pid)


def test_shutdown_finishes_what_was_submitted() -> None:
    pool = Workers(1)
    futures = [pool.submit(calls.divide, n, 1) for n in range(5)]
    pool.shutdown(wait=True)
    assert [future.result(0) for future in futures] == [0, 1, 2, 3, 4]
    pool.close()


@posix
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_parent(blow: signal.Signals, tmp_path: Path) -> None:
    told = [tmp_path / "told0", tmp_path / "told1"]
    for pipe in told:
        os.mkfifo(pipe)
    command = [sys.executable, "-m", "tests.unit.live_calls", str(tmp_path / "told")]
    # Workers inherit stderr: the pipe ends when the last of all these processes has ended.
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True)
    try:
        assert [pipe.read_text() for pipe in told] == ["begun\n", "begun\n"]
        # Ctrl-C goes to the whole group, the others to the parent alone.
        (os.killpg if blow == signal.SIGINT else os.kill)(parent.pid, blow)
        parent.communicate(timeout=PATIENCE)
        assert parent.returncode == (3 if blow == signal.SIGINT else -blow)
    finally:
        parent.kill()
        parent.wait()


@posix
def test_a_program_that_ends_by_itself_ends_its_workers(tmp_path: Path) -> None:
    told = [tmp_path / "told0", tmp_path / "told1"]
    for pipe in told:
        os.mkfifo(pipe)
    command = [sys.executable, "-m", "tests.unit.live_calls", str(tmp_path / "told"), "closing"]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT)
    try:
        assert [pipe.read_text() for pipe in told] == ["begun\n", "begun\n"]
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=PATIENCE)
        assert parent.returncode == 3
        assert b"Traceback" not in errors
    finally:
        parent.kill()
        parent.wait()


def test_a_worker_of_a_streamlit_server_loads_neither_streamlit_nor_the_main_script(tmp_path: Path) -> None:
    # Streamlit's own start: its command line is `__main__`, and while a page runs that page's script is.
    app = tmp_path / "app.py"
    app.write_text(
        textwrap.dedent("""
        import asyncio, json, sys, types
        from contextlib import asynccontextmanager
        import streamlit as st
        from rnnviz.training.live.pool import Workers
        from tests.unit import live_calls as calls

        @asynccontextmanager
        async def lifespan(app):
            found = [getattr(sys.modules["__main__"], "__file__", "")]
            for main in (sys.modules["__main__"], types.ModuleType("__main__")):
                main.__file__ = main.__file__ if hasattr(main, "__file__") else __file__
                sys.modules["__main__"] = main
                pool = Workers(1, ["rnnviz.training.slices"])
                found.append(await asyncio.to_thread(pool.submit(calls.loaded).result, 60))
                pool.close()
            print("FOUND", json.dumps(found), flush=True)
            yield

        app = st.App("page.py", lifespan=lifespan)
        """)
    )
    (tmp_path / "page.py").write_text("import streamlit as st\nst.write('page')\n")
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(app),
        "--server.port=0",
        "--server.headless=true",
    ]
    command += ["--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    timer = threading.Timer(PATIENCE, server.kill)
    timer.start()
    try:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if line.startswith("FOUND"):
                break
        assert said and said[-1].startswith("FOUND"), "".join(said)
        main, *found = json.loads(said[-1].removeprefix("FOUND"))
        assert "streamlit" in main
        for names in found:
            assert "rnnviz" in names
            assert not {"streamlit", "app", "page", "plotly", "__mp_main__"} & set(names)
            assert "main=-c" in names
    finally:
        timer.cancel()
        server.kill()
        server.communicate()
