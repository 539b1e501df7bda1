"""What could be said at one step: the likeliest tokens with logits and probabilities, and the state behind
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, plain, short
from rnnviz.gates import QUANTITIES

MOST = 5
MOST_UNITS = 512
TOP, BOTTOM, STRIP, BAR = 24, 26, 40, 30  # pixels
RIGHT, WRONG = "✓", "✗"


@dataclass(frozen=True, eq=False)
class Choices:
    """The likeliest tokens, most probable first; a right or a said token that is not among them follows.

    ``ids`` are their places in the vocabulary. ``said`` and ``right`` are ids, None where there is none.
    ``rank``: the right token's place in the whole order, 1 for the likeliest. ``state`` (H,) of the decoder.
    """

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    said: int | None
    right: int | None
    rank: int | None
    size: int
    state: NDArray[np.float32] | None


def choices(
    vocabulary: Sequence[object],
    logits: ArrayLike,
    *,
    said: int | None = None,
    right: int | None = None,
    state: ArrayLike | None = None,
    temperature: float = 1.0,
) -> Choices:
    """The record of one step: ``logits`` (V,), of which softmax(logits / temperature) are the probabilities.

    Temperature 0 puts everything on the largest logit. Raises `ValueError` for shapes that do not agree, ids
    out of range and a temperature below 0.
    """
    array = np.asarray(logits, np.float64)
    count = len(vocabulary)
    if array.shape != (count,) or not count:
        raise ValueError(f"logits have shape {array.shape}: expected ({count},), at least one")
    if not temperature >= 0:
        raise ValueError(f"temperature={temperature!r} is not allowed: 0 or more")
    for name, given in (("said", said), ("right", right)):
        if given is not None and not 0 <= given < count:
            raise ValueError(f"{name}={given} is not allowed: 0 to {count - 1}")
    order = np.argsort(-array, kind="stable")
    shown = [int(k) for k in order[:MOST]]
    shown += [k for k in dict.fromkeys((said, right)) if k is not None and k not in shown]
    return Choices(
        tuple(str(vocabulary[k]) for k in shown),
        tuple(shown),
        array[shown].astype(np.float32),
        _softmax(array, temperature)[shown].astype(np.float32),
        said,
        right,
        None if right is None else int(np.flatnonzero(order == right)[0]) + 1,
        count,
        None if state is None else np.asarray(state, np.float32).reshape(-1)[:MOST_UNITS],
    )


def _softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    if temperature < 1e-6:
        sure = np.zeros(len(logits))
        sure[logits.argmax()] = 1
        return sure
    raised = np.exp((logits - logits.max()) / temperature)
    made: NDArray[np.float64] = raised / raised.sum()
    return made


def choices_summary(record: Choices) -> str:
    """The text alternative."""
    listed = ", ".join(
        f"{token} {p:.1%} (logit {z:.2f})"
        for token, p, z in zip(record.tokens, record.probabilities, record.logits, strict=True)
    )
    right = ""
    if record.right is not None:
        token = record.tokens[record.ids.index(record.right)]
        right = f" The right one is {token}, number {record.rank} of {record.size}."
    return f"Likeliest next: {listed}.{right}"


def choices_figure(record: Choices, *, height: int | None = None, title: str = "next token") -> go.Figure:
    """A bar for each token, as long as its probability; a click gives the token's id as ``custom[0]``.

    The right token has a check mark, and a wrong one that was said a cross. The decoder's state stands above.
    """
    count = len(record.tokens)
    if not count:
        return empty("There is nothing to choose from.")
    strip = STRIP if record.state is not None else 0
    total = height or TOP + BOTTOM + strip + BAR * count
    inside = max(1, total - TOP - BOTTOM)
    high = 1 - strip / inside
    judged = record.right is not None
    names, colours = [], []
    for k, token in zip(record.ids, record.tokens, strict=True):
        mark = RIGHT if k == record.right else WRONG if judged and k == record.said else ""
        words = f"<b>{short(token)}</b>" if k == record.said else short(token)
        names.append(f"{mark} {words}".strip())
        colours.append(theme.ACCENT if k == record.said else theme.LINE)
    custom: list[list[Any]] = [
        [k, plain(token[:40]), float(z)]
        for k, token, z in zip(record.ids, record.tokens, record.logits.tolist(), strict=True)
    ]
    bars = {
        **{"type": "bar", "orientation": "h", "name": "probability"},
        "x": record.probabilities,
        "y": np.arange(count, dtype=np.uint8),
        "marker": {"color": colours},
        "text": [
            f"{p:.1%}   logit {z:.2f}"
            for p, z in zip(record.probabilities.tolist(), record.logits.tolist(), strict=True)
        ],
        **{"textposition": "outside", "cliponaxis": False, "textfont": {"size": 12}},
        "customdata": custom,
        "hovertemplate": "“%{customdata[1]}”<br>probability %{x:.4f}<br>logit %{customdata[2]:.4f}"
        "<extra></extra>",
    }
    layout: dict[str, Any] = {
        "height": total,
        "margin": {"l": 60, "r": 10, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "bargap": 0.35,
        **{"hovermode": "y", "hoverdistance": -1},  # a token that is not likely has no bar to point at
        "uirevision": f"{count}.{strip}",
        "xaxis": {
            **{"range": [0, 1.45], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"},
            **{"fixedrange": True, "tickfont": {"size": 11}, "zeroline": False},
        },
        "yaxis": {
            **{"domain": [0, high], "range": [count - 0.5, -0.5], "fixedrange": True, "showgrid": False},
            **{"tickmode": "array", "tickvals": list(range(count)), "ticktext": names, "ticks": ""},
            "ticklabelstandoff": 4,
        },
        "annotations": [_title(f"<b>{title}</b>", high)],
    }
    data = [bars]
    if record.state is not None:
        quantity = QUANTITIES["h"]
        layout |= {
            "xaxis2": {"visible": False, "fixedrange": True, "domain": [0, 1], "anchor": "y2"},
            "yaxis2": {"visible": False, "fixedrange": True, "domain": [1 - 18 / inside, 1], "anchor": "x2"},
            "coloraxis": theme.coloraxis("signed", quantity.limit or 1.0),
        }
        layout["annotations"].append(
            _title(f"<b>decoder state</b>  {len(record.state)} units, from −1 to 1", 1)
        )
        data.append(
            {
                **{"type": "heatmap", "name": "state", "z": record.state[None], "xaxis": "x2", "yaxis": "y2"},
                **{"coloraxis": "coloraxis", "hoverongaps": False},
                "hovertemplate": "decoder state, unit %{x}: %{z:.4f}<extra></extra>",
            }
        )
    return figure(data, layout)


def _title(text: str, y: float) -> dict[str, Any]:
    return {
        **{"text": text, "xref": "paper", "yref": "paper", "x": 0, "y": y, "xanchor": "left"},
        **{"yanchor": "bottom", "showarrow": False, "borderpad": 2, "font": {"size": 12}},
    }
