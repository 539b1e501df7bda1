"""What a first visit brings over the wire: every page in a real browser with an empty cache.

`python -m tests.bench.first_visit`. Prints the bytes as the network saw them (compressed, with headers),
websocket messages included, the number of requests, and those to other hosts. Exit code 1 above DESIGN.md's
2.5 MB or when another host is asked.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from tests.bench.server import APP, Server, serve

MAX_BYTES = 2_500_000
CHROMIUM = Path("/usr/bin/chromium")
DRAWN = ".js-plotly-plot .plot-container"  # a figure stands on the page


@dataclass
class Visit:
    """What one first visit fetched. `sizes`: bytes on the wire by address."""

    sizes: dict[str, float] = field(default_factory=dict)
    messages: int = 0  # bytes of websocket messages
    strangers: set[str] = field(default_factory=set)

    def total(self) -> float:
        return sum(self.sizes.values()) + self.messages


def visit(browser: Browser, server: Server, page: str, wait: float) -> Visit:
    """Open one page in a new, empty browser profile and read the network's own counters."""
    seen, urls = Visit(), {}
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    wire = context.new_cdp_session(tab)
    wire.send("Network.enable")

    def asked(event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        urls[event["requestId"]] = url
        if url.startswith("http") and urlsplit(url).netloc != urlsplit(server.url).netloc:
            seen.strangers.add(url)

    def finished(event: dict[str, Any]) -> None:
        url = urls.get(event["requestId"], event["requestId"])
        seen.sizes[url] = seen.sizes.get(url, 0.0) + event["encodedDataLength"]

    def framed(event: dict[str, Any]) -> None:
        data = event["response"]["payloadData"]
        seen.messages += len(data) * 3 // 4 if event["response"]["opcode"] == 2 else len(data)

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.loadingFinished", finished)
    wire.on("Network.webSocketFrameReceived", framed)
    tab.goto(server.url + page)
    tab.wait_for_selector(DRAWN, timeout=30_000)
    tab.wait_for_timeout(1e3 * wait)
    context.close()
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", action="append", help="default: all three pages")
    parser.add_argument(
        "--wait", type=float, default=3.0, help="seconds after the first figure, for late files"
    )
    parser.add_argument("--app", type=Path, default=APP)
    given = parser.parse_args()
    missed = False
    with serve(given.app) as server, sync_playwright() as play:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for page in given.page or ["/", "/layers", "/step"]:
            seen = visit(browser, server, page, given.wait)
            over = seen.total() > MAX_BYTES or bool(seen.strangers)
            missed = missed or over
            print(
                f"{page:<9}{seen.total() / 1e6:>7.2f} MB in {len(seen.sizes)} requests, "
                f"{seen.messages / 1e3:.0f} kB of it messages{'  <-- MISSED' if over else ''}"
            )
            for url, size in sorted(seen.sizes.items(), key=lambda item: -item[1])[:5]:
                print(f"    {size / 1e3:>8.0f} kB  {urlsplit(url).path}")
            for url in sorted(seen.strangers):
                print(f"    another host: {url}")
        browser.close()
    print(f"reach: at most {MAX_BYTES / 1e6} MB and no other host: {'MISSED' if missed else 'reached'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
