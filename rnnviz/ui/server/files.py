"""Serve this app's assets and Streamlit's own front end compressed.

Streamlit bypasses gzip for its static files because Starlette would compress them anew for every request
(`starlette_gzip_middleware.py` of Streamlit 1.67): 7.5 MB for a first visit. Here each is compressed once.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, file_util

from rnnviz import assets
from rnnviz.ui.server.compression import File, GzipCache, respond

FOREVER: Final = "public, immutable, max-age=31536000"
CACHE: Final = GzipCache(limit=16 * 2**20)  # all of Streamlit's front end and plotly.js need about 9 MB

_NAMED: Final = re.compile(r'(?:src|href)="\./(static/[^"]+)"')

_PAGE: Final = re.compile(r"[A-Za-z0-9_-]+")
_FONT_PRELOAD: Final = re.compile(rb'<link\s+rel="preload"\s[^>]*\bas="font"[^>]*>')
_FONT_FACE: Final = re.compile(rb"@font-face\s*\{[^}]*font-family:\s*[\"']?Source Sans[\"']?;[^}]*\}")

_COMPRESSIBLE: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


def base_path() -> str:
    """`server.baseUrlPath` as `/path`, or the empty string."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def asset_address(name: str) -> str:
    """Address path of an asset on this server, the same from every page: `/rnnviz-assets/chart.<hash>.js`."""
    return f"{base_path()}/{assets.asset_url(name)}"


def asset_route() -> Route:
    """The route that answers every address made by `rnnviz.assets.asset_url`; an unknown hash is a 404."""

    async def serve(request: Request) -> Response:
        asset = assets.find(request.path_params["file"])
        if asset is None:
            return PlainTextResponse("no such file", status_code=404, headers={"Cache-Control": "no-store"})
        return await respond(_asset_file(asset), request.headers, CACHE)

    return Route(f"{base_path()}/{assets.ROUTE}/{{file}}", serve)


class CompressedFiles:
    """ASGI middleware: answers for Streamlit's scripts, styles and pages; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            file = find_frontend_file(scope["path"].removeprefix(scope.get("root_path", "")))
            if file is not None:
                request = Request(scope)
                await (await respond(file, request.headers, CACHE))(scope, receive, send)
                return
        await self.app(scope, receive, send)


def find_frontend_file(path: str) -> File | None:
    """The front-end file behind an address path; index.html for the address of a page (`/layers`)."""
    files = frontend_files()
    base = base_path()
    if path.startswith(f"{base}/") and _PAGE.fullmatch(path, len(base) + 1):
        return files[f"{base}/"]
    return files.get(path)


@cache
def frontend_files() -> dict[str, File]:
    """Streamlit's compressible front-end files by address path: a fixed list, so no path leads elsewhere."""
    root = Path(file_util.get_static_dir())
    base = base_path()
    found = {
        f"{base}/{path.relative_to(root).as_posix()}": _file(path, FOREVER)
        for path in (root / "static").rglob("*")
        if path.suffix in _COMPRESSIBLE
    }
    return found | _cut_fonts(root, base) | {f"{base}/": _file(root / "index.html", "no-cache")}


def _cut_fonts(root: Path, base: str) -> dict[str, File]:
    # Made by tools/icons.py for one version of a font, whose name carries a hash: after an update of
    # Streamlit there is no such file, and the full font is served.
    files = {}
    for font in (assets.FOLDER / "fonts").glob("*.woff2"):
        if (root / "static" / "media" / font.name).exists():
            key = f"{font.name}-{font.stat().st_size:x}"
            file = File(key, "font/woff2", FOREVER, font.read_bytes, compressible=False)
            files[f"{base}/static/media/{font.name}"] = file
    return files


def without_web_font(content: bytes) -> bytes:
    """Streamlit's index.html or style sheet without Source Sans.

    The theme uses the reader's own fonts, but until the theme arrives by websocket a line of hidden text
    would still fetch these 171 kB, and index.html preloads them.
    """
    return _FONT_FACE.sub(b"", _FONT_PRELOAD.sub(b"", content))


def first_visit() -> list[File]:
    """What every first visit loads: plotly.js, and the scripts and styles named in Streamlit's index.html."""
    files = frontend_files()
    html = files[f"{base_path()}/"].read().decode()
    named = [files.get(f"{base_path()}/{path}") for path in _NAMED.findall(html)]
    return [_asset_file(assets.load("plotly.min.js")), *(file for file in named if file is not None)]


def _asset_file(asset: assets.Asset) -> File:
    return File(f"{asset.name}-{asset.digest}", asset.media_type, FOREVER, lambda: asset.content)


def _file(path: Path, cache_control: str) -> File:
    status = path.stat()
    key = f"{path.name}-{status.st_size:x}-{status.st_mtime_ns:x}"
    read = path.read_bytes if path.suffix == ".js" else lambda: without_web_font(path.read_bytes())
    return File(key, _COMPRESSIBLE[path.suffix], cache_control, read)
