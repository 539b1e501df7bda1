"""A real server and a real browser, and a record of everything the browser asked for.

`server`        one server for the whole run: `server.url`, `server.log()`, `server.get(path)`
`fresh_server`  a factory: `fresh_server("--server.baseUrlPath", "lab", app=path, env={...})`
`page`          a tab that one test after the other uses, emptied in between: its scripts are compiled already
`open_tab`      a factory of others beside it: `open_tab()`
`open_page`     a factory of fresh browsers: `open_page(color_scheme="dark", viewport={...})`
`traffic`       what the pages of this test requested and complained about; checked when the test ends
`wait_idle`     in `tests.browser.harness`: returns when Streamlit has finished running the script
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.harness import CHROMIUM_FLAGS, RUNNING, Server, Traffic, chromium_path

SIZE: Final[ViewportSize] = {"width": 1280, "height": 800}
PATIENCE: Final = 30_000  # milliseconds until a condition counts as failed: a slow machine needs a third
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and Path(__file__).parent in item.path.parents:
        for server in RUNNING:
            report.sections.append((f"log of the server at {server.url}", server.log()[-6000:]))
    return report


@pytest.fixture(scope="package")  # not session: its event loop must end before the unit tests begin
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server.start(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*flags: str, app: Path | None = None, env: dict[str, str] | None = None) -> Server:
        home = tmp_path / f"home{len(started)}"
        home.mkdir()
        started.append(Server.start(home, *flags, app=app, env=env))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="package")  # not session: its event loop must end before the unit tests begin
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    record = Traffic()
    yield record
    record.check()


@pytest.fixture
def open_page(browser: Browser, traffic: Traffic) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": SIZE, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        traffic.watch(page)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def open_tab(page: Page, traffic: Traffic) -> Iterator[Callable[[], Page]]:
    """More tabs beside `page`, each with a session of its own."""
    tabs: list[Page] = []

    def open_() -> Page:
        tabs.append(page.context.new_page())
        traffic.watch(tabs[-1])
        return tabs[-1]

    yield open_
    for opened in tabs:
        opened.close()


@pytest.fixture(scope="package")
def tab(browser: Browser) -> Iterator[Page]:
    """One for all tests: a visit costs a third of the processor time of a first one (2.1 s against 5.8)."""
    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page, traffic: Traffic) -> Iterator[Page]:
    tab.set_viewport_size(SIZE)
    tab.mouse.move(0, 0)
    with traffic.watched(tab):
        yield tab
        if tab.url.startswith("http"):
            tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        tab.goto("about:blank")
    tab.emulate_media(color_scheme="null", reduced_motion="null")
    tab.context.clear_cookies()
