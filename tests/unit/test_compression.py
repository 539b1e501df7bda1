"""What is compressed once, kept within a bound, and when a client gets it."""

from __future__ import annotations

import asyncio
import gzip
import random

import pytest

from rnnviz.ui.server.compression import File, GzipCache, accepts_gzip, respond
from rnnviz.ui.server.headers import content_policy, own_origin


def file(key: str, content: bytes) -> File:
    return File(key, "text/plain", "no-cache", lambda: content)


def test_simultaneous_requests_share_one_compression() -> None:
    async def run() -> tuple[int, set[bytes]]:
        cache = GzipCache(limit=10_000)
        bodies = await asyncio.gather(*(cache.get(file("a", b"abc" * 1000)) for _ in range(30)))
        return cache.compressions, {gzip.decompress(body) for body in bodies}

    assert asyncio.run(run()) == (1, {b"abc" * 1000})


def test_a_browser_that_leaves_does_not_stop_the_others() -> None:
    async def run() -> bytes:
        cache = GzipCache(limit=10_000)
        first = asyncio.create_task(cache.get(file("a", b"abc" * 1000)))
        second = asyncio.create_task(cache.get(file("a", b"abc" * 1000)))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert gzip.decompress(asyncio.run(run())) == b"abc" * 1000


def test_the_cache_keeps_to_its_limit_and_drops_the_least_used() -> None:
    noise = {key: random.Random(key).randbytes(400) for key in "abcd"}

    async def run() -> tuple[int, int, int]:
        cache = GzipCache(limit=1000)  # two of them
        for key in "abac":
            await cache.get(file(key, noise[key]))
        before = cache.compressions
        await cache.get(file("a", noise["a"]))
        kept = cache.compressions - before
        await cache.get(file("b", noise["b"]))
        return cache.size, kept, cache.compressions - before

    size, recompressed_a, recompressed_b = asyncio.run(run())
    assert size <= 1000
    assert (recompressed_a, recompressed_b) == (0, 1)


def test_a_file_that_cannot_be_read_fails_every_time_and_leaves_nothing_behind() -> None:
    def read() -> bytes:
        raise FileNotFoundError("gone")

    async def run() -> None:
        cache = GzipCache(limit=1000)
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                await cache.get(File("a", "text/plain", "no-cache", read))
        assert cache.compressions == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=oops", False),
        ("", False),
    ],
)
def test_accept_encoding_is_read_as_the_standard_says(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_known_tag_gets_304_for_its_own_encoding_only() -> None:
    async def statuses(tag: str, encoding: str) -> int:
        headers = {"if-none-match": f'"x", W/{tag}', "accept-encoding": encoding}
        return (await respond(file("v1", b"content"), headers, GzipCache(1000))).status_code

    assert asyncio.run(statuses('"v1-gzip"', "gzip")) == 304
    assert asyncio.run(statuses('"v1-gzip"', "identity")) == 200
    assert asyncio.run(statuses('"v0-gzip"', "gzip")) == 200


@pytest.mark.parametrize("host", ["evil.example;script-src *", "a b", "*", "http://x", "'self'", ""])
def test_only_a_plain_host_enters_the_policy(host: str) -> None:
    assert "connect-src 'self';" in content_policy(host)


@pytest.mark.parametrize("host", ["lab.example", "10.0.0.7:8501", "[fe80::1]:8501"])
def test_a_plain_host_may_open_its_own_websocket(host: str) -> None:
    assert f"connect-src 'self' ws://{host} wss://{host};" in content_policy(host)


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://10.0.0.7:8501", "10.0.0.7:8501", True),
        ("https://lab.example", "lab.example", True),
        ("http://localhost:8501", "127.0.0.1:8501", True),
        (None, "10.0.0.7:8501", True),
        ("http://evil.example", "10.0.0.7:8501", False),
        ("http://10.0.0.7:8501.evil.example", "10.0.0.7:8501", False),
        ("null", "10.0.0.7:8501", False),
    ],
)
def test_only_this_servers_pages_may_open_its_websocket(origin: str | None, host: str, own: bool) -> None:
    assert own_origin(origin, host) is own
