"""What a move costs one student: every control of every view of every page, against the bare page.

`python -m tests.bench.pages` prints for each control the median answer time and the server's processor time
as ratios to the bare page (one slider, one heatmap, frozen heap), measured in turns with it, and the bytes
that came back. A control over a limit is measured again with thrice the moves before it counts. Exit code 1
when a control takes more than twice the bare page's answer time or sends more than 60 kB.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import websockets

from tests.bench.load import views
from tests.bench.protocol import Answer, Session, WrongAnswer
from tests.bench.server import APP, BARE, Server, serve
from tests.bench.widgets import MOVABLE, Widget

MAX_RATIO = 2.0
MAX_BYTES = 60_000
SETTLE = 0.03  # seconds: the collection after a run ends within it, and belongs to that run
LEFT_OUT = r"play|download|copy"  # buttons that start something or answer with a file


@dataclass(frozen=True)
class Timed:
    """One move: what the student waited for, and what the server's processor did for it."""

    answer: Answer
    cpu: float


@dataclass(frozen=True)
class Row:
    """One control on one view."""

    page: str
    view: str
    control: str
    fragment: bool
    seconds: float
    ratio: float
    cpu_ratio: float
    size: float  # median bytes
    largest: int
    fault: str = ""

    def missed(self) -> bool:
        return bool(self.fault) or self.ratio > MAX_RATIO or self.size > MAX_BYTES


@dataclass(frozen=True)
class Bench:
    """The server under test, the bare page's one student, and how often to move."""

    server: Server
    bare_server: Server
    bare: Session
    repeats: int
    rng: random.Random
    left_out: re.Pattern[str]


async def timed(server: Server, session: Session, key: str, value: Any) -> Timed:
    before = server.cpu()
    answer = await session.move(key, value)
    await asyncio.sleep(SETTLE)
    return Timed(answer, server.cpu() - before)


async def measure(bench: Bench, session: Session, widget: Widget, view: str) -> Row:
    """Move one control `repeats` times, in turns with the bare page, then put it back."""
    ours: list[Timed] = []
    bare: list[Timed] = []
    home, fault = widget.value, ""
    slider = bench.bare.widgets["hidden"]
    try:
        for _ in range(bench.repeats):
            current = session.widgets.get(widget.key)
            if current is None or current.disabled:
                break  # its own move took it off the page, as a reset does
            ours.append(await timed(bench.server, session, widget.key, current.draw(bench.rng)))
            bare.append(await timed(bench.bare_server, bench.bare, "hidden", slider.draw(bench.rng)))
            slider = bench.bare.widgets["hidden"]
        if widget.kind != "button" and widget.key in session.widgets:
            await session.move(widget.key, home)
    except (WrongAnswer, TimeoutError) as problem:
        fault = f"{type(problem).__name__}: {problem}"
    where = (f"/{session.page}", view, widget.key, bool(widget.fragment))
    if not ours or not bare:
        return Row(*where, 0.0, 0.0, 0.0, 0.0, 0, fault or "could not be moved")
    seconds = median(t.answer.seconds for t in ours)
    sizes = [t.answer.received for t in ours]
    return Row(
        *where,
        seconds,
        seconds / median(t.answer.seconds for t in bare),
        median(t.cpu for t in ours) / median(t.cpu for t in bare),
        median(sizes),
        max(sizes),
        fault,
    )


async def fresh(bench: Bench, page: str, view: str) -> Session:
    session = Session(bench.server.url, page)
    await session.open()
    choice = views(session)
    if view and choice is not None and view != choice.value:
        await session.move(choice.key, view)
    return session


def settings(session: Session) -> dict[str, Any]:
    """What all controls of the page stand at."""
    return {key: widget.value for key, widget in session.widgets.items()}


async def one_view(bench: Bench, page: str, view: str) -> list[Row]:
    """Every control that is on the page in this view; each starts from the view's defaults."""
    session = await fresh(bench, page, view)
    choice = views(session)
    keys = [
        w.key
        for w in session.widgets.values()
        if not w.disabled
        and not w.many
        and (w.kind in MOVABLE or w.kind == "button")
        and not bench.left_out.search(w.key.lower())
        and (choice is None or w.key != choice.key)
    ]
    rows = []
    for key in keys:
        widget = session.widgets.get(key)
        if widget is None:
            continue
        before = settings(session)
        row = await measure(bench, session, widget, view)
        if row.missed() and not row.fault and widget.kind != "button" and settings(session) == before:
            row = await measure(
                replace(bench, repeats=3 * bench.repeats), session, widget, view
            )  # noise or real?
        rows.append(row)
        if row.fault or settings(session) != before:
            await session.close()
            session = await fresh(bench, page, view)
    await session.close()
    return rows


async def every_page(bench: Bench, pages: list[str]) -> list[Row]:
    rows: list[Row] = []
    await bench.bare.open()
    for page in pages:
        session = Session(bench.server.url, page)
        try:
            opened = await session.open()
        except WrongAnswer as problem:
            rows.append(Row(page, "", "(opening)", False, 0.0, 0.0, 0.0, 0.0, 0, str(problem)))
            await session.close()
            continue
        choice = views(session)
        await session.close()
        print(f"{page}: first load {opened.received / 1e3:.1f} kB in {1e3 * opened.seconds:.0f} ms")
        for view in choice.options if choice else ("",):
            found = await one_view(bench, page, view)
            show(found)
            rows += found
    await bench.bare.close()
    return rows


def show(rows: list[Row]) -> None:
    for r in rows:
        mark = "  <-- " + (r.fault or "over") if r.missed() else ""
        print(
            f"{r.page:<9}{r.view[:18]:<19}{r.control[:22]:<23}{'fragment' if r.fragment else 'page':<9}"
            f"{1e3 * r.seconds:>8.1f}{r.ratio:>8.2f}{r.cpu_ratio:>8.2f}"
            f"{r.size / 1e3:>9.1f}{r.largest / 1e3:>9.1f}{mark}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--page", action="append", help="only this page (may be given again); default: all three"
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--app", type=Path, default=APP)
    parser.add_argument("--leave-out", default=LEFT_OUT, help="pattern of widget keys that are not moved")
    given = parser.parse_args()
    with serve(given.app) as server, serve(BARE) as bare_server:
        bare = Session(bare_server.url, "/")
        bench = Bench(server, bare_server, bare, given.repeats, random.Random(0), re.compile(given.leave_out))
        print(
            f"{'page':<9}{'view':<19}{'control':<23}{'reruns':<9}{'ms':>8}{'x bare':>8}{'x cpu':>8}"
            f"{'kB':>9}{'max kB':>9}"
        )
        try:
            rows = asyncio.run(every_page(bench, given.page or ["/", "/layers", "/step"]))
        except websockets.WebSocketException as problem:
            print(f"connection lost: {problem}")
            return 1
    missed = [r for r in rows if r.missed()]
    print(f"{len(rows)} controls, {len(missed)} over {MAX_RATIO:g} x the bare page or {MAX_BYTES // 1000} kB")
    return 1 if missed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
