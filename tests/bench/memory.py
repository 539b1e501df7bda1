"""What a student costs in memory: the server's own pages with 1, 10 and 40 students that have used every
page.

`python -m tests.bench.memory`. One student first moves every page long enough to fill the shared caches, so
that what is counted afterwards belongs to the students. Exit code 1 above DESIGN.md's 6 MB a student beyond
the first.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from pathlib import Path

from tests.bench.load import movable, views
from tests.bench.protocol import Session
from tests.bench.server import APP, Server, serve

MAX_MB = 6.0
AT_ONCE = 4  # students that move at the same time while the class fills up


async def use(session: Session, pages: list[str], moves: int, rng: random.Random) -> None:
    """Visit every page and every view, and move things on each."""
    for number, page in enumerate(pages):
        await (session.open() if number == 0 else session.visit(page))
        choice = views(session)
        options = choice.options if choice else ("",)
        for option in options:
            if choice and option != session.widgets[choice.key].value:
                await session.move(choice.key, option)
            for _ in range(max(1, moves // len(options))):
                widgets = movable(session)
                if widgets:
                    widget = rng.choice(widgets)
                    await session.move(widget.key, widget.draw(rng))


async def student(server: Server, pages: list[str], moves: int, number: int) -> Session:
    session = Session(server.url, pages[0])
    await use(session, pages, moves, random.Random(number))
    return session


async def fill(server: Server, given: argparse.Namespace) -> dict[int, dict[str, int]]:
    """Memory by number of connected students; 0 is after all have left."""
    found: dict[int, dict[str, int]] = {}
    gate = asyncio.Semaphore(AT_ONCE)
    sessions = [await student(server, given.page, given.warm, 0)]

    async def enter(number: int) -> None:
        async with gate:
            sessions.append(await student(server, given.page, given.moves, number))

    for count in given.students:
        await asyncio.gather(*(enter(n) for n in range(len(sessions), count)))
        await asyncio.sleep(0.5)
        found[count] = server.memory()
    await asyncio.gather(*(s.close() for s in sessions))
    await asyncio.sleep(1.0)
    found[0] = server.memory()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", action="append", help="default: all three pages")
    parser.add_argument("--students", type=int, nargs="+", default=[1, 10, 40])
    parser.add_argument("--moves", type=int, default=10, help="moves a page for each student")
    parser.add_argument("--warm", type=int, default=100, help="moves a page for the first student")
    parser.add_argument("--app", type=Path, default=APP)
    given = parser.parse_args()
    given.page = given.page or ["/", "/layers", "/step"]
    with serve(given.app) as server:
        found = asyncio.run(fill(server, given))
    print(f"{'students':<10}{'RSS MB':>9}{'PSS MB':>9}{'own MB':>9}{'MB a student beyond the first':>33}")
    first = found[given.students[0]]
    each = 0.0
    for count in given.students:
        now = found[count]
        if count > given.students[0]:
            each = (now["Own"] - first["Own"]) / 1e6 / (count - given.students[0])
        megabytes = "".join(f"{now[name] / 1e6:>9.1f}" for name in ("Rss", "Pss", "Own"))
        print(f"{count:<10}{megabytes}{each:>33.2f}")
    print(f"after all have left: {found[0]['Own'] / 1e6:.1f} MB own")
    print(f"reach: at most {MAX_MB:g} MB a student: {'reached' if each <= MAX_MB else 'MISSED'}")
    return 0 if each <= MAX_MB else 1


if __name__ == "__main__":
    sys.exit(main())
