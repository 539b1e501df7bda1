"""The page's configuration: whatever arrives, there is one screen, and what was corrected stays corrected."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz import shapes
from rnnviz.assets import read_text
from rnnviz.config import LayerConfig
from rnnviz.link import query, read
from rnnviz.presets import EXAMPLES
from rnnviz.runs import run, run_trace
from rnnviz.screens.layers import (
    FIELDS,
    MAX_RUN,
    MORE,
    TRAPS,
    VIEWS,
    active_preset,
    changed,
    parse_lengths,
    preset_values,
    screen,
)

JUNK = (
    st.text(max_size=12)
    | st.integers(-5, 100_000).map(str)
    | st.sampled_from(["true", "LSTM", "7, 4, x", "nan"])
)


@given(st.dictionaries(st.sampled_from([f.key for f in FIELDS]), JUNK))
def test_any_address_gives_a_screen_and_its_corrections_need_no_second_one(found: dict[str, Any]) -> None:
    current, values, notes = screen(found)
    again, same, silence = screen(values)
    assert (again, same, silence) == (current, values, {})
    assert set(notes) <= {f.key for f in FIELDS}


def test_a_projection_as_wide_as_the_state_is_corrected() -> None:
    current, values, notes = screen({"l_kind": "LSTM", "l_hidden": "6", "l_proj": "9"})
    assert current.config.proj_size == values["l_proj"] == 5
    assert notes == {"l_proj": "proj_size 9 is not less than hidden_size 6: 5 is used"}


def test_an_option_that_a_kind_does_not_have_is_not_passed_on() -> None:
    current, _, notes = screen({"l_kind": "GRU", "l_proj": "3", "l_nonlin": "relu", "l_dropout": "0.5"})
    assert (current.config.proj_size, current.config.nonlinearity, current.config.dropout) == (0, "tanh", 0.0)
    assert notes == {}


@pytest.mark.parametrize(
    ("text", "lengths", "note"),
    [
        ("", (7, 6, 4), None),
        ("7, 4, 2", (7, 4, 2), None),
        ("[7, 4, 2]", (7, 4, 2), None),
        ("(7,4,2)", (7, 4, 2), None),
        ("3;1 2", (3, 1, 2), None),
        ("7", (7, 6, 4), "1 given for 3 sequences: 7, 6, 4 is used"),
        ("3 1 2 9", (3, 1, 2), "4 given for 3 sequences: 3, 1, 2 is used"),
        ("8, 4, 1", (7, 4, 1), "“8” is not a length (a whole number from 1 to 7 is): 7, 4, 1 is used"),
        ("7, x, 2", (7, 1, 2), "“x” is not a length (a whole number from 1 to 7 is): 7, 1, 2 is used"),
        (
            "-3 0 2.5",
            (1, 1, 1),
            "“-3” is not a length (a whole number from 1 to 7 is), nor are “0”, “2.5”: 1, 1, 1 is used",
        ),
        (
            "99999999999 1 1",
            (7, 1, 1),
            "“99999999999” is not a length (a whole number from 1 to 7 is): 7, 1, 1 is used",
        ),
        (
            "a",
            (1, 6, 4),
            "“a” is not a length (a whole number from 1 to 7 is), "
            "and 1 given for 3 sequences: 1, 6, 4 is used",
        ),
    ],
)
def test_lengths_are_read_from_a_text_and_missing_ones_leave_padding_to_see(
    text: str, lengths: tuple[int, ...], note: str | None
) -> None:
    assert parse_lengths(text, 7, 3) == (lengths, note and f"Lengths: {note}")


def test_corrected_lengths_fit_into_their_own_field() -> None:
    wide = {"l_padded": True, "l_len": 1_000_000, "l_batch": 256, "l_lengths": "9999999 " * 256}
    current, values, notes = screen(wide)
    assert current.lengths == (1_000_000,) * 256
    assert set(notes) == {"l_lengths"}
    assert screen(values) == (current, values, {})


@pytest.mark.parametrize(
    ("found", "key", "value"),
    [
        ({"l_row": "7"}, "l_row", 1),
        ({"l_row": "7", "l_bi": "false", "l_layers": "3"}, "l_row", 2),
        ({"l_item": "9"}, "l_item", 2),
        ({"l_item": "2", "l_unbatched": "true"}, "l_item", 0),
        ({"l_seq": "9"}, "l_seq", 2),
        ({"l_seq": "9", "l_batch": "2"}, "l_seq", 1),
        ({"l_seq": "9", "l_batch": "1"}, "l_seq", 2),  # padding is shown on a batch of three then
        ({"l_batch": "2"}, "l_seq", 2),  # the default stays out of the address
        ({"l_param": "bias_ih_l0", "l_bias": "false"}, "l_param", "weight_ih_l0"),
        ({"l_param": "bias_ih_l0"}, "l_param", "bias_ih_l0"),
    ],
)
def test_what_points_beyond_the_layer_is_put_right(found: dict[str, Any], key: str, value: Any) -> None:
    assert screen(found)[1][key] == value


def test_an_unknown_parameter_is_named_where_it_is_looked_at() -> None:
    wrong = {"l_param": "weight_ih_l9"}
    assert screen(wrong)[2] == {}
    said = "“weight_ih_l9” is no parameter of this layer: weight_ih_l0 is used"
    assert screen(wrong | {"l_view": "Parameters"})[2] == {"l_param": said}


SHOWN_IN = {"A6": "Traps", "A7": "Parameters", "A8": "Parameters", "A9": "Feeding order"}


@pytest.mark.parametrize("row", EXAMPLES)
@pytest.mark.parametrize("looking_at", VIEWS)
def test_a_preset_is_seen_where_its_fact_shows(row: str, looking_at: str) -> None:
    values = preset_values(EXAMPLES[row], looking_at)
    stays = ("Tensors", "Unrolled", "Parameters") if row == "A3" else ("Tensors", "Unrolled")
    other = looking_at if looking_at in stays else "Tensors"
    assert values["l_view"] == SHOWN_IN.get(row, other)
    assert set(EXAMPLES[row].views) <= set(VIEWS)


def test_A6_the_classic_trap_shows_the_trap_that_it_is_named_after() -> None:
    assert preset_values(EXAMPLES["A6"])["l_trap"] == TRAPS[0] == "Last output"
    assert all("l_trap" not in preset_values(e) for row, e in EXAMPLES.items() if row != "A6")


def test_A8_shows_a_parameter_above_layer_0() -> None:
    current, values, _ = screen(preset_values(EXAMPLES["A8"]))
    chosen = next(p for p in shapes.parameters(current.config) if p.name == values["l_param"])
    assert (chosen.layer, chosen.shape) == (1, (6, 12))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("batch_first", [False, True])
def test_what_to_notice_names_the_row_of_h_n_that_equals_the_last_output(
    layers: int, batch_first: bool
) -> None:
    said = re.search(r"`output\[:, -1\]`.* equals `h_n\[(-?\d+)\]`", read_text("layers"))
    assert said is not None
    found = {"l_bi": False, "l_layers": layers, "l_bf": batch_first}
    ran = run(screen(found)[0])
    last = ran.output[:, -1] if batch_first else ran.output[-1]
    np.testing.assert_array_equal(last, ran.h_n[int(said[1])])


def test_lengths_belong_to_a_batch() -> None:
    assert screen({"l_padded": "true", "l_lengths": "5"})[0].lengths == (5, 6, 4)
    assert screen({"l_padded": "true", "l_unbatched": "true"})[0].lengths is None
    assert screen({"l_lengths": "5"})[0].lengths is None


@pytest.mark.parametrize(("key", "name"), [("l_in", "input_size"), ("l_len", "L"), ("l_batch", "N")])
def test_a_size_beyond_what_is_run_says_which_and_why(key: str, name: str) -> None:
    assert screen({key: str(MAX_RUN[name])})[0].too_large is None
    said = screen({key: str(MAX_RUN[name] + 1)})[0].too_large
    assert said == f"{name} = {MAX_RUN[name] + 1:,}: at most {MAX_RUN[name]:,} is run here"


@pytest.mark.parametrize("row", EXAMPLES)
def test_a_preset_shows_its_row_and_is_a_link(row: str) -> None:
    example = EXAMPLES[row]
    current, values, notes = screen(preset_values(example))
    assert (current.config, current.length, current.batch) == (example.config, example.length, example.batch)
    assert current.given_state == example.given_state
    assert active_preset(current) == row and not notes
    found = dict(part.split("=") for part in query(FIELDS, values).split("&"))
    assert screen(found)[0] == current


def test_a_preset_is_not_shown_as_chosen_once_something_else_is_changed() -> None:
    values = preset_values(EXAMPLES["A1"])
    assert active_preset(screen(values | {"l_hidden": 21})[0]) is None
    assert active_preset(screen(values | {"l_dtype": "float64"})[0]) is None
    assert active_preset(screen(values | {"l_seed": 9})[0]) == "A1"


def test_more_counts_what_is_hidden_and_set() -> None:
    values, _ = read(FIELDS, {})
    assert changed(values, MORE) == 0
    assert changed(values | {"l_bias": False, "l_dtype": "float64", "l_kind": "RNN"}, MORE) == 2


@pytest.mark.parametrize("row", ["A1", "A2", "A3", "A8"])
def test_the_rows_of_the_csv_are_counted_before_it_is_made(row: str) -> None:
    current = screen(preset_values(EXAMPLES[row]))[0]
    assert current.traced == len(run_trace(current).frame())
    assert current.no_data is None


def test_a_csv_that_would_fill_the_server_is_refused_in_words() -> None:
    current = screen({"l_hidden": "512", "l_len": "100", "l_batch": "16"})[0]
    assert current.too_large is None
    assert current.no_data == f"{current.traced:,} numbers: at most 1,500,000 are written to a table"
    assert screen({"l_len": "513"})[0].no_data == "L = 513: at most 512 is run here"
    assert all(screen(preset_values(e))[0].no_data is None for e in EXAMPLES.values())


def test_a_screen_is_a_value() -> None:
    assert screen({})[0] == screen({})[0]
    assert hash(screen({})[0]) == hash(screen({})[0])
    assert screen({})[0].config == LayerConfig("GRU", 5, 6, batch_first=True, bidirectional=True)
