"""A lookup drawn: one-hot vectors, the table, lines from its rows to the output, the product beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, signed_limit
from rnnviz.figures.embeddings_matrices import Part, cell_height, side_by_side
from rnnviz.figures.pens import Path


@dataclass(frozen=True, eq=False)
class LookupMaps:
    """The four matrices of a lookup, and which row of the table each position reads."""

    one_hot: Part
    weight: Part
    output: Part
    product: Part
    reads: tuple[int, ...]
    position: int


@dataclass(frozen=True)
class Labels:
    """The words of a lookup: one for each position, one for each row of the table."""

    tokens: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Arrays:
    """The arrays of a lookup: T positions, V rows, D numbers a row; ``shape`` is (N, L, D)."""

    one_hot: NDArray[np.uint8]
    weight: NDArray[np.float32]
    output: NDArray[np.float32]
    product: NDArray[np.float32]
    shape: tuple[int, ...]


def lookup_maps(arrays: Arrays, labels: Labels, position: int) -> LookupMaps:
    """The record of a lookup. Raises `ValueError` if the labels do not fit the arrays."""
    count, rows = arrays.one_hot.shape
    if len(labels.tokens) != count or len(labels.rows) != rows:
        raise ValueError(f"{len(labels.tokens)} tokens and {len(labels.rows)} rows: expected {count}, {rows}")
    limit = signed_limit(arrays.weight)
    n, length, dim = arrays.shape
    breaks = tuple(range(length, count, length))
    reads = tuple(map(int, arrays.one_hot.argmax(1)))
    return LookupMaps(
        Part(
            "one_hot",
            f"({n}, {length}, {rows})",
            arrays.one_hot,
            1.0,
            labels.tokens,
            "unit",
            position,
            breaks,
            hover="position %{y} reads row %{x}: %{z}",
        ),
        Part(
            "weight",
            f"({rows}, {dim})",
            arrays.weight,
            limit,
            labels.rows,
            marked=reads[position],
            gap=104,
            between="@",
            hover="weight[%{y}, %{x}] = %{z:.4f}",
        ),
        Part(
            "output",
            f"({n}, {length}, {dim})",
            arrays.output,
            limit,
            marked=position,
            breaks=breaks,
            gap=96,
            hover="position %{y}, number %{x}: %{z:.4f}",
        ),
        Part(
            "product",
            f"({n}, {length}, {dim})",
            arrays.product,
            limit,
            marked=position,
            breaks=breaks,
            gap=44,
            between="=",
            hover="position %{y}, number %{x}: %{z:.4f}",
        ),
        reads,
        position,
    )


def lookup_figure(maps: LookupMaps) -> go.Figure:
    """The four matrices from left to right. Trace 0 is one_hot, 1 weight, 2 output, 3 the product; y is the
    position, in ``weight`` the row.
    """
    parts = (maps.one_hot, maps.weight, maps.output, maps.product)
    data, layout = side_by_side(parts)
    left, right = layout["xaxis2"]["domain"][1], layout["xaxis3"]["domain"][0]
    inside = max(cell_height(part) * len(part.values) for part in parts)
    layout["xaxis5"] = {"domain": [left, right], "range": [0, 1], "visible": False, "fixedrange": True}
    layout["yaxis5"] = {
        "domain": [0, 1],
        "anchor": "x5",
        "range": [inside, 0],  # pixels from the top
        "visible": False,
        "fixedrange": True,
    }
    for path, colour, width in _links(maps):
        data.append(path.drawn(colour, width=width) | {"xaxis": "x5", "yaxis": "y5"})
    return figure(data, layout)


def _links(maps: LookupMaps) -> list[tuple[Path, str, float]]:
    quiet, chosen = Path(), Path()
    along = np.linspace(0, 1, 17 if len(maps.reads) <= 24 else 9)
    ease = along * along * (3 - 2 * along)  # a line that leaves and arrives level
    for position, row in enumerate(maps.reads):
        pen = chosen if position == maps.position else quiet
        start = (row + 0.5) * cell_height(maps.weight)
        height = start + ((position + 0.5) * cell_height(maps.output) - start) * ease
        pen.line(*zip(along.tolist(), height.tolist(), strict=True))
    return [(quiet, theme.LINE, 1.0), (chosen, theme.ACCENT, 2.5)]


def table_figure(weight: NDArray[np.float32], rows: tuple[str, ...]) -> go.Figure:
    """The table alone, for a call that was refused. Trace 0 is the weight."""
    if not len(weight):
        return empty("There is no table.")
    part = Part(
        "weight",
        f"({weight.shape[0]}, {weight.shape[1]})",
        weight,
        signed_limit(weight),
        rows,
        hover="weight[%{y}, %{x}] = %{z:.4f}",
    )
    data, layout = side_by_side((part,))
    layout["xaxis"]["domain"] = [0, 0.3]
    return figure(data, layout)
