"""Students who train while others move sliders: each has a run on a training page that plays on and on."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from tests.bench.protocol import Session
from tests.bench.server import Server

ADDRESSES = {
    "tagger": "/tagger?t_until=never",
    "characters": "/characters?c_until=never",
    "attention": "/attention?a_until=never",
}
"""A run of each training page that does not end."""
FULL_SPEED = "as fast as it goes"
_EPOCH = re.compile(r"\*\*epoch (\d+)\*\*")


@dataclass
class Trainer:
    """One session whose run goes on at full speed; `epochs` it had done at two moments."""

    session: Session
    began: int = 0
    ended: int = 0

    def epoch(self) -> int:
        """How far the page says that its run is."""
        shown = [node.element.markdown.body for node in self.session.nodes.values()]
        found = [match for text in shown if (match := _EPOCH.match(text))]
        return int(found[0][1]) if found else 0


async def train(server: Server, number: int, page: str) -> list[Trainer]:
    """So many sessions with a playing run on ``page``, once all of them have done an epoch."""
    trainers = [Trainer(Session(server.url, ADDRESSES[page])) for _ in range(number)]
    for trainer in trainers:
        session = trainer.session
        await session.open()
        if session.widgets[f"{page}_speed"].value != FULL_SPEED:
            await session.move(f"{page}_speed", FULL_SPEED)
        if page == "attention":
            await session.move("attention_reset", True)  # the run that comes along stands at its end
        await session.move(f"{page}_play", True)
    async with asyncio.timeout(60):
        while not all(trainer.epoch() for trainer in trainers):
            await asyncio.sleep(0.2)
    return trainers


def fairness(trainers: list[Trainer]) -> tuple[float, float]:
    """The slowest run's progress against the mean, and the mean itself (epochs)."""
    done = [trainer.ended - trainer.began for trainer in trainers]
    mean = sum(done) / len(done)
    return (min(done) / mean if mean else 0.0), mean
