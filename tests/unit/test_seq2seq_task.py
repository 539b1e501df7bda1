"""The encoder-decoder on the engine: its rows, its snapshots, the studies of it, and its reach."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.data.pairs import alignment
from rnnviz.models.decoding import decode, model_of
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.models.seq2seq_data import prepared, right_positions, watched
from rnnviz.models.studies import by_length, leak
from rnnviz.presets import PRESETS
from rnnviz.training import Generated, Order, RunState, Seq2SeqConfig, Stop, advance, snapshot, start, work
from rnnviz.training.config import Optimiser, config_from
from tests.unit.training_cases import seq2seqs

SMALL = Seq2SeqConfig(
    Generated("reverse", symbols=4, shortest=1, longest=4, train=64, held=16), hidden=6, decoder_hidden=12
)


def preset(row: str) -> Seq2SeqConfig:
    config = PRESETS[row]
    assert isinstance(config, Seq2SeqConfig)
    return config


# ---- the configuration


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seq2seqs())
def test_a_configuration_is_its_text(config: Seq2SeqConfig) -> None:
    again = config_from(Seq2SeqConfig, json.loads(config.text))
    assert again == config and hash(again) == hash(config) and again.text == config.text


PAIR = (("a",), ("b",))
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"data": ()}, "data"),
    ({"data": "pairs"}, "data"),
    ({"data": ((("a",), ()),)}, r"data\[0\] target"),
    ({"data": (PAIR, (("a",) * 101, ("b",)))}, r"data\[1\] source"),
    ({"data": (PAIR, ("a", "b", "c"))}, r"data\[1\]"),
    ({"data": ((("<pad>",), ("b",)),)}, "<pad>"),
    ({"data": (((1,), ("b",)),)}, "token"),
    ({"data": (PAIR,) * 10_001}, "10001 pairs"),
    ({"held_out": (PAIR,)}, "held_out"),
    ({"vocabulary": 3}, "vocabulary=3"),
    ({"vocabulary": 2001}, "vocabulary"),
    ({"attention": "cosine"}, "attention='cosine'"),
    ({"attention": "dot", "decoder_hidden": 5}, "decoder_hidden=5 .* 32"),
    ({"attention": "multihead", "heads": 3}, "heads=3"),
    ({"teacher": 1.5}, "teacher"),
    ({"teacher_reversed": 1}, "teacher_reversed"),
    ({"mask": "yes"}, "mask"),
    ({"encoder": "CNN"}, "encoder"),
    ({"embedding": 0}, "embedding"),
    ({"vocabulary": 2000, "batch": 1024}, "batch=1024"),
    ({"optimiser": None}, "optimiser"),
]


@pytest.mark.parametrize(("values", "named"), WRONG)
def test_a_wrong_value_is_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Seq2SeqConfig(**values)


@pytest.mark.parametrize(
    "values",
    [{"task": "paint"}, {"symbols": 1}, {"shortest": 9}, {"longest": 65}, {"train": 0}, {"shift": -1}],
)
def test_wrong_data_are_named(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Generated(**values)
    with pytest.raises(ValueError, match="longest"):
        Generated("numbers", longest=22)


# ---- what an epoch says


def test_a_row_says_how_held_out_pairs_are_done() -> None:
    done = work(start(SMALL).to_bytes(), Order(3, 600.0))
    state = RunState.from_bytes(done.state)
    model, held = model_of(state), watched(SMALL)
    right = [decode(model, SMALL, source).text == target for source, target in held]
    assert done.log["held_accuracy"][-1] == np.mean(right)
    found, entropies = [], []
    for source, target in held:
        weights = snapshot(state, {"source": source, "target": target})["weights"]
        for row, place in zip(weights, alignment("reverse", source, target), strict=True):
            entropies.append(-sum(a * math.log(a) for a in row.tolist() if a))
            if place is not None:
                found.append(row.argmax() == place)
    assert done.log["alignment"][-1] == pytest.approx(np.mean(found))
    assert done.log["entropy"][-1] == pytest.approx(np.mean(entropies), rel=1e-5)
    assert 0 < done.log["accuracy"][-1] <= 1


@pytest.mark.parametrize("attention", ["none", "additive"])
def test_rows_are_of_one_shape_whatever_is_known(attention: Any) -> None:
    own = Seq2SeqConfig(((("a", "b"), ("b",)),), attention=attention, hidden=2, decoder_hidden=4)
    log = work(start(own).to_bytes(), Order(2, 600.0)).log
    assert {"alignment", "entropy", "held_loss", "held_accuracy"} <= log.keys()
    assert np.isnan(log["alignment"]).all() and np.isnan(log["held_accuracy"]).all()


def test_any_letter_of_a_month_is_right_to_look_at() -> None:
    config = Seq2SeqConfig(Generated("dates", train=40, held=4))
    right, data = right_positions(config), prepared(config, "cpu", True)
    assert right is not None and right.shape == (4, 11, data.source.shape[1])
    for table, (source, target) in zip(right, watched(config), strict=True):
        month = [i for i, token in enumerate(source) if token.isalpha()]
        assert np.flatnonzero(table[5]).tolist() == np.flatnonzero(table[6]).tolist() == month
        assert not table[4].any() and target[4] == "-"


def test_a_run_stops_when_all_trained_strings_are_right() -> None:
    config = replace(SMALL, data=replace(SMALL.data, longest=2, train=8), optimiser=Optimiser("Adam", 0.02))  # type: ignore[type-var]
    done = work(start(config).to_bytes(), Order(400, 600.0, until=Stop(all_right=True)))
    assert done.stopped.startswith("Every prediction is right")
    model = model_of(RunState.from_bytes(done.state))
    assert all(decode(model, config, source).text == target for source, target in config.pairs)


# ---- what is looked at


def test_a_snapshot_is_a_decoding() -> None:
    state = advance(start(SMALL), 1)
    source, target = SMALL.held[2]
    for view, expected in (
        ({"pair": 2}, decode(model_of(state), SMALL, source)),
        ({"source": list(source)}, decode(model_of(state), SMALL, source)),
    ):
        seen = snapshot(state, json.dumps(view))
        for name, array in expected.arrays().items():
            assert_array_equal(seen[name], array, err_msg=name)
    forced = snapshot(state, {"pair": 2, "target": True})
    assert forced["ids"].tolist() == [*SMALL.target_ids(target), 2]
    trained = snapshot(state, {"pair": 1, "held_out": False})
    assert trained["source_ids"].tolist() == list(SMALL.source_ids(SMALL.pairs[1][0]))


@pytest.mark.parametrize(
    "view",
    [{"pair": 16}, {"pair": -1}, {"pair": True}, {"source": []}, {"source": ["z"]}, {"source": "ab"},
     {"source": ["a"] * 101}, {"pair": 0, "target": ["z"]}, {"source": ["a"], "target": "b"}],
)  # fmt: skip
def test_a_view_of_what_is_not_there_is_refused(view: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not allowed|is not"):
        snapshot(start(SMALL), view)


def test_E2_padding_gets_weight_without_the_mask() -> None:
    model = model_of(advance(start(SMALL), 4))
    pairs = sorted(SMALL.held, key=lambda pair: len(pair[0]))
    pairs = [*pairs[:3], *pairs[-3:]]
    found = leak(model, SMALL, pairs)
    assert model.mask  # the model that was asked is as it was
    padding = np.arange(found.longest) >= found.lengths[:, None]
    assert padding.any() and not found.on_padding[0].any()  # exactly 0
    short = found.lengths < found.longest
    assert (found.on_padding[1][short] > 0.01).all() and not found.on_padding[1][~short].any()
    for weights in (found.masked, found.unmasked):
        ends = [len(target) + 1 for _, target in pairs]
        for row, end in zip(weights, ends, strict=True):
            assert_allclose(row[:end].sum(-1), 1.0, rtol=1e-5)
            assert np.isnan(row[end:]).all()
    leaked = np.nanmean((found.unmasked * padding[:, None]).sum(-1), axis=1)
    assert_allclose(found.on_padding[1], leaked)
    assert_array_equal(found.right[0], found.alone)  # masked and packed, a batch changes nothing
    with pytest.raises(ValueError, match="pairs"):
        leak(model, SMALL, pairs[:1])
    with pytest.raises(ValueError, match="attention"):
        leak(model, replace(SMALL, attention="none"), pairs)


def fresh_copier(config: Seq2SeqConfig) -> Seq2Seq:
    """A model that says "a", and then always the end: the state tells it nothing, the token fed all."""
    model = model_of(start(config))
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        start_row, a = model.decoder.embedding.weight[1], config.target_numbers["a"]
        start_row[0] = 1.0  # the start symbol alone has a vector
        model.decoder.out.weight[a, -config.embedding] = 2.0
        model.decoder.out.bias[2] = 1.0
    return model


def test_right_strings_are_counted_by_length() -> None:
    config = replace(SMALL, data=Generated("copy", symbols=2, shortest=1, longest=2, train=3, held=1))
    model = fresh_copier(config)
    found = by_length(model, config, [1, 2, 3], count=4, seed=3)
    assert found.trained == (1, 2) and found.lengths.tolist() == [1, 2, 3]
    # It says "a" and the end, whatever it reads: right for "a" alone. Trained strings are not asked.
    trained = {source for source, _ in config.pairs}
    alone = [letter == "a" for letter in "ab" if (letter,) not in trained]
    two = [pair for pair in itertools.product("ab", repeat=2) if pair not in trained]
    assert alone and two
    assert found.exact.tolist() == [np.mean(alone), 0.0, 0.0]
    assert found.count.tolist() == [len(alone), len(two), 4]
    with pytest.raises(ValueError, match="lengths"):
        by_length(model, SMALL, [0])
    with pytest.raises(ValueError, match="data"):
        by_length(model, replace(SMALL, data=Generated("dates")), [3])


# ---- the reach


def test_D7_the_small_one_learns_to_reverse_strings_it_has_not_seen() -> None:
    """In at most 500 steps, some four seconds of one core; tests/bench/attention.py has the time."""
    config = preset("D7")
    assert isinstance(config.data, Generated)
    assert (config.data.task, config.data.symbols, config.data.longest) == ("reverse", 12, 8)
    state = start(config)
    for _ in range(6):
        done = work(state.to_bytes(), Order(5, 600.0))
        state = RunState.from_bytes(done.state)
        if done.log["held_accuracy"][-1] >= 0.99 and done.log["alignment"][-1] >= 0.9:
            break
    assert len(state.losses) * 16 <= 500
    model = model_of(state)
    fresh = [pair for pair in config.held if len(pair[0]) == 8]
    right = [decode(model, config, source).text == target for source, target in config.held]
    assert np.mean(right) >= 0.99 and len(fresh) >= 20
    assert done.log["alignment"][-1] >= 0.9


def test_the_epochs_look_at_held_out_pairs_is_cheap() -> None:
    """Counted in rows of the decoder, which is what costs: at most an eighth of what is trained."""
    for config in (preset("D7"), preset("E2"), SMALL):
        assert len(watched(config)) <= max(4, len(config.pairs) // 8)


def test_the_other_threads_settings_are_left() -> None:
    threads = torch.get_num_threads()
    advance(start(SMALL), 1)
    assert torch.get_num_threads() == threads
