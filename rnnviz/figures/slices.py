"""The numbers of one tensor, for one sequence of its batch, in the tensor's own layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.config import LayerConfig
from rnnviz.figures import theme
from rnnviz.figures.base import figure, signed_limit
from rnnviz.gates import AXES
from rnnviz.shapes import Dim, TensorShape

MAX_ROWS, MAX_COLUMNS = 48, 128
ROW = 13  # pixels


@dataclass(frozen=True, eq=False)
class Slice:
    """A matrix of real numbers: ``values`` (rows, columns) float32, cropped to what a page can show.

    ``halves`` is the first column of the backward direction; ``cropped`` says what is left out, or nothing.
    """

    title: str
    rows: Dim
    columns: Dim
    row_names: tuple[str, ...]
    values: NDArray[np.float32]
    limit: float
    lowest: float
    highest: float
    halves: int | None
    cropped: str


def tensor_slice(shape: TensorShape, array: NDArray[Any], config: LayerConfig, item: int | None) -> Slice:
    """The numbers of sequence ``item`` of the batch; None for a tensor without N.

    ``array`` has the shape that ``shape`` says. Raises ValueError if it does not.
    """
    if array.shape != shape.shape:
        raise ValueError(f"{shape.name} has shape {array.shape}: expected {shape.shape}")
    index = tuple(item if d.letter == "N" else slice(None) for d in shape.dims)
    matrix = array[index]
    rows, columns = (d for d in shape.dims if d.letter != "N")
    values = np.ascontiguousarray(matrix[:MAX_ROWS, :MAX_COLUMNS], dtype=np.float32)
    bounded = shape.name in ("output", "h_0", "h_n") and float(np.abs(matrix).max()) <= 1
    names = [f"step {i}" for i in range(values.shape[0])]
    if rows.letter == "layers":
        names = [f"layer {i // config.directions} {'→←'[i % config.directions]}" for i in range(len(values))]
    both = shape.name == "output" and config.bidirectional and config.output_size < values.shape[1]
    return Slice(
        title=_indexed(shape, item),
        rows=rows,
        columns=columns,
        row_names=tuple(names),
        values=values,
        limit=1.0 if bounded else signed_limit(matrix),
        lowest=float(matrix.min()),
        highest=float(matrix.max()),
        halves=config.output_size if both else None,
        cropped=_cropped(matrix.shape, values.shape),
    )


def _indexed(shape: TensorShape, item: int | None) -> str:
    if item is None:
        return shape.name
    return f"{shape.name}[{', '.join(str(item) if d.letter == 'N' else ':' for d in shape.dims)}]"


def _cropped(full: tuple[int, ...], shown: tuple[int, ...]) -> str:
    if full == shown:
        return ""
    (rows, columns), (all_rows, all_columns) = shown, full
    return (
        f"Shown: the first {rows:,} of {all_rows:,} rows, the first {columns:,} of {all_columns:,} columns."
    )


def slice_heatmap(record: Slice) -> go.Figure:
    """The heatmap: rows and columns run as in the tensor, each axis in its own colour."""
    rows, columns = record.values.shape
    colours = {d.letter: AXES[d.letter].colour for d in (record.rows, record.columns)}
    text = {"size": 15}
    layout: dict[str, Any] = {
        "height": 92 + max(3, rows) * ROW,
        "margin": {"l": 60, "r": 70, "t": 42, "b": 40},
        "title": {"text": f"<b>{record.title}</b>", "font": text, "y": 1, "yanchor": "top", "pad": {"t": 4}},
        "coloraxis": theme.coloraxis(
            "signed",
            record.limit,
            showscale=True,
            colorbar={"thickness": 8, "tickvals": [-record.limit, 0, record.limit], "tickformat": ".3~g"},
        ),
        "xaxis": {
            "title": {
                "text": f"{record.columns.formula} = {record.columns.size}",
                "font": {"color": colours[record.columns.letter], "size": 13},
            },
            "range": [-0.5, columns - 0.5],
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {
            "range": [rows - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "tickmode": "array",
            "tickvals": list(range(0, rows, max(1, -(-rows // 12)))),
            "ticktext": record.row_names[:: max(1, -(-rows // 12))],
            "tickfont": {"color": colours[record.rows.letter]},
        },
        "uirevision": f"{record.title}{record.values.shape}",
        "meta": {"labels": {"y": list(record.row_names)}} if rows <= 12 else {},
    }
    if record.halves is not None:
        line = {"color": theme.TEXT, "width": 2}
        at = record.halves - 0.5
        layout["shapes"] = [{"type": "line", "x0": at, "x1": at, "y0": -0.5, "y1": rows - 0.5, "line": line}]
        layout["annotations"] = [
            {
                "text": word,
                "x": x,
                "xanchor": anchor,
                **{"y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False},
            }
            for word, x, anchor in (("← forward", at, "right"), ("backward →", at, "left"))
        ]
    heat = {
        "type": "heatmap",
        "name": record.title,
        "z": record.values,
        "coloraxis": "coloraxis",
        "hovertemplate": "%{z:.4f}<br>row %{y}, column %{x}<extra></extra>",
    }
    return figure([heat], layout)
