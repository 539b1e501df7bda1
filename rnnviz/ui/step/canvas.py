"""The picture of *Step through*: every quantity over the steps, in the view that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from rnnviz.edits import Clamp, parse
from rnnviz.export import notebook
from rnnviz.export_step import step_script
from rnnviz.figures.base import signed_limit
from rnnviz.figures.heatmap import step_heatmaps, step_maps
from rnnviz.figures.steps import (
    Coloured,
    Lines,
    Path,
    difference_maps,
    lines_figure,
    path_figure,
    side_by_side,
    text_figure,
)
from rnnviz.gates import DIRECTION_NAMES, NAMES, QUANTITIES
from rnnviz.link import query
from rnnviz.projection import principal_plane
from rnnviz.screens import step as page
from rnnviz.stepping import Stepping, step_run
from rnnviz.ui import pickers
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.page import Footer, canvas, footer, frame, hand_out, notice, question
from rnnviz.ui.step import detail, redraw
from rnnviz.ui.step.keys import KEYS
from rnnviz.ui.transport import Line, jump

FIELD = pickers.by_key(page.FIELDS)
HEIGHT = 392
ORDER = {"RNN": ("x", "h_pre", "h"), "LSTM": tuple("xifgoch"), "GRU": tuple("xrznh")}


def show(current: page.StepScreen, values: dict[str, Any]) -> None:
    """The page without its sidebar."""
    question("What happens inside the cell at this step?")
    pickers.presets(
        {row: example.title for row, example in page.EXAMPLES.items()},
        page.active_preset(current),
        "step_preset",
        lambda row: pickers.assign(page.preset_values(page.EXAMPLES[row])),
    )
    if (row := page.active_preset(current)) is not None:
        st.markdown(f"**{row}** {page.EXAMPLES[row].fact}")
    frame("step", *redraw.frame(current))
    selectors(current, values)
    transport = st.container(horizontal=True, vertical_alignment="center", gap="small")
    following = st.container()
    canvas(KEYS.picture, (current, values), redraw.read, still)
    detail.stepper((current, values), detail.Places(transport, following, st.container()), picture)
    notice("step")
    footer(handout(current, values))


def still(current: page.StepScreen, values: dict[str, Any]) -> None:
    """The picture, unless it is one that is drawn anew at every step, and what runs."""
    if values["s_view"] not in redraw.FOLLOWING:
        picture(current, values, values["s_step"])
    badge(current, step_run(current))
    hand_out(handout(current, values))


def handout(current: page.StepScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives."""
    script = partial(step_script, current, *page.lane(values), values["s_step"])
    return Footer(
        page="step",
        query=query(page.FIELDS, values),
        script=script,
        notebook=lambda: notebook(script(), "Step through"),
        data=lambda: step_run(current).trace.frame().to_csv(index=False),
    )


def selectors(current: page.StepScreen, values: Mapping[str, Any]) -> None:
    """The row above the picture: view, layer, direction, quantity, and which run when there are edits."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pickers.choice(FIELD["s_view"], collapsed=True)
        if current.edits and values["s_view"] == "Heatmaps":
            pickers.choice(FIELD["s_show"], collapsed=True)
        if current.config.num_layers > 1:
            pickers.choice(FIELD["s_layer"], page.LAYERS[: current.config.num_layers], collapsed=True)
        if current.config.bidirectional:
            pickers.choice(FIELD["s_dir"], collapsed=True)
        if values["s_view"] in ("Lines", "Text"):
            letters = [k for k in ORDER[current.config.kind] if len(k) == 1 and k != "x"]
            pickers.choice(FIELD["s_quantity"], letters, collapsed=True)


def badge(current: page.StepScreen, run: Stepping) -> None:
    """What runs, and how far the arithmetic on screen is from PyTorch's own result."""
    kind = current.config.kind
    against = f"max |difference| to `nn.{kind}`: **{run.difference:.1e}**"
    text = f"`{current.config.call()}` · L = {current.length} · {against}"
    if run.clamped:
        text += f" without the clamps: `nn.{kind}` has none, so this run is our own loop"
    if current.edits:
        text += "  \nWhat if: " + " · ".join(f"`{edit.line()}`" for edit in current.edits)
    if wrong := len(parse(st.session_state.get("s_edits", ""), current.config, current.length)[1]):
        text += f"  \nWhat if: {wrong} of the lines cannot be done; the sidebar says why"
    st.caption(
        text,
        help="The largest gap between what is shown, computed by PyTorch's documented equations, and what "
        "the module itself returns. float32 keeps about 7 digits, so 1e-07 is rounding.",
    )


def picture(current: page.StepScreen, values: Mapping[str, Any], step: int) -> None:
    """The chart of the chosen view. A click on it goes to that step and unit."""
    view, lane, inputs = values["s_view"], page.lane(values), False
    if view == "Heatmaps":
        show = values["s_show"] if current.edits else "Edited"
        letters = _letters(current, values["s_pre"] and show != "Side by side")
        inputs = letters[0] == "x" and show != "Side by side"
        figure, reading = _heatmaps(current, lane, show, letters), "steps along x, units along y"
    elif view == "Path":
        figure, reading = _path(current, lane, step), "the states in two dimensions"
    else:
        chosen = (current, lane, values["s_quantity"], values["s_unit"])
        figure, reading = (
            _lines(*chosen) if view == "Lines" else _text(*chosen, step),
            "one quantity over the steps",
        )
    direction = DIRECTION_NAMES[lane[1]]
    chart(
        figure,
        key=f"s_chart_{view}",
        name=f"Step through, {view}",
        summary=f"{current.config.call()} reading {current.length} steps, layer {lane[0]}, {direction}: "
        f"{reading}. {_range(current, lane)}",
        on_click=lambda point: _go(point, view, inputs),
        height=None if view == "Text" else HEIGHT,  # a text is as high as its lines
    )


def _go(point: Point, view: str, inputs: bool) -> None:
    length, units = st.session_state["s_bounds"]
    step: Any = point.custom[0] if view in ("Path", "Text") and point.custom else point.x
    if isinstance(step, float) and 0 <= step < length:
        backward = st.session_state.get("s_dir") == DIRECTION_NAMES[1]
        jump(Line(KEYS.page, FIELD["s_step"], length, backward), int(step))
    unit: Any = (
        point.y if view == "Heatmaps" else (point.custom[0] if view == "Lines" and point.custom else None)
    )
    if inputs and point.curve == 0:
        unit = None  # the first panel holds x, whose rows are no units
    if isinstance(unit, float) and 0 <= unit < units:
        st.session_state["s_unit"] = int(unit)
    if view == "Heatmaps":
        st.rerun(KEYS.detail)  # the picture itself only moves its cursor, in the browser


def _letters(current: page.StepScreen, before: bool) -> tuple[str, ...]:
    kind = current.config.kind
    return NAMES[kind] if before else ORDER[kind]


def _values(
    screen: page.StepScreen, lane: tuple[int, int], letters: tuple[str, ...]
) -> dict[str, np.ndarray]:
    trace = step_run(screen).trace
    return {letter: trace.sel(letter, *lane)[:, 0] for letter in letters}


@lru_cache(maxsize=64)
def _heatmaps(
    current: page.StepScreen, lane: tuple[int, int], show: str, letters: tuple[str, ...]
) -> go.Figure:
    original, tokens = current.original(), current.tokens
    if show == "Side by side":
        touched = {e.letter for e in current.edits if isinstance(e, Clamp) and (e.layer, e.direction) == lane}
        rows: list[str] = [k for k in ("h", "c") if k in letters]
        rows += [k for k in letters if k in touched and k not in rows]
        chosen = tuple(rows[:4])
        maps = side_by_side(_values(original, lane, chosen), _values(current, lane, chosen), tokens)
        return step_heatmaps(maps, columns=3, height=HEIGHT, backward=lane[1] == 1)
    columns = 2 if len(letters) > 3 else 1
    if show == "Difference":
        now, then = _values(current, lane, letters), _values(original, lane, letters)
        return step_heatmaps(
            difference_maps(then, now, tokens), columns=columns, height=HEIGHT, backward=lane[1] == 1
        )
    screen = original if show == "Original" else current
    return step_heatmaps(
        step_maps(_values(screen, lane, letters), tokens),
        columns=columns,
        height=HEIGHT,
        backward=lane[1] == 1,
    )


@lru_cache(maxsize=32)
def _lines(current: page.StepScreen, lane: tuple[int, int], letter: str, unit: int) -> go.Figure:
    return lines_figure(Lines(letter, _values(current, lane, (letter,))[letter], current.tokens, unit))


@lru_cache(maxsize=32)
def _text(current: page.StepScreen, lane: tuple[int, int], letter: str, unit: int, step: int) -> go.Figure:
    values = _values(current, lane, (letter,))[letter]
    quantity = QUANTITIES[letter]
    limit = 1.0 if quantity.scale == "unit" else quantity.limit or signed_limit(values)
    return text_figure(Coloured(letter, unit, values[:, unit], current.tokens, limit, step))


@lru_cache(maxsize=32)
def _path(current: page.StepScreen, lane: tuple[int, int], step: int) -> go.Figure:
    plane = principal_plane(_values(current, lane, ("h",))["h"])
    return path_figure(Path(plane.points, current.tokens, plane.share, step))


def _range(current: page.StepScreen, lane: tuple[int, int]) -> str:
    h = _values(current, lane, ("h",))["h"]
    return f"h lies between {h.min():.3f} and {h.max():.3f}."
