"""What an address gives, what a student may type, and what is done about the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.link import query
from rnnviz.screens import topologies as page
from rnnviz.topologies.config import NAMES, TITLES, topology
from rnnviz.topologies.kits import shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.reading import EXAMPLES, MOST, read

TEXTS = ("many-to-one", "out-of-step", "in-step")


@pytest.mark.parametrize("row", list(page.EXAMPLES))
def test_A10_A11_a_preset_is_a_screen_of_its_own(row: str) -> None:
    current, values, notes = page.screen(dict(page.EXAMPLES[row].values))
    assert not notes and page.active_preset(values) == row
    assert current.shares == (row == "A10")
    if row != "A10":
        assert current.config == topology(NAMES[int(row[-1]) - 1])


def test_the_link_holds_only_what_was_chosen() -> None:
    _, values, _ = page.screen(
        {"p_shape": TITLES["in-step"], "p_sentence": "they ran", "p_weights": "untrained"}
    )
    said = query(page.FIELDS, values)
    assert said == "p_shape=Many+to+many%2C+in+step&p_sentence=they+ran&p_weights=untrained"
    assert page.active_preset(values) is None


@given(st.dictionaries(st.sampled_from([f.key for f in page.FIELDS]), st.text(max_size=30) | st.integers()))
def test_any_address_gives_a_screen(found: dict[str, Any]) -> None:
    current, values, _ = page.screen(found)
    assert page.screen(values)[0] == current


@pytest.mark.parametrize(
    ("name", "text", "symbols", "said"),
    [
        ("many-to-one", "(a[b]c)", "([])", "a b c cannot be read: allowed are ( ) [ ]."),
        ("many-to-one", "(" * 40, "(" * 24, "The first 24 of 40 symbols are read"),
        ("many-to-one", "hello", EXAMPLES["many-to-one"][0], "Nothing is left to read"),
        ("many-to-one", "", EXAMPLES["many-to-one"][0], "Nothing is left to read"),
        ("out-of-step", "He11o!", "heo", "1 ! cannot be read: allowed are letters from a to z."),
        ("out-of-step", "recurrent", "recurren", "The first 8 of 9 letters are read"),
        ("out-of-step", "ß", EXAMPLES["out-of-step"][0], "ß cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_allowed(
    name: str, text: str, symbols: str, said: str
) -> None:
    found = read(name, text)
    assert "".join(found.symbols) == symbols and said in found.note


def test_unknown_words_are_read_as_unk_and_named() -> None:
    found = read("in-step", "the zebra ate a flumph " + "dog " * 20)
    assert (
        found.symbols[:5] == ("the", "zebra", "ate", "a", "flumph") and len(found.symbols) == MOST["in-step"]
    )
    assert "zebra, flumph: not among its" in found.note and "The first 12 of 25 words" in found.note
    assert read("in-step", "").symbols == tuple(EXAMPLES["in-step"][0].split())


@pytest.mark.parametrize("name", TEXTS)
def test_what_can_be_read_is_read_without_a_word(name: str) -> None:
    assert read(name, EXAMPLES[name][0]).note == ""


@given(st.sampled_from(TEXTS), st.text(max_size=60))
def test_any_text_runs(name: str, text: str) -> None:
    config = topology(name)
    found = look(config, shipped(config)[0], text)
    assert 1 <= len([c for c in found.columns if c.part != "decoder"]) <= MOST[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_an_input_of_its_shape(name: str) -> None:
    config = topology(name)
    defaults = {f.key: f.default for f in page.FIELDS}
    for i, text in enumerate(EXAMPLES[name]):
        current, values, notes = page.screen({"p_shape": TITLES[name], **page.example_values(name, text)})
        assert not notes
        assert look(config, shipped(config)[0], current.given).says
        if i == 0:
            assert all(values[key] == defaults[key] for key in page.INPUTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_every_example_is_read_to_its_end(name: str) -> None:
    for text in EXAMPLES[name]:
        found = read(name, text)
        pieces = text.split() if name == "in-step" else text
        assert found.symbols == tuple(pieces) and len(pieces) <= MOST[name]
        if name != "in-step":  # one of its sentences has words that the model does not know, on purpose
            assert not found.note


@pytest.mark.parametrize("name", NAMES)
def test_where_the_weights_come_from_is_true_of_both(name: str) -> None:
    said = {w: page.origin(page.screen({"p_shape": TITLES[name], "p_weights": w})[0]) for w in page.WEIGHTS}
    seed = topology(name).seed
    assert said["trained"].startswith(f"Trained by this repository with seed {seed}")
    assert said["untrained"].startswith(f"Untrained: as drawn with seed {seed}")


def test_a_name_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="name='one-to-one'"):
        read("one-to-one", "x")
