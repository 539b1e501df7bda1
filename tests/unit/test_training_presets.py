"""Rows D1 to D5, D8 and E5: what the course's notebooks train, and what happens when they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.presets import (
    CHARS_PRESETS,
    EPOCHS,
    LAYER_PRESETS,
    PRESETS,
    TAGGER_PRESETS,
    TRAINING_PRESETS,
)
from rnnviz.training import Order, RunState, advance, snapshot, start, work
from rnnviz.training.config import CASES, Case, Optimiser, TaggerConfig
from rnnviz.training.task import Arrays

SEEDS = range(20)
Record = Callable[[str, object], None]


@cache
def trained(row: str, seed: int | None = None) -> RunState:
    """The notebook's run of a row."""
    config = TRAINING_PRESETS[row]
    config = config if seed is None else replace(config, seed=seed)
    return advance(start(config), EPOCHS[row])


@cache
def log(row: str, seed: int | None = None) -> Arrays:
    """What was seen at each of its epochs."""
    config = TRAINING_PRESETS[row]
    config = config if seed is None else replace(config, seed=seed)
    found = work(start(config).to_bytes(), Order(EPOCHS[row], 600.0))
    assert RunState.from_bytes(found.state).losses == trained(row, seed).losses
    return found.log


def said(row: str, seed: int | None = None) -> list[str]:
    """The predicted string at every epoch."""
    letters = CHARS_PRESETS[row].characters
    return ["".join(letters[i] for i in predicted) for predicted in log(row, seed)["predicted"]]


def tags(state: RunState) -> list[list[str]]:
    """The predicted tags of every training sentence."""
    assert isinstance(state.config, TaggerConfig)
    looks = [snapshot(state, {"sentence": i}) for i in range(len(state.config.sentences))]
    return [[state.config.tags[i] for i in look["predicted"]] for look in looks]


def seeds_with(
    row: str, holds: Callable[[int], bool], record: Callable[[str, object], None], fact: str
) -> int:
    found = sum(map(holds, SEEDS))
    record(f"{row}, {fact}", f"{found} of {len(SEEDS)} seeds")
    return found


def test_the_table_has_the_layers_and_the_models_that_train() -> None:
    assert {**LAYER_PRESETS, **TRAINING_PRESETS}.items() <= PRESETS.items()
    assert EPOCHS == {"D1": 300, "D2": 2, "D3": 20, "D4": 15, "D5": 20}


def test_D1_is_the_notebook_s_tagger() -> None:
    config = TAGGER_PRESETS["D1"]
    said = [" ".join(f"{word}/{tag}" for word, tag in sentence) for sentence in config.sentences]
    assert said == ["The/DET dog/NN ate/V the/DET apple/NN", "Everybody/NN read/V that/DET book/NN"]
    assert (config.kind, config.embedding, config.hidden, config.batch) == ("LSTM", 6, 8, 1)
    assert config.optimiser == Optimiser("SGD", 0.1) and not config.shuffle
    assert len(config.vocabulary) == 9 and config.tags == ("DET", "NN", "V")


def test_D1_learns_every_tag(record_property: Record) -> None:
    before, after = start(TAGGER_PRESETS["D1"]), trained("D1")
    assert after.losses[-1] < 0.05
    assert tags(after) == [["DET", "NN", "V", "DET", "NN"], ["NN", "V", "DET", "NN"]]
    assert tags(before) != tags(after)
    scores = [snapshot(state, {})["probabilities"] for state in (before, after)]
    assert scores[0].max() < 0.75 and scores[1].max(-1).min() > 0.9
    assert (
        seeds_with("D1", lambda s: trained("D1", s).losses[-1] < 0.05, record_property, "loss < 0.05") >= 18
    )


def test_D2_hardly_moves_in_two_epochs(record_property: Record) -> None:
    config = TAGGER_PRESETS["D2"]
    assert len(config.vocabulary) == 8 and config.vocabulary[0] == "the"
    assert (config.embedding, config.hidden, config.optimiser) == (6, 6, Optimiser("SGD", 0.01))

    def moved(seed: int | None) -> float:
        ends = (start(config if seed is None else replace(config, seed=seed)), trained("D2", seed))
        one, two = (snapshot(state, {})["probabilities"] for state in ends)
        return float(np.abs(one - two).max())

    assert 0 < moved(None) < 0.01
    assert trained("D2").losses[0] - trained("D2").losses[1] < 0.01
    assert seeds_with("D2", lambda s: moved(s) < 0.01, record_property, "no score moves by 0.01") == 20


def test_D3_ends_at_ohlol(record_property: Record) -> None:
    config = CHARS_PRESETS["D3"]
    assert (config.layer, config.kind, config.hidden, config.embedding) == ("cell", "RNN", 4, 0)
    assert (config.readout, config.reduction, config.optimiser) == (False, "sum", Optimiser("Adam", 0.1))
    assert said("D3")[-1] == "ohlol" and len(said("D3")) == 20
    assert said("D3")[0] != "ohlol"
    assert seeds_with("D3", lambda s: said("D3", s)[-1] == "ohlol", record_property, "ends at ohlol") >= 10


def test_D4_may_still_be_wrong_because_its_state_is_the_score(
    record_property: Record,
) -> None:
    config = CHARS_PRESETS["D4"]
    assert (config.layer, config.hidden, config.readout) == ("layer", 4, False)
    assert config.optimiser == Optimiser("Adam", 0.05)
    assert said("D4")[-1] != "ohlol" and len(said("D4")) == 15
    look = snapshot(trained("D4"), {})
    assert_array_equal(look["flat_logits"], look["h/0/0"])  # so no score can leave [-1, 1]
    wrong = seeds_with("D4", lambda s: said("D4", s)[-1] != "ohlol", record_property, "wrong at epoch 15")
    assert 0 < wrong < 20


def test_D5_reaches_ohlol_within_a_few_epochs(record_property: Record) -> None:
    config = CHARS_PRESETS["D5"]
    assert (config.embedding, config.hidden, config.num_layers, config.readout) == (10, 8, 2, True)
    assert said("D5").index("ohlol") < 8 and said("D5")[-1] == "ohlol"
    assert trained("D5").losses[-1] == pytest.approx(0.003, abs=0.001)

    def soon(seed: int) -> bool:
        return "ohlol" in said("D5", seed)[:8] and said("D5", seed)[-1] == "ohlol"

    assert seeds_with("D5", soon, record_property, "ohlol within 8 epochs") == 20


@pytest.mark.parametrize(("row", "shape"), [("D3", (5, 1, 4)), ("D4", (5, 1, 4)), ("D5", (1, 5, 4))])
def test_D8_the_loss_is_that_of_the_reshaped_scores(row: str, shape: tuple[int, ...]) -> None:
    state, config = advance(start(CHARS_PRESETS[row]), 2), CHARS_PRESETS[row]
    look = snapshot(state, {})
    assert look["logits"].shape == shape and look["flat_logits"].shape == (5, 4)
    assert_array_equal(look["logits"].reshape(5, 4), look["flat_logits"])
    assert [config.characters[i] for i in look["targets"]] == list("ohlol")
    # each position's own loss, from the definition: minus the logarithm of the right one's softmax
    logits = look["flat_logits"].astype(np.float64)
    right = logits[np.arange(5), look["targets"]]
    losses = np.log(np.exp(logits).sum(-1)) - right
    assert_allclose(look["losses"], losses, rtol=1e-5)
    whole = losses.sum() if config.reduction == "sum" else losses.mean()
    assert_allclose(look["loss"], whole, rtol=1e-5)
    assert_allclose(advance(state).losses[-1], whole, rtol=1e-5)  # what the next step starts from


def test_D8_a_tagger_s_loss_is_that_of_all_words_in_a_row() -> None:
    config = replace(TAGGER_PRESETS["D1"], batch=2)
    state = start(config)
    looks = [snapshot(state, {"sentence": i}) for i in (0, 1)]
    losses = [-np.log(look["probabilities"][np.arange(len(look["tags"])), look["tags"]]) for look in looks]
    assert_allclose(advance(state).losses[0], np.concatenate(losses).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("keep", "The dog ate the apple Everybody read that book"),
        ("first", "the dog ate apple everybody read that book"),
        ("lower", "the dog ate apple everybody read that book"),
    ],
)
def test_E5_the_case_changes_the_vocabulary(case: Case, words: str) -> None:
    config = replace(TAGGER_PRESETS["D1"], case=case)
    assert config.vocabulary == tuple(words.split())
    ids = config.ids(word for word, _ in config.sentences[0])
    assert (ids[0] == ids[3]) == (case != "keep")
    assert start(config).weights["embedding.weight"].shape == (len(words.split()), 6)


def test_E5_first_and_lower_differ_within_a_sentence() -> None:
    sentence = ((("Read", "V"), ("The", "DET"), ("Book", "NN")),)
    found = {case: TaggerConfig(sentence, case=case).vocabulary for case in CASES}
    assert found == {
        "keep": ("Read", "The", "Book"),
        "first": ("read", "The", "Book"),
        "lower": ("read", "the", "book"),
    }


def test_the_default_seeds_are_what_a_bare_script_draws() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        embedding, lstm = torch.nn.Embedding(9, 6), torch.nn.LSTM(6, 8)
    weights = start(TAGGER_PRESETS["D1"]).weights
    assert torch.equal(weights["embedding.weight"], embedding.weight)
    assert torch.equal(weights["rnn.weight_hh_l0"], lstm.get_parameter("weight_hh_l0"))
