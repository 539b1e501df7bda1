"""The configuration of *Characters*, and row D8's batch against PyTorch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnviz.data.characters import MAX_LENGTH
from rnnviz.figures.cards import strings_card
from rnnviz.figures.characters import Strings
from rnnviz.figures.said import ROW, said, said_figure, said_summary
from rnnviz.presets import CHARS_PRESETS, EPOCHS
from rnnviz.reshaped import scored
from rnnviz.screens import characters as page
from rnnviz.training import Stop, advance, snapshot, start
from tests.unit.test_figures_training import checked, named

HELLO = Strings("hello", "ohlol", ("e", "h", "l", "o"))


def screen(**found: Any) -> page.CharsScreen:
    return page.screen(found)[0]


def test_the_defaults_are_the_notebooks_three_models() -> None:
    current, values, notes = page.screen({})
    assert current.side and not notes and not current.problem
    assert current.models == CHARS_PRESETS
    assert current.config == CHARS_PRESETS["D3"]
    assert page.active_preset(current, values) == "D3–D5"


@pytest.mark.parametrize("row", ["D3", "D4", "D5"])
def test_D3_to_D5_alone_are_the_presets_and_run_as_long_as_the_notebooks(row: str) -> None:
    current, values, notes = page.screen(page.preset_values(page.EXAMPLES[row]))
    assert current.config == CHARS_PRESETS[row] and not current.side and not notes
    assert current.stop(0) == Stop(epochs=EPOCHS[row]) == page.stop_of(row, 0)
    assert current.stop(EPOCHS[row]) == Stop(epochs=2 * EPOCHS[row]) == page.stop_of(row, EPOCHS[row])
    assert page.active_preset(current, values) == row


def test_every_preset_is_recognised_whatever_its_seed() -> None:
    for row, example in page.EXAMPLES.items():
        current, values, _ = page.screen(page.preset_values(example) | {"c_seed": 3})
        assert page.active_preset(current, values) == row
    changed = page.screen(page.preset_values(page.EXAMPLES["D3"]) | {"c_lr": 0.2})
    assert page.active_preset(changed[0], changed[1]) is None


def test_D8_is_D5_with_two_sentences_and_their_reshape() -> None:
    found = page.preset_values(page.EXAMPLES["D8"])
    assert (found["c_view"], found["c_two"]) == ("Reshape", True)
    current, values, _ = page.screen(found)
    assert current.config == CHARS_PRESETS["D5"] and page.active_preset(current, values) == "D8"


def test_a_pair_of_any_script_is_learnt_by_all_three_with_a_unit_a_character() -> None:
    current = screen(c_source="你好世界", c_target="世界你好", c_seed=5)
    assert not current.problem
    for row, model in current.models.items():
        assert (model.source, model.target, model.seed) == ("你好世界", "世界你好", 5)
        assert model.hidden == (8 if row == "D5" else 4)
    assert screen(c_source="cafe\u0301", c_target="etui").config.source == "café"  # as Python counts them


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("hello", "hi", "equally long, a character to say at each position: they have 5 and 2"),
        ("", "x", "source is empty: write at least one character"),
        ("x", "", "target is empty"),
        ("a" * 41, "b" * 41, f"source has 41 characters: at most {MAX_LENGTH}"),
        ("a\u200db", "abc", "U+200D"),
    ],
)
def test_a_wrong_pair_is_kept_and_named_with_what_is_allowed(source: str, target: str, said: str) -> None:
    current, values, notes = page.screen({"c_source": source, "c_target": target})
    assert said in current.problem and not notes
    assert (values["c_source"], values["c_target"]) == (source, target)
    assert (current.config.source, current.config.target) == ("hello", "ohlol")
    assert page.active_preset(current, values) is None


def test_what_a_model_cannot_have_is_set_right() -> None:
    values = page.screen({"c_mode": page.ALONE, "c_layer": "cell", "c_layers": 3, "c_depth": "layer 2"})[1]
    assert (values["c_layers"], values["c_depth"]) == (1, "layer 0")
    assert page.screen({"c_opt": "Adam", "c_mom": 0.5})[1]["c_mom"] == 0.0
    assert page.screen({"c_opt": "SGD", "c_mom": 0.5})[0].config.optimiser.momentum == 0.5
    assert page.screen({"c_view": "Save"})[1]["c_view"] == "Reshape"  # three runs are not one file
    assert page.screen({"c_view": "Save", "c_mode": page.ALONE})[1]["c_view"] == "Save"
    assert screen(c_hidden=9, c_readout=False).config.hidden == 4
    assert screen(c_hidden=9, c_readout=True).config.hidden == 9


@pytest.mark.parametrize(
    ("until", "stop"),
    [
        ("all right", Stop(all_right=True)),
        ("loss below", Stop(loss_below=0.5)),
        ("never", None),
        ("epochs", Stop(epochs=14)),
    ],
)
def test_what_ends_a_run(until: str, stop: Stop | None) -> None:
    assert screen(c_until=until, c_loss=0.5, c_epochs=7).stop(9) == stop


@given(st.dictionaries(st.sampled_from([f.key for f in page.FIELDS]), st.text(max_size=60)))
def test_any_address_gives_a_screen_that_stays_as_it_is(found: dict[str, str]) -> None:
    current, values, _ = page.screen(found)
    again, same, notes = page.screen(values)
    assert (again, same, notes) == (current, values, {})
    start(current.config)


@given(
    st.sampled_from(page.LAYERS),
    st.sampled_from(["RNN", "LSTM", "GRU"]),
    st.sampled_from(page.INPUTS),
    st.booleans(),
    st.sampled_from(["sum", "mean"]),
)
def test_a_run_s_configuration_comes_back_into_the_controls(
    layer: str, kind: str, source: str, readout: bool, reduction: str
) -> None:
    found = {"c_layer": layer, "c_kind": kind, "c_input": source, "c_readout": readout, "c_red": reduction}
    config = screen(**found, c_layers=2 if layer == "layer" else 1, c_opt="SGD", c_mom=0.5).config
    assert screen(**page.values_of(config)).config == config


# ---- row D8


@pytest.mark.parametrize("row", ["D3", "D4", "D5"])
@pytest.mark.parametrize("two", [False, True])
def test_D8_the_rows_losses_are_pytorchs_and_make_up_its_loss(row: str, two: bool) -> None:
    config = CHARS_PRESETS[row]
    state = advance(start(config), 3)
    texts = [config.source, config.target][: 1 + two]
    batch = scored(config, *(snapshot(state, json.dumps({"text": t}))["flat_logits"] for t in texts))
    n = 2 if two else 1
    assert batch.logits.shape == (n, 5, 4) and batch.target.shape == batch.losses.shape == (n, 5)
    assert batch.sentences == ("hello", "ohlol")[:n]
    assert ["".join(HELLO.classes[k] for k in ids) for ids in batch.target] == ["ohlol", "hello"][:n]
    logits = torch.tensor(batch.logits, dtype=torch.float64)
    own = -logits.log_softmax(-1).gather(-1, torch.tensor(batch.target)[..., None])[..., 0]
    torch.testing.assert_close(torch.tensor(batch.losses).double(), own, rtol=1e-5, atol=1e-6)
    loss = nn.CrossEntropyLoss(reduction=config.reduction)(
        logits.reshape(n * 5, 4), torch.tensor(batch.target).flatten()
    )
    assert batch.loss == pytest.approx(float(loss), rel=1e-5)
    assert batch.loss == pytest.approx(float(own.sum() if row == "D3" else own.mean()), rel=1e-5)


# ---- pictures


def test_the_model_as_it_stands_has_a_row_of_its_own() -> None:
    record = said(HELLO, [[2] * 5, [3, 1, 2, 3, 2]], [6.0, 1.0], now=([3, 1, 2, 2, 2], 0.5))
    assert (record.epochs, record.until, record.now) == ((1, 2, 3), (1, 2, 3), True)
    assert record.rows[-1] == tuple("ohlll") and record.loss[-1] == 0.5
    assert said_summary(record).endswith("now it says ohlll, 4 of 5 right, loss 0.5.")
    made = checked(said_figure(record, current=3, height=300))
    assert made.layout.yaxis.ticktext == ("1", "2", "now")
    assert made.layout.yaxis.range[0] == (300 - made.layout.margin.t - made.layout.margin.b) // ROW - 0.5
    assert (made.layout.shapes[0].y0, made.layout.shapes[0].y1) == (1.5, 2.5)
    assert list(named(made, "loss").text) == ["epoch 1", "epoch 2", "now"]


def test_before_the_first_epoch_the_untrained_model_speaks() -> None:
    record = said(HELLO, np.zeros((0, 5)), [], now=([2] * 5, 7.0))
    assert record.rows == (("l",) * 5,) and record.epochs == (1,)
    made = checked(said_figure(record, height=300))
    assert made.layout.annotations[0].text == "each epoch adds a row"


def test_the_row_of_now_stays_when_others_are_left_out() -> None:
    ids = np.full((500, 5), 2)
    record = said(HELLO, ids, np.ones(500), now=([2] * 5, 0.25))
    assert (record.epochs, record.until) == ((1, 501), (500, 501))
    assert checked(said_figure(record)).layout.yaxis.ticktext == ("1–500", "now")


def test_long_strings_have_source_and_target_in_two_lines() -> None:
    text = "abcdefghijklmnopqrst"
    long = Strings(text, text[::-1], tuple(text))
    made = checked(said_figure(said(long, [range(20)], [1.0])))
    assert made.layout.xaxis.ticktext[:2] == ("a<br>t", "b<br>s") and len(made.layout.xaxis.ticktext) == 20


def test_the_card_has_a_column_an_epoch_and_colour_where_it_is_right() -> None:
    picture = strings_card(["eel", "oel"], "oe<")
    assert picture.label == "eel, 2 epochs later oel"
    assert picture.svg.count("<text") == 1 + 6
    assert picture.svg.count("h150v16") == 3  # o, e and e
