"""The five models of row A11 and the layers that row A10 compares, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rnnviz.config import whole

NAMES = ("one-to-one", "one-to-many", "many-to-one", "out-of-step", "in-step")
TITLES = {
    "one-to-one": "One to one",
    "one-to-many": "One to many",
    "many-to-one": "Many to one",
    "out-of-step": "Many to many, out of step",
    "in-step": "Many to many, in step",
}
MAX_FEATURES, MAX_KERNEL, MAX_LENGTH = 512, 15, 1000


@dataclass(frozen=True)
class TopologyConfig:
    """One of the five: its name, H of its model, and its training: steps, weight decay, seed."""

    name: str
    hidden: int
    steps: int
    decay: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"name={self.name!r} is not allowed: one of {', '.join(NAMES)}")
        whole("hidden", self.hidden, 1, 512)
        whole("steps", self.steps, 1, 100_000)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay={self.decay!r} is not allowed: a number from 0, less than 1")
        whole("seed", self.seed, 0, 2**31 - 1)

    @property
    def title(self) -> str:
        """What it is called."""
        return TITLES[self.name]

    @property
    def file(self) -> str:
        """The name of the file with its trained weights, in assets/states."""
        return f"topologies-{self.name}.safetensors"


@dataclass(frozen=True)
class SharingConfig:
    """Layers that make H numbers of H_in at each of L steps: their sizes. ``kernel_size``: the convolution's,
    the number of steps that it sees at once.
    """

    input_size: int = 8
    hidden_size: int = 16
    kernel_size: int = 3
    length: int = 20

    def __post_init__(self) -> None:
        for field in fields(self):
            most = {"kernel_size": MAX_KERNEL, "length": MAX_LENGTH}.get(field.name, MAX_FEATURES)
            whole(field.name, getattr(self, field.name), 1, most)


TOPOLOGIES = (
    TopologyConfig("one-to-one", 16, 1500),
    TopologyConfig("one-to-many", 32, 1500, decay=0.3),
    TopologyConfig("many-to-one", 24, 2000),
    TopologyConfig("out-of-step", 64, 3000),
    TopologyConfig("in-step", 16, 600),
)
"""The presets of row A11."""
SHARING = SharingConfig()
"""The preset of row A10."""


def topology(name: str) -> TopologyConfig:
    """The one of this name. Raises ValueError if there is none."""
    for config in TOPOLOGIES:
        if config.name == name:
            return config
    raise ValueError(f"name={name!r} is not allowed: one of {', '.join(NAMES)}")
