"""*By hand*, run whole and without a browser: what it is given, and that nothing makes it fail."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.by_hand.experiment import operations, outcome
from rnnviz.by_hand.recipes import sources
from rnnviz.gates import KINDS
from rnnviz.link import query, read
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import EXAMPLES, preset_values
from tests.pages.components import components

Visit = Callable[..., AppTest]
MAPS = "Both results and their difference"


def charts(app: AppTest) -> dict[str, Any]:
    """The charts on the page, {name: what the browser gets}."""
    return {data["name"]: data for data in components(app) if "figure" in data}


def array(spec: dict[str, Any]) -> Any:
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=spec["dtype"])
    return values.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else values


def maps(app: AppTest) -> dict[str, Any]:
    return {t["name"]: array(t["z"]) for t in charts(app)[MAPS]["figure"]["data"]}


def html(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def bare(text: str) -> str:
    text = re.sub(r"</div>", "\n", text)
    return re.sub(r"<[^>]+>", "", text).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


def cells(table: str) -> str:
    return bare(table.replace("</td>", " | "))


def words(app: AppTest) -> str:
    return " ".join(str(item.value) for item in [*app.markdown, *app.caption, *app.warning, *app.info])


def test_the_first_visit_shows_both_sides_equal(visit: Visit) -> None:
    app = visit("by_hand.py")
    assert not app.exception and not app.warning and not app.info
    current = page.screen({})[0]
    shown = maps(app)
    for one in outcome(current).results:
        rows = (one.hand[0].T, one.torch[0].T) if one.name != "h_n" else (one.hand[:, 0], one.torch[:, 0])
        np.testing.assert_array_equal(shown[f"{one.name} by hand"], rows[0])
        np.testing.assert_array_equal(shown[f"{one.name} PyTorch"], rows[1])
        np.testing.assert_array_equal(shown[f"{one.name} difference"], rows[0] - rows[1])
    code = bare(html(app)[0])
    assert all(line in code for line in sources(current)["hand"][0].splitlines())
    assert "layer = nn.RNN(5, 6, batch_first=True)" in code and code.count("✓") == 4
    assert re.search(r"By hand[\d.]+ (µs|ms)", code) and re.search(r"PyTorch[\d.]+ (µs|ms)", code)


@pytest.mark.parametrize("row", list(EXAMPLES))
def test_every_preset_is_one_click(visit: Visit, row: str) -> None:
    app = visit("by_hand.py", b_seed="3", b_fault="Wrong slice", b_op="7")
    app.pills(key="by_hand_preset").set_value(row).run()
    assert not app.exception and app.session_state["by_hand_preset"] == row
    current = page.screen(preset_values(EXAMPLES[row]) | {"b_seed": 3})[0]
    left = page.sides(current.experiment)[0].lower()
    one = outcome(current).results[0]
    sheet = one.hand[:, 0] if row == "B4" else one.hand[0]
    shown = maps(app)[f"output {left}"]
    stride = -(-sheet.shape[1] // len(shown))
    np.testing.assert_array_equal(shown, sheet.T[::stride])
    assert bool(app.warning) == (row in ("E4", "E6"))
    assert EXAMPLES[row].fact in bare(html(app)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
def test_every_fault_of_every_kind_lights_up_with_its_explanation(
    visit: Visit, experiment: str, kind: str
) -> None:
    app = visit("by_hand.py", b_exp=experiment, b_kind=kind, b_layers="2", b_batch="3", b_way=page.WAYS[1])
    switch = app.segmented_control(key="b_fault")
    offered = page.faults(experiment, kind, page.WAYS[1])
    assert list(switch.options) == [page.INTACT, *offered]
    for fault in offered:
        app.session_state["b_fault"] = fault  # a click would leave only the part that it draws again
        app.run()
        assert not app.exception and app.session_state["b_fault"] == fault
        assert app.warning[0].value.startswith(f"**{fault}.**")
        code = bare(html(app)[0])
        assert "broken: " in code and "✗" in code
        if fault == "Join every layer":  # its mistake is a shape: there is nothing to subtract
            assert "joined shapes differ: (1, 3, 24) ≠ (1, 3, 12)" in code
            continue
        assert (
            max(np.abs(z).max() for n, z in maps(app).items() if n.endswith("difference") and z.size) > 1e-3
        )


def test_a_fault_that_changes_nothing_says_why(visit: Visit) -> None:
    app = visit("by_hand.py", b_exp="Stack of cells", b_fault="Only the first cell")
    assert not app.exception and not app.warning
    assert "changes nothing here" in app.info[0].value and "raise num_layers" in app.info[0].value
    assert "broken: " in bare(html(app)[0])


def test_the_stepper_shows_the_operation_where_it_stands_and_its_value(visit: Visit) -> None:
    app = visit("by_hand.py", b_op="4")
    recorded = operations(page.screen({})[0])
    operation = recorded.operations[4]
    assert f"Operation 4 of {recorded.total}, t = 0" in html(app)[1] and "<b>(2, 6)</b>" in html(app)[1]
    assert "<mark style=" in html(app)[1] and operation.code == "h @ W_hh.T"
    (trace,) = charts(app)["Result of operation 4"]["figure"]["data"]
    np.testing.assert_array_equal(array(trace["z"]), operation.values)
    app.button(key="b_End").click().run()
    assert app.slider(key="b_op").value == recorded.total - 1 and not app.exception


def test_gradients_are_compared_parameter_by_parameter(visit: Visit) -> None:
    app = visit("by_hand.py", b_kind="LSTM", b_detail="Gradients")
    said = cells(html(app)[-1])
    for one in outcome(page.screen({"b_kind": "LSTM"})[0]).gradients:
        assert f"{one.name} | {one.shape} | " in said
    assert "✗" not in said
    lost = visit(
        "by_hand.py",
        b_exp="Stack of cells",
        b_layers="2",
        b_fault="Only the first cell",
        b_detail="Gradients",
    )
    assert "weight_hh_l1 | (6, 6) | none | " in cells(html(lost)[-1]) and "never learn" in words(lost)


def test_explode_or_die_follows_its_sliders(visit: Visit) -> None:
    app = visit(
        "by_hand.py", b_exp="Memory without activation", b_detail=page.LONG, b_radius="1.5", b_steps="200"
    )
    summary = charts(app)["Norm of the state"]["summary"]
    assert "after 200 steps with spectral radius 1.5" in summary and re.search(r"memory \S+e\+3", summary)
    app.slider(key="b_radius").set_value(0.1).run()
    assert re.search(r"memory and tanh \S+e-\d\d\d", charts(app)["Norm of the state"]["summary"])
    assert not app.exception


@pytest.mark.parametrize("detail", [*page.DETAILS, page.LONG])
@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
def test_every_detail_draws_at_the_smallest_and_largest_sizes(
    visit: Visit, experiment: str, detail: str
) -> None:
    if detail not in page.details(experiment):
        return
    for values in (
        {"b_batch": "1", "b_len": "1", "b_in": "1", "b_hidden": "1", "b_out": "1", "b_layers": "1"},
        {"b_batch": "8", "b_len": "64", "b_in": "128", "b_hidden": "48", "b_layers": "4", "b_n": "7"},
    ):
        app = visit("by_hand.py", b_exp=experiment, b_kind="LSTM", b_detail=detail, b_op="999", **values)
        assert not app.exception and MAPS in charts(app)


def test_too_much_work_is_cut_with_a_sentence(visit: Visit) -> None:
    app = visit(
        "by_hand.py", b_exp="Both directions", b_kind="LSTM", b_layers="4", b_hidden="512", b_len="64"
    )
    assert not app.exception and "too much work" in app.warning[0].value
    assert int(app.query_params["b_len"]) < 64


def test_bad_values_in_the_address_are_corrected_and_named(visit: Visit) -> None:
    app = visit("by_hand.py", b_hidden="99999", b_exp="Magic", b_seed="abc", b_radius="nan", b_fault="<b>")
    assert not app.exception
    said = " ".join(w.value for w in app.warning)
    assert "99999" in said and "Magic" in said and "abc" in said and "nan" in said
    assert app.number_input(key="b_hidden").value == 512


@pytest.mark.parametrize("experiment", page.EXPERIMENTS)
def test_the_weights_source_is_shown_when_asked_for(visit: Visit, experiment: str) -> None:
    app = visit("by_hand.py", b_exp=experiment, b_detail=page.DETAILS[2])
    expected = sources(page.screen({"b_exp": experiment})[0])["share"][0]
    assert bare(html(app)[-1]).rstrip() == expected.rstrip() and not app.exception


def test_the_link_holds_the_whole_screen(visit: Visit) -> None:
    app = visit("by_hand.py", b_kind="GRU", b_fault="r before the product", b_bias="false", b_n="1", b_op="3")
    held = {f.key: app.session_state[f.key] for f in page.FIELDS if f.key in app.session_state}
    assert query(page.FIELDS, read(page.FIELDS, held)[0]) == (
        "b_kind=GRU&b_fault=r+before+the+product&b_bias=false&b_n=1&b_op=3"
    )


@pytest.mark.parametrize("row", list(EXAMPLES))
def test_what_a_rerun_sends_is_small(visit: Visit, row: str) -> None:
    app = visit(
        "by_hand.py",
        **{k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in EXAMPLES[row].values.items()},
    )
    sent = sum(len(part.proto.json) for part in app.get("bidi_component")) + sum(map(len, html(app)))
    assert sent < 46_000  # the widgets around them are some 12 kB


def test_a_correction_is_taken_away_by_the_next_value_that_fits(visit: Visit) -> None:
    app = visit("by_hand.py", b_hidden="99999")
    assert "99999" in app.warning[0].value
    app.number_input(key="b_hidden").set_value(7).run()
    assert not app.exception and not app.warning
    assert app.pills(key="by_hand_preset")  # all was drawn: the warning stands outside of the parts
