"""One step of training drawn: the table before, after forward, its gradient, and the table after the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures.base import figure, signed_limit
from rnnviz.figures.embeddings_matrices import Part, side_by_side

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StepMaps:
    """The tables of one step, left to right, and the gradient where there is one."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Tables:
    """What a step leaves behind, (V, D) each: ``grad`` is None without one, NaN where no row is stored."""

    before: Matrix
    forward: Matrix
    grad: Matrix | None
    after: Matrix


def step_maps(
    tables: Tables, rows: Sequence[str], counts: Sequence[int], *, sparse: bool, padding: int | None
) -> StepMaps:
    """The record. The table after forward is shown where forward has changed it, as ``max_norm`` does.

    The row names say how often each row was looked up; the padding row is framed.
    """
    count, dim = tables.before.shape
    shape = f"({count}, {dim})"
    limit = signed_limit(np.stack([tables.before, tables.forward, tables.after]))
    hover = "row %{y}, number %{x}: %{z:.4f}"
    names = tuple(f"{name} ×{n}" if n else name for name, n in zip(rows, counts, strict=True))
    parts = [Part("weight", shape, tables.before, limit, names, marked=padding, hover=hover)]
    if (tables.before != tables.forward).any():
        parts.append(
            Part(
                "after forward",
                shape,
                tables.forward,
                limit,
                gap=44,
                between="→",
                marked=padding,
                hover=hover,
            )
        )
    if tables.grad is not None:
        stored = int((~np.isnan(tables.grad).all(1)).sum())
        parts.append(
            Part(
                "weight.grad",
                f"{stored} of {count} rows stored" if sparse else shape,
                tables.grad,
                signed_limit(tables.grad),
                scale="difference",
                gap=60,
                between="→",
                marked=padding,
                hover="gradient of " + hover,
            )
        )
        parts.append(
            Part(
                "after the step", shape, tables.after, limit, gap=60, between="→", marked=padding, hover=hover
            )
        )
    return StepMaps(tuple(parts))


def step_figure(maps: StepMaps) -> go.Figure:
    """The tables side by side; trace i is part i, y the row."""
    return figure(*side_by_side(maps.parts))
