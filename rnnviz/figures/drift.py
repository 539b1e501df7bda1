"""h drifting over the padding of a batch, beside the packed run that stops at each sequence's own end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.traps import above
from rnnviz.gates import QUANTITIES
from rnnviz.traps import Drift, Lane

MAX_STEPS = 96


@dataclass(frozen=True, eq=False)
class DriftPanel:
    """h of one direction in one run as (units, steps), NaN where there is none.

    ``took``: the step h_n was taken from.
    """

    title: str
    values: NDArray[np.float32]
    took: int


@dataclass(frozen=True, eq=False)
class DriftMaps:
    """Padded and packed panels by direction, the steps that are drawn, and every sequence's drift."""

    panels: tuple[tuple[DriftPanel, DriftPanel], ...]
    steps: NDArray[np.int64]
    end: int
    limit: float
    drifts: tuple[float, ...]
    lengths: tuple[int, ...]
    sequence: int
    left_out: str | None


def drift_maps(drift: Drift) -> DriftMaps:
    """The record of a drift. Of long sequences some steps are drawn, of large states the first units."""
    end = drift.lengths[drift.sequence]
    steps = np.arange(drift.length)
    if drift.length > MAX_STEPS:
        spread = np.linspace(0, drift.length - 1, MAX_STEPS).astype(np.int64)
        steps = np.unique(np.concatenate([spread, [end - 1, min(end, drift.length - 1)]]))
    size = drift.lanes[0].padded.shape[1]
    units = min(size, 12 if len(drift.lanes) > 1 else 16)
    parts = [f"{len(steps)} of {drift.length} steps"] if len(steps) < drift.length else []
    parts += [f"the first {units} of {size} units"] if units < size else []
    limit = max(float(np.nanmax(np.abs(lane.padded))) for lane in drift.lanes)
    return DriftMaps(
        tuple(_drift_panels(drift, lane, steps, units) for lane in drift.lanes),
        steps,
        end,
        max(1.0, limit),
        tuple(map(float, drift.drifts)),
        drift.lengths,
        drift.sequence,
        f"Drawn: {' and '.join(parts)}. The numbers hold for all." if parts else None,
    )


def _drift_panels(
    drift: Drift, lane: Lane, steps: NDArray[np.int64], units: int
) -> tuple[DriftPanel, DriftPanel]:
    way = "←" if lane.name == "backward" else "→"  # two words more would not fit at 800 pixels
    suffix = (" top layer" if drift.layers > 1 else "") + (f" {way}" if len(drift.lanes) > 1 else "")
    made = [
        DriftPanel(f"{title}{suffix}", np.ascontiguousarray(values[steps, :units].T, np.float32), took)
        for title, values, took in zip(
            ("padded", "packed"), (lane.padded, lane.packed), lane.took, strict=True
        )
    ]
    return made[0], made[1]


def drift_summary(record: DriftMaps) -> str:
    """The text alternative, with the drift of up to twelve sequences."""
    numbers = ", ".join(
        f"n={n} (length {record.lengths[n]}): {d:.3g}" for n, d in enumerate(record.drifts[:12])
    )
    return (
        f"Sequence {record.sequence} ends after {record.end} of {record.steps[-1] + 1} steps. "
        "Without packing h goes on over the padding. "
        f"max |h_n padded − h_n packed| over all rows, by sequence: {numbers}."
    )


def drift_figure(record: DriftMaps) -> go.Figure:
    """Padded beside packed, direction by direction, and below them the drift of every sequence as bars."""
    rows = len(record.panels)
    units = len(record.panels[0][0].values)
    tall = max(64, min(150 if rows == 1 else 100, 12 * units))
    bars, title, gap = 84, 22, 40
    inside = rows * (title + tall) + gap + bars
    layout: dict[str, Any] = {
        "height": inside + 40,
        "margin": {"l": 30, "r": 56, "t": 0, "b": 40},
        "annotations": [],
        "shapes": [],
        "showlegend": False,
        "coloraxis": theme.coloraxis(
            "signed",
            record.limit,
            showscale=True,
            colorbar={
                "title": {"text": "h", "side": "top", "font": {"size": 12}},
                "tickfont": {"size": 11},
                "thickness": 8,
                "outlinewidth": 0,
                "x": 1.01,
                "y": 1,
                "yanchor": "top",
                "len": (inside - bars - gap) / inside,
                "tickvals": [-record.limit, 0, record.limit],
                "tickformat": ".2~g",
            },
        ),
        "uirevision": f"{len(record.steps)}.{units}.{rows}",
    }
    data: list[dict[str, Any]] = []
    for row, pair in enumerate(record.panels):
        high = 1 - (row * (title + tall) + title) / inside
        for column, panel in enumerate(pair):
            data.append(_drift_panel(record, layout, panel, (row, column, high, tall / inside)))
    data += _bars(record, layout, bars / inside, 2 * rows + 1)
    return figure(data, layout)


def _drift_panel(
    record: DriftMaps, layout: dict[str, Any], panel: DriftPanel, place: tuple[int, int, float, float]
) -> dict[str, Any]:
    row, column, high, tall = place
    i = 2 * row + column + 1
    x, y = (f"{letter}{i if i > 1 else ''}" for letter in "xy")
    left = 0.0 if column == 0 else 0.515
    last = int(record.steps[-1])
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    layout[f"xaxis{x[1:]}"] = axis | {
        "domain": [left, left + 0.485],
        "anchor": y,
        "range": [-0.5, last + 0.5],
        "showticklabels": row == len(record.panels) - 1,
        "nticks": 12,
        "tickformat": "d",
    }
    layout[f"yaxis{y[1:]}"] = axis | {
        "domain": [high - tall, high],
        "anchor": x,
        "range": [len(panel.values) - 0.5, -0.5],
        "dtick": max(1, -(-len(panel.values) // 4)),
        "tick0": 0,
        "showticklabels": column == 0,
    }
    layout["annotations"].append(
        above(
            f"<b>{panel.title}</b> h_n: t = {panel.took}",
            left,
            high,
            {"xref": "paper", "xanchor": "left", "yanchor": "bottom"},
        )
    )
    wrong = column == 0 and record.end <= last
    layout["shapes"].append(  # around the step that h_n was taken from
        {
            "type": "rect",
            "xref": x,
            "yref": f"{y} domain",
            "x0": panel.took - 0.5,
            "x1": panel.took + 0.5,
            "y0": 0,
            "y1": 1,
            "line": {"color": theme.MISMATCH if wrong else theme.TEXT, "width": 3},
        }
    )
    if record.end <= last:
        layout["shapes"].append(
            {
                "type": "line",
                "xref": x,
                "yref": f"{y} domain",
                "x0": record.end - 0.5,
                "x1": record.end - 0.5,
                "y0": -0.04,
                "y1": 1.04,
                "line": {"color": theme.TEXT, "width": 2, "dash": "dash"},
            }
        )
        layout["annotations"].append(
            above(
                "padding" if column == 0 else "not computed",
                (record.end + last) / 2,
                high - tall / 2,
                {
                    "xref": x,
                    "yanchor": "middle",
                    "bgcolor": theme.BACKGROUND,
                    "borderpad": 3,
                    "opacity": 0.85,
                },
            )
        )
    return {
        "type": "heatmap",
        "name": panel.title,
        "z": panel.values,
        "x": record.steps.tolist(),
        "xaxis": x,
        "yaxis": y,
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "hovertemplate": f"{QUANTITIES['h'].symbol} = %{{z:.4f}}<br>step %{{x}}, unit %{{y}}"
        f"<extra>{panel.title}</extra>",
    }


def _bars(record: DriftMaps, layout: dict[str, Any], high: float, number: int) -> list[dict[str, Any]]:
    count = len(record.drifts)
    few = count <= 16
    top = max(record.drifts) or 1.0
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    layout[f"xaxis{number}"] = axis | {
        "domain": [0, 1],
        "anchor": f"y{number}",
        "range": [-0.5, count - 0.5],
        "title": {
            "text": "max |h<sub>n</sub> padded − h<sub>n</sub> packed| of each sequence, over all rows",
            "font": {"size": 13},
        },
    }
    if few:
        texts = [
            f"n = {n}, length {length}" if count <= 6 else f"n = {n}"
            for n, length in enumerate(record.lengths)
        ]
        layout[f"xaxis{number}"] |= {"tickvals": list(range(count)), "ticktext": texts}
    layout[f"yaxis{number}"] = axis | {
        "domain": [0, high],
        "anchor": f"x{number}",
        "range": [0, top * (1.3 if few else 1.05)],
        "nticks": 3,
        "showticklabels": not few,
    }
    bar = {
        "type": "bar",
        "name": "drift",
        "x": list(range(count)),
        "y": list(record.drifts),
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "customdata": [[n] for n in range(count)],
        "width": 0.6,
        "marker": {"color": [theme.MISMATCH if n == record.sequence else theme.LINE for n in range(count)]},
        "hovertemplate": "sequence %{x}: %{y:.4g}<br>click to look at it<extra></extra>",
    }
    if few:
        bar |= {"text": [f"{d:.3g}" for d in record.drifts], "textposition": "outside", "cliponaxis": False}
    return [bar]
