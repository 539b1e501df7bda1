"""One step written out: each gate as a chain of columns, and one unit's sum as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, figure, plain, signed_limit
from rnnviz.gates import QUANTITIES

NUMBERS_UP_TO = 10  # units: above that, numbers in the cells cannot be read
COLUMNS = 2
TITLE, OPERATORS = 42, 15  # pixels above the cells: name and labels; on a line of their own, the operators


class Column(Protocol):
    """What a column of a chain must offer; `rnnviz.arithmetic.Column` does."""

    @property
    def label(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def values(self) -> NDArray[np.floating[Any]]: ...
    @property
    def scale(self) -> str: ...
    @property
    def limit(self) -> float | None: ...


class Chain(Protocol):
    """A chain of columns; `rnnviz.arithmetic.Chain` is one."""

    @property
    def letter(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> Sequence[Column]: ...


@dataclass(frozen=True, eq=False)
class Block:
    """Neighbouring columns of one chain that share a colour scale: z is (units, columns of the chain), NaN
    elsewhere.
    """

    scale: str
    limit: float
    z: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ChainMap:
    """One chain, ready to draw: its title, each column's label and the operator before it, its blocks."""

    letter: str
    title: str
    operators: tuple[str, ...]
    labels: tuple[str, ...]
    blocks: tuple[Block, ...]


def chain_maps(chains: Sequence[Chain]) -> tuple[ChainMap, ...]:
    """The records of a cell's chains. All sums share one symmetric range, so that their terms can be
    compared.
    """
    common = signed_limit(np.concatenate([c.values for chain in chains for c in chain.columns]))
    maps = []
    for chain in chains:
        units, width = len(chain.columns[0].values), len(chain.columns)
        scales: dict[tuple[str, float], NDArray[np.float32]] = {}
        for k, column in enumerate(chain.columns):
            limit = 1.0 if column.scale == "unit" else column.limit or common
            z = scales.setdefault((column.scale, limit), np.full((units, width), np.nan, np.float32))
            z[:, k] = column.values
        operators = tuple(c.operator for c in chain.columns)
        labels = tuple(c.label for c in chain.columns)
        blocks = tuple(Block(scale, limit, z) for (scale, limit), z in scales.items())
        maps.append(ChainMap(chain.letter, chain.name, operators, labels, blocks))
    return tuple(maps)


def chain_figure(maps: Sequence[ChainMap], unit: int) -> go.Figure:
    """Chains, two side by side, the selected unit framed. The trace's ``name`` is the chain's letter, y the
    unit.
    """
    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    units = max(len(m.blocks[0].z) for m in maps)
    each = max(70, min(190, 15 * units))
    top, gap, bottom = TITLE + OPERATORS + 2, TITLE + OPERATORS + 14, 8
    total = top + rows * each + (rows - 1) * gap + bottom
    inside = total - top - bottom
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "height": total,
        "margin": {"l": 26, "r": 6, "t": top, "b": bottom},
        "annotations": [],
        "shapes": [],
        "uirevision": f"{[m.letter for m in maps]}:{units}",
        "coloraxis": theme.coloraxis("unit", 1.0),
    }
    limits: dict[float, str] = {}
    between = 0.035
    width = (1 - between * (columns - 1)) / columns
    for k, chain in enumerate(maps):
        row, column = divmod(k, columns)
        x, y = axis_id("x", k), axis_id("y", k)
        left, above = column * (width + between), 1 - row * (each + gap) / inside
        low = max(0.0, above - each / inside)
        layout[axis_key(x)] = {
            "domain": [left, left + width],
            "anchor": y,
            "side": "top",
            "tickmode": "array",
            "tickvals": list(range(len(chain.labels))),
            "ticktext": list(chain.labels),
            "tickfont": {"size": 11},
            "tickangle": 0,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "range": [-0.5, len(chain.labels) - 0.5],
        }
        layout[axis_key(y)] = {
            "domain": [low, above],
            "anchor": x,
            "range": [len(chain.blocks[0].z) - 0.5, -0.5],
            "dtick": max(1, units // 8),
            "tickfont": {"size": 10},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        }
        layout["annotations"].append(
            {
                "text": f"<b>{plain(chain.title)}</b>",
                "font": {"color": QUANTITIES[chain.letter].colour, "size": 12},
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "x": left,
                "y": above,
                "yshift": 20 + OPERATORS,
            }
        )
        # Beside its label an operator would run into the next column's on a narrow page.
        layout["annotations"] += [
            {
                "text": operator,
                "font": {"size": 11},
                **{"xref": x, "x": k, "xanchor": "center", "showarrow": False, "borderpad": 0},
                **{"yref": "paper", "y": above, "yanchor": "bottom", "yshift": 17},
            }
            for k, operator in enumerate(chain.operators)
            if operator
        ]
        layout["shapes"].append(
            {
                "type": "rect",
                "xref": x,
                "yref": y,
                "x0": -0.5,
                "x1": len(chain.labels) - 0.5,
                "y0": unit - 0.5,
                "y1": unit + 0.5,
                "line": {"color": theme.ACCENT, "width": 2},
            }
        )
        for block in chain.blocks:
            axis = "coloraxis"
            if block.scale == "signed":
                axis = limits.setdefault(block.limit, f"coloraxis{len(limits) + 2}")
                layout[axis] = theme.coloraxis("signed", block.limit)
            data.append(_block(chain, block, (x, y, axis)))
    return figure(data, layout)


def _block(chain: ChainMap, block: Block, axes: tuple[str, str, str]) -> dict[str, Any]:
    trace = {
        "type": "heatmap",
        "name": chain.letter,
        "z": block.z,
        "xaxis": axes[0],
        "yaxis": axes[1],
        "coloraxis": axes[2],
        "xgap": 3,
        "ygap": 1 if len(block.z) <= 24 else 0,
        "hoverongaps": False,
        "hovertemplate": "%{x}, unit %{y}: %{z:.4f}<extra></extra>",
    }
    if len(block.z) <= NUMBERS_UP_TO:
        trace |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 10}}
    return trace


@dataclass(frozen=True)
class Bars:
    """One unit's sum: a label, a source and a signed height for each term, then the total."""

    title: str
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    heights: tuple[float, ...]
    total: float


def bars_figure(bars: Bars) -> go.Figure:
    """The terms as bars in the formula's order, blue below 0 and orange above, the sum as the last one."""
    heights = np.array([*bars.heights, bars.total], np.float32)
    colours = [theme.SIGNED[-1] if h >= 0 else theme.SIGNED[0] for h in heights[:-1]]
    total = QUANTITIES["h"].colour
    marks = [i for i, s in enumerate(bars.sources) if i == 0 or s != bars.sources[i - 1]]
    data = [
        {
            "type": "bar",
            "x": np.arange(len(heights), dtype=np.float32),
            "y": heights,
            "marker": {"color": [*colours, total]},
            "customdata": [*map(plain, bars.labels), "sum"],
            "hovertemplate": "%{customdata}: %{y:.4f}<extra></extra>",
        }
    ]
    layout = {
        "height": 250,
        "title": {"text": bars.title},
        "margin": {"l": 48, "r": 6, "t": 34, "b": 30},
        "bargap": 0.25,
        "showlegend": False,
        "uirevision": f"{len(heights)}",
        "xaxis": {
            "tickmode": "array",
            "tickvals": [*marks, len(heights) - 1],
            "ticktext": [*(plain(bars.sources[i]) for i in marks), "<b>sum</b>"],
            "tickangle": 0,
            "showgrid": False,
        },
        "yaxis": {"zeroline": True},
    }
    return figure(data, layout)
