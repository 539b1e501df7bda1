"""The record of `rnnviz.figures.beam` as a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, short
from rnnviz.figures.beam import FATES, BeamTree, Fate, Hypothesis, Placed
from rnnviz.figures.pens import Path

WIDE, TALL = 0.38, 0.43  # half a box, in steps and rows
PITCH, LEAST, HIGHEST = 36, 22, 620  # pixels: of a row, at least, of all
TWO_LINES = 26  # pixels of a row that holds a token and its score
TOP, BOTTOM = 6, 40
TOKEN = 7  # characters in a box
LAST = 12  # tokens of a string under the pointer
SAID: dict[Fate, str] = {
    "kept": "kept: among the best of its step",
    "finished": "finished: it said the end symbol",
    "limit": "cut at the limit",
    "dropped": "dropped: others were better",
}
FEW = 8  # steps: with so few the text can be larger


def beam_figure(record: BeamTree, *, height: int | None = None) -> go.Figure:
    """The tree from left to right, a column a step; a hypothesis answers to clicks with its id as
    ``custom[0]``.

    A box holds a token and the score of the string that ends with it. Survivors are framed, ended ones
    filled, dropped ones thin; the way to the answer is drawn in colour, that to the chosen one framed darkly.
    """
    if not record.nodes:
        return empty("There is no search to show yet.")
    low, high = record.rows
    rows = high - low + 1
    total = height or round(TOP + BOTTOM + max(LEAST, min(PITCH, HIGHEST / rows)) * rows)
    total = max(total, 110)
    two_lines = (total - TOP - BOTTOM) / rows >= TWO_LINES
    layout = {
        "height": total,
        "margin": {"l": 6, "r": 6, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "barmode": "overlay",
        "uirevision": f"{record.first}.{record.last}",
        "xaxis": {
            **{"range": [record.first - 0.45, max(record.last, record.first + 4) + 0.45], "showgrid": False},
            **{"zeroline": False, "dtick": 1, "ticks": "", "title": {"text": "step"}, "tickformat": "d"},
            **{"tickmode": "array", "tickvals": list(range(record.first, record.last + 1))},
            # The first token is said at step 0, as everywhere; before it there is the start alone.
            "ticktext": [f"{k - 1}" if k else "" for k in range(record.first, record.last + 1)],
        },
        "yaxis": {"range": [high + 0.6, low - 0.6], "visible": False},
    }
    if record.left_out:
        layout["annotations"] = [
            {
                "text": f"{record.left_out:,} more hypotheses not drawn",
                **{"xref": "paper", "yref": "paper", "x": 1, "y": 0, "yshift": -BOTTOM},
                **{"xanchor": "right", "yanchor": "bottom", "showarrow": False},
                "font": {"size": 11, "color": theme.MUTED},
            }
        ]
    data = [*_boxes(record), *_edges(record), *_frames(record), *_hypotheses(record, two_lines)]
    return figure([trace for trace in data if len(trace["x"])], layout)


def _edges(record: BeamTree) -> list[dict[str, Any]]:
    at = {placed.node.id: placed for placed in record.nodes}
    paths = {kind: Path() for kind in ("dropped", "kept", "best")}
    for placed in record.nodes:
        parent = at.get(placed.node.parent)
        x, y = placed.node.step, placed.y
        kind = "best" if placed.best else "dropped" if placed.node.fate == "dropped" else "kept"
        if parent is not None:
            paths[kind].line((parent.node.step + WIDE, parent.y), (x - WIDE, y))
    return [
        paths["dropped"].drawn(theme.LINE, width=0.8, dash="dot"),
        paths["kept"].drawn(theme.MUTED, width=1.3),
        paths["best"].drawn(theme.ACCENT, width=3),
    ]


def _boxes(record: BeamTree) -> list[dict[str, Any]]:
    """Floating bars: a tenth of what boxes of lines weigh on the way to the browser."""
    return [
        _bars([p for p in record.nodes if p.node.fate == "dropped"], theme.GRID, 0.8, "rgba(0,0,0,0)"),
        _bars([p for p in record.nodes if p.node.fate == "kept"], theme.MUTED, 1.3, theme.PANEL),
        _bars([p for p in record.nodes if p.node.fate == "finished"], theme.MUTED, 1.3, theme.MATCH),
    ]


def _bars(boxes: Sequence[Placed], colour: str, width: float, fill: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": np.array([placed.node.step for placed in boxes], np.uint8),
        "y": np.full(len(boxes), 2 * TALL, np.float32),
        "base": np.array([placed.y - TALL for placed in boxes], np.float32),
        "width": 2 * WIDE,
        "marker": {"color": fill, "line": {"color": colour, "width": width}},
        **{"hoverinfo": "skip", "meta": {"decoration": True}},
    }


def _frames(record: BeamTree) -> list[dict[str, Any]]:
    paths = {kind: Path() for kind in ("limit", "best", "chosen")}
    for placed in record.nodes:
        step, y = placed.node.step, placed.y
        if placed.node.fate == "limit":
            paths["limit"].box(step, y, WIDE, TALL)
        if placed.best:
            paths["best"].box(step, y, WIDE, TALL)
        if placed.chosen:
            paths["chosen"].box(step, y, WIDE + 0.03, TALL + 0.05)
    return [
        paths["limit"].drawn(theme.MUTED, width=1.3, fill=theme.MATCH, dash="dash"),
        paths["best"].drawn(theme.ACCENT, width=2),
        paths["chosen"].drawn(theme.TEXT, width=2.5),
    ]


def _hypotheses(record: BeamTree, two_lines: bool) -> list[dict[str, Any]]:
    """A trace for each fate: tokens with their scores, and what a pointer meets: its number, its string, the
    chance of its last token and its scores.
    """
    at = {placed.node.id: placed.node for placed in record.nodes}
    size = 12 if record.last - record.first < FEW and not two_lines else 11
    traces = []
    for fate in FATES:
        found = [placed for placed in record.nodes if placed.node.fate == fate]
        lost = fate == "dropped"
        traces.append(
            {
                **{"type": "scatter", "mode": "markers+text", "name": f"hypotheses, {fate}"},
                "x": np.array([placed.node.step for placed in found], np.uint8),
                "y": [round(placed.y, 3) for placed in found],
                "text": [_text(placed, two_lines, lost) for placed in found],
                "textfont": {"color": theme.MUTED if lost else theme.TEXT, "size": size - lost},
                "customdata": [_custom(record, placed, at.get(placed.node.parent)) for placed in found],
                "marker": {"size": 24, "opacity": 0, "symbol": "square", "color": theme.ACCENT},
                "hovertemplate": "<b>%{customdata[1]}</b><br>this token: %{customdata[2]}<br>"
                "log probability of all: %{customdata[3]}<br>score: %{customdata[4]}<br>"
                f"{SAID[fate]}<extra></extra>",
                "cliponaxis": False,
            }
        )
    return traces


def _text(placed: Placed, two_lines: bool, lost: bool) -> str:
    token = short(placed.node.token, TOKEN)
    score = "" if not two_lines or placed.node.parent < 0 else f"<br>{number(placed.node.score, 2)}"
    return f"{token}{score}" if lost else f"<b>{token}</b>{score}"


def number(value: float, digits: int = 3) -> str:
    """A score with a real minus, and with a figure that is not 0 where it is almost 0."""
    plain = f"{value:.{digits}f}"
    return (plain if float(plain) or not value else f"{value:.1g}").replace("-", "\u2212")


def _custom(record: BeamTree, placed: Placed, parent: Hypothesis | None) -> list[Any]:
    node = placed.node
    chance = f"{math.exp(min(0.0, node.log_prob - parent.log_prob)):.1%}" if parent else "–"
    tokens = record.string(node.id)
    string = "… " * (len(tokens) > LAST) + " ".join(short(token, 12) for token in tokens[-LAST:])
    return [int(node.id), string, chance, round(float(node.log_prob), 4), round(float(node.score), 4)]
