"""*Step through*, run whole and without a browser: what it is given, and that nothing makes it fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.link import query, read
from rnnviz.screens import step as page
from rnnviz.stepping import step_run
from tests.pages.components import components

Visit = Callable[..., AppTest]


def charts(app: AppTest) -> dict[str, Any]:
    """The charts on the page, {name: what the browser gets}."""
    return {data["name"]: data for data in components(app) if "figure" in data}


def cursor(app: AppTest) -> tuple[int, int]:
    return next((d["mark"]["step"], d["mark"]["unit"]) for d in components(app) if "mark" in d)


def array(spec: dict[str, Any]) -> Any:
    import base64

    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=spec["dtype"])
    return values.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else values


def test_the_first_visit_shows_pytorchs_numbers(visit: Visit) -> None:
    app = visit("step.py")
    assert not app.exception and not app.warning
    run = step_run(page.screen({})[0])
    maps = {t["name"]: array(t["z"]) for t in charts(app)["Step through, Heatmaps"]["figure"]["data"]}
    assert list(maps) == list("xifgoch")
    for letter, z in maps.items():
        np.testing.assert_array_equal(z, run.trace.sel(letter)[:, 0].T)
    assert cursor(app) == (2, 0)
    assert any(f"{run.difference:.1e}" in caption.value for caption in app.caption)


def test_what_is_written_out_is_the_chosen_step_and_unit(visit: Visit) -> None:
    app = visit("step.py", s_step="4", s_unit="3", s_detail=page.DETAILS[1])
    run = step_run(page.screen({})[0])
    assert "step 4, “the”" in " ".join(m.value for m in app.markdown)
    formulas = " ".join(m.value for m in app.latex)
    for letter in "ifgoch":
        assert f"{run.trace.sel(letter)[4, 0, 3]:.4f}" in formulas
    assert cursor(app) == (4, 3)
    table = next(m.value for m in app.markdown if m.value.startswith("| term"))
    assert f"**{run.trace.sel('i_pre')[4, 0, 3]:.4f}**" in table
    assert "click on a row" not in " ".join(m.value for m in app.markdown)
    app.segmented_control(key="s_gate").set_value("f").run()
    table = next(m.value for m in app.markdown if m.value.startswith("| term"))
    assert f"**{run.trace.sel('f_pre')[4, 0, 3]:.4f}**" in table


@pytest.mark.parametrize("row", list(page.EXAMPLES))
def test_every_preset_is_one_click(visit: Visit, row: str) -> None:
    app = visit("step.py", s_seed="3", s_edits="silence l0 unit 1")
    app.pills(key="step_preset").set_value(row).run()
    assert not app.exception and not app.warning
    expected = page.screen(page.preset_values(page.EXAMPLES[row]) | {"s_seed": 3})[0]
    maps = {t["name"]: array(t["z"]) for t in charts(app)["Step through, Heatmaps"]["figure"]["data"]}
    shown = page.lane(page.screen(page.preset_values(page.EXAMPLES[row]))[1])
    np.testing.assert_array_equal(maps["h"], step_run(expected).trace.sel("h", *shown)[:, 0].T)
    assert app.session_state["step_preset"] == row


@pytest.mark.parametrize("view", page.VIEWS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_every_view_of_every_kind_draws(visit: Visit, view: str, kind: str) -> None:
    app = visit(
        "step.py", s_view=view, s_kind=kind, s_layers="2", s_bi="true", s_layer="layer 1", s_dir="backward"
    )
    assert not app.exception and not app.warning
    assert f"Step through, {view}" in charts(app)


@pytest.mark.parametrize("source", page.SOURCES)
def test_every_input_draws_at_its_smallest_and_largest(visit: Visit, source: str) -> None:
    for values in (
        {"s_text": "a", "s_chars": "a", "s_len": "1", "s_table": "1", "s_hidden": "1", "s_in": "1"},
        {"s_text": "x " * 300, "s_chars": "ab" * 64, "s_len": "128", "s_hidden": "64", "s_layers": "4"},
    ):
        app = visit("step.py", s_source=source, s_bi="true", **values)
        assert not app.exception
        assert "The arithmetic of this step" in charts(app)


def test_what_is_folded_away_is_drawn_when_its_value_counts(visit: Visit) -> None:
    assert not [t for t in visit("step.py").toggle if t.key == "s_state"]
    app = visit("step.py", s_state="true")
    assert app.toggle(key="s_state").value is True
    assert app.query_params["s_state"] == "true"
    app.segmented_control(key="s_kind").set_value("GRU").run()
    assert app.query_params["s_state"] == "true" and not app.exception


def test_bad_values_in_the_address_are_corrected_and_named(visit: Visit) -> None:
    app = visit("step.py", s_hidden="99999", s_kind="Transformer", s_seed="abc", s_in="2", s_step="77")
    assert not app.exception
    said = " ".join(w.value for w in app.warning)
    assert "99999" in said and "Transformer" in said and "abc" in said
    assert app.slider(key="s_hidden").value == 64 and app.slider(key="s_in").value == 2
    assert app.query_params["s_hidden"] == "64"
    assert cursor(app)[0] == 5  # a step beyond the end is the last step


def test_another_spelling_of_a_good_value_is_no_fault(visit: Visit) -> None:
    app = visit("step.py", s_hidden="07", s_bi="TRUE", s_seed="5.0")
    assert not app.warning and not app.exception
    assert (app.slider(key="s_hidden").value, app.number_input(key="s_seed").value) == (7, 5)
    layers = visit("layers.py", l_dropout="1", l_layers="2")
    assert not layers.warning and not layers.exception


def test_user_text_is_shown_as_text(visit: Visit) -> None:
    app = visit("step.py", s_text="[x](http://example.org) <b>bold</b> ![y](z)", s_step="0")
    assert not app.exception
    shown = " ".join(m.value for m in app.markdown)
    assert "](http" not in shown and "<b>" not in shown
    figure = json.dumps(charts(app)["Step through, Heatmaps"]["figure"], ensure_ascii=False)
    assert "<b>bold" not in figure and "&lt;b&gt;" in figure


def test_edits_are_made_undone_and_reset(visit: Visit) -> None:
    app = visit("step.py")
    app.session_state["s_open_edits"] = True
    app.run()
    app.selectbox(key="s_edit_kind").set_value("Forget bias").run()
    app.button(key="s_apply").click().run()
    app.selectbox(key="s_edit_kind").set_value("Silence").run()
    app.button(key="s_apply").click().run()
    assert app.text_area(key="s_edits").value == "forget_bias l0 = 2\nsilence l0 unit 0"
    run = step_run(page.screen({"s_edits": app.text_area(key="s_edits").value})[0])
    traces = charts(app)["Step through, Heatmaps"]["figure"]["data"]
    np.testing.assert_array_equal(
        array(traces[2]["z"]), run.trace.sel("h")[:, 0].T
    )  # original h, c; edited h, c; …
    assert "our own loop" in " ".join(c.value for c in app.caption)
    app.button(key="s_undo").click().run()
    assert app.text_area(key="s_edits").value == "forget_bias l0 = 2"
    app.button(key="s_reset").click().run()
    assert app.text_area(key="s_edits").value == "" and not app.exception
    assert len(charts(app)["Step through, Heatmaps"]["figure"]["data"]) == 7


def test_beside_a_new_value_stands_the_one_that_the_weight_has_now(visit: Visit) -> None:
    app = visit("step.py")
    app.session_state["s_open_edits"] = True  # opened
    app.run()
    app.selectbox(key="s_edit_name").set_value("weight_hh_l0").run()
    app.number_input(key="s_edit_row_24").set_value(3).run()
    app.number_input(key="s_edit_column_6").set_value(2).run()
    now = step_run(page.screen({})[0]).parameters["weight_hh_l0"][3, 2]
    assert f"now **{now:.4g}**" in [m.value for m in app.sidebar.markdown]
    app.number_input(key="s_edit_value").set_value(0.5).run()
    app.button(key="s_apply").click().run()
    assert "now **0.5**" in [m.value for m in app.sidebar.markdown] and not app.exception


def test_a_wrong_edit_is_named_and_kept(visit: Visit) -> None:
    app = visit("step.py", s_edits="silence l0 unit 1\nclamp q l0 = 1")
    assert not app.exception and "line 2" in app.warning[0].value
    assert app.text_area(key="s_edits").value == "silence l0 unit 1\nclamp q l0 = 1"


def test_a_clamped_value_is_not_passed_off_as_the_formula_s(visit: Visit) -> None:
    edits = "clamp i l0 steps 2 = 0.1\nsilence l0 unit 3"
    app = visit("step.py", s_edits=edits, s_step="2", s_unit="3", s_detail=page.DETAILS[1])
    run = step_run(page.screen({"s_edits": edits})[0])
    total = float(run.trace.sel("i_pre")[2, 0, 3])
    formulas = " ".join(m.value for m in app.latex)
    assert rf"\approx {1 / (1 + np.exp(-total)):.4f},\ \text{{held at}}\ 0.1000" in formulas
    assert r"\text{held at}\ 0.0000" in formulas
    free = visit("step.py", s_edits=edits, s_step="3", s_unit="2", s_detail=page.DETAILS[1])
    assert "held" not in " ".join(m.value for m in free.latex)


def test_values_that_do_not_fit_the_layer_are_named_too(visit: Visit) -> None:
    app = visit("step.py", s_step="100", s_unit="1e9", s_dir="backward", s_gate="z")
    said = " ".join(w.value for w in app.warning)
    assert "100" in said and "5 is used" in said and "forward is used" in said and "i is used" in said
    assert cursor(app) == (5, 5) and "63" not in said


def test_a_card_s_address_is_the_whole_configuration_and_the_menu_s_is_not(visit: Visit) -> None:
    app = visit("step.py", s_hidden="3", s_text="alpha beta")
    app.switch_page("home.py").run()
    app.switch_page("step.py").run()
    assert app.slider(key="s_hidden").value == 3  # by the menu: as it was left
    app.switch_page("home.py").run()
    app.query_params.clear()
    app.query_params["s_in"] = "7"
    app.switch_page("step.py").run()
    assert (app.slider(key="s_in").value, app.slider(key="s_hidden").value) == (7, 6)
    assert app.text_input(key="s_text").value == "the cat sat on the mat"


def test_a_wrong_table_is_named_and_kept(visit: Visit) -> None:
    app = visit("step.py", s_source="Table", s_table="1 2\n3")
    assert not app.exception and "line 2" in app.warning[0].value
    assert app.text_area(key="s_table").value == "1 2\n3"


def test_the_link_holds_the_whole_screen(visit: Visit) -> None:
    app = visit(
        "step.py", s_kind="GRU", s_bi="true", s_edits="clamp z l0 = 1", s_text="one two", s_hidden="3"
    )
    values, _ = read(
        page.FIELDS, {f.key: app.session_state[f.key] for f in page.FIELDS if f.key in app.session_state}
    )
    assert query(page.FIELDS, values) == (
        "s_kind=GRU&s_text=one+two&s_hidden=3&s_bi=true&s_step=1&s_edits=clamp+z+l0+%3D+1"
    )
