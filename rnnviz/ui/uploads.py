"""The size of what was uploaded, checked again where it arrives: the browser alone holds a widget's limit."""

from __future__ import annotations

from typing import Any


def too_large(file: Any, megabytes: float) -> str:
    """Why an uploaded file (its ``name`` and its ``size`` in bytes) is not read; "" where it is."""
    if file.size <= megabytes * 2**20:
        return ""
    return f"{file.name} has {file.size / 2**20:.1f} MB: at most {megabytes:g} MB are read"
