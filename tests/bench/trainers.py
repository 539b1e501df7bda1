"""Students who train while others move sliders: each has a run on the page *Tagger* that plays on and on."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from tests.bench.protocol import Session
from tests.bench.server import Server

ADDRESS = "/tagger?t_until=never"
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


async def train(server: Server, number: int) -> list[Trainer]:
    """So many sessions with a playing run, once all of them have done an epoch."""
    trainers = [Trainer(Session(server.url, ADDRESS)) for _ in range(number)]
    for trainer in trainers:
        session = trainer.session
        await session.open()
        await session.move("tagger_speed", FULL_SPEED)
        await session.move("tagger_play", True)
    async with asyncio.timeout(60):
        while not all(trainer.epoch() for trainer in trainers):
            await asyncio.sleep(0.2)
    return trainers


def fairness(trainers: list[Trainer]) -> tuple[float, float]:
    """The slowest run's progress against the mean, and the mean itself (epochs)."""
    done = [trainer.ended - trainer.began for trainer in trainers]
    mean = sum(done) / len(done)
    return (min(done) / mean if mean else 0.0), mean
