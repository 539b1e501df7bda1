"""Names that more than one part of *By hand* uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    """``canvas`` holds ``picture`` and ``chosen``, the detail; that may hold ``stepper``, and ``value``."""

    page: str = "b"
    canvas: str = "by_hand_canvas"
    picture: str = "by_hand_picture"
    chosen: str = "by_hand_chosen"
    stepper: str = "by_hand_stepper"
    value: str = "by_hand_value"


KEYS = _Keys()
