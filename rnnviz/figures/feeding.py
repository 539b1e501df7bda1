"""A batch of sentences as the layer gets it: the tokens that enter together, and the matrix they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnnviz.figures import theme
from rnnviz.figures.base import figure, short
from rnnviz.gates import AXES

STEPS, SENTENCES, COLUMNS = 9, 6, 64  # shown at once
HEIGHT = 440
WAITING, PADDING, ENTERING = 0, 1, 2


@dataclass(frozen=True, eq=False)
class FeedingPicture:
    """Steps ``first`` to ``first + len(steps)`` of a batch, of its first sentences.

    ``tokens[i][n]`` and ``states[i, n]`` (waiting, padding, entering) belong to step ``first + i`` of
    sentence n. ``matrix`` is what goes in at ``step``, (N, H_in), cropped; None when it is not drawn.
    ``length``, ``batch`` and ``size`` are L, N and H_in.
    """

    step: int
    first: int
    tokens: tuple[tuple[str, ...], ...]
    states: NDArray[np.int8]
    matrix: NDArray[np.float32] | None
    limit: float
    length: int
    batch: int
    size: int
    batch_first: bool

    @property
    def cropped(self) -> str:
        """What is left out, or nothing."""
        shown, sentences = self.states.shape
        parts = []
        if shown < self.length:
            parts.append(f"steps {self.first} to {self.first + shown - 1} of {self.length:,}")
        if sentences < self.batch:
            parts.append(f"the first {sentences} of {self.batch:,} sentences")
        if self.matrix is not None and self.matrix.shape[1] < self.size:
            parts.append(f"the first {self.matrix.shape[1]} of {self.size:,} numbers of each vector")
        return f"Shown: {', '.join(parts)}." if parts else ""


@dataclass(frozen=True, eq=False)
class Entering:
    """What goes in at a step: ``matrix`` (N, H_in) or None, and the half-range of its colours."""

    step: int
    matrix: NDArray[np.float32] | None
    limit: float


def feeding_picture(
    rows: Sequence[Sequence[str]], lengths: Sequence[int], entering: Entering, *, size: int, batch_first: bool
) -> FeedingPicture:
    """The record of N padded rows of L tokens at a step. Raises IndexError for a step outside 0..L-1."""
    length, step = max(lengths), entering.step
    if not 0 <= step < length:
        raise IndexError(f"step {step}: expected 0 to {length - 1}")
    first = max(0, min(step - STEPS // 2, length - STEPS))
    steps = range(first, min(first + STEPS, length))
    shown = range(min(len(rows), SENTENCES))
    states = [
        [PADDING if t >= lengths[n] else ENTERING if t == step else WAITING for n in shown] for t in steps
    ]
    return FeedingPicture(
        step,
        first,
        tuple(tuple(rows[n][t] for n in shown) for t in steps),
        np.array(states, dtype=np.int8),
        None if entering.matrix is None else np.ascontiguousarray(entering.matrix[: len(shown), :COLUMNS]),
        entering.limit,
        length,
        len(rows),
        size,
        batch_first,
    )


def feeding_grids(record: FeedingPicture) -> go.Figure:
    """Both layouts of one batch and the matrix that enters. Trace 0 has steps along y, trace 1 along x."""
    colours = {letter: AXES[letter].colour for letter in ("L", "N", "H_in")}
    steps, sentences = record.states.shape
    last = record.first + steps
    text = [[short(token, 12) for token in row] for row in record.tokens]
    along = {
        "tickmode": "array",
        "tickvals": list(range(record.first, last)),
        "tickfont": {"color": colours["L"]},
    }
    along |= {"ticktext": [f"t={t}" for t in range(record.first, last)]}
    across = {"tickmode": "array", "tickvals": list(range(sentences)), "tickfont": {"color": colours["N"]}}
    across |= {"ticktext": [f"n={n}" for n in range(sentences)]}
    clean = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    time, batch = {"range": [last - 0.5, record.first - 0.5]}, {"range": [sentences - 0.5, -0.5]}
    axes = {
        "xaxis": clean
        | across
        | {"range": [-0.5, sentences - 0.5], "domain": [0, 0.53], "anchor": "y", "side": "top"},
        "yaxis": clean | along | time | {"domain": [0.5, 0.935], "anchor": "x"},
        "xaxis2": clean
        | along
        | {"range": [record.first - 0.5, last - 0.5], "domain": [0, 0.53], "anchor": "y2", "side": "top"},
        "yaxis2": clean | across | batch | {"domain": [0, 0.32], "anchor": "x2"},
    }
    data = [
        _grid(record.states, text, record.first, steps_down=True),
        _grid(
            record.states.T,
            [list(column) for column in zip(*text, strict=True)],
            record.first,
            steps_down=False,
        ),
    ]
    t = record.step
    titles = [
        _title(0, 1.0, f"x[{t}]", ("L", "N", "H_in"), used=not record.batch_first),
        _title(0, 0.385, f"x[:, {t}]", ("N", "L", "H_in"), used=record.batch_first),
        _title(0.7, 1.0, f"enters at t = {t}", ("N", "H_in"), used=None),
        {
            "text": "Either way the<br>same rows enter:<br>only the index moves.",
            **{
                "x": 0.7,
                "y": 0.15,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "middle",
            },
            **{"showarrow": False, "align": "left", "font": {"color": theme.MUTED}},
        },
    ]
    frame = {"type": "rect", "line": {"color": theme.ACCENT, "width": 2.5}, "layer": "above"}
    down, along_x = {"y0": t - 0.5, "y1": t + 0.5}, {"x0": t - 0.5, "x1": t + 0.5}
    frames = [
        frame | down | {"x0": -0.5, "x1": sentences - 0.5},
        frame | along_x | {"y0": -0.5, "y1": sentences - 0.5, "xref": "x2", "yref": "y2"},
    ]
    if record.matrix is not None:
        entering = [short(token, 12) for token in record.tokens[t - record.first]]
        ended = record.states[t - record.first] == PADDING
        data.append(
            {
                "type": "heatmap",
                "name": f"x at step {t}",
                "z": record.matrix,
                **{"xaxis": "x3", "yaxis": "y3"},
                "coloraxis": "coloraxis",
                "hovertemplate": "sentence %{y}, number %{x}: %{z:.4f}<extra></extra>",
            }
        )
        axes["xaxis3"] = {
            **clean,
            "range": [-0.5, record.matrix.shape[1] - 0.5],
            "domain": [0.7, 1],
            "anchor": "y3",
            "title": {"text": f"H_in = {record.size}", "font": {"color": colours["H_in"], "size": 13}},
        }
        axes["yaxis3"] = clean | across | batch | {"domain": [0.5, 0.935], "anchor": "x3"}
        axes["yaxis3"]["ticktext"] = [
            f"{token} → 0" if over else token for token, over in zip(entering, ended, strict=True)
        ]
    layout = {
        "height": HEIGHT,
        "margin": {"l": 40, "r": 8, "t": 24, "b": 6},
        "annotations": titles,
        "shapes": frames,
        "coloraxis": theme.coloraxis("signed", record.limit),
        "meta": {"labels": {}},
        "uirevision": f"{record.length}x{record.batch}",
        **axes,
    }
    return figure(data, layout)


def _grid(states: NDArray[np.int8], text: list[list[str]], first: int, *, steps_down: bool) -> dict[str, Any]:
    colours = [theme.PANEL, theme.BACKGROUND, theme.MATCH]
    scale = [[(i + j) / 3, colour] for i, colour in enumerate(colours) for j in (0, 1)]
    return {
        "type": "heatmap",
        "name": "tokens, sequence first" if steps_down else "tokens, batch_first",
        "z": states,
        **({"y0": first} if steps_down else {"x0": first, "xaxis": "x2", "yaxis": "y2"}),
        **{"zmin": -0.5, "zmax": 2.5, "colorscale": scale, "showscale": False, "xgap": 2, "ygap": 2},
        "text": text,
        "texttemplate": "%{text}",
        "textfont": {"color": theme.TEXT, "size": 13},
        "hovertemplate": "%{text}<br>%{y}, %{x}<extra></extra>",
    }


def _title(x: float, y: float, word: str, axes: tuple[str, ...], *, used: bool | None) -> dict[str, Any]:
    """``used`` says whether the layer reads this layout; None where there is nothing to choose."""
    shape = ", ".join(f'<span style="color:{AXES[a].colour}">{a}</span>' for a in axes)
    order = "" if used is None else f" batch_first={axes[0] == 'N'}"
    mark = " ← this layer" if used else ""
    return {
        "text": f"<b>{word}</b>{order} ({shape}){mark}",
        "font": {"color": theme.ACCENT if used else theme.TEXT},
        **{"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"},
        **{"showarrow": False, "align": "left", "borderpad": 0, "xshift": -36 if x == 0 else 0},
    }
