"""Decoding (row D7): greedy, drawn and by beam, with what a person changes in it, and what explains it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.models.attention import Additive
from rnnviz.models.beam import BeamHow, beam, beams, scored
from rnnviz.models.decoding import Decoded, How, decode, faultless, greedy, model_of, usual_limit
from rnnviz.models.explain import explain, softmax_of
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.training import Seq2SeqConfig, start
from rnnviz.training.pairs_config import END, PAD, SCORES, START
from tests.unit import seq2seq_reference as reference
from tests.unit.training_cases import seq2seqs

TWO = Seq2SeqConfig(
    ((("a", "b", "a"), ("b", "a")), (("b",), ("a",))), embedding=4, hidden=3, decoder_hidden=6, heads=2
)
SLOW = [HealthCheck.too_slow]


def fresh(config: Seq2SeqConfig) -> Seq2Seq:
    return model_of(start(config))


def asked(config: Seq2SeqConfig) -> tuple[str, ...]:
    return config.pairs[0][0]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.integers(1, 6))
def test_greedy_says_the_most_likely_token_and_feeds_it(config: Seq2SeqConfig, limit: int) -> None:
    model, source = fresh(config), asked(config)
    seen = decode(model, config, source, How(limit=limit))
    assert_array_equal(seen.ids, seen.logits.argmax(-1))
    assert_array_equal(seen.fed, [START, *seen.ids[:-1]])
    assert seen.finished == (seen.ids[-1] == END)
    assert len(seen.ids) == limit or seen.finished
    assert END not in seen.ids[:-1]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(0.0))
def test_what_a_decoding_records_is_what_the_equations_give(config: Seq2SeqConfig) -> None:
    model, source = fresh(config).double(), asked(config)
    seen = decode(model, config, source, How(limit=4))
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    own = reference.run(weights, config, config.source_ids(source), seen.fed.tolist())
    pairs: list[tuple[Any, Any]] = [
        (seen.logits, own.logits),
        (seen.states, own.states),
        (seen.first, own.first),
        (seen.encoded, own.outputs),
    ]
    if config.context:
        pairs += [(seen.energies, own.energies), (seen.weights, own.weights), (seen.context, own.contexts)]
    else:
        assert seen.energies is None and seen.weights is None and seen.context is None
    for mine, theirs in pairs:
        assert_allclose(mine, np.array(theirs), rtol=1e-9, atol=1e-11)
    likely = [np.log(reference.softmax(list(row))[i]) for row, i in zip(own.logits, seen.ids, strict=True)]
    assert_allclose(seen.log_probs, likely, rtol=1e-9)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs())
def test_many_at_once_say_what_each_says_alone(config: Seq2SeqConfig) -> None:
    """In float64: in float32 two tokens can be so close that the size of a batch decides."""
    config = replace(config, mask=True, packed=True)
    model = fresh(config).double()
    sources = [config.source_ids(source) for source, _ in config.pairs]
    lengths = torch.tensor([len(ids) for ids in sources])
    padded = torch.zeros(len(sources), int(lengths.max()), dtype=torch.int64)
    for row, ids in zip(padded, sources, strict=True):
        row[: len(ids)] = torch.tensor(ids)
    said = greedy(model, padded, lengths, 5).tolist()
    for row, (source, _) in zip(said, config.pairs, strict=True):
        alone = decode(model, config, source, How(limit=5)).ids.tolist()
        assert row == alone + [END] * (5 - len(alone))


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.data())
def test_a_string_without_a_fault_is_what_greedy_says(config: Seq2SeqConfig, data: st.DataObject) -> None:
    model = fresh(replace(config, mask=True, packed=True)).double()
    chosen = data.draw(st.lists(st.sampled_from(config.pairs), min_size=2, max_size=5))
    ids = [config.source_ids(source) for source, _ in chosen]
    lengths = torch.tensor([len(row) for row in ids])
    source = torch.tensor([[*row, *[PAD] * (int(lengths.max()) - len(row))] for row in ids])
    targets = greedy(model, source, lengths, 5)  # (N, 5)
    said = [[int(i) for i in row[: (row == END).nonzero()[0] + 1]] for row in targets if (row == END).any()]
    rows = [*said, *[[*config.target_ids(target), END] for _, target in chosen]]
    wanted = torch.full((len(chosen), max(map(len, rows))), PAD)
    for n in range(len(chosen)):
        row = data.draw(st.sampled_from(rows))
        wanted[n, : len(row)] = torch.tensor(row)
    own = greedy(model, source, lengths, wanted.shape[1])
    assert_array_equal(
        faultless(model, model.read(source, lengths)[:2], wanted),
        ((own == wanted) | (wanted == PAD)).all(dim=1),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.integers(1, 6))
def test_a_beam_of_one_is_greedy(config: Seq2SeqConfig, limit: int) -> None:
    model, source = fresh(config), asked(config)
    seen = decode(model, config, source, How(limit=limit))
    tree = beam(model, config, source, BeamHow(1, limit=limit))
    assert tree.ids(tree.best.id) == tuple(seen.ids)
    assert tree.best.log_prob == pytest.approx(seen.log_prob, abs=1e-9)
    assert tree.best.fate == ("finished" if seen.finished else "limit")


@pytest.mark.parametrize("attention", SCORES)
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_that_drops_nothing_finds_the_best_of_all_strings(attention: Any, alpha: float) -> None:
    """All strings of a vocabulary of five, scored one by one by the second writing of the equations."""
    config, limit = replace(TWO, attention=attention, seed=3), 4
    model, source = fresh(config).double(), asked(config)
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    rows = config.target_rows
    found = {}
    for length in range(1, limit + 1):
        for ids in itertools.product(range(rows), repeat=length):
            ended = ids[-1] == END
            if END in ids[:-1] or not (ended or length == limit):
                continue
            found[ids] = 0.0
    cache: dict[tuple[int, ...], Any] = {}

    def log_probs(before: tuple[int, ...]) -> Any:
        if before not in cache:
            logits = reference.run(weights, config, config.source_ids(source), (START, *before)).logits[-1]
            cache[before] = np.log(reference.softmax(list(logits)))
        return cache[before]

    for ids in found:
        found[ids] = sum(float(log_probs(ids[:t])[i]) for t, i in enumerate(ids)) / len(ids) ** alpha
    tree = beam(model, config, source, BeamHow(rows**limit, alpha, limit, dropped=0))
    assert {tree.ids(id) for id in tree.answers} == found.keys()  # nothing was dropped
    best = max(found, key=lambda ids: found[ids])
    assert tree.ids(tree.best.id) == best
    for id in tree.answers:
        assert tree.nodes[id].score == pytest.approx(found[tree.ids(id)], abs=1e-9)
    narrow = beam(model, config, source, BeamHow(1, alpha, limit))
    assert narrow.best.score <= tree.best.score + 1e-12


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.lists(st.integers(1, 5), min_size=2, max_size=4), st.sampled_from((0.0, 0.7, 2.0)))
def test_searches_that_go_on_together_are_those_alone(
    config: Seq2SeqConfig, widths: list[int], alpha: float
) -> None:
    """And another power of the length changes scores, not what is searched."""
    model, source = fresh(config).double(), asked(config)
    for width, tree in zip(
        widths, beams(model, config, source, [BeamHow(width, limit=4) for width in widths]), strict=True
    ):
        for one, own in (
            (tree, beam(model, config, source, BeamHow(width, limit=4))),
            (scored(tree, alpha), beam(model, config, source, BeamHow(width, alpha, limit=4))),
        ):
            assert one.how == own.how and one.answers == own.answers
            for node, theirs in zip(one.nodes, own.nodes, strict=True):
                fates = (node.id, node.parent, node.token, node.step, node.fate, node.rank)
                assert fates == (
                    theirs.id,
                    theirs.parent,
                    theirs.token,
                    theirs.step,
                    theirs.fate,
                    theirs.rank,
                )
                assert node.log_prob == pytest.approx(theirs.log_prob, abs=1e-9)
                assert node.score == pytest.approx(theirs.score, abs=1e-9)
                assert (node.weights is None) == (theirs.weights is None)
                if node.weights is not None and theirs.weights is not None:
                    assert_allclose(node.weights, theirs.weights, atol=1e-9)


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.integers(1, 5), st.integers(1, 5), st.sampled_from((0.0, 0.7, 1.0)))
def test_a_tree_hangs_together(config: Seq2SeqConfig, width: int, limit: int, alpha: float) -> None:
    model, source = fresh(config), asked(config)
    tree = beam(model, config, source, BeamHow(width, alpha, limit))
    assert [node.id for node in tree.nodes] == list(range(len(tree.nodes)))
    by_step: dict[int, list[Any]] = {}
    for node in tree.nodes[1:]:
        parent = tree.nodes[node.parent]
        assert parent.step == node.step - 1 and parent.fate == "kept"
        assert node.log_prob <= parent.log_prob
        assert node.score == pytest.approx(node.log_prob / node.step**alpha)
        assert (node.fate == "finished") <= (node.token == END)
        assert node.step <= limit and (node.fate == "limit") <= (node.step == limit)
        if config.context:
            assert node.weights is not None
            assert_allclose(node.weights.sum(-1), 1.0, rtol=1e-5)
        by_step.setdefault(node.step, []).append(node)
    for nodes in by_step.values():
        stayed = [node for node in nodes if node.rank < width]
        assert len(stayed) <= width and [node.rank for node in nodes] == list(range(len(nodes)))
        assert all(a.log_prob >= b.log_prob for a, b in itertools.pairwise(nodes))
    scores = [tree.nodes[id].score for id in tree.answers]
    assert scores == sorted(scores, reverse=True) and tree.answers


def test_drawing_follows_the_probabilities_and_the_seed() -> None:
    model, source = fresh(TWO), asked(TWO)
    logits = decode(model, TWO, source).logits[0].astype(np.float64)
    for temperature in (0.5, 1.0, 3.0):
        chances = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        drawn = [
            int(decode(model, TWO, source, How("sample", temperature, seed, limit=1)).ids[0])
            for seed in range(300)
        ]
        counts = np.bincount(drawn, minlength=len(chances)) / len(drawn)
        assert_allclose(counts, chances, atol=4 * np.sqrt(0.25 / len(drawn)))
    cold = decode(model, TWO, source, How("sample", 0.01, limit=5))
    assert_array_equal(cold.ids, decode(model, TWO, source, How(limit=5)).ids)
    once, again = (decode(model, TWO, source, How("sample", 2.0, seed=7)) for _ in range(2))
    assert_array_equal(once.ids, again.ids)


def test_a_given_target_is_said_whatever_the_model_would_say() -> None:
    model = fresh(TWO)
    seen = decode(model, TWO, asked(TWO), How(target=("a", "b", "b", "a")))
    assert (
        seen.target == ("a", "b", "b", "a", "<end>") and seen.text == ("a", "b", "b", "a") and seen.finished
    )
    assert_array_equal(seen.predicted, seen.logits.argmax(-1))
    assert decode(model, TWO, asked(TWO), How(target=())).target == ("<end>",)


@pytest.mark.parametrize("attention", [score for score in SCORES if score != "none"])
def test_what_if_weights_tokens_and_hidden_positions(attention: Any) -> None:
    config = replace(TWO, attention=attention)
    model, source = fresh(config), asked(config)
    was = decode(model, config, source, How(target=("b", "a")))
    given = decode(model, config, source, How(target=("b", "a"), weights=((1, (3.0, 1.0, 0.0)),)))
    assert given.weights is not None and was.weights is not None
    assert_allclose(given.weights[1], np.broadcast_to([0.75, 0.25, 0.0], given.weights[1].shape))
    assert_array_equal(given.weights[0], was.weights[0])
    assert_array_equal(given.logits[0], was.logits[0])
    assert np.abs(given.logits[1] - was.logits[1]).max() > 1e-6
    assert_array_equal(given.energies[1], was.energies[1])  # type: ignore[index]
    again = decode(model, config, source, How(target=("b", "a"), weights=((1, tuple(_row(was, 1))),)))
    if attention != "multihead":  # its heads have weights of their own
        assert_allclose(again.logits, was.logits, atol=1e-6)
    hidden = decode(model, config, source, How(target=("b", "a"), masked=(0, 2)))
    assert hidden.weights is not None
    assert not hidden.weights[..., [0, 2]].any() and (hidden.weights[..., 1] == 1.0).all()
    said = decode(model, config, source, How(tokens=((0, "b"), (1, "<end>"))))
    assert said.target == ("b", "<end>") and said.fed.tolist() == [START, config.target_numbers["b"]]


def _row(seen: Decoded, t: int) -> list[float]:
    joined = seen.joined()
    assert joined is not None
    row: list[float] = joined[t].tolist()
    return row


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"weights": ((0, (1.0,)),)}, "weights"),
        ({"weights": ((0, (0.0, 0.0, 0.0)),)}, "weights"),
        ({"weights": ((0, (-1.0, 2.0, 0.0)),)}, "weights"),
        ({"weights": ((0, (1.0, 0.0, 0.0)),), "masked": (0,)}, "weights"),
        ({"weights": ((-1, (1.0, 0.0, 0.0)),)}, "weights"),
        ({"masked": (3,)}, "masked"),
        ({"masked": (0, 1, 2)}, "masked"),
        ({"tokens": ((0, "z"),)}, "target='z'"),
        ({"target": ("a", "z")}, "target='z'"),
        ({"target": ("a",) * 101}, "101 tokens"),
        ({"temperature": 0.0}, "temperature"),
        ({"method": "best"}, "method"),
        ({"limit": -1}, "limit"),
    ],
)
def test_what_cannot_be_done_is_named(how: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        decode(fresh(TWO), TWO, asked(TWO), How(**how))


@pytest.mark.parametrize("source", [(), ("a", "z"), ("<pad>",), ("a",) * 101])
def test_a_source_that_cannot_be_read_is_refused(source: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="source"):
        decode(fresh(TWO), TWO, source)
    with pytest.raises(ValueError, match="source"):
        beam(fresh(TWO), TWO, source)


def test_a_beam_that_is_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="width"):
        BeamHow(0)
    with pytest.raises(ValueError, match="width=4096 is not allowed: at most 4000 with 1000 symbols"):
        config = replace(TWO, vocabulary=1000, embedding=1, hidden=1, decoder_hidden=1)
        beam(fresh(config), config, asked(config), BeamHow(4096))


@pytest.mark.parametrize("length", [1, 10, 100])
def test_everything_stops_at_a_limit(length: int) -> None:
    """A model that never says the end symbol."""
    model = fresh(TWO)
    with torch.no_grad():
        model.decoder.out.bias[END] = -1e4
    source = ("a",) * length
    limit = usual_limit(TWO, source)
    assert len(decode(model, TWO, source).ids) == limit <= 101
    tree = beam(model, TWO, source, BeamHow(2))
    assert tree.best.step == tree.limit == limit and tree.best.fate == "limit"
    ids = torch.tensor([TWO.source_ids(source)])
    assert greedy(model, ids, torch.tensor([length]), 7).shape == (1, 7)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(seq2seqs(), st.data())
def test_the_products_sum_to_the_energies_and_the_parts_to_the_context(
    config: Seq2SeqConfig, data: st.DataObject
) -> None:
    model, source = fresh(config), asked(config)
    seen = decode(model, config, source, How(limit=3))
    t = data.draw(st.integers(0, len(seen.ids) - 1))
    found = explain(model, config, seen, t)
    best = np.sort(seen.logits[t])[::-1][:5]
    assert_allclose([each.logit for each in found.candidates], best)
    chances = np.exp(seen.logits[t].astype(float)) / np.exp(seen.logits[t].astype(float)).sum()
    assert_allclose([each.probability for each in found.candidates], np.sort(chances)[::-1][:5], rtol=1e-5)
    if not config.context:
        assert found.products is None and found.difference == 0.0
        return
    assert found.products is not None and found.units is not None and found.factors is not None
    assert found.parts is not None and found.joined is not None and seen.energies is not None
    assert_allclose(found.products, found.units * found.factors[..., None, :], rtol=1e-6)
    assert_allclose(found.products.sum(-1), seen.energies[t], rtol=1e-4, atol=1e-5)
    assert_allclose(found.parts.sum(0), found.joined, rtol=1e-4, atol=1e-5)
    assert found.parts.shape == (len(source), config.width) and found.difference < 1e-5
    if config.attention == "additive":
        assert np.abs(found.units).max() <= 1.0
        attend = model.decoder.attention
        assert isinstance(attend, Additive)
        assert_allclose(found.factors, attend.v.weight[0].numpy())
    assert found.own is not None and seen.weights is not None
    assert_allclose(found.own, seen.weights[t], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="t="):
        explain(model, config, seen, len(seen.ids))


def test_a_position_s_exponential_over_the_sum_is_its_weight() -> None:
    model, source = fresh(TWO), asked(TWO)
    seen = decode(model, TWO, source)
    found = explain(model, TWO, seen, 1)
    assert found.weights is not None and found.energies is not None
    for place, weight in enumerate(found.weights.tolist()):
        parts = softmax_of(found, place)
        assert parts is not None and parts[0] == found.energies[place]
        assert parts[1] / parts[2] == pytest.approx(weight, rel=1e-5)
    assert softmax_of(replace(found, energies=found.energies + 50), 0) is None


def test_a_step_with_given_weights_still_tells_its_own() -> None:
    model, source = fresh(TWO), asked(TWO)
    count = len(source)
    plain = decode(model, TWO, source, How(limit=2, masked=(0,)))
    row = tuple(float(j == count - 1) for j in range(count))
    how = How(limit=2, masked=(0,), weights=((0, row),))
    found = explain(model, TWO, decode(model, TWO, source, how), 0, how)
    assert found.own is not None and found.weights is not None and plain.weights is not None
    assert_allclose(found.weights, row)
    assert_allclose(found.own, plain.weights[0], rtol=1e-5, atol=1e-6)
    assert found.own[0] == 0.0 and np.abs(found.own - found.weights).max() > 0.1


def test_what_is_handed_out_cannot_be_written() -> None:
    model = fresh(TWO)
    seen = decode(model, TWO, asked(TWO))
    assert {"weights", "energies", "context", "logits", "ids"} <= seen.arrays().keys()
    assert not any(array.flags.writeable for array in seen.arrays().values())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    beam(model, TWO, asked(TWO))
    explain(model, TWO, seen, 0)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
