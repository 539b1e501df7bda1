"""Row D8: what the reshape before the cross entropy does, and how the positions' own losses make up the loss.

``logits (N, L, C)`` become ``(N·L, C)``, ``target (N, L)`` becomes ``(N·L,)``: the sentences are put one
under the other, and the loss no longer knows which row was whose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, labels, short, signed_limit
from rnnviz.gates import AXES

ROW, TOP, BOTTOM = 26, 62, 52  # pixels
MOST_ROWS = 40
MOST_CLASSES = 64
MOST_CELLS = 640  # of a heatmap, and there are two: 7 kB on the way to the browser
_LOGITS, _BETWEEN, _FLAT, _TARGET, _LOSS = [0.0, 0.27], [0.27, 0.36], [0.36, 0.63], [0.65, 0.76], [0.79, 1.0]
PADDING = "padding"


@dataclass(frozen=True, eq=False)
class Reshape:
    """``logits`` (N, L, C) as far as drawn, ``target`` (N, L) ids, ``losses`` (N, L) as they enter the loss:
    each one's own cross entropy for "sum", that divided by the number of positions that count for "mean"; 0
    where the target is ignored. ``loss`` is the loss of all N·L positions.
    """

    logits: NDArray[np.float32]
    target: NDArray[np.int64]
    losses: NDArray[np.float64]
    loss: float
    reduction: str
    classes: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    shape: tuple[int, int, int]

    @property
    def total(self) -> float:
        """What the drawn bars add up to: the loss, if no row was left out."""
        return float(self.losses.sum())


@dataclass(frozen=True, eq=False)
class Scored:
    """A batch as a page gives it: ``logits`` (N, L, C), ``target`` (N, L), below 0 where it is ignored, and
    ``losses`` (N, L), PyTorch's cross entropy with ``reduction="none"``; the tokens of each sentence.
    """

    logits: ArrayLike
    target: ArrayLike
    losses: ArrayLike
    classes: Sequence[object]
    tokens: Sequence[Sequence[object]]
    reduction: Literal["sum", "mean"] = "mean"


def reshape(batch: Scored) -> Reshape:
    """The record of a batch: the first `MOST_ROWS` rows of N·L are drawn, fewer where there are many classes,
    whole sentences where possible, and up to `MOST_CLASSES` classes. Raises `ValueError` for shapes that do
    not agree.
    """
    logits = np.asarray(batch.logits, np.float32)
    target, own = np.asarray(batch.target, np.int64), np.asarray(batch.losses, np.float64)
    if logits.ndim != 3 or target.shape != logits.shape[:2] or own.shape != target.shape:
        raise ValueError(
            f"logits {logits.shape}, target {target.shape}, losses {own.shape}: "
            "expected (N, L, C), (N, L), (N, L)"
        )
    size, length, count = logits.shape
    tokens = [tuple(map(str, row)) for row in batch.tokens]
    if len(batch.classes) != count or len(tokens) != size or any(len(row) > length for row in tokens):
        raise ValueError(f"{len(batch.classes)} classes, {len(tokens)} sentences: expected {count}, {size}")
    counted = target >= 0
    parts = np.where(counted, own, 0.0)
    if batch.reduction == "mean":
        parts = parts / max(1, int(counted.sum()))
    room = min(MOST_ROWS, MOST_CELLS // max(1, min(count, MOST_CLASSES)))
    rows, steps = max(1, min(size, room // max(1, length))), min(length, room)
    return Reshape(
        np.ascontiguousarray(logits[:rows, :steps, :MOST_CLASSES]),
        target[:rows, :steps],
        parts[:rows, :steps],
        float(parts.sum()),
        batch.reduction,
        tuple(map(str, batch.classes))[:MOST_CLASSES],
        tuple((row + (PADDING,) * length)[:steps] for row in tokens[:rows]),
        (size, length, count),
    )


def reshape_summary(record: Reshape) -> str:
    """The text alternative, with the sum."""
    n, length, c = record.shape
    each = " + ".join(f"{x:.3g}" for x in record.losses[record.target >= 0][:8])
    more = " + …" if (record.target >= 0).sum() > 8 or record.losses.size < n * length else ""
    return (
        f"logits ({n}, {length}, {c}) become ({n * length}, {c}), "
        f"target ({n}, {length}) becomes ({n * length},). "
        f"Loss ({record.reduction}) {record.loss:.4g} = {each}{more}."
    )


def reshape_figure(record: Reshape, *, height: int | None = None) -> go.Figure:
    """Left the batch, sentence by sentence; then the same rows one under the other, their targets, and a bar
    for what each adds to the loss. ``customdata`` of a bar is (sentence, position).
    """
    n, length, classes = record.logits.shape
    if not record.logits.size:
        return empty("There is no position to score.")
    rows = n * length
    total = rows + (n - 1)  # on the left, a gap of one row stands between two sentences
    places = np.concatenate([np.arange(length) + i * (length + 1) for i in range(n)])
    flat = np.arange(rows) + (total - rows) / 2
    stacked = np.full((total, classes), np.nan, np.float32)
    scores = record.logits.reshape(rows, classes)
    stacked[places] = scores
    data = [
        _heat("logits", stacked, "x", 0.0),
        _heat("logits reshaped", scores, "x3", float(flat[0])),
        _outlines(record, places, "x"),
        _outlines(record, flat, "x3"),
        _connections(places, flat),
        _targets(record, flat),
        _bars(record, flat),
    ]
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    columns = {
        **{"range": [-0.5, classes - 0.5], "tickmode": "array", "tickvals": list(range(classes))},
        **{"ticktext": labels(record.classes), "showgrid": False, "zeroline": False, "ticks": ""},
    }
    layout: dict[str, Any] = {
        "height": height or TOP + BOTTOM + ROW * max(total, 4),
        "margin": {"l": 44, "r": 24, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "bargap": 0.3,
        "uirevision": f"{record.shape}",
        "coloraxis": theme.coloraxis("signed", signed_limit(record.logits)),
        "annotations": _titles(record),
        "xaxis": columns | {"domain": _LOGITS},
        "xaxis2": hidden | {"domain": _BETWEEN},
        "xaxis3": columns | {"domain": _FLAT},
        "xaxis4": hidden | {"domain": _TARGET},
        "xaxis5": {
            **{"domain": _LOSS, "rangemode": "tozero", "nticks": 4, "exponentformat": "e"},
            "title": {"text": _sum(record)},
        },
        "yaxis": {
            **{"range": [total - 0.5, -0.5], "showgrid": False, "zeroline": False, "fixedrange": True},
            **{"ticks": "", "tickmode": "array", "tickvals": places.tolist()},
            "ticktext": [short(token) for row in record.tokens for token in row],
        },
    }
    return figure(data, layout)


def _heat(name: str, values: NDArray[np.float32], axis: str, start: float) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": name,
        "z": values,
        **{"y0": start, "dy": 1, "xaxis": axis, "coloraxis": "coloraxis", "hoverongaps": False},
        **dict.fromkeys(("xgap", "ygap"), 1),
        "hovertemplate": f"{name}: class %{{x}}, score %{{z:.4f}}<extra></extra>",
    }


def _silent(axis: str, colour: str, width: float) -> dict[str, Any]:
    return {
        **{"type": "scatter", "mode": "lines", "xaxis": axis, "line": {"color": colour, "width": width}},
        **{"hoverinfo": "skip", "cliponaxis": False, "meta": {"decoration": True}},
    }


def _outlines(record: Reshape, rows: NDArray[Any], axis: str) -> dict[str, Any]:
    """The true class of every row."""
    across: list[float | None] = []
    down: list[float | None] = []
    for row, k in zip(rows.tolist(), record.target.ravel().tolist(), strict=True):
        if 0 <= k < record.logits.shape[2]:
            across += [k - 0.5, k + 0.5, k + 0.5, k - 0.5, k - 0.5, None]
            down += [row - 0.5, row - 0.5, row + 0.5, row + 0.5, row - 0.5, None]
    return _silent(axis, theme.ACCENT, 2) | {"x": across, "y": down}


def _connections(places: NDArray[Any], flat: NDArray[Any]) -> dict[str, Any]:
    """Where each row of a sentence goes."""
    down = [y for pair in zip(places.tolist(), flat.tolist(), strict=True) for y in (*pair, None)]
    return _silent("x2", theme.LINE, 1) | {"x": [0.1, 0.9, None] * len(places), "y": down}


def _targets(record: Reshape, flat: NDArray[Any]) -> dict[str, Any]:
    ids = record.target.ravel().tolist()
    return {
        **{"type": "scatter", "mode": "text", "name": "target", "xaxis": "x4", "y": flat.tolist()},
        "x": [0.5] * len(ids),
        "text": [
            f"<b>{short(record.classes[k], 8)}</b>" if 0 <= k < len(record.classes) else "–" for k in ids
        ],
        "textfont": {"size": 13, "color": theme.ACCENT},
        "customdata": [f"class {k}" if k >= 0 else "ignored: padding adds nothing" for k in ids],
        "hovertemplate": "target %{customdata}<extra></extra>",
    }


def _bars(record: Reshape, flat: NDArray[Any]) -> dict[str, Any]:
    length = record.logits.shape[1]
    values = record.losses.ravel()
    return {
        **{"type": "bar", "orientation": "h", "name": "loss", "xaxis": "x5"},
        "x": np.where(np.isfinite(values), values, np.nan),
        "y": flat.tolist(),
        "text": [f"{v:.3g}" if np.isfinite(v) else "not a number" for v in values],
        **{"textposition": "auto", "textangle": 0, "insidetextanchor": "end"},
        "cliponaxis": False,
        "marker": {"color": theme.MUTED},
        "customdata": [list(divmod(i, length)) for i in range(len(values))],
        "hovertemplate": "sentence %{customdata[0]}, position %{customdata[1]}"
        "<br>adds %{x:.4f}<extra></extra>",
    }


def _sum(record: Reshape) -> str:
    n, length, _ = record.shape
    part = "" if record.losses.size == n * length else f"<br>({record.total:.4g} of it drawn)"
    return f"{record.reduction} = <b>{record.loss:.4g}</b>{part}"


def _titles(record: Reshape) -> list[dict[str, Any]]:
    n, length, c = record.shape
    # The axes' letters in their colours, as on every page; C and N·L have none of their own.
    three, two = f"({_axis('N', n)}, {_axis('L', length)}, {c})", f"({n * length}, {c})"
    texts = [
        (_LOGITS, f"<b>logits</b><br>(N, L, C)<br>{three}"),
        (_FLAT, f"<b>reshaped</b><br>(N·L, C)<br>{two}"),
        (_TARGET, f"<b>target</b><br>(N·L,)<br>({n * length},)"),
        (_LOSS, "<b>each adds</b><br>to the loss"),
    ]
    return [
        {
            **{"text": text, "x": sum(where) / 2, "y": 1, "xref": "paper", "yref": "paper"},
            **{
                "xanchor": "center",
                "yanchor": "bottom",
                "yshift": 2,
                "font": {"size": 12},
                "showarrow": False,
            },
        }
        for where, text in texts
    ]


def _axis(letter: str, size: int) -> str:
    return f'<span style="color:{AXES[letter].colour}">{size}</span>'
