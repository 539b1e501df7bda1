"""The server process, the browser's flags, the record of its requests, and the wait for a finished script."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, WebSocket, expect
from playwright.sync_api import TimeoutError as Timeout

ROOT: Final = Path(__file__).resolve().parents[2]
START_LIMIT: Final = 60.0
ONE: Final = {"RNNVIZ_PROCESSES": "1"}  # several cost every test their start; test_processes.py has two

CHROMIUM_FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

RUNNING: Final[list[Server]] = []


def chromium_path() -> str | None:
    """Debian's Chromium where it is installed; None lets Playwright take its own."""
    return "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None


def page_paths() -> list[str]:
    """Address paths of all pages, read from `pages/main.py`; the home page is the empty string."""
    tree = ast.parse((ROOT / "pages" / "main.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == "Page"]
    paths = []
    for call in calls:
        options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        paths.append("" if options.get("default") else options["url_path"])
    return paths


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, not decompressed."""

    status: int
    headers: Message
    body: bytes


@dataclass
class Server:
    """A `streamlit run app.py` of its own, with a home directory in which Streamlit has never run."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path
    base: str = ""
    start_seconds: float = 0.0

    @classmethod
    def start(
        cls, home: Path, *flags: str, app: Path | None = None, env: dict[str, str] | None = None
    ) -> Server:
        """Starts `app` (default: `app.py`) with this repository's configuration; returns once it answers."""
        port = free_port()
        log_file = home / "server.log"
        # -P leaves the working directory out of the import path, as the `streamlit` command does.
        command = [sys.executable, "-P", "-m", "streamlit", "run", str(app or "app.py")]
        command += ["--server.port", str(port), "--server.address", "127.0.0.1", *flags]
        if sys.platform != "linux":  # on Linux no display means no browser window; elsewhere it must be said
            command += ["--server.headless", "true"]
        base = flags[flags.index("--server.baseUrlPath") + 1] if "--server.baseUrlPath" in flags else ""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_") and k != "DISPLAY"}
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=clean
                | ONE
                | {"HOME": str(home)}
                | ({"PYTHONPATH": str(ROOT)} if app else {})
                | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = cls(process, port, log_file, f"/{base}" if base else "")
        RUNNING.append(server)
        try:
            server.wait_for_start()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The answer to a request for `path`; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", headers=named, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def wait_for_start(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < START_LIMIT:
            try:
                if self.get("/_stcore/health").status == 200:
                    self.start_seconds = time.monotonic() - began
                    return
            except OSError:  # refused before the port is open, reset when the process dies
                pass
            try:
                code = self.process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"the server ended with code {code}:\n{self.log()}")
        raise RuntimeError(f"the server did not answer within {START_LIMIT:.0f} s:\n{self.log()}")

    def stop(self) -> None:
        if self in RUNNING:
            RUNNING.remove(self)
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Streamlit's front end looks for its server below the page's own path first (`/layers/_stcore/health`), and
# the browser logs the 404 by which it learns that it is not there.
_BASE_PROBE: Final = re.compile(r"/[A-Za-z0-9_-]+/_stcore/(health|host-config)$")


@dataclass
class Traffic:
    """Requests, console errors and uncaught exceptions of the pages a test opened."""

    requests: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    allowed_errors: list[str] = field(default_factory=list)
    """Parts of console errors that a test provokes on purpose."""

    def watch(self, page: Page) -> None:
        """From now on."""
        for event, listener in self._listeners():
            page.on(event, listener)

    @contextmanager
    def watched(self, page: Page) -> Iterator[None]:
        """While the block runs."""
        self.watch(page)
        yield
        for event, listener in self._listeners():
            page.remove_listener(event, listener)

    def _listeners(self) -> tuple[tuple[Any, Any], ...]:
        return (
            ("request", self._request),
            ("websocket", self._websocket),
            ("console", self._console),
            ("pageerror", self._page_error),
        )

    def hosts(self) -> set[str]:
        """host:port of every request that left the page; data: and blob: addresses do not."""
        parts = [urlsplit(url) for url in self.requests]
        return {part.netloc for part in parts if part.scheme not in {"data", "blob"}}

    def check(self) -> None:
        errors = [e for e in self.console_errors if not any(part in e for part in self.allowed_errors)]
        assert errors == [], errors
        assert self.page_errors == [], self.page_errors
        assert {host.rpartition(":")[0] for host in self.hosts()} <= {"127.0.0.1"}

    def _websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        if message.type == "error" and not _BASE_PROBE.search(urlsplit(source).path):
            self.console_errors.append(f"{message.text} ({source})")

    def _page_error(self, error: Error) -> None:
        self.page_errors.append(str(error))


_IDLE: Final = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app !== null
    && app.getAttribute("data-test-script-state") === "notRunning"
    && app.getAttribute("data-test-connection-state") === "CONNECTED"
    && document.querySelector('[data-stale="true"]') === null
    && document.querySelector('[data-testid="stSkeleton"]') === null
    && document.querySelector('[data-testid="stAppViewContainer"]') !== null
    && document.querySelector('[data-testid="stMain"] [data-testid="stElementContainer"]') !== null;
}"""


def wait_idle(page: Page) -> None:
    """Returns when Streamlit is connected, has run the script, and shows nothing stale or half loaded.

    After an action whose rerun starts with a delay (a slider, a text field) wait for its outcome first.
    """
    page.wait_for_function(_IDLE)


def drawn(page: Page, name: str) -> Locator:
    """The first figure whose name begins like this (a regular expression), once it is drawn."""
    figure = page.get_by_role("figure", name=re.compile(f"^{name}")).first
    expect(figure).to_have_attribute("data-draws", re.compile(r"[1-9]"))
    return figure


def summary(page: Page, name: str) -> Locator:
    """The text alternative of that figure."""
    return drawn(page, name).locator(".rv-hidden").first


def counter(page: Page) -> Locator:
    """Where a run stands. For a moment there are two, when another part of the page appears above it."""
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^epoch \d+")).first


def opened(page: Page, box: Locator) -> Locator:
    """The options of a drop-down list, which is opened as a user does once the page stands still. A run that
    begins at that moment draws the list anew, closed: then it is opened again, once.
    """
    box.wait_for()
    wait_idle(page)
    box.click()
    options = page.get_by_role("option")
    try:
        options.first.wait_for(timeout=5_000)
    except Timeout:
        wait_idle(page)
        box.click()
    return options


def pick(page: Page, box: Locator, name: str) -> None:
    """Opens a drop-down list and picks the option of exactly this name."""
    opened(page, box)
    page.get_by_role("option", name=name, exact=True).click()


_TOO_WIDE: Final = """() => {
  const main = document.querySelector('[data-testid="stMain"]'), page = document.documentElement;
  const cut = [];
  for (const plot of main.querySelectorAll(".rv-plot")) {
    const frame = plot.getBoundingClientRect();
    for (const text of plot.querySelectorAll("svg text")) {
      const box = text.getBoundingClientRect();
      const out = Math.max(box.right - frame.right, frame.left - box.left);
      if (box.width && out > 1.5) cut.push(`${text.textContent}: ${Math.round(out)} pixels`);
    }
  }
  if (page.scrollWidth > page.clientWidth) cut.push(`the page: ${page.scrollWidth} pixels`);
  if (main.scrollWidth > main.clientWidth) cut.push(`its main part: ${main.scrollWidth} pixels`);
  return cut;
}"""


def expect_fits(page: Page, width: int) -> None:
    """Makes the window so wide; soon nothing may reach over its edge, nor a text over that of its chart."""
    page.set_viewport_size({"width": width, "height": 800})
    try:
        page.wait_for_function(f"() => innerWidth === {width} && ({_TOO_WIDE})().length === 0")
    except Timeout as late:
        raise AssertionError(f"at {width} pixels of {page.url}: {page.evaluate(_TOO_WIDE)}") from late


def place(figure: Locator, trace: int, x: float, y: float) -> tuple[float, float]:
    """Where a point of a trace, in the units of its axes, is on the screen."""
    figure.scroll_into_view_if_needed()
    left, top = figure.evaluate(
        """(root, [trace, x, y]) => {
          const plot = root.querySelector('.rv-plot'), box = plot.getBoundingClientRect();
          const { xaxis, yaxis } = plot._fullData[trace], full = plot._fullLayout;
          const key = (axis) => axis[0] + "axis" + axis.slice(1);
          const [a, b] = [full[key(xaxis)], full[key(yaxis)]];
          return [box.x + a._offset + a.d2p(x), box.y + b._offset + b.d2p(y)];
        }""",
        [trace, x, y],
    )
    return left, top


def choose_theme(page: Page, name: str) -> None:
    """Picks "Light", "Dark" or "System" in the main menu, as a user does."""
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_test_id(f"stMainMenuItem-theme-{name}").click()
    page.keyboard.press("Escape")
