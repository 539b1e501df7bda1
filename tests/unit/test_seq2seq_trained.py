"""The two trained encoder-decoders that come along load, decode, and show what they are there to show."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.data.pairs import answer, generate
from rnnviz.models import shipped
from rnnviz.models.beam import BeamHow, beam
from rnnviz.models.decoding import How, decode, model_of
from rnnviz.models.studies import by_length
from rnnviz.training import RunState, work
from rnnviz.training.live.runfile import from_bytes
from rnnviz.training.slices import Order


def test_they_are_small() -> None:
    assert shipped.PLAIN.stat().st_size < 50_000
    assert shipped.ATTENTION.stat().st_size < 1_700_000  # eight states with their optimiser


def test_the_way_back_shows_where_the_model_learns_to_look() -> None:
    look, shares = from_bytes(shipped.attention_run()), []
    assert look.look().kept == (*shipped.KEPT, shipped.EPOCHS)
    for epoch, data in look.history():
        state = RunState.from_bytes(data)
        assert state.epoch == epoch and bool(state.optimizer) == (epoch > 0)
        shares.append(look.look().curves.points("alignment")[1][epoch - 1] if epoch else 0.0)
    assert shares[1] < 0.6 < shares[4] and shares[-1] > 0.95


def test_D7_the_one_with_attention_decodes_strings_it_has_not_seen() -> None:
    state = shipped.attention_state()
    assert state.config == shipped.CONFIG and state.epoch == shipped.EPOCHS == len(state.losses)
    model = model_of(state)
    held = shipped.CONFIG.held
    assert not {source for source, _ in held} & {source for source, _ in shipped.CONFIG.pairs}
    right, peaks = [], []
    for source, target in held:
        seen = decode(model, shipped.CONFIG, source)
        right.append(seen.text == target and seen.finished)
        forced = decode(model, shipped.CONFIG, source, How(target=target))
        assert forced.weights is not None
        peaks += (forced.weights.argmax(-1)[:-1] == np.arange(len(source))[::-1]).tolist()
    assert np.mean(right) >= 0.99 and np.mean(peaks) >= 0.99


def test_the_run_goes_on_where_it_stands() -> None:
    run = from_bytes(shipped.attention_run())
    look = run.look()
    assert (look.epoch, look.step, look.playing) == (shipped.EPOCHS, 0, False) and 0 in look.kept
    done = work(run.state, Order(1, 600.0))
    assert done.epoch == shipped.EPOCHS + 1 and not done.stopped
    assert run.origin.epoch == 0


def test_without_attention_long_strings_are_lost() -> None:
    lengths = [4, 6, 8, 9, 12]
    with_it, without = (
        by_length(model_of(state), config, lengths, count=60)
        for state, config in (
            (shipped.attention_state(), shipped.CONFIG),
            (shipped.plain_state(), shipped.PLAIN_CONFIG),
        )
    )
    assert shipped.plain_state().config == shipped.PLAIN_CONFIG
    assert with_it.trained == without.trained == (4, 8)
    assert (with_it.exact[:3] >= 0.95).all()
    assert without.exact[0] >= 0.85 and without.exact[2] <= 0.3  # trained on both, four times as long
    assert with_it.exact[3] > without.exact[3] + 0.3  # and one further than was trained
    assert with_it.exact[4] == without.exact[4] == 0.0  # but neither gets far beyond


def test_a_wider_beam_is_not_always_a_better_one() -> None:
    case, config = shipped.BEAM_CASE, shipped.PLAIN_CONFIG
    right = answer("reverse", case.source)
    assert case.source not in {source for source, _ in config.pairs}
    model, found = model_of(shipped.plain_state()), {}
    for width in (case.narrow, case.wide):
        tree = beam(model, config, case.source, BeamHow(width, case.alpha))
        found[width] = (tree.tokens(config, tree.best.id), tree.best.score)
    assert found[case.narrow][0] == (*right, "<end>")
    assert found[case.wide][0] != (*right, "<end>")
    assert found[case.wide][1] > found[case.narrow][1] + 0.01  # likelier to the model, and wrong


def test_a_wider_beam_mostly_helps_or_does_no_harm() -> None:
    """So that the case above is what it is said to be: an exception."""
    model, config = model_of(shipped.plain_state()), shipped.PLAIN_CONFIG
    counts = {1: 0, 4: 0}
    for source, target in generate("reverse", 12, (6, 6), 1, 30, seed=5):
        for width in counts:
            tree = beam(model, config, source, BeamHow(width, dropped=0))
            counts[width] += tree.tokens(config, tree.best.id)[:-1] == target
    assert counts[4] >= counts[1] > 0


@pytest.mark.parametrize("path", [shipped.ATTENTION, shipped.PLAIN])
def test_a_damaged_file_is_refused(path: object) -> None:
    data = shipped.PLAIN.read_bytes() if path == shipped.PLAIN else shipped.attention_run()
    with pytest.raises(ValueError):
        (RunState.from_bytes if path == shipped.PLAIN else from_bytes)(data[:-100])
