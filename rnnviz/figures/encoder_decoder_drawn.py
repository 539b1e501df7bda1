"""The record of `rnnviz.figures.encoder_decoder` as a figure."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from rnnviz.figures import theme
from rnnviz.figures.base import figure
from rnnviz.figures.encoder_decoder import HALF, HEIGHT, WIDTH, Flow, Part, Scheme, shape_text
from rnnviz.figures.pens import Heads, Path, tint
from rnnviz.gates import AXES, QUANTITIES

LEAST = 570
"""Pixels of width for which the texts are laid out; in fewer they are smaller."""
ALIGN = {"left": "right", "right": "left", "above": "center"}
_COLOURS = {
    "encoder": QUANTITIES["h"].colour,
    "decoder": QUANTITIES["c"].colour,
    "attention": theme.UNIT[5],
}
_MEANING = {
    "N": "batch",
    "L": "source tokens",
    "E": "embedding",
    "H": "encoder's hidden size",
    "D*H": "encoder's hidden size, both directions",
    "S": "decoder's hidden size",
    "T": "target tokens, one a step",
    "V": "target vocabulary",
    "heads": "heads",
}


def scheme_figure(record: Scheme) -> go.Figure:
    """The boxes and arrows; the pointer says what each is."""
    hidden = {"visible": False, "fixedrange": True}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 2, "r": 2, "t": 2, "b": 2},
        "xaxis": hidden | {"range": [10, WIDTH - 5]},
        "yaxis": hidden | {"range": [0, HEIGHT - 5]},
        "showlegend": False,
        "dragmode": False,
        "uirevision": record.title,
        "meta": {"least": LEAST},
        "annotations": [*map(_box_text, record.parts), *(_label(f) for f in record.flows if f.what)],
    }
    return figure([*_lines(record), *_boxes(record), _targets(record)], layout)


def _lines(record: Scheme) -> list[dict[str, Any]]:
    once, again, heads = Path(), Path(), Heads()
    for flow in record.flows:
        (again if flow.again else once).line(*flow.way)
        (x0, y0), (x, y) = flow.way[-2:]
        to = "right" if x > x0 else "left" if x < x0 else "up" if y > y0 else "down"
        back = {"right": (-4, 0), "left": (4, 0), "up": (0, -4), "down": (0, 4)}[to]
        heads.add(x + back[0], y + back[1], to)
    return [
        once.drawn(theme.MUTED, width=1.6),
        again.drawn(theme.MUTED, width=1.6, dash="dot"),
        heads.drawn(theme.MUTED, 8),
    ]


def _boxes(record: Scheme) -> list[dict[str, Any]]:
    traces = []
    for side, colour in _COLOURS.items():
        path = Path()
        for part in record.parts:
            if part.side == side:
                path.box(*part.at, HALF, part.tall)
        if path.x:
            traces.append(path.drawn(colour, width=1.8, fill=tint(colour, 0.1)))
    return traces


def _box_text(part: Part) -> dict[str, Any]:
    under = f"<br>{part.under}" if part.under else ""
    return {
        **{"x": part.at[0], "y": part.at[1], "showarrow": False, "borderpad": 0},
        "text": f"<b>{part.name}</b>{under}",
        "font": {"size": 12},
    }


def _label(flow: Flow) -> dict[str, Any]:
    place = {
        "left": {"xanchor": "right", "yanchor": "middle", "xshift": -6},
        "right": {"xanchor": "left", "yanchor": "middle", "xshift": 6},
        "above": {"xanchor": "center", "yanchor": "bottom", "yshift": 1},
    }[flow.side]
    sizes = shape_text(
        [
            f'<span style="color:{_axis(letter)}">{size}</span>' if _axis(letter) else size
            for letter, size in zip(flow.letters, flow.shape, strict=True)
        ]
    )
    between = " " if flow.what in ("tokens", "token") else "<br>"  # there is no room for two lines
    return {
        **{
            "x": flow.at[0],
            "y": flow.at[1],
            "showarrow": False,
            "borderpad": 0,
            "align": ALIGN[flow.side],
            **place,
        },
        "text": f"{flow.what}{between}<b>{sizes}</b>",
        "font": {"size": 11},
    }


def _axis(letter: str) -> str:
    return AXES[letter].colour if letter in ("N", "L") else AXES["H_out"].colour if "H" in letter else ""


def _targets(record: Scheme) -> dict[str, Any]:
    """What a pointer meets: a square on each box, and one on each label."""
    said = [f"<b>{part.name}</b> {part.under.replace('<br>', ', ')}<br>{part.does}" for part in record.parts]
    places = [part.at for part in record.parts]
    for flow in record.flows:
        if flow.what:
            sizes = zip(flow.letters, flow.shape, strict=True)
            said.append(
                f"<b>{flow.what}</b> {shape_text(flow.letters)}"
                + "".join(f"<br>{letter} = {size:,}: {_MEANING[letter]}" for letter, size in sizes)
            )
            side = {"left": (-40, 0), "right": (40, 0), "above": (0, 14)}[flow.side]
            places.append((flow.at[0] + side[0], flow.at[1] + side[1]))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "parts",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "customdata": said,
        "marker": {"symbol": "square", "size": 34, "opacity": 0},
        "hovertemplate": "%{customdata}<extra></extra>",
    }
