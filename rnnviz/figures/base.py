"""What every figure is built with: `figure`, safe text, token axes, limits, the empty figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from rnnviz.figures import theme

MAX_TICKS = 40
MAX_TOKEN = 10

_TEMPLATE = theme.template()


def figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """A figure with the house template, built without plotly's validation.

    Validation costs more than everything else (measured: 13 ms against 1 ms for 100 shapes); the tests
    validate every figure instead. `layout` is not changed. Traces whose type ends in "gl" are not drawn in
    the browser: their library compiles code at run time, which the app's security policy forbids; 3-D is
    fine.
    """
    return go.Figure({"data": data, "layout": {"template": _TEMPLATE, **layout}}, _validate=False)


def plain(text: object) -> str:
    """`text` shown as it is: Plotly renders a subset of HTML, links too, so a user's `& < >` are escaped."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(token: object, limit: int = MAX_TOKEN) -> str:
    """The token cut to `limit` characters, the last of them "…" if anything was cut, and escaped by `plain`.

    White space is made visible ("␣", "⏎", "⇥"): an empty tick label cannot be told from a missing one.
    """
    text = str(token)
    if not text.strip():
        text = text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return plain(text if len(text) <= limit else text[: limit - 1] + "…")


def empty(title: str, *, height: int = 220) -> go.Figure:
    """A figure without data that says why: `title` stands where the data would be."""
    hidden = {"visible": False, "fixedrange": True}
    note = {
        "text": plain(title),
        "font": {"color": theme.MUTED},
        "showarrow": False,
        **{"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5},
    }
    return figure([], {"xaxis": hidden, "yaxis": hidden, "height": height, "annotations": [note]})


def signed_limit(values: ArrayLike) -> float:
    """Half the range, symmetric about 0, that holds every finite value; 1.0 if there is none but 0."""
    numbers = np.abs(np.asarray(values, dtype=np.float64))
    largest = float(np.max(numbers, initial=0.0, where=np.isfinite(numbers)))
    return largest or 1.0


def tokens_axis(tokens: Sequence[object], *, max_ticks: int = MAX_TICKS) -> dict[str, Any]:
    """An axis of integer positions 0..len-1 labelled with tokens; category axes would merge repeated ones.

    At most `max_ticks` labels are given, evenly spread. When the figure also carries
    ``meta={"labels": {"x": labels(tokens)}}`` the browser shows as many as fit, and all in hover and CSV.
    """
    stride = max(1, -(-len(tokens) // max_ticks))
    at = range(0, len(tokens), stride)
    return {
        "tickmode": "array",
        "tickvals": list(at),
        "ticktext": [short(tokens[i]) for i in at],
        "autotickangles": [0, 45],
        "range": [-0.5, len(tokens) - 0.5],
        "showgrid": False,
        "zeroline": False,
    }


def labels(tokens: Sequence[object]) -> list[str]:
    """The tokens of an axis for ``layout.meta.labels``: escaped, at most 40 characters each."""
    return [short(token, 40) for token in tokens]
