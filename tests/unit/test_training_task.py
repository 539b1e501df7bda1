"""A model that the engine has never heard of trains like its own: one class that registers itself.

It is of another topology (many to one: a label for a whole sequence) and draws random numbers in its loss,
by a schedule over the epochs, as a decoder with teacher forcing does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from rnnviz.training import Order, RunState, advance, change, parameter_names, snapshot, start, step, work
from rnnviz.training import task as tasks
from rnnviz.training.changes import Edit, Silence
from rnnviz.training.config import Optimiser, TrainConfig
from rnnviz.training.storage import shapes
from rnnviz.training.task import Arrays, Batch, Done, Rows, as_numpy, register
from tests.unit.training_cases import configs


@dataclass(frozen=True)
class JudgeConfig:
    """Sequences of small numbers, each with a label 0 or 1."""

    sequences: tuple[tuple[tuple[int, ...], int], ...]
    forced: float = 0.5
    optimiser: Optimiser = field(default_factory=Optimiser)
    seed: int = 0
    device: str = "cpu"
    task: ClassVar[str] = "judge"

    @cached_property
    def text(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "optimiser"}
        return json.dumps(
            values | {"optimiser": {f.name: getattr(self.optimiser, f.name) for f in fields(Optimiser)}}
        )


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 3)
        self.rnn = nn.GRU(3, 5)
        self.linear = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, h_n = self.rnn(self.embedding(x))
        scores: torch.Tensor = self.linear(h_n)  # (1, 2)
        return scores


@dataclass(frozen=True)
class JudgeData:
    pairs: tuple[Batch, ...]

    def batches(self) -> Sequence[Batch]:
        return self.pairs

    def batch(self, items: Sequence[int]) -> Batch:
        return self.pairs[items[0]]


class JudgeTask:
    config_type = JudgeConfig

    def model(self, config: JudgeConfig) -> nn.Module:
        return Judge()

    def data(self, config: JudgeConfig, device: str) -> JudgeData:
        labels = [torch.tensor([label]) for _, label in config.sequences]
        inputs = [torch.tensor(x) for x, _ in config.sequences]
        return JudgeData(tuple(Batch((x,), y, as_numpy(y), 1) for x, y in zip(inputs, labels, strict=True)))

    def items(self, config: JudgeConfig) -> int:
        return len(config.sequences)

    def batch_size(self, config: JudgeConfig) -> int:
        return 1

    def shuffled(self, config: JudgeConfig) -> bool:
        return True

    def loss(self, model: nn.Module, batch: Batch, config: JudgeConfig, epoch: int) -> Done:
        x = batch.inputs[0]
        if torch.rand(()) < config.forced / (1 + epoch):
            x = x.flip(0)
        scores = model(x)
        return Done(cross_entropy(scores, batch.targets), scores)

    def held(self, config: JudgeConfig, layer: int, direction: int, unit: int) -> Rows:
        return tasks.unit_rows("rnn", "_l0", "GRU", 5, unit)

    def holds_out(self, config: JudgeConfig) -> bool:
        return False

    def evaluate(self, model: nn.Module, config: JudgeConfig, *, held_out: bool) -> tuple[float, float]:
        right = [int(model(b.inputs[0]).argmax(-1) == b.targets) for b in self.data(config, "cpu").pairs]
        return 0.0, sum(right) / len(right)

    def log(self, config: JudgeConfig, batch: Batch, done: Done) -> Arrays:
        return {}

    def watch(self, model: nn.Module, config: JudgeConfig) -> dict[str, float]:
        return {}

    def snapshot(self, model: nn.Module, config: JudgeConfig, view: Mapping[str, Any]) -> Arrays:
        batch = self.data(config, "cpu").pairs[0]
        return {"probabilities": as_numpy(model(batch.inputs[0]).softmax(-1))}


CONFIG: Any = JudgeConfig((((0, 1, 2), 1), ((3, 2), 0), ((1,), 1)), optimiser=Optimiser("Adam", 0.05))


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    register("judge", JudgeTask())
    yield
    del tasks._TASKS["judge"]


def test_it_trains_and_is_cut_without_a_trace() -> None:
    whole = advance(start(CONFIG), 7)
    assert whole.losses[-1] < whole.losses[0]
    cut = RunState.from_bytes(step(advance(start(CONFIG), 3)).to_bytes())
    assert (cut.config, cut.epoch, cut.step) == (CONFIG, 3, 1)
    assert advance(RunState.from_bytes(step(cut).to_bytes()), 4).to_bytes() == whole.to_bytes()


def test_the_schedule_and_the_draws_matter() -> None:
    never: Any = JudgeConfig(CONFIG.sequences, forced=0.0, optimiser=CONFIG.optimiser)
    assert advance(start(CONFIG), 5).losses != advance(start(never), 5).losses


def test_it_can_be_reached_into_looked_at_and_sent() -> None:
    state = change(change(start(CONFIG), Silence(2)), Edit("linear.bias", (1,), 0.5))
    assert parameter_names(CONFIG)[0] == "embedding.weight"
    done = work(state.to_bytes(), Order(3, 600.0, 1, "{}"))
    assert done.state == advance(state, 3).to_bytes()
    assert done.snapshot["probabilities"].shape == (1, 2)
    assert snapshot(state, {})["probabilities"].shape == (1, 2)
    rows = RunState.from_bytes(done.state).weights["rnn.weight_ih_l0"][[2, 7, 12]]
    assert not rows.any()


def test_a_task_that_nobody_registered_is_named() -> None:
    data = start(CONFIG).to_bytes()
    del tasks._TASKS["judge"]
    with pytest.raises(ValueError, match="task='judge' is not allowed: one of chars, seq2seq, tagger"):
        RunState.from_bytes(data)
    register("judge", JudgeTask())


@given(configs, st.integers(0, 5))
def test_a_skeleton_has_names_and_shapes_and_draws_nothing(config: TrainConfig, seed: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        made = tasks.skeleton(tasks.named(config.task), config)
        assert torch.equal(torch.get_rng_state(), before)
    assert {p.device.type for p in made.parameters()} == {"meta"}
    weights = start(config).weights
    assert list(shapes(config).items()) == [(name, tuple(w.shape)) for name, w in weights.items()]
    assert [(name, tuple(p.shape)) for name, p in made.named_parameters()] == list(shapes(config).items())
