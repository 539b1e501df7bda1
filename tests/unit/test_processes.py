"""How many server processes there are; what they do together is in tests/browser/test_processes.py."""

from __future__ import annotations

import asyncio

import pytest
from streamlit import config

from rnnviz.training.live import cluster, pool
from rnnviz.ui.server import processes


def wanted() -> int:
    async def ask() -> int:
        return processes.wanted()

    return asyncio.run(ask())


@pytest.fixture(autouse=True)
def started_by_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_server_mode", "starlette-app")
    monkeypatch.delenv(processes.VARIABLE, raising=False)


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (16, 2)])
def test_two_where_there_are_two_cores(cores: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: cores)
    assert wanted() == expected


@pytest.mark.parametrize("asked", ["1", "3", " 64 "])
def test_the_setting_counts(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.VARIABLE, asked)
    assert wanted() == int(asked)


@pytest.mark.parametrize("asked", ["0", "-1", "65", "two", "2.0", "²"])
def test_nonsense_is_refused_with_what_is_allowed(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.VARIABLE, asked)
    with pytest.raises(ValueError, match="a number from 1 to 64"):
        wanted()


def test_one_where_connections_cannot_be_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.VARIABLE, "4")
    monkeypatch.setattr(config, "_server_mode", "starlette-app-direct")  # `uvicorn app:app`
    assert wanted() == 1
    monkeypatch.setattr(config, "_server_mode", "starlette-app")
    assert wanted() == 4
    monkeypatch.delattr("socket.send_fds")
    assert wanted() == 1


@pytest.mark.parametrize(("asked", "size"), [("3", 3), ("", pool.cores())])
def test_the_number_of_workers_can_be_set(asked: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.WORKERS, asked)
    made = cluster.Pool.from_environment()
    assert made.size == size
    made.close()


@pytest.mark.parametrize("asked", ["0", "many", "257"])
def test_a_number_of_workers_that_is_none_is_refused(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.WORKERS, asked)
    with pytest.raises(ValueError, match="a number from 1 to 256"):
        cluster.Pool.from_environment()
