"""*Topologies*, run whole and without a browser: what it is given, and that nothing makes it fail."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.link import query, read
from rnnviz.screens import topologies as page
from rnnviz.topologies.config import NAMES, TITLES, SharingConfig, topology
from rnnviz.topologies.kits import fresh, shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.reading import EXAMPLES
from rnnviz.topologies.sharing import counted
from tests.pages.components import components

Visit = Callable[..., AppTest]


def charts(app: AppTest) -> dict[str, Any]:
    """The charts on the page, {name: what the browser gets}."""
    return {data["name"]: data for data in components(app) if "figure" in data}


def array(spec: dict[str, Any]) -> Any:
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=spec["dtype"])
    return values.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else values


def states(app: AppTest, title: str) -> Any:
    """The states in the picture, (steps, units)."""
    (trace,) = (t for t in charts(app)[title]["figure"]["data"] if t.get("name") == "h")
    found = array(trace["z"]).T
    return found[~np.isnan(found).all(axis=1)]


def html(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def sent(app: AppTest) -> int:
    return sum(len(part.proto.json) for part in app.get("bidi_component")) + len(html(app))


def test_the_first_visit_draws_five_and_one_large(visit: Visit) -> None:
    app = visit("topologies.py")
    assert not app.exception and not app.warning
    assert {"The five shapes", "Many to one"} <= charts(app).keys()
    config = topology("many-to-one")
    found = look(config, shipped(config)[0], "([()])")
    np.testing.assert_array_equal(states(app, "Many to one"), found.h)
    assert found.says.split(",")[0] in html(app)


@pytest.mark.parametrize("row", list(page.EXAMPLES))
def test_A10_A11_every_preset_is_one_click(visit: Visit, row: str) -> None:
    app = visit("topologies.py", p_brackets="]", p_weights="untrained", p_len="7")
    app.pills(key="topologies_preset").set_value(row).run()
    assert not app.exception and app.session_state["topologies_preset"] == row
    if row == "A10":
        assert {"Which line carries which weights", "Weights as the sequence grows"} <= charts(app).keys()
        assert all(f"{count:,}" in html(app) for count in counted(SharingConfig()).values())
    else:
        name = NAMES[int(row[-1]) - 1]
        assert TITLES[name] in charts(app) and page.EXAMPLES[row].fact in html(app) + page.FACTS[name]
        assert page.FACTS[name] in html(app)


@pytest.mark.parametrize("name", NAMES)
def test_A11_the_student_s_own_input_runs_through_the_model(visit: Visit, name: str) -> None:
    app = visit("topologies.py", p_shape=TITLES[name])
    config = topology(name)
    new: Any = {"one-to-one": 1.5, "one-to-many": 71}.get(name, "light")
    key = page.INPUTS[name][0]
    if name == "one-to-one":
        app.slider(key=key).set_value(new).run()
        new = (new, 0.4)
    elif name == "one-to-many":
        app.number_input(key=key).set_value(new).run()
    else:
        new = "[[" if name == "many-to-one" else new
        app.text_input(key=key).set_value(new).run()
    assert not app.exception
    np.testing.assert_array_equal(states(app, TITLES[name]), look(config, shipped(config)[0], new).h)
    app.segmented_control(key="p_weights").set_value("untrained").run()
    np.testing.assert_array_equal(states(app, TITLES[name]), look(config, fresh(config), new).h)


@pytest.mark.parametrize("name", NAMES)
def test_every_detail_of_every_shape_draws(visit: Visit, name: str) -> None:
    for detail in page.DETAILS:
        app = visit("topologies.py", p_shape=TITLES[name], p_detail=detail)
        assert not app.exception
        if detail == page.DETAILS[1]:
            report = shipped(topology(name))[1]
            assert all(s.name in html(app) and f"{s.accuracy:.1%}" in html(app) for s in report.scores)
            assert "Loss of the training" in charts(app)
        elif detail == page.DETAILS[2]:
            assert "nn.Module" in app.code[0].value
        else:
            assert {"The answer at every point", "Probabilities at every output"} & charts(app).keys()


def test_the_sidebar_says_of_untrained_weights_that_they_are(visit: Visit) -> None:
    app = visit("topologies.py")
    assert app.sidebar.caption[0].value.startswith("Trained by")
    app.segmented_control(key="p_weights").set_value("untrained").run()
    assert not app.exception and app.sidebar.caption[0].value.startswith("Untrained:")


def test_an_example_is_one_click(visit: Visit) -> None:
    app = visit("topologies.py")
    app.pills(key="p_try").set_value("([)]").run()
    assert not app.exception and app.text_input(key="p_brackets").value == "([)]"
    assert "([)]" in html(app) and "not balanced" in html(app)
    assert app.session_state["p_try"] == "([)]"


def test_an_example_is_marked_as_long_as_it_is_the_input(visit: Visit) -> None:
    app = visit("topologies.py", p_shape=TITLES["one-to-one"])
    assert app.session_state["p_try"] == "0.3 0.4"
    app.slider(key="p_x").set_value(1.0).run()
    assert not app.exception and app.session_state["p_try"] is None
    app.slider(key="p_y").set_value(1.0).run()
    assert app.session_state["p_try"] == "1.0 1.0" and "(1, 1) is " in html(app)


def test_what_cannot_be_read_is_kept_and_named(visit: Visit) -> None:
    app = visit("topologies.py", p_brackets="(x) <b>")
    assert not app.exception and app.text_input(key="p_brackets").value == "(x) <b>"
    assert "cannot be read" in app.warning[0].value and "<b>" not in app.warning[0].value
    app.text_input(key="p_brackets").set_value("(" * 50).run()
    assert app.session_state["p_brackets"] == "(" * 50  # the sidebar is not drawn again
    assert "first 24 of 50" in app.warning[0].value.replace("\\", "")


def test_markup_that_somebody_types_stays_text(visit: Visit) -> None:
    app = visit("topologies.py", p_shape=TITLES["in-step"], p_sentence="<img> <b>the</b> dog")
    assert not app.exception and "<img>" not in html(app) and "&lt;img&gt;" in html(app)


def test_A10_the_sizes_change_the_counts(visit: Visit) -> None:
    app = visit("topologies.py", p_view=page.VIEWS[1], p_hidden="100")
    app.number_input(key="p_len").set_value(50).run()
    assert not app.exception
    for count in counted(SharingConfig(hidden_size=100, length=50)).values():
        assert f"{count:,}" in html(app)


def test_bad_values_in_the_address_are_corrected_and_named(visit: Visit) -> None:
    app = visit("topologies.py", p_shape="Many to none", p_number="100", p_x="nan", p_len="0", p_view="<b>")
    assert not app.exception
    said = " ".join(w.value for w in app.warning)
    assert all(part in said for part in ("Many to none", "100", "nan", "at least"))


def test_the_link_holds_the_whole_screen(visit: Visit) -> None:
    app = visit("topologies.py", p_shape=TITLES["out-of-step"], p_word="abc", p_detail="Training")
    held = {f.key: app.session_state[f.key] for f in page.FIELDS if f.key in app.session_state}
    assert query(page.FIELDS, read(page.FIELDS, held)[0]) == (
        "p_shape=Many+to+many%2C+out+of+step&p_word=abc&p_detail=Training"
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_a_rerun_sends_is_small(visit: Visit, name: str) -> None:
    longest = {"p_brackets": "()" * 12, "p_word": "abcdefgh", "p_sentence": "dog " * 12, "p_number": "77"}
    for weights in page.WEIGHTS:
        app = visit("topologies.py", p_shape=TITLES[name], p_weights=weights, **longest)
        assert not app.exception and sent(app) < 60_000


def test_every_example_draws_without_an_exception(visit: Visit) -> None:
    for name in NAMES:
        app = visit("topologies.py", p_shape=TITLES[name])
        for text in EXAMPLES[name]:
            app.pills(key="p_try").set_value(text).run()
            assert not app.exception, (name, text)
        assert re.search(r"Drawn large: ", charts(app)["The five shapes"]["summary"])
