"""Names that more than one part of *Topologies* uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    page: str = "p"
    canvas: str = "topologies_canvas"


KEYS = _Keys()
