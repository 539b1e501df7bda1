"""The one chart: every figure of every page is drawn by `chart`; `cursor` moves the marked step in them.

`st.plotly_chart` remounts at every change, loses zoom and hover, and never hands over a click on a heatmap
cell. This component calls `Plotly.react` instead; what runs in the browser is assets/chart.js.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import plotly.graph_objects as go
import streamlit as st

from rnnviz.assets import asset_url
from rnnviz.figures.base import sendable

DEFAULT_HEIGHT = 360
MAX_TEXT = 200

# This text travels with every chart of every rerun, so it only fetches the real module, which the browser
# keeps. It runs from a blob: address, hence the base. The addresses come with the data: they change when a
# file changes, this text must not, since it is registered once for the life of the server.
_BOOTSTRAP = """
export default async (component) => {{
  const data = JSON.parse(component.data.sent);
  const module = await import(new URL(data.urls.module, document.baseURI).href);
  return module.{name}({{ ...component, data }});
}};
"""

_CHART = st.components.v2.component("rnnviz_chart", js=_BOOTSTRAP.format(name="chart"), isolate_styles=False)
_CURSOR = st.components.v2.component(
    "rnnviz_cursor", js=_BOOTSTRAP.format(name="cursor"), isolate_styles=False
)


@dataclass(frozen=True)
class Point:
    """The point of a figure that was clicked or hovered: its types are checked, its meaning is not.

    ``curve`` is the index of the trace, ``index`` the point's own: (i,), or (row, column) in a heatmap. A
    coordinate is None where the trace has none. Clamp before use as an index: a figure may have changed
    since.
    """

    curve: int
    index: tuple[int, ...]
    x: float | str | None
    y: float | str | None
    z: float | None
    text: str
    custom: tuple[float | str | None, ...]

    @classmethod
    def parse(cls, value: object) -> Point | None:
        """The point in an event's payload; None if it is not one (anybody can send anything)."""
        if not isinstance(value, dict):
            return None
        curve = _index(value.get("curve"))
        if curve is None:
            return None
        raw = value.get("index")
        indices = [_index(part) for part in raw[:2]] if isinstance(raw, list) else []
        custom = value.get("custom")
        z = _scalar(value.get("z"))
        text = value.get("text")
        return cls(
            curve=curve,
            index=tuple(part for part in indices if part is not None),
            x=_scalar(value.get("x")),
            y=_scalar(value.get("y")),
            z=z if isinstance(z, float) else None,
            text=text[:MAX_TEXT] if isinstance(text, str) else "",
            custom=tuple(_scalar(part) for part in custom[:16]) if isinstance(custom, list) else (),
        )


@dataclass(frozen=True)
class Mark:
    """Where the charts of a group have their cursor, see `cursor`."""

    group: str
    step: int
    unit: int | None = None


def chart(
    figure: go.Figure,
    *,
    key: str,
    name: str,
    summary: str,
    on_click: Callable[[Point], None] | None = None,
    on_hover: Callable[[Point | None], None] | None = None,
    on_drag: Callable[[Point], None] | None = None,
    height: int | None = None,
    mark: Mark | None = None,
) -> None:
    """Draw `figure`, or change the drawn one in place: zoom, camera and hover stay.

    `name` is the accessible name and the name of saved files, `summary` the text alternative (one or two
    sentences with the numbers that matter). The callbacks run before the page does, as a widget's do;
    `on_hover` gets None when the pointer leaves, and costs a rerun each time, so use it inside a fragment.
    `on_drag` gets the bar that was moved, its new height as ``y``; ``layout.meta.grips`` says which can be:
    ``{"trace": 0, "fixed": [2]}``, a trace whose heights sum to 1, and the bars of it that stay.
    `height` in pixels is the figure's own unless given. With `mark` the chart also does what `cursor` does,
    for one component less: for a chart that is drawn again whenever the step moves.

    ``layout.meta`` may hold ``labels`` ({"x": one text for each integer position}) and ``cursor`` (see
    `cursor`). ``layout.uirevision`` decides when a zoom is dropped: give one that changes with the data's
    shape.

    Raises `ValueError` if the figure holds a NaN or a numpy number outside of a numpy array: it could not be
    sent.
    """
    try:
        sent = sendable(figure)
    except ValueError as error:
        raise ValueError(f"chart {key!r}: {error}") from error
    pixels = int(height or sent.height or DEFAULT_HEIGHT)
    events: dict[str, Callable[[Any], None] | None] = {"click": on_click, "hover": on_hover, "drag": on_drag}
    words: dict[str, Any] = {
        "height": pixels,
        "name": name,
        "summary": summary,
        "events": [event for event, wanted in events.items() if wanted],
        "urls": _urls() | {"grips": asset_url("grips.js")} if on_drag else _urls(),
    }
    if mark is not None:
        words["mark"] = {"group": mark.group, "step": int(mark.step), "unit": mark.unit}
    more: dict[str, Any] = {"on_drag_change": lambda: _deliver(key, "drag", on_drag)} if on_drag else {}
    _CHART(
        key=key,
        data=_packed(words, sent.text),
        height=pixels,
        on_click_change=lambda: _deliver(key, "click", on_click),
        on_hover_change=lambda: _deliver(key, "hover", on_hover),
        **more,
    )


def cursor(group: str, step: int, unit: int | None = None) -> None:
    """Mark `step` (and `unit`) in every chart on the page that belongs to `group`; no figure is sent again.

    A chart belongs to it by ``layout.meta.cursor = {"group": group, "axes": [["x", "y"], ["x", "y2"]]}``: the
    pairs of axes to mark, steps along the first, units along the second (only used if a unit is given;
    ``"unit": False`` in the same place says that the second axis holds no units). A click on a point of such
    a chart moves the cursor at once; the page should then confirm by calling this with the new step.
    ``"unread": True`` hides the steps after the cursor.
    """
    _CURSOR(
        key=f"cursor_{group}",
        data=_packed(
            {
                "group": group,
                "step": int(step),
                "unit": None if unit is None else int(unit),
                "urls": {"module": _urls()["module"]},
            }
        ),
    )


def _packed(words: dict[str, Any], figure: str | None = None) -> dict[str, str]:
    """A component's data as one text: Streamlit 1.67 asks of every single value whether it is a table, which
    for a dozen of them cost as much as drawing a heatmap. ``figure`` is JSON already.
    """
    text = orjson.dumps(words).decode()
    return {"sent": text if figure is None else f'{text[:-1]},"figure":{figure}}}'}


@lru_cache(maxsize=1)
def _urls() -> dict[str, str]:
    return {
        "module": asset_url("chart.js"),
        "style": asset_url("chart.css"),
        "plotly": asset_url("plotly.min.js"),
    }


def _deliver(key: str, event: str, callback: Callable[[Any], None] | None) -> None:
    if callback is None:
        return
    value = st.session_state[key].get(event)
    point = Point.parse(value)
    if point is not None or (event == "hover" and isinstance(value, dict) and value.get("left") is True):
        callback(point)


def _index(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        return None
    return value


def _scalar(value: object) -> float | str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = float(value) if abs(value) < 1e300 else math.inf
        return number if math.isfinite(number) else None
    return value[:MAX_TEXT] if isinstance(value, str) else None
