"""What one run of a topology gives: its columns from left to right, ready for pictures, tables and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.topologies.config import TopologyConfig

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Column:
    """One step. ``enters``: what is read, or "" for nothing; ``own``: it is the model's own last output.
    ``wrote``: the likeliest output, "" where none is taken; ``right``: what would be right, if anybody knows.
    ``part``: "encoder", "decoder" or "".
    """

    enters: str
    wrote: str = ""
    right: str | None = None
    own: bool = False
    part: str = ""


@dataclass(frozen=True, eq=False)
class Look:
    """A run on one input.

    ``h`` (columns, H); ``scores``, ``probabilities`` (columns, classes) and ``losses`` (columns), NaN where
    no output is taken or nobody knows what is right. ``shapes``: of the tensor on each kind of arrow:
    "first" (what makes the first state, if anything does), "x", "h", "y"; "reads": the module before x,
    "carries": the states that go from step to step. ``says``: the outcome in
    one line. ``note``: what of the input was not read as it stands, or "".
    """

    config: TopologyConfig
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    h: Floats
    scores: Floats
    probabilities: Floats
    losses: Floats
    shapes: dict[str, str]
    says: str
    note: str = ""
    first: str = ""

    @property
    def outputs(self) -> tuple[int, ...]:
        """The columns whose output is taken."""
        return tuple(i for i, column in enumerate(self.columns) if column.wrote)

    @property
    def loss(self) -> float | None:
        """The mean over the outputs, None where it is not known what is right."""
        found = self.losses[list(self.outputs)]
        return None if np.isnan(found).any() else float(found.mean())
