"""The device of a screen, where that device is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from rnnviz.runs import usable_device

S = TypeVar("S", bound=Any)
"""A page's screen: a frozen dataclass whose ``config`` is one with a ``device``."""


def usable(current: S) -> S:
    """The screen with a device that is here: a link may come from a machine with another one."""
    device = usable_device(current.config.device)
    if device == current.config.device:
        return current  # a configuration keeps what was computed of it
    return replace(current, config=replace(current.config, device=device))
