"""The loss of a model that knows nothing: what a loss is to be compared with. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnviz.training.config import CharsConfig, TaggerConfig, TrainConfig


@dataclass(frozen=True)
class Guess:
    """``loss``: the cross entropy where all classes are equally likely, ln C, or T ln C where it is summed
    over T positions; ``formula``: the same in letters.
    """

    loss: float
    formula: str


def guess(config: TrainConfig) -> Guess:
    """What the run's loss would be for equal scores. C is the number of tags, characters or target rows."""
    if isinstance(config, TaggerConfig):
        return Guess(math.log(len(config.tags)), f"ln {len(config.tags)}")
    if isinstance(config, CharsConfig):
        count, length = len(config.characters), len(config.target)
        times = length if config.reduction == "sum" else 1
        return Guess(times * math.log(count), f"{times} · ln {count}" if times > 1 else f"ln {count}")
    return Guess(math.log(config.target_rows), f"ln {config.target_rows}")
