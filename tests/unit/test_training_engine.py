"""A run gives the same bits however its way is cut, and PyTorch's own numbers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import nll_loss

from rnnviz.export_training import training_script
from rnnviz.presets import SENTENCES, TRAINING_PRESETS
from rnnviz.training import RunState, advance, change, parameter_names, snapshot, start, step
from rnnviz.training.changes import Edit, LearningRate, Silence
from rnnviz.training.config import CharsConfig, Optimiser, TaggerConfig, TrainConfig
from rnnviz.training.engine import started
from rnnviz.training.task import named
from tests.unit.training_cases import changes, configs, taggers, without_dropout

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the engine itself; the plain loops here are then as fast as they can be on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


BUSY = TaggerConfig(
    (*SENTENCES, SENTENCES[0][:2]),
    dropout=0.3,
    num_layers=2,
    bidirectional=True,
    batch=2,
    shuffle=True,
    unknown=1,
    optimiser=Optimiser("Adam", 0.02, clip=0.5),
)


def through_bytes(state: RunState) -> RunState:
    return RunState.from_bytes(state.to_bytes())


@settings(max_examples=40)
@given(configs)
def test_a_start_that_is_looked_at_is_the_start_and_its_snapshot(config: TrainConfig) -> None:
    state, arrays = started(config, "{}")
    assert state.to_bytes() == start(config).to_bytes()
    wanted = snapshot(start(config), "{}")
    assert arrays.keys() == wanted.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, wanted[name])


@settings(max_examples=60)
@given(configs, st.integers(0, 3), st.integers(0, 3))
def test_any_cut_gives_the_same_bits(config: TrainConfig, first: int, second: int) -> None:
    whole = advance(start(config), first + second)
    cut = advance(through_bytes(advance(start(config), first)), second)
    assert cut.to_bytes() == whole.to_bytes()
    assert cut.losses == whole.losses and len(whole.losses) == first + second == whole.epoch


@settings(max_examples=40)
@given(taggers(), st.data())
def test_steps_and_epochs_meet_at_the_same_bits(config: TaggerConfig, data: st.DataObject) -> None:
    steps = -(-len(config.sentences) // config.batch)
    taken = data.draw(st.integers(1, 2 * steps))
    state = start(config)
    for _ in range(taken):
        state = through_bytes(step(state))
    assert (state.epoch, state.step) == divmod(taken, steps)
    finished = advance(state, 1) if state.step else state
    assert finished.to_bytes() == advance(start(config), -(-taken // steps)).to_bytes()


@settings(max_examples=40)
@given(configs, st.data())
def test_a_changed_run_is_cut_without_a_trace(config: TrainConfig, data: st.DataObject) -> None:
    made = [data.draw(changes(config)) for _ in range(3)]
    whole = cut = start(config)
    for what in made:
        whole = advance(change(whole, what), 2)
        cut = advance(through_bytes(advance(through_bytes(change(cut, what)), 1)), 1)
    assert cut.to_bytes() == whole.to_bytes()


def test_another_process_gives_the_same_bits() -> None:
    made = [start(BUSY), step(advance(start(BUSY), 2)), advance(start(TRAINING_PRESETS["D1"]), 3)]
    code = (
        "import sys; from rnnviz.training import *\n"
        "for line in sys.stdin:\n"
        "    print(advance(RunState.from_bytes(bytes.fromhex(line)), 4).to_bytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(state.to_bytes().hex() for state in made),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout.split() == [advance(state, 4).to_bytes().hex() for state in made]


def test_nothing_is_changed_that_is_given_nor_the_global_random_state() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    state = start(BUSY)
    data = state.to_bytes()
    for _ in range(2):
        advance(state, 2), step(state), change(state, Edit("linear.bias", (0,), 9.0))
    assert state.to_bytes() == data
    assert torch.equal(torch.get_rng_state(), before)


def test_runs_in_many_threads_do_not_meet() -> None:
    configs = [replace(BUSY, seed=seed) for seed in range(4)]
    expected = [advance(start(config), 3).to_bytes() for config in configs]
    found: dict[int, bytes] = {}

    def train(i: int) -> None:
        found[i] = advance(start(configs[i]), 3).to_bytes()

    threads = [threading.Thread(target=train, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[i] for i in range(4)] == expected


def test_time_ends_a_run_at_an_epoch_s_end() -> None:
    state = advance(start(TRAINING_PRESETS["D1"]), 10_000, seconds=0.05)
    assert state.step == 0 and 1 <= state.epoch < 10_000
    assert advance(start(TRAINING_PRESETS["D1"]), 3, seconds=0.0).epoch == 1
    assert advance(start(TRAINING_PRESETS["D1"]), 0).epoch == 0
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="epochs"):
            advance(state, wrong)  # type: ignore[arg-type]


def plain_tagger_loop(config: TaggerConfig, epochs: int) -> list[float]:
    """The loop of the course's notebook, with nothing of rnnviz but the words' numbers."""
    words = [
        torch.tensor([config.vocabulary.index(w) for w in config.cased(w for w, _ in s)])
        for s in config.sentences
    ]
    tags = [torch.tensor([config.tags.index(t) for _, t in s]) for s in config.sentences]
    torch.manual_seed(config.seed)
    embedding = nn.Embedding(len(config.vocabulary), config.embedding)
    lstm = nn.LSTM(config.embedding, config.hidden)
    linear = nn.Linear(config.hidden, len(config.tags))
    parameters = [*embedding.parameters(), *lstm.parameters(), *linear.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=config.optimiser.lr)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for sentence, target in zip(words, tags, strict=True):
            optimizer.zero_grad()
            x = embedding(sentence)
            # the notebook of D2 gives both states as zeros
            h_0, c_0 = torch.zeros(1, config.hidden), torch.zeros(1, config.hidden)
            output, _ = lstm(x, (h_0, c_0))
            loss = nn.NLLLoss()(torch.log_softmax(linear(output), 1), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(words))
    return losses


@pytest.mark.parametrize(("row", "epochs"), [("D1", 60), ("D2", 10)])
def test_a_plain_loop_gives_the_tagger_s_losses(row: str, epochs: int) -> None:
    config = TRAINING_PRESETS[row]
    assert isinstance(config, TaggerConfig)
    with torch.random.fork_rng():
        assert advance(start(config), epochs).losses == tuple(plain_tagger_loop(config, epochs))


def plain_chars_loop(config: CharsConfig, epochs: int) -> list[float]:
    classes = len(config.characters)
    source = torch.tensor([config.characters.index(c) for c in config.source])
    target = torch.tensor([config.characters.index(c) for c in config.target])
    torch.manual_seed(config.seed)
    cell = nn.RNNCell(classes, classes)
    optimizer = torch.optim.Adam(cell.parameters(), lr=config.optimiser.lr)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        h = torch.zeros(1, classes)
        loss = torch.zeros(())
        for character, wanted in zip(torch.eye(classes)[source], target, strict=True):
            h = cell(character[None], h)
            loss = loss + nn.CrossEntropyLoss()(h, wanted[None])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_the_notebook_s_cell_loop_gives_D3_s_losses() -> None:
    config = TRAINING_PRESETS["D3"]
    assert isinstance(config, CharsConfig)
    with torch.random.fork_rng():
        expected = plain_chars_loop(config, 20)
    # summed one by one there, at once here: the last bits may differ
    np.testing.assert_allclose(advance(start(config), 20).losses, expected, rtol=1e-5)


@settings(max_examples=30)
@given(taggers().map(without_dropout))
def test_padded_packed_and_masked_is_the_sum_of_single_sentences(config: TaggerConfig) -> None:
    """Loss and every gradient of one padded batch against sentence by sentence, in float64."""
    task = named("tagger")
    whole = replace(config, batch=len(config.sentences) + 1)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = task.model(whole).double()
    (batch,) = task.data(whole, "cpu").batches()
    task.loss(model, batch, whole, 0).loss.backward()
    padded = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    single = replace(config, batch=1)
    total = torch.zeros((), dtype=torch.float64)
    for one in task.data(single, "cpu").batches():
        words, tags = one.inputs[0], one.targets
        x = model.embedding(words)[:, None]  # type: ignore[operator]
        h, _ = model.rnn(x)  # type: ignore[operator]
        scores = torch.log_softmax(model.linear(h[:, 0]), -1)  # type: ignore[operator]
        total = total + nll_loss(scores, tags, reduction="sum")
    loss = total / batch.count
    loss.backward()
    torch.testing.assert_close(task.loss(model, batch, whole, 0).loss, loss, rtol=1e-10, atol=1e-12)
    single_gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(padded) == len(single_gradients) == len(parameter_names(config))
    for a, b in zip(padded, single_gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("row", ["D1", "D2", "D3", "D4", "D5"])
def test_a_learning_rate_of_a_million_stops_with_a_sentence(row: str, seed: int) -> None:
    config = TRAINING_PRESETS[row]
    assert isinstance(config, TaggerConfig | CharsConfig)
    good = advance(start(replace(config, seed=seed)), 3)
    wild = change(good, LearningRate(1e6))
    broken = advance(wild, 50)
    assert "learning rate" in broken.stopped and "1e+06" in broken.stopped
    assert broken.stopped.startswith(f"Stopped in epoch {broken.epoch + 1}: ")
    assert broken.epoch < 53 and len(broken.losses) == broken.epoch
    assert all(weight.isfinite().all() for weight in broken.weights.values())
    assert advance(broken, 5) is broken
    again = advance(through_bytes(advance(wild, 1)), 49)
    assert again.to_bytes() == broken.to_bytes()  # also when a cut falls on the way there


def test_a_broken_run_goes_on_after_a_change_as_if_nothing_had_been() -> None:
    good = advance(start(TRAINING_PRESETS["D1"]), 3)
    broken = advance(change(good, LearningRate(1e6)), 5)
    assert broken.stopped and broken.epoch == 3
    mended = change(broken, LearningRate(0.1))
    assert not mended.stopped
    assert advance(mended, 4).losses == advance(good, 4).losses


def test_a_loss_that_is_no_number_is_called_so() -> None:
    state = start(TRAINING_PRESETS["D1"])
    state = change(state, Edit("linear.weight", (0, 0), 1e9))
    state = replace(state, weights={**state.weights, "linear.weight": torch.full((3, 8), float("nan"))})
    assert "no longer a number" in advance(state).stopped
    assert "no longer a number" in step(state).stopped


def test_what_is_not_in_the_model_cannot_be_changed() -> None:
    state = start(TRAINING_PRESETS["D1"])
    for wrong, word in (
        (Edit("nothing", (0,), 1.0), "name"),
        (Edit("linear.weight", (3, 0), 1.0), "index"),
        (Edit("linear.weight", (0,), 1.0), "index"),
        (Silence(8), "unit"),
        (Silence(0, layer=1), "layer"),
        (Silence(0, direction=1), "direction"),
    ):
        with pytest.raises(ValueError, match=word):
            change(state, wrong)
    with pytest.raises(ValueError, match="change"):
        change(state, "lr = 3")  # type: ignore[arg-type]


def test_the_journal_only_grows_and_of_a_moment_s_rates_the_last_counts() -> None:
    state = start(TRAINING_PRESETS["D1"])
    for lr in (0.2, 0.3, 0.4):
        state = change(state, LearningRate(lr))
    state = change(advance(state), LearningRate(0.1))
    assert [(epoch, what.lr) for epoch, _, what in state.changes if isinstance(what, LearningRate)] == [
        (0, 0.2),
        (0, 0.3),
        (0, 0.4),
        (1, 0.1),
    ]
    once = advance(change(start(TRAINING_PRESETS["D1"]), LearningRate(0.4)))
    assert state.losses == once.losses and all(
        torch.equal(state.weights[name], once.weights[name]) for name in once.weights
    )
    text = training_script(state.config, 2, state.changes)
    assert text.count("param_groups") == 2 and "= 0.3" not in text


def test_a_snapshot_has_the_same_bits_whatever_the_number_of_threads() -> None:
    state, found = start(TRAINING_PRESETS["D1"]), []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            found.append(snapshot(state, {"sentence": 0, "parts": []}))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    assert found[0].keys() == found[1].keys()
    for name in found[0]:
        assert found[0][name].tobytes() == found[1][name].tobytes(), name
