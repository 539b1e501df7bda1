"""The two trained encoder-decoders that come along load, decode, and show what they are there to show."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.data.pairs import answer, generate
from rnnviz.models import shipped
from rnnviz.models.beam import BeamHow, beam
from rnnviz.models.decoding import How, decode, model_of
from rnnviz.models.studies import by_length
from rnnviz.training import RunState, start, work
from rnnviz.training.live.runfile import from_bytes
from rnnviz.training.slices import Order


def test_they_are_small() -> None:
    for one, states in ((shipped.REVERSE, 8), (shipped.PLAIN, 3), (shipped.DATES, 4)):
        assert one.path.stat().st_size < 215_000 * states  # each with its optimiser


def test_the_way_back_shows_where_the_model_learns_to_look() -> None:
    look, shares = from_bytes(shipped.REVERSE.run()), []
    assert look.look().kept == (*shipped.REVERSE.kept, shipped.REVERSE.epochs)
    for epoch, data in look.history():
        state = RunState.from_bytes(data)
        assert state.epoch == epoch and bool(state.optimizer) == (epoch > 0)
        shares.append(look.look().curves.points("alignment")[1][epoch - 1] if epoch else 0.0)
    assert shares[1] < 0.6 < shares[4] and shares[-1] > 0.95


def test_D7_the_one_with_attention_decodes_strings_it_has_not_seen() -> None:
    state = shipped.REVERSE.state()
    assert state.config == shipped.REVERSE.config and state.epoch == shipped.REVERSE.epochs == len(
        state.losses
    )
    model = model_of(state)
    held = shipped.REVERSE.config.held
    assert not {source for source, _ in held} & {source for source, _ in shipped.REVERSE.config.pairs}
    right, peaks = [], []
    for source, target in held:
        seen = decode(model, shipped.REVERSE.config, source)
        right.append(seen.text == target and seen.finished)
        forced = decode(model, shipped.REVERSE.config, source, How(target=target))
        assert forced.weights is not None
        peaks += (forced.weights.argmax(-1)[:-1] == np.arange(len(source))[::-1]).tolist()
    assert np.mean(right) >= 0.99 and np.mean(peaks) >= 0.99


@pytest.mark.parametrize("one", shipped.ALL, ids=lambda one: one.name)
def test_a_run_goes_on_where_it_stands(one: shipped.Trained) -> None:
    run = from_bytes(one.run())
    look = run.look()
    assert (look.epoch, look.step, look.playing) == (one.epochs, 0, False)
    assert look.kept == (*one.kept, one.epochs) and one.state().config == one.config
    assert len(look.curves.points("held_accuracy")[0]) == one.epochs
    done = work(run.state, Order(1, 600.0))
    assert done.epoch == one.epochs + 1 and not done.stopped
    assert run.origin.epoch == 0 and run.origin.state == start(one.config).to_bytes()


def test_dates_are_read_and_looked_at_where_they_stand() -> None:
    one = shipped.DATES
    model, right = model_of(one.state()), 0
    for source, target in one.config.held:
        right += decode(model, one.config, source).text == target
    assert right >= 0.99 * len(one.config.held)
    assert from_bytes(one.run()).look().curves.points("alignment")[1][-1] > 0.9


def test_without_attention_long_strings_are_lost() -> None:
    lengths = [4, 6, 8, 9, 12]
    with_it, without = (
        by_length(model_of(state), config, lengths, count=60)
        for state, config in (
            (shipped.REVERSE.state(), shipped.REVERSE.config),
            (shipped.PLAIN.state(), shipped.PLAIN.config),
        )
    )
    assert shipped.PLAIN.state().config == shipped.PLAIN.config
    assert with_it.trained == without.trained == (4, 8)
    assert (with_it.exact[:3] >= 0.95).all()
    assert without.exact[0] >= 0.85 and without.exact[2] <= 0.3  # trained on both, four times as long
    assert with_it.exact[3] > without.exact[3] + 0.3  # and one further than was trained
    assert with_it.exact[4] == without.exact[4] == 0.0  # but neither gets far beyond


def test_a_wider_beam_is_not_always_a_better_one() -> None:
    case, config = shipped.BEAM_CASE, shipped.PLAIN.config
    right = answer("reverse", case.source)
    assert case.source not in {source for source, _ in config.pairs}
    model, found = model_of(shipped.PLAIN.state()), {}
    for width in (case.narrow, case.wide):
        tree = beam(model, config, case.source, BeamHow(width, case.alpha))
        found[width] = (tree.tokens(config, tree.best.id), tree.best.score)
    assert found[case.narrow][0] == (*right, "<end>")
    assert found[case.wide][0] != (*right, "<end>")
    assert found[case.wide][1] > found[case.narrow][1] + 0.01  # likelier to the model, and wrong


def test_a_wider_beam_mostly_helps_or_does_no_harm() -> None:
    """So that the case above is what it is said to be: an exception."""
    model, config = model_of(shipped.PLAIN.state()), shipped.PLAIN.config
    counts = {1: 0, 4: 0}
    for source, target in generate("reverse", 12, (6, 6), 1, 30, seed=5):
        for width in counts:
            tree = beam(model, config, source, BeamHow(width, dropped=0))
            counts[width] += tree.tokens(config, tree.best.id)[:-1] == target
    assert counts[4] >= counts[1] > 0


@pytest.mark.parametrize("one", shipped.ALL, ids=lambda one: one.name)
def test_a_damaged_file_is_refused(one: shipped.Trained) -> None:
    with pytest.raises(ValueError):
        from_bytes(one.run()[:-100])
