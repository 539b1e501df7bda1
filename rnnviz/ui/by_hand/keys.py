"""Names that more than one part of *By hand* uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    """``canvas`` holds ``head``, ``picture`` and ``chosen``, the detail; that may hold ``stepper``, and
    ``value``. ``sidebar`` holds the controls.
    """

    page: str = "b"
    sidebar: str = "by_hand_sidebar"
    canvas: str = "by_hand_canvas"
    head: str = "by_hand_head"
    picture: str = "by_hand_picture"
    chosen: str = "by_hand_chosen"
    stepper: str = "by_hand_stepper"
    value: str = "by_hand_value"


KEYS = _Keys()
