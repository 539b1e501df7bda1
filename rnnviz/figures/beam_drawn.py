"""The record of `rnnviz.figures.beam` as a figure."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, plain, short
from rnnviz.figures.beam import BeamTree
from rnnviz.figures.pens import Path, Texts

WIDE, TALL = 0.38, 0.43  # half a box, in steps and rows
PITCH, LEAST, HIGHEST = 36, 22, 620  # pixels: of a row, at least, of all
TWO_LINES = 26  # pixels of a row that holds a token and its score
TOP, BOTTOM = 6, 40
TOKEN = 7  # characters in a box
SAID = {
    "kept": "kept: among the best of its step",
    "finished": "finished: it said the end symbol",
    "limit": "cut at the limit",
    "dropped": "dropped: others were better",
}
FEW = 8  # steps: with so few the text can be larger


def beam_figure(record: BeamTree, *, height: int | None = None) -> go.Figure:
    """The tree from left to right, a column a step; trace "hypotheses" answers to clicks with the
    hypothesis' id as ``custom[0]``.

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
        "uirevision": f"{record.first}.{record.last}",
        "xaxis": {
            **{"range": [record.first - 0.45, max(record.last, record.first + 4) + 0.45], "showgrid": False},
            **{"zeroline": False, "dtick": 1, "ticks": "", "title": {"text": "step"}, "tickformat": "d"},
            **{"tickmode": "array", "tickvals": list(range(record.first, record.last + 1))},
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
    data = [*_edges(record), *_boxes(record), *_texts(record, two_lines), _targets(record)]
    return figure([trace for trace in data if trace["x"]], layout)


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
    paths = {kind: Path() for kind in ("dropped", "kept", "finished", "limit", "best", "chosen")}
    for placed in record.nodes:
        node = placed.node
        paths[node.fate].box(node.step, placed.y, WIDE, TALL)
        if placed.best:
            paths["best"].box(node.step, placed.y, WIDE, TALL)
        if placed.chosen:
            paths["chosen"].box(node.step, placed.y, WIDE + 0.03, TALL + 0.05)
    return [
        paths["dropped"].drawn(theme.GRID, width=0.8),
        paths["kept"].drawn(theme.MUTED, width=1.3, fill=theme.PANEL),
        paths["finished"].drawn(theme.MUTED, width=1.3, fill=theme.MATCH),
        paths["limit"].drawn(theme.MUTED, width=1.3, fill=theme.MATCH, dash="dash"),
        paths["best"].drawn(theme.ACCENT, width=2),
        paths["chosen"].drawn(theme.TEXT, width=2.5),
    ]


def _texts(record: BeamTree, two_lines: bool) -> list[dict[str, Any]]:
    alive, lost = Texts(), Texts()
    for placed in record.nodes:
        token = short(placed.node.token, TOKEN)
        score = "" if not two_lines or placed.node.parent < 0 else f"<br>{placed.node.score:.2f}"
        score = score.replace("-", "\u2212")
        if placed.node.fate == "dropped":
            lost.add(placed.node.step, placed.y, f"{token}{score}")
        else:
            alive.add(placed.node.step, placed.y, f"<b>{token}</b>{score}")
    size = 12 if record.last - record.first < FEW and not two_lines else 11
    return [lost.drawn(theme.MUTED, size - 1), alive.drawn(theme.TEXT, size)]


def _targets(record: BeamTree) -> dict[str, Any]:
    """What a pointer meets, with its number, its string, the chance of its last token and its scores."""
    at = {placed.node.id: placed.node for placed in record.nodes}
    custom = []
    for placed in record.nodes:
        node = placed.node
        parent = at.get(node.parent)
        chance = f"{math.exp(min(0.0, node.log_prob - parent.log_prob)):.1%}" if parent else "–"
        string = " ".join(short(token, 12) for token in record.string(node.id)[-16:])
        custom.append(
            [
                int(node.id),
                string,
                chance,
                round(float(node.log_prob), 4),
                round(float(node.score), 4),
                SAID[node.fate],
            ]
        )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "hypotheses",
        "x": [placed.node.step for placed in record.nodes],
        "y": [placed.y for placed in record.nodes],
        "customdata": custom,
        "text": [plain(placed.node.token[:20]) for placed in record.nodes],
        "marker": {"size": 24, "opacity": 0, "symbol": "square", "color": theme.ACCENT},
        "hovertemplate": "<b>%{customdata[1]}</b><br>this token: %{customdata[2]}<br>"
        "log probability of all: %{customdata[3]}<br>score: %{customdata[4]}<br>%{customdata[5]}"
        "<extra></extra>",
        "cliponaxis": False,
    }
