"""Names that more than one part of *By hand* uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    page: str = "b"
    canvas: str = "by_hand_canvas"
    fragment: str = "by_hand_detail"


KEYS = _Keys()
