"""Names that more than one part of *Step through* uses: its fragments, the inner ones further down."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Keys:
    page: str = "s"
    canvas: str = "step_canvas"
    picture: str = "step_picture"
    detail: str = "step_detail"
    sums: str = "step_sums"


KEYS = _Keys()
