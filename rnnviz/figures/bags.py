"""Bags over a flat list of indices: the list, the rows it looks up, and what each bag becomes, done twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import axis_id, axis_key, empty, figure, signed_limit
from rnnviz.figures.pens import Path, Targets, Texts, tint
from rnnviz.figures.steps import LEAST_DIFFERENCE

Matrix = NDArray[np.float32]

TOP, STRIP, ABOVE, BETWEEN, BOTTOM = 24, 46, 42, 56, 26  # pixels
CELL, HIGHEST = 22, 112
COLOURS: tuple[str, ...] = tuple(theme.template()["layout"]["colorway"])


@dataclass(frozen=True, eq=False)
class BagMaps:
    """What is drawn of a call of nn.EmbeddingBag: n indices, B bags, D numbers a row.

    ``owner`` (n) is each index's bag, -1 for none. ``spans`` are the bags' starts and ends, ``left_out`` the
    positions of padding. The matrices are (n, D), (B, D), (B, D), None where the call was refused.
    """

    items: tuple[int, ...]
    owner: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    left_out: tuple[int, ...]
    weights: tuple[float, ...] | None
    vectors: Matrix | None
    output: Matrix | None
    two_step: Matrix | None

    @property
    def empties(self) -> tuple[tuple[int, str], ...]:
        """Where empty bags stand in the list, and how they are called: bags at one place share a name."""
        found = [(start, k) for k, (start, end) in enumerate(self.spans) if start == end]
        named = []
        for start, group in groupby(found, key=lambda pair: pair[0]):
            bags = [k for _, k in group]
            named.append((start, f"bag {bags[0]}" if len(bags) == 1 else f"bags {bags[0]}–{bags[-1]}"))
        return tuple(named)


def colour_of(bag: int) -> str:
    return COLOURS[bag % len(COLOURS)] if bag >= 0 else theme.MUTED


def bags_figure(maps: BagMaps) -> go.Figure:
    """The list with its bags, the looked-up rows as columns below it, then the bags by PyTorch, in two steps,
    and the difference. The trace "bags" answers to clicks, with a position as its custom number.

    Trace 0 to 3 are those four matrices, where the call was answered.
    """
    if not maps.items:
        return empty("The list of indices is empty.")
    dim = 0 if maps.vectors is None else maps.vectors.shape[1]
    block = min(CELL, HIGHEST / dim) * dim if dim else 0.0
    above = ABOVE if maps.empties else ABOVE // 2
    inside = above + STRIP + (30 + 2 * block + BETWEEN if dim else 0)
    layout: dict[str, Any] = {
        "height": round(TOP + inside + BOTTOM),
        "margin": {"l": 30, "r": 8, "t": TOP, "b": BOTTOM},
        "annotations": [],
        "shapes": [],
        "uirevision": f"{len(maps.items)}:{len(maps.spans)}:{dim}",
    }
    strip_low = 1 - (above + STRIP) / inside
    hidden = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    layout["xaxis"] = hidden | {
        "domain": [0, 1],
        "range": [-0.5, max(len(maps.items), 4) - 0.5],
        "anchor": "y",
        "showticklabels": False,
    }
    # The strip's own units: its boxes from 0 to 1, the names of the bags above.
    layout["yaxis"] = hidden | {
        "domain": [max(0.0, strip_low), 1],
        "range": [0, 1 + above / STRIP],
        "visible": False,
    }
    data: list[dict[str, Any]] = []
    if maps.vectors is not None and maps.output is not None and maps.two_step is not None:
        vectors_low = strip_low - (30 + block) / inside
        data.append(_vectors(maps, layout, (vectors_low, vectors_low + block / inside)))
        data += _results(maps, layout, (0.0, block / inside), 3 / inside)
    data += _strip(maps)
    layout["annotations"].append(_title("input", 0.0, 1.0) | {"yshift": 4})
    return figure(data, layout)


def _strip(maps: BagMaps) -> list[dict[str, Any]]:
    fills: dict[str, Path] = {}
    plain, faded = Texts(), Texts()
    names: dict[str, Texts] = {}
    ends, targets = Path(), Targets("bags", "position %{customdata[0]}: row %{customdata[1]}")
    for k, (item, bag) in enumerate(zip(maps.items, maps.owner, strict=True)):
        fills.setdefault(colour_of(bag), Path()).box(k, 0.5, 0.46, 0.46)
        out = k in maps.left_out
        weight = "" if maps.weights is None else f"<br>× {maps.weights[k]:g}"
        (faded if out else plain).add(k, 0.5, f"<s>{item}</s>" if out else f"<b>{item}</b>{weight}")
        targets.add(k, 0.5, k, item)
    for bag, (start, end) in enumerate(maps.spans):
        if end > start:
            name = f"bag {bag}" if end - start > 1 or len(maps.items) < 16 else str(bag)
            names.setdefault(colour_of(bag), Texts()).add((start + end - 1) / 2, 1.22, f"<b>{name}</b>")
            ends.line((start - 0.46, 1.04), (end - 0.54, 1.04))
    gone = Texts()
    for start, name in maps.empties:
        room = 0.065 * len(maps.items)  # half a label
        at = min(max(start - 0.5, room - 0.5), len(maps.items) - 0.5 - room)
        gone.add(at, 1.6, f"{name}: empty")
        ends.line((start - 0.5, 1.0), (start - 0.5, 1.45))
    drawn = [path.drawn(colour, width=1.5, fill=tint(colour, 0.18)) for colour, path in fills.items()]
    drawn.append(ends.drawn(theme.TEXT, width=2))
    drawn += [plain.drawn(theme.TEXT, 13), faded.drawn(theme.MUTED, 13)]
    drawn += [text.drawn(colour, 12) for colour, text in names.items()]
    drawn += [gone.drawn(theme.MUTED, 12), targets.drawn(theme.TEXT)]
    return drawn


def _vectors(maps: BagMaps, layout: dict[str, Any], domain: tuple[float, float]) -> dict[str, Any]:
    assert maps.vectors is not None
    layout["yaxis2"] = _components(maps.vectors.shape[1], domain, "x")
    layout["coloraxis"] = theme.coloraxis("signed", signed_limit(maps.vectors))
    layout["annotations"].append(_title("weight[input], a column for each index", 0.0, domain[1]))
    for k in maps.left_out:  # looked up, and then left out
        layout["shapes"].append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y2",
                **{"x0": k - 0.5, "x1": k + 0.5, "y0": -0.5, "y1": maps.vectors.shape[1] - 0.5},
                "fillcolor": theme.BACKGROUND,
                "opacity": 0.82,
                "line": {"width": 0},
            }
        )
    return _heat(
        "weight[input]", maps.vectors, "x", "y2", "coloraxis", "position %{x}, number %{y}: %{z:.4f}"
    )


def _results(
    maps: BagMaps, layout: dict[str, Any], domain: tuple[float, float], lift: float
) -> list[dict[str, Any]]:
    assert maps.output is not None and maps.two_step is not None
    gap = maps.output - maps.two_step
    limit = signed_limit(np.concatenate([maps.output, maps.two_step]))
    layout["coloraxis2"] = theme.coloraxis("signed", limit)
    layout["coloraxis3"] = theme.coloraxis("difference", max(signed_limit(gap), LEAST_DIFFERENCE))
    titles = ("EmbeddingBag", "in two steps", "difference")
    drawn = []
    for i, (title, values) in enumerate(zip(titles, (maps.output, maps.two_step, gap), strict=True)):
        left, right = i * 0.345, i * 0.345 + 0.31
        x, y = axis_id("x", i + 2), axis_id("y", i + 2)
        bags = len(values)
        layout[axis_key(x)] = {
            "domain": [left, right],
            "anchor": y,
            "range": [-0.5, max(bags, 1) - 0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "ticks": "",
            "tickmode": "array",
            "tickvals": list(range(bags)),
            "ticktext": [f"bag {k}" if bags < 6 else str(k) for k in range(bags)],
            "tickfont": {"size": 11},
        }
        layout[axis_key(y)] = _components(values.shape[1], domain, x)
        layout["annotations"].append(_title(title, left, domain[1] + lift))
        layout["shapes"] += [
            {
                "type": "line",
                "xref": x,
                "yref": "paper",
                **{"x0": k - 0.46, "x1": k + 0.46, "y0": domain[1] + lift, "y1": domain[1] + lift},
                "line": {"color": colour_of(k), "width": 4},
            }
            for k in range(bags)
        ]
        scale = "coloraxis3" if i == 2 else "coloraxis2"
        hover = "bag %{x}, number %{y}: " + ("%{z:.2e}" if i == 2 else "%{z:.4f}")
        drawn.append(_heat(title, values, x, y, scale, hover))
    return drawn


def _heat(title: str, values: Matrix, x: str, y: str, coloraxis: str, hover: str) -> dict[str, Any]:
    columns, rows = values.shape
    limit = 8 if coloraxis != "coloraxis" else 16
    numbers = columns <= limit and rows <= 6
    form = "%{z:.1~g}" if coloraxis == "coloraxis3" else "%{z:.2f}"
    return {
        "type": "heatmap",
        "name": title,
        "z": np.ascontiguousarray(values.T),
        "xaxis": x,
        "yaxis": y,
        "coloraxis": coloraxis,
        "xgap": 2,
        "ygap": 1 if rows <= 12 else 0,
        "hovertemplate": f"{hover}<extra></extra>",
        **({"texttemplate": form, "textfont": {"size": 11}, "meta": {"numbers": 29}} if numbers else {}),
    }


def _components(dim: int, domain: Sequence[float], anchor: str) -> dict[str, Any]:
    return {
        "domain": [max(0.0, domain[0]), min(1.0, domain[1])],
        "anchor": anchor,
        "range": [dim - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
        "tick0": 0,
        "dtick": max(1, -(-dim // 6)),
        "tickfont": {"size": 10, "color": theme.MUTED},
    }


def _title(text: str, x: float, y: float) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>",
        **{"x": x, "y": min(1.0, y), "xref": "paper", "yref": "paper"},
        **{"xanchor": "left", "yanchor": "bottom", "yshift": 4, "showarrow": False},
        "font": {"size": 12},
        "borderpad": 0,
    }
