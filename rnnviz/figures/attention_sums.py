"""The records of `rnnviz.figures.attention_step` as figures; a click gives the source position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.attention_step import Looked, Products, Weighted
from rnnviz.figures.base import (
    axis_key,
    empty,
    figure,
    labels,
    plain,
    signed_limit,
    tokens_axis,
)

LEFT, RIGHT, TOP, BOTTOM = 44, 10, 26, 40  # pixels
ROW, STRIP = 26, 16  # pixels: a source position, the row of v
LOWEST, HIGHEST = 110, 420  # pixels: a heatmap
SMALL = {"size": 11}
ONE_ROW = {"factors": "factor", "context": "context"}


def looked_figure(record: Looked, *, height: int = 280) -> go.Figure:
    """Energies above, weights below, a bar for each source position; traces "energies" and "weights", x the
    position. A position that the softmax leaves out has a hatched energy.
    """
    count = len(record.source)
    if not count:
        return empty("There is no source to look at.", height=height)
    places = np.arange(count, dtype=np.uint16)
    finite = np.isfinite(record.energies)
    out = [bool(word) for word in record.outside]
    energies = np.where(finite, record.energies, np.nan).astype(np.float32)
    why = [f"<br>left out by the softmax: {plain(word)}" if word else "" for word in record.outside]
    custom = [[token, note] for token, note in zip(labels(record.source), why, strict=True)]
    common: dict[str, Any] = {"type": "bar", "x": places, "customdata": custom}
    signs = [theme.SIGNED[-1] if e >= 0 else theme.SIGNED[0] for e in np.nan_to_num(energies)]
    data = [
        common
        | {
            **{"name": "energies", "y": energies, "yaxis": "y"},
            "marker": {
                "color": signs,
                "pattern": {"shape": ["/" if o else "" for o in out], "fgcolor": theme.MUTED, "size": 5},
            },
            "hovertemplate": "“%{customdata[0]}” (position %{x:d})<br>energy %{y:.4f}%{customdata[1]}"
            "<extra></extra>",
        },
        common
        | {
            **{"name": "weights", "y": record.weights, "yaxis": "y2"},
            "marker": {"color": theme.UNIT[6]},
            "hovertemplate": "“%{customdata[0]}” (position %{x:d})<br>weight %{y:.4f}%{customdata[1]}"
            "<extra></extra>",
        },
    ]
    if count <= 16:
        data[1] |= {
            "text": [f"{w:.2f}" if w >= 0.005 else "" for w in record.weights.tolist()],
            **{"textposition": "outside", "textfont": SMALL, "cliponaxis": False},
        }
    limit = signed_limit(energies)
    low = min(0.0, float(np.nanmin(energies))) if finite.any() else 0.0
    high = max(0.0, float(np.nanmax(energies))) if finite.any() else limit
    pad = 0.08 * (high - low or 1.0)
    layout = {
        "height": height,
        "margin": {"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "bargap": 0.3,
        **{"hovermode": "x", "hoverdistance": -1},  # a weight of almost nothing has no bar to point at
        "uirevision": f"{count}",
        "meta": {"labels": {"x": labels(record.source)}},
        "xaxis": tokens_axis(record.source) | {"anchor": "y2", "ticks": ""},
        "yaxis": {
            "domain": [0.56, 1],
            "range": [low - pad, high + pad],
            "zeroline": True,
            "nticks": 5,
            "tickfont": SMALL,
        },
        "yaxis2": {"domain": [0, 0.38], "range": [0, 1.15], "tickvals": [0, 0.5, 1], "tickfont": SMALL},
        "annotations": [
            _title("<b>energies</b>  before the softmax", 0, 1),
            _title(f"<b>weights</b>  after the softmax, sum {record.weights.sum():.3g}", 0, 0.4),
        ],
        "shapes": _columns(record.place, count),
    }
    return figure(data, layout)


def _columns(place: int | None, count: int) -> list[dict[str, Any]]:
    if place is None or not 0 <= place < count:
        return []
    line = {"color": theme.ACCENT, "width": 1.5}
    band = {"type": "rect", "xref": "x", "yref": "paper", "x0": place - 0.5, "x1": place + 0.5, "line": line}
    return [band | {"y0": 0, "y1": 1}]


def products_figure(record: Products, *, height: int | None = None) -> go.Figure:
    """Source × unit: the values (trace "values"), their products with the factors ("products"), whose row
    sums are the energies ("energies", bars). The factors stand in a row above ("factors"). y is the position.
    """
    count, units = len(record.source), len(record.units)
    if not count or not units:
        return empty("There is no source to look at.")
    total = height or TOP + BOTTOM + STRIP + max(LOWEST, min(HIGHEST, ROW * count))
    strip = (STRIP + 6) / (total - TOP - BOTTOM)
    rows, spans = [0.0, 1 - strip], [[0.0, 0.38], [0.44, 0.82], [0.85, 1.0]]
    bent = record.names[0].startswith("tanh")
    reach = 1.0 if bent else signed_limit(record.values)
    limit, factors = signed_limit(record.products), signed_limit(record.factors)
    layout = _frame(record.source, record.place, total, f"{count}.{units}")
    layout["meta"]["labels"] |= {axis: list(map(str, record.units)) for axis in ("x", "x2")}
    layout |= _pair(spans[0], rows, ("x", "y"), record)
    layout |= _pair(spans[1], rows, ("x2", "y2"), record)
    layout["yaxis2"]["showticklabels"] = False
    layout |= {
        "xaxis3": {"domain": spans[2], "anchor": "y3", "zeroline": True, "nticks": 3, "tickfont": SMALL},
        "yaxis3": _hidden() | {"domain": rows, "anchor": "x3", "range": [count - 0.5, -0.5]},
        "yaxis4": _hidden() | {"domain": [1 - strip * 0.75, 1], "anchor": "x2", "range": [-0.5, 0.5]},
        "coloraxis": theme.coloraxis("signed", reach),
        "coloraxis2": theme.coloraxis("signed", limit),
        "coloraxis3": theme.coloraxis("signed", factors),
    }
    values, by = map(plain, record.names)
    layout["annotations"] += [
        _title(f"<b>{values}</b>  within ±{reach:.2g}", 0, 1 - strip),
        _title(f"<b>× {by}</b>  within ±{limit:.2g}", spans[1][0], 1),
        _title("<b>= energy</b>", spans[2][0], 1 - strip),
        _side(by, spans[1][0], 1 - strip * 0.375),
    ]
    data = [
        _heat("values", record.values, ("x", "y", "coloraxis")),
        _heat("products", record.products, ("x2", "y2", "coloraxis2")),
        _heat("factors", record.factors[None], ("x2", "y4", "coloraxis3")),
        _energies(record),
    ]
    return figure(data, layout)


def _energies(record: Products) -> dict[str, Any]:
    energies = record.energies
    places = np.arange(len(energies), dtype=np.uint16)
    rest = record.rest if record.rest is not None else np.zeros_like(energies)
    note = ""
    if record.rest is not None:
        note = "<br>of which %{customdata[1]:.4f} from the units that are not shown"
    return {
        **{"type": "bar", "orientation": "h", "name": "energies", "x": energies, "y": places},
        **{"xaxis": "x3", "yaxis": "y3"},
        "marker": {"color": [theme.SIGNED[-1] if e >= 0 else theme.SIGNED[0] for e in energies.tolist()]},
        "customdata": [[token, float(r)] for token, r in zip(labels(record.source), rest, strict=True)],
        "hovertemplate": f"“%{{customdata[0]}}” (position %{{y:d}})<br>energy %{{x:.4f}}{note}"
        "<extra></extra>",
    }


def weighted_figure(record: Weighted, *, height: int | None = None) -> go.Figure:
    """Source × unit: each weight ("weights") times the encoder's state ("states") is a row of "products",
    and the sum of the rows is the context ("context"). y is the source position.
    """
    count, units = len(record.source), len(record.units)
    if not count or not units:
        return empty("There is no source to look at.")
    total = height or TOP + BOTTOM + STRIP + 18 + max(LOWEST, min(HIGHEST, ROW * count))
    strip = (STRIP + 30) / (total - TOP - BOTTOM)
    rows = [strip, 1.0]
    spans = (
        [[0.0, 0.05], [0.09, 0.52], [0.57, 1.0]] if record.states is not None else [[0, 0.05], [], [0.1, 1]]
    )
    limit = signed_limit(record.context)
    layout = _frame(record.source, record.place, total, f"{count}.{units}")
    layout["meta"]["labels"] |= {axis: list(map(str, record.units)) for axis in ("x2", "x3")}
    layout["meta"]["labels"]["y3"] = labels(record.source)
    layout |= _pair(spans[0], rows, ("x", "y"), record, one=True)
    layout["xaxis"]["showticklabels"] = False
    for span, x, y in zip(spans[1:], ("x2", "x3"), ("y2", "y3"), strict=True):
        if span:
            layout |= _pair(span, rows, (x, y), record)
            layout[axis_key(y)]["showticklabels"] = False
    layout["xaxis3"]["anchor"] = "y4"
    layout["yaxis4"] = _hidden() | {"domain": [0, strip - 28 / (total - TOP - BOTTOM)], "anchor": "x3"}
    layout["yaxis4"]["range"] = [-0.5, 0.5]
    layout["coloraxis"] = theme.coloraxis("unit")
    layout["coloraxis3"] = theme.coloraxis("signed", limit)
    layout["annotations"] += [
        _title("<b>weight</b>", 0, 1),
        _title(f"<b>{'= ' * bool(spans[1])}weight × h</b>  within ±{limit:.2g}", spans[2][0], 1),
        _side("context: the sum of the rows", spans[2][0], strip / 2 - 14 / (total - TOP - BOTTOM)),
    ]
    column = _heat("weights", record.weights[:, None], ("x", "y", "coloraxis"))
    column["hovertemplate"] = "“%{y}” (position %{y:d}): weight %{z:.4f}<extra></extra>"
    if count <= 24:
        column |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 10}, "meta": {"numbers": 26}}
    sums = _heat("context", record.context[None], ("x3", "y4", "coloraxis3"))
    data = [column, _heat("products", record.products, ("x3", "y3", "coloraxis3")), sums]
    if record.states is not None:
        layout["coloraxis2"] = theme.coloraxis("signed", max(1.0, signed_limit(record.states)))
        layout["annotations"].append(_title("<b>× encoder state h</b>", spans[1][0], 1))
        data.insert(1, _heat("states", record.states, ("x2", "y2", "coloraxis2")))
    return figure(data, layout)


# ---- parts


def _frame(source: Sequence[str], place: int | None, height: int, revision: str) -> dict[str, Any]:
    framed = place is not None and 0 <= place < len(source)
    names = ("y", "y2", "y3")
    line = {"color": theme.ACCENT, "width": 2}
    return {
        "height": height,
        "margin": {"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "bargap": 0.3,
        "uirevision": revision,
        "annotations": [],
        "meta": {"labels": {name: labels(source) for name in names[:2]}},
        "shapes": [
            {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "line": line}
            | {"y0": (place or 0) - 0.5, "y1": (place or 0) + 0.5}
        ]
        * framed,
    }


def _pair(
    across: Sequence[float],
    down: Sequence[float],
    axes: tuple[str, str],
    record: Products | Weighted,
    *,
    one: bool = False,
) -> dict[str, Any]:
    """The axes of one heatmap: its units along x (or one column), the source down y."""
    source, units = record.source, (0,) if one else record.units
    few = f" ({len(units)} of {record.total})" if len(units) < record.total else ""
    rows = tokens_axis(source, max_ticks=len(source)) | {"range": [len(source) - 0.5, -0.5], "ticks": ""}
    rows["ticklabelstandoff"] = 4
    rows.pop("autotickangles")
    stride = max(1, -(-len(units) // 8))
    at = list(range(0, len(units), stride))
    columns = {
        **{"tickmode": "array", "tickvals": at, "ticktext": [str(units[i]) for i in at], "ticks": ""},
        **{"tickfont": SMALL, "tickangle": 0, "showgrid": False, "zeroline": False},
        **{"domain": list(across), "anchor": axes[1], "range": [-0.5, len(units) - 0.5]},
        "title": {"text": f"unit{few}", "font": {"size": 11, "color": theme.MUTED}, "standoff": 2},
    }
    if one:
        columns.pop("title")
    return {
        axis_key(axes[0]): columns | {"fixedrange": len(units) < 12},
        axis_key(axes[1]): rows | {"domain": list(down), "anchor": axes[0], "fixedrange": len(source) < 12},
    }


def _heat(name: str, z: NDArray[np.float32], axes: tuple[str, str, str]) -> dict[str, Any]:
    named = (
        "“%{y}” (position %{y:d}), unit"
        if len(z) > 1 or name not in ("factors", "context")
        else f"{ONE_ROW[name]}, unit"
    )
    return {
        "type": "heatmap",
        "name": name,
        "z": np.ascontiguousarray(z),
        **{"xaxis": axes[0], "yaxis": axes[1], "coloraxis": axes[2]},
        **dict.fromkeys(("xgap", "ygap"), 1 if z.size < 1500 and z.shape[1] < 40 else 0),
        "hoverongaps": False,
        "hovertemplate": f"{named} %{{x}}: %{{z:.4f}}<extra></extra>",
    }


def _hidden() -> dict[str, Any]:
    return {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "fixedrange": True}


def _title(text: str, x: float, y: float) -> dict[str, Any]:
    return {
        **{"text": text, "xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "left"},
        **{"yanchor": "bottom", "showarrow": False, "borderpad": 2, "font": {"size": 12}},
    }


def _side(text: str, x: float, y: float) -> dict[str, Any]:
    return {
        **{"text": text, "xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "right"},
        **{"yanchor": "middle", "showarrow": False, "borderpad": 4, "font": {"size": 12}},
    }
