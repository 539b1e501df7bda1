"""One parameter of a layer as PyTorch stores it: its gate blocks from the top, on a signed scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.config import LayerConfig
from rnnviz.figures import theme
from rnnviz.figures.base import figure, signed_limit
from rnnviz.gates import AXES, BLOCKS, QUANTITIES
from rnnviz.shapes import Parameter

MAX_ROWS, MAX_BLOCK_ROWS, MAX_COLUMNS = 128, 64, 72  # 9,216 numbers: 49 kB on the wire
HEIGHT = 400


@dataclass(frozen=True, eq=False)
class Block:
    """One gate's rows: PyTorch's name such as W_if, the gate's name and colour, first row, numbers shown."""

    label: str
    meaning: str
    colour: str
    first: int
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ParameterPicture:
    """A parameter, thinned out if it is too large to send.

    Shown are every ``row_step``-th row of each block and every ``column_step``-th column.
    """

    name: str
    shape: tuple[int, ...]
    columns: str | None
    blocks: tuple[Block, ...]
    limit: float
    row_step: int
    column_step: int

    @property
    def thinned(self) -> str:
        """What is left out, or nothing."""
        parts = [
            f"every {_ordinal(step)} {word}"
            for step, word in ((self.row_step, "row of each block"), (self.column_step, "column"))
            if step > 1
        ]
        return f"Too large to draw whole: {' and '.join(parts)} is shown." if parts else ""


def parameter_picture(parameter: Parameter, values: NDArray[Any], config: LayerConfig) -> ParameterPicture:
    """The record of a parameter and its numbers.

    Raises ValueError if ``values`` does not have the parameter's shape.
    """
    if values.shape != parameter.shape:
        raise ValueError(f"{parameter.name} has shape {values.shape}: expected {parameter.shape}")
    matrix = values.reshape(values.shape[0], -1)  # a bias is one column
    count = len(parameter.blocks)
    tall = matrix.shape[0] // count
    down = -(-tall // min(MAX_BLOCK_ROWS, MAX_ROWS // count))
    across = -(-matrix.shape[1] // MAX_COLUMNS)
    letters = BLOCKS[config.kind] if count == len(BLOCKS[config.kind]) else ("h",)
    blocks = tuple(
        Block(
            label,
            "projection" if label == "W_hr" else QUANTITIES[letter].name,
            QUANTITIES[letter].colour,
            i * tall,
            np.ascontiguousarray(matrix[i * tall : (i + 1) * tall : down, ::across], dtype=np.float32),
        )
        for i, (label, letter) in enumerate(zip(parameter.blocks, letters, strict=True))
    )
    limit = signed_limit(matrix)
    return ParameterPicture(parameter.name, parameter.shape, parameter.columns, blocks, limit, down, across)


def parameter_heatmap(record: ParameterPicture) -> go.Figure:
    """Trace i is block i; x is the column and y the row in PyTorch's own tensor."""
    rows, columns = record.shape[0], (record.shape[1] if len(record.shape) > 1 else 1)
    top, left = -record.row_step / 2, -record.column_step / 2
    tall = rows / len(record.blocks)
    shown = ("[%{y}, %{x}]" if len(record.shape) > 1 else "[%{y}]") + " = %{z:.4f}<extra></extra>"
    data = [
        {
            "type": "heatmap",
            "name": block.label,
            "z": block.values,
            **{"x0": 0, "dx": record.column_step, "y0": block.first, "dy": record.row_step},
            "coloraxis": "coloraxis",
            "hovertemplate": f"{_symbol(block.label)}, {block.meaning}<br>{shown}",
        }
        for block in record.blocks
    ]
    separators = [
        {
            "type": "line",
            **{"xref": "x domain", "x0": 0, "x1": 1, "y0": block.first + top, "y1": block.first + top},
            "line": {"color": theme.TEXT, "width": 2},
        }
        for block in record.blocks[1:]
    ]
    names = [
        {
            "text": f"<b>{_symbol(block.label)}</b><br>{block.meaning.split(' (')[0]}",
            "font": {"color": block.colour, "size": 13},
            **{"x": 0, "xref": "paper", "xanchor": "right", "xshift": -40, "align": "right"},
            **{"y": block.first + top + tall / 2, "yanchor": "middle", "showarrow": False},
        }
        for block in record.blocks
    ]
    hidden = {"showgrid": False, "zeroline": False}
    bare = len(record.shape) == 1
    layout = {
        "height": HEIGHT,
        "margin": {"l": 140, "r": 64, "t": 34, "b": 44},
        "title": {
            "text": f"<b>{record.name}</b>  {_tuple(record.shape)}",
            "x": 0,
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 6},
        },
        "coloraxis": theme.coloraxis(
            "signed",
            record.limit,
            showscale=True,
            colorbar={"thickness": 8, "tickvals": [-record.limit, 0, record.limit], "tickformat": ".2~g"},
        ),
        "xaxis": {
            **hidden,
            "range": [left, columns + left],
            "domain": [0, 0.2] if bare else [0, 1],
            "showticklabels": not bare,
            "tickformat": "d",
            "nticks": min(10, columns + 1),
            "title": {
                "text": "one number a row" if bare else f"columns × {record.columns}",
                "font": {"color": AXES["H_in"].colour if record.columns == "x" else theme.MUTED, "size": 13},
            },
        },
        "yaxis": {**hidden, "range": [rows + top, top], "tickformat": "d", "nticks": 8},
        "shapes": separators,
        "annotations": names,
        "uirevision": f"{record.name}{record.shape}",
    }
    return figure(data, layout)


def _symbol(label: str) -> str:
    letter, below = label.split("_")
    return f"{letter}<sub>{below}</sub>"


def _tuple(sizes: tuple[int, ...]) -> str:
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(map(str, sizes))})"


def _ordinal(number: int) -> str:
    last = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"
