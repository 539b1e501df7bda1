"""Names that more than one part of *Step through* uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    page: str = "s"
    canvas: str = "step_canvas"
    fragment: str = "step_detail"


KEYS = _Keys()
