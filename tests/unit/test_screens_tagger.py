"""The Tagger's configuration: what an address gives, and what is done about a wrong one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.data.split import Split
from rnnviz.presets import PRESETS, SENTENCES
from rnnviz.screens import tagger as page
from rnnviz.training.slices import Stop

BY_KEY = {f.key: f for f in page.FIELDS}


@pytest.mark.parametrize("row", ["D1", "D2"])
def test_D1_D2_a_preset_is_the_row_s_own_configuration(row: str) -> None:
    current, _, notes = page.screen(page.preset_values(page.EXAMPLES[row]))
    assert current.config == PRESETS[row]
    assert page.active_preset(current) == row
    assert not notes


def test_E5_case_takes_a_word_away() -> None:
    one = page.screen(page.preset_values(page.EXAMPLES["E5"]))[0].config
    assert len(one.vocabulary) == 8
    assert len(page.screen({})[0].config.vocabulary) == 9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The dog/NN", "no tag"),
        ("", "no"),
        ("a\tb\tc\td\n", "line 1"),
        ("1\tThe\t_\tDET\t_\t_\t_\t_\t_\n", "line 1"),
    ],
)
def test_a_text_that_cannot_be_read_is_kept_and_named(text: str, said: str) -> None:
    current, values, notes = page.screen({"t_text": text})
    assert said in current.problem
    assert current.config.sentences == SENTENCES
    assert values["t_text"] == text
    assert not notes


def test_pasted_conllu_is_understood() -> None:
    row = "{}\t{}\t_\t{}\tX{}\t_\t_\t_\t_\t_\n"
    text = "# sent\n" + row.format(1, "Go", "VERB", 1) + row.format(2, "on", "ADV", 2)
    current = page.screen({"t_text": text})[0]
    assert current.config.sentences == ((("Go", "VERB"), ("on", "ADV")),)
    other = page.screen({"t_text": text, "t_column": "XPOS"})[0]
    assert other.config.tags == ("X1", "X2")


def test_a_number_of_epochs_counts_from_its_last_multiple() -> None:
    current = page.screen({"t_epochs": 50})[0]
    assert [current.stop(done) for done in (0, 49, 50, 51)] == [
        Stop(epochs=50),
        Stop(epochs=50),
        Stop(epochs=100),
        Stop(epochs=100),
    ]
    assert page.screen({"t_until": "all tags right"})[0].stop(3) == Stop(all_right=True)
    assert page.screen({"t_until": "loss below", "t_loss": 0.2})[0].stop(3) == Stop(loss_below=0.2)
    assert page.screen({"t_until": "never"})[0].stop(3) is None


def test_the_values_of_a_configuration_give_it_back() -> None:
    values = {
        "t_kind": "GRU",
        "t_layers": 2,
        "t_bi": True,
        "t_opt": "RMSprop",
        "t_mom": 0.5,
        "t_case": "lower",
    }
    config = page.screen(values)[0].config
    assert page.screen(page.values_of(config))[0].config == config


def test_a_saved_run_keeps_its_own_split() -> None:
    parts = Split(SENTENCES[1:], SENTENCES[:1])
    found = {"t_data": "File", "t_held": 0.0}
    current = page.screen(found, page.Upload("x.run", {}, parts))[0]
    assert (current.config.sentences, current.config.held_out) == (parts.train, parts.held_out)


def test_without_its_file_a_link_says_so_and_still_shows_something() -> None:
    current, values, notes = page.screen({"t_data": "File"})
    assert current.config.sentences == SENTENCES
    assert "No file yet" in current.about
    assert values["t_data"] == "File"
    assert not notes


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.text(max_size=8) | st.integers() | st.floats() | st.booleans() | st.none()
            for key in BY_KEY
            if key != "t_text"
        },
    )
)
def test_anything_in_an_address_gives_a_configuration(found: dict[str, Any]) -> None:
    current, values, _ = page.screen({k: v for k, v in found.items() if v is not None})
    for key, field in BY_KEY.items():
        assert field.clean(values[key]) == (values[key], None)
    assert 0 <= current.sentence < len(current.shown)
    again = page.screen(values)[0]
    assert again.config == current.config
