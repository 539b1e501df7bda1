"""The server as a browser meets it: deep links, what travels, what is forbidden, and what a failure shows."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from rnnviz.assets import asset_url
from tests.browser.harness import ROOT, Server, Traffic, choose_theme, page_paths, wait_idle

PAGES = page_paths()
FIRST_VISIT_LIMIT = 2_500_000
FAILING_APP = ROOT / "tests" / "browser" / "apps" / "failing_app.py"

Start = Callable[..., Server]
Open = Callable[..., Page]


# Whether the first request finds the navigation is the same for every page: home, and one of each section.
@pytest.mark.parametrize("path", [PAGES[0], "layers", PAGES[-1]])
def test_a_deep_link_works_as_the_first_request_after_a_start(
    path: str, fresh_server: Start, page: Page
) -> None:
    page.goto(f"{fresh_server().url}/{path}")
    wait_idle(page)
    expect(page.get_by_test_id("stTopNavLinkContainer").first).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.url.split("?")[0].endswith(f"/{path}")


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_is_at_most_2_5_MB_over_the_wire_and_asks_no_other_host(
    path: str,
    server: Server,
    open_page: Open,
    traffic: Traffic,
    record_property: Callable[[str, object], None],
) -> None:
    page = open_page()
    received: dict[str, float] = {}
    addresses: dict[str, str] = {}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    devtools.on(
        "Network.requestWillBeSent", lambda e: addresses.update({e["requestId"]: e["request"]["url"]})
    )
    devtools.on(
        "Network.loadingFinished", lambda e: received.update({e["requestId"]: e["encodedDataLength"]})
    )
    frames: list[int] = []
    devtools.on(
        "Network.webSocketFrameReceived", lambda e: frames.append(len(e["response"]["payloadData"]) * 3 // 4)
    )
    page.goto(f"{server.url}/{path}")
    wait_idle(page)
    page.wait_for_load_state("networkidle")
    plotly = f"{server.url}/{asset_url('plotly.min.js')}"
    # Every page needs it but home, which draws without it; and counts it all the same.
    fetched = page.evaluate("async url => Number((await fetch(url)).headers.get('content-length'))", plotly)
    sizes = {addresses[request]: size for request, size in received.items()} | {plotly: fetched}
    total = int(sum(sizes.values())) + sum(frames)
    record_property(f"first visit to /{path}, bytes over the wire", total)
    record_property("server start, seconds", round(server.start_seconds, 1))
    print(f"\n/{path}: {total / 1e6:.2f} MB, {len(received)} answers, {sum(frames)} bytes by websocket")
    for address, size in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"  {size / 1e3:7.0f} kB  {address.split('?')[0]}")
    assert total <= FIRST_VISIT_LIMIT
    assert traffic.hosts() == {f"127.0.0.1:{server.port}"}
    assert len(traffic.requests) > 20
    traffic.check()  # nor is an error logged


def test_a_second_visit_loads_scripts_from_the_cache(server: Server, open_page: Open) -> None:
    page = open_page()
    page.goto(server.url)
    page.locator("[data-draws]").first.wait_for()  # by then all scripts have come
    wait_idle(page)
    fetched: list[float] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda e: fetched.append(e["encodedDataLength"]))
    page.goto(server.url)
    page.locator("[data-draws]").first.wait_for()
    wait_idle(page)
    assert sum(fetched) < 60_000


@pytest.mark.parametrize(
    "path", ["/", "/layers", "/_stcore/health", "/static/js/missing.js", "/rnnviz-assets/none.js"]
)
def test_every_answer_that_can_be_a_document_carries_the_security_headers(path: str, server: Server) -> None:
    headers = server.get(path).headers
    policy = {rule.split()[0]: rule.split()[1:] for rule in headers["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["connect-src"] == [
        "'self'",
        f"ws://127.0.0.1:{server.port}",
        f"wss://127.0.0.1:{server.port}",
    ]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(policy["script-src"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_scripts_carry_only_what_a_script_obeys(server: Server) -> None:
    headers = server.get(f"/{asset_url('plotly.min.js')}").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] is None


def test_a_host_header_cannot_write_the_policy(server: Server) -> None:
    answer = server.get("/", Host="evil.example; script-src *")
    assert "evil" not in answer.headers["Content-Security-Policy"]


def test_the_policy_stops_a_request_to_another_host(server: Server, page: Page, traffic: Traffic) -> None:
    traffic.allowed_errors.append("Content Security Policy")
    page.goto(server.url)
    wait_idle(page)
    violated = page.evaluate("""() => new Promise(resolve => {
        document.addEventListener("securitypolicyviolation", event => resolve(event.violatedDirective));
        fetch("https://example.invalid/").catch(() => undefined);
    })""")
    assert violated == "connect-src"
    assert traffic.hosts() == {f"127.0.0.1:{server.port}"}


def test_plotly_is_the_installed_one_compressed_and_cached_for_good(server: Server) -> None:
    path = f"/{asset_url('plotly.min.js')}"
    answer = server.get(path, Accept_Encoding="gzip")
    installed = Path(
        str(distribution("plotly").locate_file("plotly/package_data/plotly.min.js"))
    ).read_bytes()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == installed
    assert len(answer.body) < 1_450_000
    assert answer.headers["Cache-Control"] == "public, immutable, max-age=31536000"
    assert answer.headers["Vary"] == "Accept-Encoding"
    again = server.get(path, Accept_Encoding="gzip", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    plain = server.get(path, Accept_Encoding="identity")
    assert plain.body == installed
    assert plain.headers["ETag"] != answer.headers["ETag"]
    head = server.get(path, method="HEAD", Accept_Encoding="gzip")
    assert (head.headers["Content-Length"], head.body) == (str(len(answer.body)), b"")


@pytest.mark.parametrize(
    "name", ["plotly.min.0000000000000000.js", "..%2Fapp.0000000000000000.js", "plotly.min.js", "x"]
)
def test_an_unknown_asset_is_a_404_that_is_not_kept(name: str, server: Server) -> None:
    answer = server.get(f"/rnnviz-assets/{name}")
    assert answer.status in {400, 404}
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_streamlits_own_files_are_compressed_and_unchanged(server: Server) -> None:
    html = gzip.decompress(server.get("/", Accept_Encoding="gzip").body).decode()
    assert server.get("/", Accept_Encoding="gzip").headers["Cache-Control"] == "no-cache"
    scripts = re.findall(r'(?:src|href)="\./(static/js/[^"]+\.js)"', html)
    assert len(scripts) > 20
    folder = Path(str(distribution("streamlit").locate_file("streamlit/static")))
    for script in scripts:
        answer = server.get(f"/{script}", Accept_Encoding="gzip")
        assert gzip.decompress(answer.body) == (folder / script).read_bytes()
        assert "immutable" in answer.headers["Cache-Control"]


def test_the_icons_of_the_buttons_are_drawn_from_the_small_font(
    server: Server, page: Page, traffic: Traffic
) -> None:
    page.goto(server.url)
    wait_idle(page)
    icon = page.get_by_test_id("stIconMaterial").filter(has_text="expand_more").first
    expect(icon).to_be_visible()
    page.evaluate("document.fonts.ready")
    size = icon.evaluate("e => [e.getBoundingClientRect().width, parseFloat(getComputedStyle(e).fontSize)]")
    assert size[0] == pytest.approx(size[1], rel=0.2)  # one drawing, not eleven letters
    fonts = [url for url in traffic.requests if url.endswith(".woff2")]
    assert [server.get(url.removeprefix(server.url)).headers["Content-Length"] for url in fonts] == [
        str((ROOT / "assets" / "fonts" / fonts[0].rsplit("/", 1)[1]).stat().st_size)
    ]


def test_no_web_font_is_left_in_the_first_page(server: Server) -> None:
    html = server.get("/").body.decode()
    assert "woff2" not in html
    style = re.search(r'href="\./(static/css/[^"]+\.css)"', html)
    assert style is not None
    sheet = server.get(f"/{style[1]}").body.decode()
    assert "SourceSans" not in sheet
    assert "MaterialSymbols" in sheet  # the icons of Streamlit's own buttons


def test_a_base_path_reaches_pages_assets_and_websocket(fresh_server: Start, page: Page) -> None:
    under = fresh_server("--server.baseUrlPath", "lab")
    page.goto(f"{under.url}/layers")
    wait_idle(page)
    expect(page.get_by_test_id("stTopNavLinkContainer").first).to_be_visible()
    assert under.get(f"/{asset_url('plotly.min.js')}", Accept_Encoding="gzip").status == 200


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 21, 26)")]
)
def test_the_theme_follows_the_browser(
    scheme: Literal["light", "dark"], background: str, server: Server, page: Page
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(server.url)
    wait_idle(page)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)


def test_the_menu_offers_the_themes_and_nothing_for_developers(server: Server, page: Page) -> None:
    page.goto(server.url)
    wait_idle(page)
    expect(page.get_by_text("Deploy")).to_have_count(0)
    choose_theme(page, "Dark")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", "rgb(18, 21, 26)")


def test_a_failing_page_shows_a_number_and_logs_the_traceback(fresh_server: Start, page: Page) -> None:
    failing = fresh_server(app=FAILING_APP)
    page.goto(failing.url)
    wait_idle(page)
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("Something went wrong")
    number = re.search(r"the number ([0-9a-f]{6})", alert.inner_text())
    assert number is not None
    content = page.content()
    assert "private detail" not in content
    assert "RuntimeError" not in content
    log = failing.log()
    assert f"error {number[1]} was shown to a user (RuntimeError)" in log
    assert "RuntimeError: private detail" in log


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A proxy that stands for the outside world: its address, and the first line of whatever reaches it."""
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    seen.append(connection.recv(200).split(b"\r\n")[0].decode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def test_the_server_asks_nothing_and_calls_nobody(
    outside: tuple[str, list[str]], fresh_server: Start, page: Page
) -> None:
    proxy, seen = outside
    quiet = fresh_server(env={"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""})
    page.goto(quiet.url)
    wait_idle(page)
    assert seen == []
    assert "email" not in quiet.log().lower()
    assert "usage statistics" not in quiet.log().lower()


def test_a_websocket_from_another_site_is_refused_without_a_look_outside(
    outside: tuple[str, list[str]], fresh_server: Start
) -> None:
    proxy, seen = outside
    quiet = fresh_server(env={"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""})
    address = f"ws://127.0.0.1:{quiet.port}/_stcore/stream"
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(address, origin=Origin("http://evil.example"), proxy=None),
    ):
        pass
    assert refusal.value.response.status_code == 403
    with connect(address, origin=Origin(f"http://127.0.0.1:{quiet.port}"), proxy=None):
        pass
    assert seen == []
