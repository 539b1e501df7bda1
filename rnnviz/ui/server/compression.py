"""Compress a file once, keep the result within a bound, answer any number of simultaneous requests with it.

gzip, because browsers accept brotli over https only and a class room is plain http; by libdeflate at its
highest level, which makes plotly.js 1.42 MB in 0.6 s where zlib gives 1.47 MB.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import deflate
from starlette.responses import Response


@dataclass(frozen=True)
class File:
    """A file to serve: `key` names one version of its content, `read` returns that content."""

    key: str
    media_type: str
    cache_control: str
    read: Callable[[], bytes]
    compressible: bool = True


class GzipCache:
    """Compressed contents, least recently used first out once together they pass `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.compressions = 0
        self._done: OrderedDict[str, bytes] = OrderedDict()
        self._running: dict[str, asyncio.Task[bytes]] = {}

    async def get(self, file: File) -> bytes:
        """The file's content, gzipped; compressed in a thread, once for all the requests that wait for it."""
        if (body := self._done.get(file.key)) is not None:
            self._done.move_to_end(file.key)
            return body
        task = self._running.get(file.key)
        if task is None:
            task = asyncio.create_task(self._compress(file))
            self._running[file.key] = task
        # Shielded: a browser that goes away must not cancel the work the others wait for.
        return await asyncio.shield(task)

    async def _compress(self, file: File) -> bytes:
        try:
            self.compressions += 1
            body = await asyncio.to_thread(lambda: bytes(deflate.gzip_compress(file.read(), 12)))
        finally:
            del self._running[file.key]
        self._done[file.key] = body
        self.size += len(body)
        while self.size > self.limit and self._done:
            self.size -= len(self._done.popitem(last=False)[1])
        return body


async def respond(file: File, headers: Mapping[str, str], cache: GzipCache) -> Response:
    """The answer to a GET or HEAD for `file`: gzipped if the client takes it, 304 if it has it already."""
    gzipped = file.compressible and accepts_gzip(headers.get("accept-encoding", ""))
    etag = f'"{file.key}-gzip"' if gzipped else f'"{file.key}"'
    common = {"Cache-Control": file.cache_control, "ETag": etag, "Vary": "Accept-Encoding"}
    known = {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=common)
    if not gzipped:
        return Response(await asyncio.to_thread(file.read), headers=common, media_type=file.media_type)
    body = await cache.get(file)
    return Response(body, headers=common | {"Content-Encoding": "gzip"}, media_type=file.media_type)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (RFC 9110, section 12.5.3): `gzip;q=0` refuses it."""
    quality: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        value = parameter.strip().removeprefix("q=") or "1"
        try:
            quality[coding.strip()] = float(value)
        except ValueError:
            quality[coding.strip()] = 0.0
    return quality.get("gzip", quality.get("*", 0.0)) > 0
