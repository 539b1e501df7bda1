"""Each topology's model, data and functions in one place, and its trained weights from assets/states."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from rnnviz.assets import FOLDER
from rnnviz.topologies import brackets, point, reverse, spell, tags
from rnnviz.topologies.config import TopologyConfig
from rnnviz.topologies.loop import train

STATES = FOLDER / "states"
CURVE = 60
"""How many numbers of a training's losses are kept, each the mean of neighbouring steps."""
ASKED = 500
"""At most so many items of a set are asked."""


@dataclass(frozen=True)
class Kit:
    """A topology's module: ``model`` makes the nn.Module of a hidden size."""

    module: ModuleType
    model: Callable[[int], nn.Module]

    def sets(self) -> dict[str, list[Any]]:
        """The items by what they are for: "trained on" first."""
        found: dict[str, list[Any]] = self.module.sets()
        return found

    def loss(self, model: nn.Module, items: Sequence[Any]) -> Tensor:
        found: Tensor = self.module.loss(model, list(items))
        return found

    def right(self, model: nn.Module, items: Sequence[Any]) -> list[bool]:
        found: list[bool] = self.module.right(model, list(items))
        return found


KITS = {
    "one-to-one": Kit(point, point.Judge),
    "one-to-many": Kit(spell, spell.Speller),
    "many-to-one": Kit(brackets, brackets.Checker),
    "out-of-step": Kit(reverse, reverse.Reverser),
    "in-step": Kit(tags, tags.Tagger),
}


@dataclass(frozen=True)
class Score:
    """A set of items: how many there are and how many of them were asked, the mean loss over these, and the
    share of right answers.
    """

    name: str
    items: int
    asked: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Report:
    """A training: ``steps`` it took, its losses thinned to `CURVE` means, and the scores before and after."""

    steps: int
    parameters: int
    curve: tuple[float, ...]
    before: tuple[Score, ...]
    scores: tuple[Score, ...]


def fresh(config: TopologyConfig) -> nn.Module:
    """The model before its training: weights drawn from the seed. The global random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return KITS[config.name].model(config.hidden).eval()


def trained(config: TopologyConfig) -> tuple[nn.Module, Report]:
    """The model trained anew, and its report. Bit for bit the same on one machine with one thread."""
    kit = KITS[config.name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = kit.model(config.hidden)
        before = scored(config, model.eval())
        model.train()
        items = kit.sets()["trained on"]
        losses = train(model, lambda batch: kit.loss(model, batch), items, config.steps, config.decay)
    model.eval()
    size = -(-len(losses) // CURVE)
    parts = [losses[i : i + size] for i in range(0, len(losses), size)]
    curve = tuple(round(sum(part) / len(part), 6) for part in parts)
    count = sum(p.numel() for p in model.parameters())
    return model, Report(config.steps, count, curve, before, scored(config, model))


def scored(config: TopologyConfig, model: nn.Module) -> tuple[Score, ...]:
    """How a model does on each set of items."""
    kit = KITS[config.name]
    found = []
    for name, items in kit.sets().items():
        asked = items[:ASKED]
        right = kit.right(model, asked)
        with torch.no_grad():
            loss = float(kit.loss(model, asked))
        found.append(Score(name, len(items), len(asked), round(loss, 6), sum(right) / len(right)))
    return tuple(found)


@lru_cache(maxsize=8)
def shipped(config: TopologyConfig) -> tuple[nn.Module, Report]:
    """The model with the weights that the repository ships, and the report of their training.

    Raises FileNotFoundError if `tools/train_topologies.py` has not made them, ValueError if they are another
    model's.
    """
    with safe_open(STATES / config.file, framework="pt") as file:
        words = json.loads(file.metadata()["report"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    if any(words[name] != value for name, value in asdict(config).items()):
        raise ValueError(
            f"{config.file} holds another configuration's weights: run tools/train_topologies.py"
        )
    model = fresh(config)
    model.load_state_dict(weights)
    before, scores = (tuple(Score(**score) for score in words[name]) for name in ("before", "scores"))
    return model, Report(words["steps"], words["parameters"], tuple(words["curve"]), before, scores)
