"""A11: the shipped weights are as good as their report says, and anybody can train them again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors import SafetensorError

from rnnviz.topologies import kits
from rnnviz.topologies.config import NAMES, TOPOLOGIES, TopologyConfig, topology
from rnnviz.topologies.kits import ASKED, CURVE, KITS, STATES, fresh, scored, shipped, trained

IDS = pytest.mark.parametrize("config", TOPOLOGIES, ids=NAMES)
LEAST = {
    "one-to-one": {"trained on": 0.98, "held out": 0.97, "far outside the square": 0.99},
    "one-to-many": {"trained on": 1.0, "held out": 0.9},
    "many-to-one": {"trained on": 0.99, "held out": 0.99, "longer, 14 to 24 symbols": 0.98},
    "out-of-step": {"trained on": 0.99, "held out": 0.99, "longer, 6 letters": 0.7},
    "in-step": {"trained on": 0.97, "held out": 0.95, "held out, with “light” in them": 0.85},
}


@IDS
def test_A11_the_accuracy_of_the_shipped_weights_is_the_reported_one(config: TopologyConfig) -> None:
    net, report = shipped(config)
    again = {score.name: score for score in scored(config, net)}
    assert [score.name for score in report.scores] == list(KITS[config.name].sets())
    for score in report.scores:
        now = again[score.name]
        assert (now.items, now.asked) == (score.items, score.asked) and score.asked <= ASKED
        assert now.accuracy == pytest.approx(score.accuracy, abs=0.01)
        assert now.loss == pytest.approx(score.loss, rel=0.02, abs=1e-3)
        assert now.accuracy >= LEAST[config.name].get(score.name, 0.0)


def test_A11_where_it_fails_is_said() -> None:
    """What the page's text claims: brackets nested deeper, words longer than ever trained."""
    found = {score.name: score.accuracy for name in NAMES for score in shipped(topology(name))[1].scores}
    assert found["deeper than 4, all balanced"] < 0.9
    assert found["longer, 8 letters"] < 0.05 and 0.5 < found["longer, 6 letters"] < 0.95
    assert found["held out, with “light” in them"] < 0.97


@IDS
def test_A11_training_helped_by_far(config: TopologyConfig) -> None:
    report = shipped(config)[1]
    before = {score.name: score for score in report.before}
    now = scored(config, fresh(config))[-1]
    assert report.before[-1].accuracy == pytest.approx(now.accuracy, abs=0.01)
    assert report.before[-1].loss == pytest.approx(now.loss, rel=0.01)
    for name in ("trained on", "held out"):
        after = next(score for score in report.scores if score.name == name)
        assert after.accuracy > before[name].accuracy and after.loss < before[name].loss / 5
    assert report.curve[-1] < report.curve[0] / 5
    assert len(report.curve) <= CURVE and report.steps == config.steps
    assert report.parameters == sum(p.numel() for p in fresh(config).parameters())


def test_A11_the_tool_s_training_makes_the_shipped_model_again() -> None:
    config = topology("one-to-one")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        net, report = trained(config)
        short = replace(topology("in-step"), steps=5)
        one, other = trained(short)[0].state_dict(), trained(short)[0].state_dict()
    finally:
        torch.set_num_threads(threads)
    kept = shipped(config)[1]
    for now, then in zip(report.scores, kept.scores, strict=True):
        assert now.accuracy == pytest.approx(then.accuracy, abs=0.02)
    assert report.curve[0] == pytest.approx(kept.curve[0], rel=1e-3)
    assert net.state_dict().keys() == shipped(config)[0].state_dict().keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_of_another_configuration_are_refused() -> None:
    with pytest.raises(ValueError, match="another configuration's weights"):
        shipped(replace(topology("in-step"), hidden=17))


def test_weights_that_nobody_trained_are_missed(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kits, "STATES", STATES / "nowhere")
    with pytest.raises((FileNotFoundError, SafetensorError)):
        shipped(replace(topology("in-step"), seed=99))


def test_a_fresh_model_leaves_the_random_stream_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fresh(topology("many-to-one"))
    assert torch.equal(torch.get_rng_state(), before)
