"""Live training: runs that go on in worker processes while pages look at them."""

from rnnviz.training.live.curves import Curves
from rnnviz.training.live.engine import TRAINING, Engine
from rnnviz.training.live.house import House, close, house
from rnnviz.training.live.lobby import Gone, Lobby, NoRoom, Visit
from rnnviz.training.live.records import Look
from rnnviz.training.live.run import SPEEDS, Run

__all__ = [
    "SPEEDS",
    "TRAINING",
    "Curves",
    "Engine",
    "Gone",
    "House",
    "Lobby",
    "Look",
    "NoRoom",
    "Run",
    "Visit",
    "close",
    "house",
]
