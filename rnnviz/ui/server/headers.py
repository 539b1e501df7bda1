"""Headers that keep the browser on this server: nothing loads from, goes to, or is framed by another host."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, file_util

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_INLINE_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)

EVERYWHERE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}

# What only a document obeys. Left out of the scripts, styles and fonts of a first visit, where it is 40 kB.
DOCUMENT: Final = {
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=(), "
        "accelerometer=(), gyroscope=(), magnetometer=(), display-capture=()"
    ),
}


_NO_DOCUMENT: Final = ("text/javascript", "text/css", "font/")


class SecurityHeaders:
    """ASGI middleware: adds the headers to every HTTP answer, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = content_policy(Headers(scope=scope).get("host", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(EVERYWHERE)
                if not headers.get("content-type", "").startswith(_NO_DOCUMENT):
                    headers.update(DOCUMENT | {"Content-Security-Policy": policy})
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnWebsockets:
    """ASGI middleware: refuses a websocket that another site's page opens.

    Streamlit would refuse it too, but only after asking checkip.amazonaws.com for this machine's outside
    address (`server_util.is_url_from_allowed_origins` of Streamlit 1.67), and nothing may leave the room.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            if not own_origin(headers.get("origin"), headers.get("host")):
                await receive()
                await send({"type": "websocket.close", "code": 4403})
                return
        await self.app(scope, receive, send)


def own_origin(origin: str | None, host: str | None) -> bool:
    """Whether an Origin header names this server: the Host header's name, this machine, or a configured one.

    A client without an Origin header is not a browser and is let through, as Streamlit does.
    """
    if origin is None or not config.get_option("server.enableCORS"):
        return True
    others = config.get_option("server.corsAllowedOrigins")
    configured = [config.get_option("browser.serverAddress"), *(urlsplit(o.strip()).hostname for o in others)]
    parts = urlsplit(origin)
    return parts.netloc == host or parts.hostname in {"localhost", "127.0.0.1", *configured}


@lru_cache(maxsize=64)
def content_policy(host: str) -> str:
    """The Content-Security-Policy for a request to `host`, a Host header (ignored unless it is host[:port]).

    The host's websocket is named beside 'self', which browsers before 2022 do not take to cover ws: and wss:.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    rules = {
        "default-src": "'self'",
        # blob: for the scripts of components, which Streamlit imports from object addresses.
        "script-src": " ".join(["'self'", "blob:", *_inline_script_hashes()]),
        # Streamlit (emotion) and Plotly write style elements at run time.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "connect-src": "'self'" + sockets,
        "frame-src": "'self'",
        "frame-ancestors": "'self'",
        "form-action": "'self'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _inline_script_hashes() -> tuple[str, ...]:
    # Streamlit's index.html has a one-line inline script; its hash is allowed instead of every inline script.
    html = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(html))
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
