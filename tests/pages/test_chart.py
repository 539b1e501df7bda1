"""What a chart is given and what it makes of what the browser sends; interaction is tested in the browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from rnnviz.ui.chart import Point, _deliver
from tests.pages.components import components

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)
FIELDS = ("curve", "index", "x", "y", "z", "text", "custom")


def data_of(app: AppTest, i: int = 0) -> dict[str, Any]:
    assert not app.exception
    data = components(app)[i]
    return data


def one_heatmap() -> None:
    import numpy as np

    from rnnviz.figures.base import figure
    from rnnviz.ui.chart import chart, cursor

    heat = {"type": "heatmap", "z": np.array([[0.5, np.nan]], dtype=np.float32)}
    chart(
        figure([heat], {"height": 123}),
        key="heat",
        name="A name",
        summary="A summary.",
        on_click=lambda _: None,
    )
    chart(figure([heat], {}), key="plain", name="B", summary="C.", height=99)
    cursor("step", 3)
    cursor("other", 3, 4)


def test_a_chart_sends_its_figure_as_typed_arrays_and_without_the_template() -> None:
    data = data_of(AppTest.from_function(one_heatmap).run())
    assert data["name"] == "A name"
    assert data["summary"] == "A summary."
    assert data["figure"]["data"][0]["z"]["dtype"] == "f4"
    assert data["figure"]["layout"] == {"height": 123}
    assert data["events"] == ["click"]
    assert data["urls"]["module"].startswith("rnnviz-assets/chart.")


def test_height_is_the_caller_s_and_events_nobody_listens_to_are_not_sent() -> None:
    data = data_of(AppTest.from_function(one_heatmap).run(), 1)
    assert data["height"] == 99
    assert data["events"] == []


def test_a_cursor_sends_no_figure() -> None:
    app = AppTest.from_function(one_heatmap).run()
    for i, (group, unit) in enumerate([("step", None), ("other", 4)], start=2):
        data = data_of(app, i)
        assert (data["group"], data["step"], data["unit"]) == (group, 3, unit)
        assert len(json.dumps(data)) < 200


def unsendable() -> None:
    import numpy as np
    import streamlit as st

    from rnnviz.figures.base import figure
    from rnnviz.ui.chart import chart

    bad: list[object] = [[1.0, float("nan")], [np.float32(1.0)]]
    try:
        chart(
            figure([{"type": "scatter", "y": bad[st.session_state.bad]}], {}), key="k", name="N", summary="S."
        )
    except ValueError as error:  # the message of an uncaught one is kept from users, and from tests
        st.text(str(error))


@pytest.mark.parametrize("bad", [0, 1])
def test_numbers_that_would_arrive_broken_are_refused(bad: int) -> None:
    app = AppTest.from_function(unsendable)
    app.session_state.bad = bad
    app.run()
    assert not app.get("bidi_component")
    assert app.text[0].value.startswith("chart 'k': ")


def test_a_click_on_a_heatmap_cell_becomes_a_point() -> None:
    sent = {"curve": 1, "index": [2, 4], "x": 4, "y": 2.0, "z": 0.5, "text": "the", "custom": ["a", 1, None]}
    assert Point.parse(sent) == Point(
        curve=1, index=(2, 4), x=4.0, y=2.0, z=0.5, text="the", custom=("a", 1.0, None)
    )


@given(JSON | st.fixed_dictionaries({}, optional={name: JSON for name in FIELDS}))
def test_whatever_the_browser_sends_a_point_has_its_types(value: object) -> None:
    point = Point.parse(value)
    if point is None:
        return
    assert isinstance(point.curve, int)
    assert point.curve >= 0
    assert len(point.index) <= 2
    assert all(type(i) is int and i >= 0 for i in point.index)
    for number in (point.x, point.y, point.z, *point.custom):
        assert number is None or isinstance(number, str) or abs(number) < float("inf")
    assert not isinstance(point.z, str)
    assert len(point.text) <= 200
    assert len(point.custom) <= 16


@pytest.mark.parametrize(
    ("event", "value", "told"),
    [
        ("click", {"curve": 0}, [0]),
        ("click", None, []),
        ("click", "curve", []),
        ("click", {"left": True}, []),
        ("hover", {"curve": 2}, [2]),
        ("hover", {"left": True}, [None]),
        ("hover", None, []),
    ],
)
def test_only_a_real_event_reaches_the_page(
    event: str, value: object, told: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnviz.ui.chart.st.session_state", {"key": {event: value}})
    heard: list[int | None] = []
    _deliver("key", event, lambda point: heard.append(point and point.curve))
    assert heard == told
