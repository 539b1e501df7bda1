"""Home as the server builds it: its figure, its lines, its cards, and what happens to a bad address."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from rnnviz.home import hidden, sentences
from rnnviz.screens import home
from tests.pages.components import components

MAIN = str(Path(__file__).resolve().parents[2] / "pages" / "main.py")


def arrive(**query: str) -> AppTest:
    app = AppTest.from_file(MAIN, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    return checked(app)


def checked(app: AppTest) -> AppTest:
    assert [item.message for item in app.exception] == []
    return app


def sent(app: AppTest) -> dict[str, dict[str, Any]]:
    """What each component was given, by what it is."""
    found = components(app)
    return {"chart" if "figure" in data else "reader": data for data in found}


def drawn(app: AppTest) -> NDArray[np.float32]:
    z = sent(app)["chart"]["figure"]["data"][0]["z"]
    shape = [int(size) for size in str(z["shape"]).split(",")]
    return np.frombuffer(base64.b64decode(z["bdata"]), "f4").reshape(shape)


def test_the_first_visit_shows_the_lstm_s_own_numbers() -> None:
    app = arrive()
    shown = home.screen({})[0]
    np.testing.assert_array_equal(drawn(app), hidden(shown).T)
    assert tuple(sent(app)["reader"]["lines"]) == sentences(shown)
    assert not app.warning


def test_the_slider_changes_the_layer_and_the_sentence_the_columns() -> None:
    app = arrive()
    app.slider(key="h_hidden").set_value(5)
    app.text_input(key="h_text").set_value("to be or not")
    checked(app.run())
    np.testing.assert_array_equal(drawn(app), hidden(home.HomeScreen(("to", "be", "or", "not"), 5, 0)).T)
    assert any("nn.LSTM(32, 5)" in caption.value for caption in app.caption)


def test_the_seed_is_on_the_page_and_changes_the_numbers() -> None:
    app = arrive()
    before = drawn(app)
    app.number_input(key="h_seed").set_value(1)
    checked(app.run())
    assert not np.array_equal(drawn(app), before)


def test_an_address_gives_its_numbers() -> None:
    app = arrive(h_hidden="3", h_text="a b a", h_seed="4")
    np.testing.assert_array_equal(drawn(app), hidden(home.HomeScreen(("a", "b", "a"), 3, 4)).T)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"h_hidden": "999"}, "999"),
        ({"h_hidden": "many"}, "many"),
        ({"h_text": " "}, "at least one word"),
        ({"h_text": "x " * 50}, "more than 24 words"),
        ({"h_seed": "-1"}, "Seed"),
    ],
)
def test_a_bad_address_is_corrected_with_a_word(query: dict[str, str], said: str) -> None:
    app = arrive(**query)
    assert [said in warning.value.replace("\\", "") for warning in app.warning] == [True]
    shown, values, _ = home.screen(query)
    np.testing.assert_array_equal(drawn(app), hidden(shown).T)
    assert app.slider(key="h_hidden").value == values["h_hidden"]


def test_markup_in_the_sentence_stays_text() -> None:
    app = arrive(h_text="<b>x</b> [l](http://x)")
    axis = sent(app)["chart"]["figure"]["layout"]["xaxis"]
    assert axis["ticktext"][0] == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>x</b>" in sent(app)["reader"]["lines"][0]  # the reader sets it as text, never as HTML
    everything = " ".join(str(item.value) for item in [*app.markdown, *app.caption])
    assert "http://x" not in everything


def test_every_page_has_a_card_with_its_question_and_a_picture() -> None:
    app = arrive()
    links = [link.proto for link in app.get("page_link")]
    assert [link.label for link in links] == [f"**{card.title}**" for card in home.CARDS]
    assert {card.question for card in home.CARDS} <= {text.value for text in app.markdown}
    pictures = [picture.proto.imgs[0].url for picture in app.get("image")]
    assert len(pictures) == len(home.CARDS)
    for url in pictures:
        assert url.startswith("data:image/svg+xml;base64,")
        assert ElementTree.fromstring(base64.b64decode(url.split(",")[1])).tag.endswith("svg")
        assert len(url) < 24_000


def test_step_through_is_linked_with_the_run_on_the_screen() -> None:
    app = arrive(h_hidden="3", h_text="a b a")
    link = next(link.proto for link in app.get("page_link") if link.proto.page == "step")
    query = parse_qs(link.query_string)
    assert {key: value for key, (value,) in query.items()} == home.step_values(
        home.HomeScreen(("a", "b", "a"), 3, 0)
    )


def test_what_a_rerun_sends_is_small() -> None:
    app = arrive(h_hidden="32", h_text="w " * 24)
    assert sum(len(component.proto.json) for component in app.get("bidi_component")) < 12_000


def test_the_page_holds_no_wall_of_text() -> None:
    app = arrive()
    questions = {card.question for card in home.CARDS}  # one a page, however many there are
    said = [item.value for item in [*app.markdown, *app.caption] if item.value not in questions]
    assert len(re.findall(r"\w+", " ".join(said))) < 45
    assert max(len(question.split()) for question in questions) < 15
