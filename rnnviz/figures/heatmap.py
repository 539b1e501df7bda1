"""Quantities over steps x units as heatmaps that share the step axis, with the tokens along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, empty, figure, labels, plain, signed_limit, tokens_axis
from rnnviz.gates import QUANTITIES

TITLE, GAP, TOP, BOTTOM, ORDER = 18, 8, 6, 46, 16  # pixels
LETTERS, NUMBER = 22, 9  # pixels above a colour bar, its letters and half a number; below, half a number
SHORTEST = 28  # pixels: a shorter bar has no room for its three numbers, and is left out
CELL, LOWEST, HIGHEST = 12, 56, 170  # pixels: of a row of cells, of a panel
BETWEEN = 0.045  # of the plotting width, between two columns
NO_BOX = "<extra></extra>"  # plotly's word for: no second box with the trace's name
NO_STEP = "no step here"
_RIGHT_TO_LEFT = {
    "title": {"text": "⟵ computed from the last step to the first", "font": {"size": 12}, "standoff": 2}
}
MOST_CELLS = 9000  # 48 kB on the way to the browser; a panel is too low for more rows anyway


@dataclass(frozen=True, eq=False)
class Panel:
    """One quantity: ``values`` is (rows, L) float32, NaN where a sequence has no such step.

    Row i is unit i * ``stride``: of a stack too large to send every stride-th unit is shown, and it says so.
    """

    letter: str
    name: str
    symbol: str
    colour: str
    scale: str
    limit: float
    values: NDArray[np.float32]
    stride: int = 1


@dataclass(frozen=True, eq=False)
class StepMaps:
    """What the heatmaps show: one panel a quantity, in the order given, and the L tokens of the step axis."""

    panels: tuple[Panel, ...]
    tokens: tuple[str, ...]


def step_maps(
    values: Mapping[str, ArrayLike], tokens: Sequence[object], *, scale: str | None = None
) -> StepMaps:
    """The record of quantities {letter: (L, units)}, drawn with the scale and range of `rnnviz.gates`.

    All pre-activations share one range, so that they can be compared. `scale` replaces every scale
    ("difference" for one run minus another); its range is then common to all panels.

    Raises `ValueError` for an unknown letter or a shape other than (L, units) with L = len(tokens).
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    for letter, given in values.items():
        if letter not in QUANTITIES:
            raise ValueError(f"quantity {letter!r}: expected one of {sorted(QUANTITIES)}")
        array = np.asarray(given, dtype=np.float32)  # (L, units)
        if array.ndim != 2 or array.shape[0] != len(tokens):
            raise ValueError(f"{letter} has shape {array.shape}: expected ({len(tokens)}, units)")
        arrays[letter] = np.ascontiguousarray(array.T)
    stride = -(-sum(array.size for array in arrays.values()) // MOST_CELLS) or 1
    common = _joint_limit(arrays.values())
    before = _joint_limit(array for letter, array in arrays.items() if letter.endswith("_pre"))
    panels = []
    for letter, array in arrays.items():
        quantity = QUANTITIES[letter]
        limit = quantity.limit or (before if letter.endswith("_pre") else signed_limit(array))
        if quantity.scale == "unit":
            limit = 1.0
        panels.append(
            Panel(
                letter,
                quantity.name,
                quantity.symbol,
                quantity.colour,
                scale or quantity.scale,
                common if scale else limit,
                np.ascontiguousarray(array[:: _own(stride, len(array))]),
                _own(stride, len(array)),
            )
        )
    return StepMaps(tuple(panels), tuple(map(str, tokens)))


def step_heatmaps(
    maps: StepMaps, *, columns: int = 1, height: int | None = None, backward: bool = False
) -> go.Figure:
    """The panels in `columns` columns; trace i is panel i, x the step and y the unit.

    The figure carries the cursor group "step" for `rnnviz.ui.chart.cursor`. Without `height` (pixels) each
    panel is as high as its units need, within limits. ``backward`` says under the steps that they are
    computed from right to left.
    """
    panels, bottom = maps.panels, BOTTOM + (ORDER if backward else 0)
    if not panels or not maps.tokens:
        return empty("Nothing to show: there is no step yet.")
    columns = max(1, min(columns, len(panels)))
    rows = -(-len(panels) // columns)
    columns = -(-len(panels) // rows)
    units = max(panel.values.shape[0] * panel.stride for panel in panels)
    each = max(LOWEST, min(HIGHEST, CELL * units))
    total = height or TOP + bottom + rows * (TITLE + each) + (rows - 1) * GAP
    inside = max(1, total - TOP - bottom)
    pitch, title = (inside + GAP) / rows / inside, TITLE / inside  # fractions of the plotting area

    axes, scales, letters = _colour_axes(panels, inside)
    layout: dict[str, Any] = {
        "height": total,
        "margin": {"l": 34, "r": 64, "t": TOP, "b": bottom},
        "annotations": [],
        "uirevision": f"{len(maps.tokens)}:{','.join(f'{p.letter}{p.values.shape[0]}' for p in panels)}",
        "meta": {"labels": {}, "cursor": {"group": "step", "axes": []}},
        **axes,
    }
    data: list[dict[str, Any]] = []
    for i, panel in enumerate(panels):
        column, row = divmod(i, rows)
        x, y = axis_id("x", column), axis_id("y", i)
        above = 1 - row * pitch
        low = max(0.0, above - pitch + GAP / inside)
        width = (1 - BETWEEN * (columns - 1)) / columns
        left = column * (width + BETWEEN)
        place = {"domain": [low, above - title], "anchor": x}
        layout[axis_key(y)] = _unit_axis(panel, each) | place
        layout["annotations"].append(
            {
                "text": f"<b>{panel.symbol}</b>  {plain(panel.name)}{_thinned(panel)}",
                "font": {"color": panel.colour},
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "x": left,
                "y": above - title,
                "borderpad": 0,
            }
        )
        layout["meta"]["cursor"]["axes"].append([x, y] if panel.letter != "x" else [x, y, False])
        if row == 0:
            last = min((column + 1) * rows, len(panels)) - 1
            axis = tokens_axis(maps.tokens) | {"domain": [left, left + width], "anchor": axis_id("y", last)}
            layout[axis_key(x)] = (
                axis | ({"matches": "x"} if column else {}) | (_RIGHT_TO_LEFT if backward else {})
            )
            layout["meta"]["labels"][x] = labels(maps.tokens)
        data.append(_trace(panel, x, y, scales[i]))
    layout["annotations"] += letters
    # After the panels, so that the index of a clicked trace stays the panel's.
    data += [
        _gaps(panel, trace) for panel, trace in zip(panels, data, strict=True) if np.isnan(panel.values).any()
    ]
    return figure(data, layout)


def _trace(panel: Panel, x: str, y: str, coloraxis: str) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": panel.letter,
        "z": panel.values,
        "dy": panel.stride,
        "xaxis": x,
        "yaxis": y,
        "coloraxis": coloraxis,
        "hoverongaps": False,
        "hovertemplate": f"{panel.symbol} = %{{z:.4f}}<br>step %{{x:d}}: %{{x}}<br>unit %{{y}}{NO_BOX}",
    }


def _gaps(panel: Panel, trace: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": NO_STEP,
        "z": np.where(np.isnan(panel.values), np.float32(0), np.float32(np.nan)),
        "dy": panel.stride,
        "xaxis": trace["xaxis"],
        "yaxis": trace["yaxis"],
        "colorscale": [[0, theme.PANEL], [1, theme.PANEL]],
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": f"{NO_STEP}{NO_BOX}",
        "meta": {"decoration": True},
    }


def _colour_axes(
    panels: Sequence[Panel], inside: int
) -> tuple[dict[str, Any], list[str], list[dict[str, Any]]]:
    """The colour axes, one for each scale and range, the name of each panel's, and the letters over the bars.

    The letters are no title of the bar: plotly puts that so near that it meets the topmost number.
    """
    groups: dict[tuple[str, float], list[str]] = {}
    for panel in panels:
        groups.setdefault((panel.scale, panel.limit), []).append(panel.letter)
    names = {group: f"coloraxis{i + 1 if i else ''}" for i, group in enumerate(groups)}
    share = 1 / len(groups)
    axes, above = {}, []
    for i, ((scale, limit), letters) in enumerate(groups.items()):
        low, top = 0.0 if scale == "unit" else -limit, 1 - i * share
        bar = {
            "tickfont": {"size": 11},
            "thickness": 8,
            "outlinewidth": 0,
            "tickvals": [low, (low + limit) / 2, limit],
            "tickformat": ".3~g",
            "len": max(0.0, share - (LETTERS + NUMBER) / inside),
            "y": top - LETTERS / inside,
            "yanchor": "top",
            **{"x": 1.01, "ypad": 0},
        }
        shown = share * inside - LETTERS - NUMBER > SHORTEST
        axes[names[scale, limit]] = theme.coloraxis(scale, limit, showscale=shown, colorbar=bar)
        if shown:
            above.append(
                {
                    "text": _letters(letters),
                    "font": {"size": 11},
                    **{"x": 1.01, "xref": "paper", "xanchor": "left", "xshift": 9},
                    **{"y": top, "yref": "paper", "yanchor": "top", "showarrow": False, "borderpad": 0},
                }
            )
    return axes, [names[panel.scale, panel.limit] for panel in panels], above


def _letters(letters: Sequence[str]) -> str:
    letters = list(dict.fromkeys(letters))
    return ", ".join(letters) if len(letters) < 4 else f"{letters[0]} … {letters[-1]}"


def _own(stride: int, units: int) -> int:
    # A quantity with few units, such as the input, is thinned less than the others: 8 rows at least.
    return max(1, min(stride, units // 8))


def _thinned(panel: Panel) -> str:
    return (
        f", every {panel.stride}{ {2: 'nd', 3: 'rd'}.get(panel.stride, 'th') } unit"
        if panel.stride > 1
        else ""
    )


def _unit_axis(panel: Panel, pixels: int) -> dict[str, Any]:
    half, units = panel.stride / 2, panel.values.shape[0] * panel.stride
    wanted = units * 14 / pixels
    step = next((n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if n >= wanted), 1024)
    ticks = {"tick0": 0, "dtick": step, "tickfont": {"size": 11}}
    return ticks | {"range": [units - half, -half], "showgrid": False, "zeroline": False}


def _joint_limit(arrays: Any) -> float:
    return max((signed_limit(array) for array in arrays), default=1.0)
