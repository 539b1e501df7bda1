"""Home: its numbers are PyTorch's, its lines are true, its pictures show what they were given."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnviz.figures import cards
from rnnviz.figures.home import memory, memory_heatmap
from rnnviz.gates import AXES
from rnnviz.home import hidden, read, sentences
from rnnviz.screens import home, step
from rnnviz.stepping import step_run

PAGES = Path(__file__).resolve().parents[2] / "pages"


def screen(**values: Any) -> home.HomeScreen:
    return home.screen(values)[0]


@pytest.mark.parametrize("size", [1, 12, 32])
@pytest.mark.parametrize("text", ["one", home.SENTENCE, "to be or not to be"])
def test_the_picture_is_what_a_script_of_ones_own_gives(size: int, text: str) -> None:
    words = text.split()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(3)
        lstm = nn.LSTM(32, size)
        table = torch.randn(len(set(words)), 32)
        first_seen = sorted(set(words), key=words.index)
        output, _ = lstm(torch.stack([table[first_seen.index(word)] for word in words])[:, None])
    found = hidden(screen(h_hidden=size, h_text=text, h_seed=3))
    np.testing.assert_array_equal(found, output[:, 0].numpy())


def test_step_through_opens_the_very_run() -> None:
    shown = screen(h_hidden=5, h_text="a b a c", h_seed=9)
    opened, _, notes = step.screen(home.step_values(shown))
    assert notes == {}
    np.testing.assert_array_equal(step_run(opened).trace.sel("h")[:, 0], hidden(shown))


def test_words_that_follow_change_no_column_before_them() -> None:
    short, longer = screen(h_text="the cat"), screen(h_text="the cat sat on the mat")
    np.testing.assert_array_equal(hidden(longer)[:2], hidden(short))


def test_lines_say_which_word_came_before_and_by_how_much_its_column_differs() -> None:
    shown = screen(h_text="the dog the")
    lines = sentences(shown)
    assert len(lines) == 3
    assert "12 numbers" in lines[0]
    gap = float(np.abs(hidden(shown)[0] - hidden(shown)[2]).max())
    assert gap > 0.01
    assert f"the same vector as at 1, yet its column is another (by up to {gap:.2f})" in lines[2]


def test_a_single_word_and_a_single_unit_read_well() -> None:
    assert sentences(screen(h_text="hi", h_hidden=1)) == (
        "1 of 1: “hi” enters an empty memory; one number comes out, the first column: the hidden state.",
    )


@given(st.dictionaries(st.sampled_from([f.key for f in home.FIELDS]), st.text(max_size=300)))
def test_any_address_gives_a_screen_that_runs(found: dict[str, str]) -> None:
    current, values, _ = home.screen(found)
    assert 1 <= len(current.words) <= home.MAX_WORDS
    assert 1 <= current.hidden <= 32
    assert home.screen(values) == (current, values, {})
    assert len(sentences(current)) == len(current.words)
    assert hidden(current).shape == (len(current.words), current.hidden)


@pytest.mark.parametrize(
    ("found", "key"),
    [({"h_text": "  "}, "h_text"), ({"h_text": "a " * 60}, "h_text"), ({"h_hidden": "99"}, "h_hidden")],
)
def test_what_cannot_be_used_is_corrected_out_loud(found: dict[str, str], key: str) -> None:
    assert list(home.screen(found)[2]) == [key]


def test_the_figure_holds_h_with_a_column_a_word() -> None:
    h = np.array([[0.5, -1.0], [0.25, 0.0], [0.0, 1.0]])
    record = memory(h, ("a", "<b>", "a"))
    np.testing.assert_array_equal(record.values, h.T)
    drawn = memory_heatmap(record)
    go.Figure(drawn.to_dict())  # the validation that `figure` leaves out
    np.testing.assert_array_equal(drawn.data[0].z, h.T)
    assert drawn.layout.xaxis.ticktext == ("a", "&lt;b&gt;", "a")
    assert (drawn.layout.coloraxis.cmin, drawn.layout.coloraxis.cmax) == (-1, 1)
    assert drawn.layout.meta["cursor"]["unread"] is True


def test_the_figure_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\): expected \(3, units\)"):
        memory(np.zeros((2, 3)), ("a", "b", "c"))


def paths(svg: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(svg).iter() if e.tag.endswith("path") and "fill-opacity" in e.attrib]


def test_cells_are_opacities_of_two_hues_and_nothing_where_the_value_is_0() -> None:
    drawn = cards.gates_card({"h": np.array([[1.0, -1.0, 0.5, 0.0]])}, ("word",), 0)
    found = {
        (p.attrib["fill"], float(p.attrib["fill-opacity"])): p.attrib["d"].count("z")
        for p in paths(drawn.svg)
    }
    assert found == {(cards.POSITIVE, 1.0): 1, (cards.NEGATIVE, 1.0): 1, (cards.POSITIVE, 0.5): 1}


def test_a_gate_s_opacity_is_its_value() -> None:
    drawn = cards.gates_card({"f": np.array([[0.5, 1.0]])}, ("word",), 0)
    assert [(p.attrib["fill"], float(p.attrib["fill-opacity"])) for p in paths(drawn.svg)] == [
        (cards.GATE, 0.5),
        (cards.GATE, 1.0),
    ]


def test_a_tensor_s_card_names_its_shape_in_the_axes_colours() -> None:
    drawn = cards.tensors_card([cards.Sheets("input", "x", ("L", "N", "H_in"), np.ones((5, 3, 10)))])
    assert drawn.label == "A layer's tensors: input (5, 3, 10)"
    spans = [e for e in ET.fromstring(drawn.svg).iter() if e.tag.endswith("tspan")]
    assert [(e.text, e.attrib["fill"]) for e in spans] == [
        ("5", AXES["L"].colour),
        ("3", AXES["N"].colour),
        ("10", AXES["H_in"].colour),
    ]
    assert sum(p.attrib["d"].count("z") for p in paths(drawn.svg)) == 5 * 10  # the front sheet


def test_every_page_has_a_card_with_its_title() -> None:
    tree = ast.parse((PAGES / "main.py").read_text(encoding="utf-8"))
    listed = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "Page":
            options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            listed[ast.literal_eval(call.args[0])] = options["title"]
    assert {card.page: card.title for card in home.CARDS} == {
        k: v for k, v in listed.items() if k != "home.py"
    }


def test_each_card_asks_what_its_page_asks() -> None:
    for card in home.CARDS:
        name = Path(card.page).stem
        source = (PAGES.parent / "rnnviz" / "ui" / name / "canvas.py").read_text(encoding="utf-8")
        assert re.search(rf'question\(\s*"{re.escape(card.question)}"', source), card.page


def test_the_trace_for_the_csv_holds_every_quantity() -> None:
    frame = read(screen(h_text="a b", h_hidden=2)).frame()
    assert set(frame["quantity"]) >= {"x", "h", "c", "i", "f", "g", "o"}
    assert len(frame[frame["quantity"] == "h"]) == 2 * 2
