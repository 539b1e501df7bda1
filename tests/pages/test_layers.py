"""Layers & shapes as the server builds it: what each control, preset, view and address makes of the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from rnnviz.layers import stream
from rnnviz.presets import EXAMPLES
from rnnviz.runs import feed, run
from rnnviz.screens.layers import VIEWS, preset_values, screen
from rnnviz.shapes import tensors
from tests.pages.components import components

Visit = Callable[..., AppTest]


def at(visit: Visit, **query: str) -> AppTest:
    return checked(visit("layers.py", **query))


def checked(app: AppTest) -> AppTest:
    assert [item.message for item in app.exception] == []
    return app


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    """What each chart on the page was given, by its name."""
    found = components(app)
    return {data["name"]: data for data in found if "figure" in data}


def words(app: AppTest) -> str:
    html = [item.proto.body for item in app.get("html")]
    return "\n".join([*html, *(m.value for m in app.markdown), *(c.value for c in app.caption)])


def shapes_said(app: AppTest) -> str:
    return str(charts(app)["Tensors of the layer"]["summary"])


def test_the_first_visit_has_the_picture_and_few_controls(visit: Visit) -> None:
    app = at(visit)
    assert list(charts(app)) == ["Tensors of the layer"]
    (more,) = app.sidebar.expander
    assert not more.proto.expanded
    assert [n.key for n in app.sidebar.number_input] == [
        "l_in",
        "l_hidden",
        "l_layers",
        "l_seed",
        "l_len",
        "l_batch",
    ]
    hidden = [t.key for t in more.toggle]
    assert [t.key for t in app.sidebar.toggle if t.key not in hidden] == ["l_bi", "l_bf"]
    assert not app.warning
    assert "output (N, L, D * H_out) is (3, 7, 12)" in shapes_said(app)


def corrections(app: AppTest) -> list[str]:
    """What `arrive` has said; the traps warn of other things."""
    return [warning.value for warning in app.warning if warning.proto.title == "Corrected"]


@pytest.mark.parametrize("row", EXAMPLES)
def test_one_click_on_a_preset_shows_its_row(visit: Visit, row: str) -> None:
    app = at(visit, l_dtype="float64", l_layers="3")
    app.button_group(key="layers_preset").set_value(row)
    checked(app.run())
    example = EXAMPLES[row]
    assert app.button_group(key="l_view").value == example.views[0]
    if example.views[0] == "Tensors":
        for name, shape in tensors(example.config, example.length, example.batch).items():
            formula = ", ".join(d.formula for d in shape.dims)
            assert f"{name} ({formula}) is {shape.shape}" in shapes_said(app)
    assert f"**{row}** {example.fact}" in words(app)
    assert app.button_group(key="layers_preset").value == row


def test_the_presets_of_one_fact_open_where_it_shows(visit: Visit) -> None:
    app = at(visit, l_trap="Padding")

    def click(row: str) -> dict[str, dict[str, Any]]:
        app.button_group(key="layers_preset").set_value(row)
        checked(app.run())
        return charts(app)

    assert "backward ≠ h_n[1]" in click("A6")["Last output against h_n"]["summary"]
    assert list(click("A7")) == ["weight_ih_l0"] and "in 8 tensors" in words(app)
    (drawn,) = click("A8").values()
    assert "in 32 tensors" in words(app)
    assert drawn["summary"].startswith("weight_ih_l1 (6, 12)")
    assert "enter together: the, everybody, she." in click("A9")["Feeding order"]["summary"]
    assert list(click("A1")) == ["Tensors of the layer"]
    app.button_group(key="l_view").set_value("Unrolled")
    checked(app.run())
    assert list(click("A2")) == ["Unrolled network"]  # where its fact shows as well


def test_A6_the_first_screen_says_which_slices_are_the_same_numbers(visit: Visit) -> None:
    app = at(visit)
    said = "output[:, -1, :6] = h_n[0]. output[:, 0, 6:] = h_n[1]. output[:, -1, 6:] ≠ h_n[1]."
    assert shapes_said(app).endswith(said)
    assert all(part in words(app) for part in said[:-1].split(". "))
    none = at(visit, l_hidden="5000")
    assert "= h_n[" not in shapes_said(none) + words(none)  # nothing is said that was not measured
    costly = at(visit, l_in="1024", l_hidden="512", l_len="100", l_batch="4")
    assert "= h_n[" not in shapes_said(costly) + words(costly)
    assert "*Unrolled* and *Traps* measure" in words(costly)


def test_batch_first_moves_the_axes_of_input_and_output_and_not_those_of_h_n(visit: Visit) -> None:
    app = at(visit)
    before = words(app), shapes_said(app)
    app.toggle(key="l_bf").set_value(False)
    after = words(checked(app.run())), shapes_said(app)
    assert "input (N, L, H_in) is (3, 7, 5)" in before[1] and "input (L, N, H_in) is (7, 3, 5)" in after[1]
    assert "output (N, L, D * H_out)" in before[1] and "output (L, N, D * H_out)" in after[1]
    row = "h_n (D * num_layers, N, H_out) is (2, 3, 6)"
    assert row in before[1] and row in after[1]
    assert "batch_first=True" in before[0] and "batch_first=True" not in after[0]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_every_view_of_every_kind_is_drawn(visit: Visit, view: str, kind: str) -> None:
    app = at(visit, l_view=view, l_kind=kind, l_layers="2")
    assert app.button_group(key="l_view").value == view
    assert not corrections(app)


# PyTorch's own remark about its CPU kernels, once a process.
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "query",
    [
        {"l_in": "65536", "l_hidden": "65536", "l_layers": "64", "l_len": "1000000", "l_batch": "1000000"},
        {"l_in": "1", "l_hidden": "1", "l_len": "1", "l_batch": "1", "l_bi": "false"},
        {"l_unbatched": "true", "l_kind": "LSTM", "l_state": "true", "l_tensor": "c_0", "l_proj": "2"},
        {"l_padded": "true", "l_lengths": "2, 7, 5", "l_bias": "false", "l_tensor": "output"},
    ],
    ids=["huge", "tiny", "unbatched", "padded"],
)
def test_every_view_stands_at_the_edges(visit: Visit, view: str, query: dict[str, str]) -> None:
    app = at(visit, l_view=view, **query)
    assert not corrections(app)


def test_only_the_visible_view_is_sent(visit: Visit) -> None:
    app = at(visit, l_view="Parameters")
    assert list(charts(app)) == ["weight_ih_l0"]
    app.button_group(key="l_view").set_value("Feeding order")
    assert list(charts(checked(app.run()))) == ["Feeding order"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"l_kind": "TCN"}, "none of RNN, LSTM, GRU"),
        ({"l_hidden": "0"}, "at least 1 is allowed"),
        ({"l_len": "99999999999"}, "at most 1000000 is allowed"),
        ({"l_seed": "x"}, "is not a number"),
        ({"l_kind": "LSTM", "l_proj": "6"}, "5 is used"),
        ({"l_padded": "true", "l_lengths": "9 9"}, "is not a length"),
        ({"l_view": "[x](http://x)"}, "is none of"),
    ],
)
def test_a_bad_address_is_corrected_out_loud(visit: Visit, query: dict[str, str], said: str) -> None:
    app = at(visit, **query)
    (warning,) = app.warning
    plain = warning.value.replace("\\", "")
    assert said in plain
    assert "](http" not in warning.value
    assert "Tensors of the layer" in charts(app)
    app.number_input(key="l_in").set_value(9)
    checked(app.run())
    assert not app.warning  # said once, and put right


def test_a_layer_too_large_to_run_keeps_its_shapes_and_says_why(visit: Visit) -> None:
    app = at(visit, l_hidden="5000", l_tensor="output")
    assert "h_n (D * num_layers, N, H_out) is (2, 3, 5000)" in shapes_said(app)
    assert "Not run here (hidden_size = 5,000: at most 1,024 is run here)" in words(app)
    assert list(charts(app)) == ["Tensors of the layer"]
    app.button_group(key="l_view").set_value("Parameters")
    checked(app.run())
    assert "150,210,000" in words(app)
    assert app.info[0].value.startswith("weight_ih_l0 is (15000, 5), in blocks W_ir | W_iz | W_in.")


def test_parameters_are_drawn_however_long_the_sequence_is(visit: Visit) -> None:
    app = at(visit, l_view="Parameters", l_len="1000000")
    assert list(charts(app)) == ["weight_ih_l0"]
    assert "Not run here" in words(app)


def test_more_opens_with_what_belongs_to_the_kind(visit: Visit) -> None:
    offered = {}
    for kind in ("RNN", "LSTM", "GRU"):
        app = at(visit, l_kind=kind, l_layers="2")
        app.session_state["layers_more"] = True  # opened
        checked(app.run())
        offered[kind] = {w.key for w in [*app.toggle, *app.number_input, *app.button_group] if w.key}
    assert "l_nonlin" in offered["RNN"] and "l_nonlin" not in offered["LSTM"] | offered["GRU"]
    assert "l_proj" in offered["LSTM"] and "l_proj" not in offered["RNN"] | offered["GRU"]
    common = {"l_state", "l_unbatched", "l_bias", "l_dropout", "l_padded", "l_dtype"}
    assert all(common <= keys for keys in offered.values())


def test_dropout_says_that_it_does_nothing_here(visit: Visit) -> None:
    assert "Nothing is dropped here" in words(at(visit, l_layers="2", l_dropout="0.5"))
    assert "Nothing is dropped here" not in words(at(visit, l_layers="2"))


def test_the_numbers_of_a_tensor_are_shown_when_asked_for(visit: Visit) -> None:
    app = at(visit, l_tensor="h_n", l_item="2")
    numbers = charts(app)["Numbers of h_n"]
    assert numbers["figure"]["data"][0]["name"] == "h_n[:, 2, :]"
    assert numbers["figure"]["data"][0]["z"]["shape"] == "2, 6"
    app.number_input(key="l_batch").set_value(2)
    checked(app.run())
    assert charts(app)["Numbers of h_n"]["figure"]["data"][0]["name"] == "h_n[:, 1, :]"
    app = at(visit, l_tensor="h_0")
    assert "every one of its numbers is 0" in words(app)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "query",
    [{}, {"l_state": "true"}, {"l_bf": "false"}, {"l_lengths": "5, 4, 2"}, {"l_padded": "false"}],
    ids=["padded", "state", "steps first", "all short", "unpacked"],
)
def test_the_call_that_is_shown_gives_the_numbers_that_are_shown(
    visit: Visit, kind: str, query: dict[str, str]
) -> None:
    query = {"l_kind": kind, "l_padded": "true", **query}
    (html,) = [i.proto.body for i in at(visit, **query).get("html") if "The call" in i.proto.body]
    code = unescape(re.sub("<[^>]*>", "", html.replace("<br>", "\n")))
    assert ("pack_padded_sequence" in code) == (query["l_padded"] == "true")
    current = screen(query)[0]
    fed = feed(current)
    states = dict(zip(("h_0", "c_0"), fed.hx if isinstance(fed.hx, tuple) else (fed.hx,), strict=False))
    names: dict[str, Any] = {"x": fed.x, "nn": torch.nn, **vars(torch.nn.utils.rnn), **states}
    with torch.no_grad(), stream(current.seed):
        exec(code, names)
    np.testing.assert_array_equal(names["output"].numpy(), run(current).output)
    np.testing.assert_array_equal(names["h_n"].numpy(), run(current).h_n)


def test_lengths_of_a_layer_too_large_to_run_are_not_said_to_have_been_packed(visit: Visit) -> None:
    assert "the run is packed, and output is zero" in words(at(visit, l_padded="true"))
    said = words(at(visit, l_padded="true", l_hidden="5000"))
    assert "the run would be packed, and output would be zero" in said
    assert "is packed" not in said


def test_the_table_says_what_each_tensor_holds_in_this_run(visit: Visit) -> None:
    both = "h after the last step read forward, after step 0 read backward, of every layer"
    one = "h after the last step, of every layer"
    two_ways = words(at(visit))
    assert both in two_ways and one not in two_ways and "the sequences:" in two_ways
    alone = words(at(visit, l_bi="false", l_unbatched="true"))
    assert one in alone and "the sequence:" in alone and "the sequences:" not in alone
    assert "h after each sequence's own last step, of every layer" in words(
        at(visit, l_bi="false", l_padded="true")
    )


def test_large_sizes_are_grouped(visit: Visit) -> None:
    app = at(visit, l_in="65536")
    assert "H_in = 65,536" in words(app)
    labels = [a["text"] for a in charts(app)["Tensors of the layer"]["figure"]["layout"]["annotations"]]
    assert "H_in = <b>65,536</b>" in labels


def test_of_an_astronomical_count_the_table_gives_the_first_digits(visit: Visit) -> None:
    app = at(visit, l_in="65536", l_len="1000000", l_batch="1000000")
    assert "6.55 · 10<sup>16</sup>" in words(app) and "65,536,000,000" not in words(app)
    assert "<td" in words(app) and ">1,966,080</td>" in words(at(visit, l_in="65536", l_len="10"))


def test_the_backward_reader_s_weights_multiply_the_step_after(visit: Visit) -> None:
    table = at(visit, l_view="Parameters").dataframe[0].value.set_index("name")["times"]
    assert table["weight_hh_l0"] == "h(t−1)"
    assert table["weight_hh_l0_reverse"] == "h(t+1)"


def test_a_state_that_the_kind_does_not_have_is_let_go(visit: Visit) -> None:
    app = at(visit, l_kind="LSTM", l_tensor="c_n")
    assert "Numbers of c_n" in charts(app)
    app.button_group(key="l_kind").set_value("GRU")
    checked(app.run())
    assert app.button_group(key="l_tensor").value == "none"


def test_parameters_are_totalled_and_one_is_chosen(visit: Visit) -> None:
    app = at(visit, l_view="Parameters", l_kind="LSTM", l_in="10", l_hidden="20", l_bi="false")
    assert "**2,560** numbers in 4 tensors" in words(app)
    assert "**10,240** bytes as float32" in words(app)
    assert "**2,400** multiply-adds" in words(app)
    table = app.dataframe[0].value
    assert list(table["name"]) == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert list(table["shape"]) == ["(80, 10)", "(80, 20)", "(80,)", "(80,)"]
    assert list(table["numbers"]) == [800, 1600, 80, 80]
    app.selectbox(key="l_param").set_value("bias_hh_l0")
    checked(app.run())
    assert "blocks from the top: b_hi, b_hf, b_hg, b_ho" in charts(app)["bias_hh_l0"]["summary"]


def test_a_parameter_that_the_layer_no_longer_has_is_replaced_in_words(visit: Visit) -> None:
    app = at(visit, l_view="Parameters", l_param="weight_ih_l0_reverse")
    app.toggle(key="l_bi").set_value(False)
    checked(app.run())
    assert app.selectbox(key="l_param").value == "weight_ih_l0"
    assert "no parameter of this layer" in corrections(app)[0]


def test_feeding_order_follows_its_slider_and_its_text(visit: Visit) -> None:
    app = at(visit, l_view="Feeding order", l_step="1")
    assert "enter together: dog, read, sings." in charts(app)["Feeding order"]["summary"]
    app.slider(key="l_step").set_value(3)
    checked(app.run())
    assert "enter together: the, book, <pad>." in charts(app)["Feeding order"]["summary"]
    app.text_area(key="l_text").set_value("just one")
    checked(app.run())
    assert app.slider(key="l_step").value == 1
    assert "One sentence is a batch of one" in words(app)


@pytest.mark.parametrize(
    "text", ["", "   ", "word", "word " * 400, "猫が好き", "<b>x</b> [y](z)", "a\n" * 900]
)
def test_feeding_order_takes_any_text(visit: Visit, text: str) -> None:
    app = at(visit, l_view="Feeding order", l_text=text, l_step="400")
    assert "Feeding order" in charts(app)


def test_the_footer_s_link_is_the_screen(visit: Visit) -> None:
    app = at(visit, l_kind="LSTM", l_hidden="9", l_view="Parameters")
    app.number_input(key="l_len").set_value(11)
    app.session_state["layers_link"] = True  # opened
    checked(app.run())
    link = next(c.value for c in app.code if "l_kind=LSTM" in c.value)
    found = dict(parse_qsl(link.split("?")[1]))
    assert found == {"l_kind": "LSTM", "l_hidden": "9", "l_view": "Parameters", "l_len": "11"}


def test_a_preset_keeps_the_seed_and_a_view_that_shows_its_fact(visit: Visit) -> None:
    app = at(visit, l_seed="7", l_view="Parameters")
    app.button_group(key="layers_preset").set_value("A3")
    checked(app.run())
    assert app.number_input(key="l_seed").value == 7
    assert list(charts(app)) == ["weight_ih_l0"]
    assert (
        screen(preset_values(EXAMPLES["A3"]))[0].config.hidden_size == app.number_input(key="l_hidden").value
    )


def test_a_page_sends_at_most_60_kB_in_any_view(visit: Visit) -> None:
    for view in VIEWS:
        for row in ("A2", "A6", "A8"):
            app = at(visit, l_view=view)
            app.button_group(key="layers_preset").set_value(row)
            checked(app.run())
            app.button_group(key="l_view").set_value(view)  # which the preset may have left
            checked(app.run())
            sent = sum(len(json.dumps(data)) for data in charts(app).values())
            assert sent <= 60_000, (view, row, sent)
