"""The pictures of *Topologies*: records exactly, figures through plotly's full validation."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnviz.figures.base import sendable
from rnnviz.figures.sharing import (
    Growth,
    growth_figure,
    growth_summary,
    sharing_figure,
    sharing_summary,
    wirings,
)
from rnnviz.figures.topologies import picture_figure, picture_summary
from rnnviz.figures.topologies_detail import outputs_figure, plane_figure, training_figure
from rnnviz.figures.topologies_places import Picture, picture
from rnnviz.figures.topologies_strip import SKETCHES, clicked, strip_figure
from rnnviz.topologies.config import NAMES, TITLES, SharingConfig, topology
from rnnviz.topologies.kits import fresh, shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.reading import EXAMPLES
from rnnviz.topologies.sharing import counted, curves, lengths

MARKUP = re.compile(r"</?(?:b|sub|br|extra|span)(?: style=\\?\"font-size:10px\\?\")?>")
LONG = {"many-to-one": "()" * 12, "out-of-step": "abcdefgh", "in-step": "<b>the</b> %{y} & " + "dog " * 10}


def record(name: str, given: Any, *, trained: bool = True) -> Picture:
    config = topology(name)
    return picture(look(config, shipped(config)[0] if trained else fresh(config), given))


def given(name: str) -> Any:
    first = EXAMPLES[name][0]
    return {"one-to-one": (0.3, 0.4), "one-to-many": 42}.get(name, first)


def listed(part: Any) -> Any:
    """Arrays for the browser as plain arrays again."""
    if isinstance(part, dict) and "bdata" in part:
        flat = np.frombuffer(base64.b64decode(part["bdata"]), np.dtype(part["dtype"]))
        return flat.reshape([int(n) for n in part["shape"].split(",")]) if "shape" in part else flat
    if isinstance(part, dict):
        return {key: listed(value) for key, value in part.items()}
    return [listed(value) for value in part] if isinstance(part, list) else part


def checked(made: go.Figure, limit: int = 40_000) -> go.Figure:
    text = sendable(made).text
    assert len(text.encode()) < limit
    assert "<" not in MARKUP.sub("", text)
    content = listed(json.loads(text))
    return go.Figure({"data": content["data"], "layout": content["layout"]})


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_A11_the_heatmaps_hold_the_run_in_their_columns(name: str, trained: bool) -> None:
    for inputs in (given(name), LONG.get(name, given(name))):
        made = record(name, inputs, trained=trained)
        plain = checked(picture_figure(made))
        h, p = (next(t for t in plain.data if t.name == letter) for letter in ("h", "p"))
        places = [2 * place for place in made.places]
        np.testing.assert_array_equal(np.array(h.z)[:, places].T, made.look.h)
        outputs = [2 * place for _, place in made.outputs]
        taken = made.look.probabilities[list(made.look.outputs)]
        np.testing.assert_array_equal(np.array(p.z)[:, outputs].T, taken)
        others = [k for k in range(2 * made.columns - 1) if k not in places]
        assert np.isnan(np.array(h.z)[:, others]).all()


@pytest.mark.parametrize("name", NAMES)
def test_A11_shapes_stand_at_the_arrows_and_the_loss_is_named(name: str) -> None:
    made = record(name, given(name))
    text = sendable(picture_figure(made)).text
    drawn = checked(picture_figure(made))
    for key in ("x", "y", *(("h",) if made.recurrent else ()), *(("first",) if made.look.first else ())):
        assert made.look.shapes[key] in text
    assert "cross entropy" in text and f"{made.look.loss:.4f}" in text
    assert "nn.Linear" in text and made.look.shapes["reads"] in text
    arrows = next(t for t in drawn.data if t.name == "arrows")
    entering, leaving = sum(bool(c.enters) for c in made.look.columns), 2 * len(made.outputs)
    sideways = len(made.look.columns) if made.recurrent else 0
    assert len(arrows.x) == entering + leaving + sideways


def test_A11_without_anybody_who_knows_there_is_no_loss() -> None:
    made = record("in-step", "zebra zebra")
    assert made.look.loss is None and "nobody knows" in sendable(picture_figure(made)).text
    assert "Loss" not in picture_summary(made)


def test_A11_a_wrong_output_is_marked() -> None:
    made = record("out-of-step", "recurrent")
    assert made.look.says.startswith("recurren backwards") and "✗" in sendable(picture_figure(made)).text
    assert "✗" not in sendable(picture_figure(record("out-of-step", "ab"))).text


def test_A11_encoder_and_decoder_stand_apart() -> None:
    made = record("out-of-step", "abc")
    assert made.places[:3] == (0, 1, 2) and made.places[3] == 4
    assert "steps, 4 outputs" in picture_summary(made)


@pytest.mark.parametrize("name", NAMES)
def test_A11_the_strip_draws_five_and_frames_the_active_one(name: str) -> None:
    made = checked(strip_figure(name))
    chosen = NAMES.index(name)
    assert list(np.array(made.data[0].z)[0]).index(1) == chosen
    assert made.layout.shapes[0].x0 == pytest.approx(chosen - 0.48)
    boxes = [sum(v is None for v in t.x) for t in made.data[1:] if t.fill == "toself"]
    assert boxes == [
        sum(len(s.inputs) for s in SKETCHES.values()),
        sum(s.columns for s in SKETCHES.values()),
        sum(len(s.outputs) for s in SKETCHES.values()),
    ]
    assert set(TITLES.values()) <= {
        re.sub("</?b>", "", str(t)).replace("<br>", " ")
        for trace in made.data[1:]
        for t in (trace.text or ())
    }


@pytest.mark.parametrize(
    ("x", "name"), [(0.0, NAMES[0]), (4.0, NAMES[4]), (-1.0, None), (9, None), ("a", None)]
)
def test_a_click_names_a_shape_or_nothing(x: object, name: str | None) -> None:
    assert clicked(x) == name


@pytest.mark.parametrize("name", NAMES[1:])
def test_every_class_has_its_name_where_a_row_has_room_for_it(name: str) -> None:
    found = record(name, given(name)).look
    made = checked(outputs_figure(found))
    layout = made.layout
    inside = layout.height - layout.margin.t - layout.margin.b
    assert inside / len(found.classes) > layout.yaxis.tickfont.size + 2
    assert tuple(layout.yaxis.ticktext) == tuple(found.classes)
    assert layout.meta is None or "labels" not in layout.meta  # the browser would show every second one


def test_the_details_hold_the_numbers() -> None:
    found = record("in-step", "she saw the dog").look
    made = checked(outputs_figure(found))
    assert made.layout.xaxis.ticktext[0] == "she → PRON" and made.layout.yaxis.ticktext[0] == "DET"
    report = shipped(topology("in-step"))[1]
    line = checked(training_figure(report.curve, report.steps)).data[0]
    assert tuple(line.y) == report.curve and max(line.x) <= report.steps
    plane = checked(plane_figure(np.zeros((49, 49), np.float32), 6.0, (1.0, 2.0), 1.2))
    assert (plane.data[0].x0, plane.data[0].dx) == (-6.0, 0.25) and tuple(plane.data[1].x) == (1.0,)


def test_A10_the_pictures_say_what_they_draw() -> None:
    wiring = wirings(5, 3)
    checked(sharing_figure(wiring))
    assert "Fully connected: 25 lines carry 25 different blocks" in sharing_summary(wiring)
    assert "RNN, LSTM, GRU: 9 lines carry 2 different blocks" in sharing_summary(wiring)
    checked(sharing_figure(wirings(1, 15)))
    config = SharingConfig()
    growth = Growth(lengths(), curves(config), config.length, counted(config))
    made = checked(growth_figure(growth))
    assert [tuple(t.y) for t in made.data[:-1]] == list(growth.counts.values())
    assert tuple(made.data[-1].y) == tuple(growth.marked.values())
    assert (made.layout.xaxis.type, made.layout.yaxis.type) == ("log", "log")
    assert "LSTM 1,664" in growth_summary(growth)
