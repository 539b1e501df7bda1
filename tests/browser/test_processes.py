"""Several server processes behind one address: a visitor stays with one, and none outlives the server."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz.ui.server.door import COOKIE
from tests.browser.harness import Server, Traffic, counter, wait_idle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("pair")
    with Server.start(home, env={"RNNVIZ_PROCESSES": "2"}) as running:
        yield running


def children(pid: int, words: bytes) -> list[int]:
    """A process's children whose command line holds these words."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text().split()]
    return [child for child in found if words in Path(f"/proc/{child}/cmdline").read_bytes()]


def second(server: Server) -> int:
    (pid,) = children(server.process.pid, b"rnnviz.ui.server.processes")
    return pid


def here(page: Page) -> str:
    """The process of this tab's browser."""
    (cookie,) = [c["value"] for c in page.context.cookies() if c["name"] == COOKIE]
    return cookie


def visitors(server: Server, open_page: Open, address: str) -> tuple[Page, Page]:
    """A browser at each of the two processes, in their order."""
    pages = {}
    for _ in range(2):
        page = open_page()
        page.goto(f"{server.url}{address}")
        wait_idle(page)
        pages[here(page)] = page
    return pages["0"], pages["1"]


def train(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(counter(page)).to_contain_text(re.compile(r"^epoch 12 · loss"), timeout=90_000)


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline:
        alive = [pid for pid in pids if Path(f"/proc/{pid}/stat").exists()]
        if not [pid for pid in alive if Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"]:
            return True
        time.sleep(0.05)
    return False


def test_a_visitor_of_the_second_process_stays_there_with_uploads_downloads_and_runs(
    pair: Server, open_page: Open, tmp_path: Path
) -> None:
    _, page = visitors(pair, open_page, "/tagger?t_epochs=12&t_view=Save")
    train(page)
    wait_idle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the run").click()
    file = tmp_path / "mine.run"
    download.value.save_as(file)
    page.reload()
    wait_idle(page)
    expect(counter(page)).to_contain_text(re.compile(r"^epoch 12 · loss"))  # the process that has the run
    page.goto(f"{pair.url}/tagger?t_kind=GRU&t_view=Save")
    expect(page.get_by_role("button", name="kind LSTM, epoch 12")).to_be_visible()  # the tab is known again
    wait_idle(page)
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(file)
    expect(counter(page)).to_contain_text(re.compile(r"^epoch 12 · loss"))
    assert here(page) == "1"


def test_a_process_that_dies_takes_nobody_else_along_and_is_replaced(
    pair: Server, open_page: Open, traffic: Traffic
) -> None:
    traffic.allowed_errors += ["WebSocket connection", "ERR_CONNECTION", "Failed to load resource"]
    first, other = visitors(pair, open_page, "/layers?l_hidden=9")
    lost = second(pair)
    os.kill(lost, signal.SIGKILL)
    first.get_by_role("spinbutton", name="Seed").fill("3")
    first.keyboard.press("Enter")
    expect(first).to_have_url(re.compile("l_seed=3"))
    wait_idle(other)  # connected again, to whoever answers
    expect(other.get_by_role("spinbutton", name="hidden_size")).to_have_value("9")
    deadline = time.monotonic() + 30.0
    while here(other) != "0":  # and its uploads go there too
        assert time.monotonic() < deadline
        other.wait_for_timeout(50)
    deadline = time.monotonic() + 60.0
    while not (fresh := [p for p in children(pair.process.pid, b"ui.server.processes") if p != lost]):
        assert time.monotonic() < deadline, pair.log()
        time.sleep(0.1)
    assert len(fresh) == 1
    assert "server process 1 ended with -9; it is started again" in pair.log()


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_server(
    blow: signal.Signals, open_page: Open, traffic: Traffic, tmp_path: Path
) -> None:
    traffic.allowed_errors += ["WebSocket connection", "ERR_CONNECTION", "Failed to load resource"]
    with Server.start(tmp_path, env={"RNNVIZ_PROCESSES": "2"}) as server:
        serving = [server.process.pid, second(server)]
        workers = []
        if blow == signal.SIGKILL:
            train(visitors(server, open_page, "/tagger?t_epochs=12")[1])
            workers = children(serving[1], b"rnnviz.training")
            assert workers
        for pid in serving if blow == signal.SIGINT else serving[:1]:  # Ctrl-C reaches the whole group
            os.kill(pid, blow)
        server.process.wait(timeout=20)
        assert gone([*serving[1:], *workers])
        assert "Traceback" not in server.log()
        assert "started again" not in server.log()
