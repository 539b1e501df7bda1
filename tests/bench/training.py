"""`python -m tests.bench.training`: what the engine adds to a bare loop, as ratios of steps per second.

advance  `advance` over many epochs of row D1 against the plain loop of a script
live     `work` in slices of a quarter second, with the states that a live run keeps, and a snapshot a slice

All take turns on one core, so that a disturbance meets them alike; the exit code is 1 when one is below 0.8.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import log_softmax

from rnnviz.presets import TRAINING_PRESETS
from rnnviz.training import Order, RunState, advance, start, work
from rnnviz.training.config import TaggerConfig

REACH = 0.8
CONFIG = TRAINING_PRESETS["D1"]
STATE = start(CONFIG)
BUDGET = 8_000_000  # of a live run's history: the stride doubles when its kept states are larger


class Bare(nn.Module):
    """The tagger of the exported script."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 6)
        self.rnn = nn.LSTM(6, 8)
        self.linear = nn.Linear(8, 3)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        h, _ = self.rnn(self.embedding(words))
        return log_softmax(self.linear(h), dim=-1)


def bare(epochs: int) -> list[float]:
    """The loop of the exported script, its data made beforehand."""
    assert isinstance(CONFIG, TaggerConfig)
    data = [
        (torch.tensor(CONFIG.ids(word for word, _ in s)), torch.tensor([CONFIG.tag_ids[tag] for _, tag in s]))
        for s in CONFIG.sentences
    ]
    torch.manual_seed(CONFIG.seed)
    model = Bare()
    loss_function = nn.NLLLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for words, tags in data:
            optimizer.zero_grad()
            loss = loss_function(model(words), tags)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(data))
    return losses


def advanced(epochs: int) -> list[float]:
    """The same by one `advance`."""
    return list(advance(STATE, epochs).losses)


def live(epochs: int) -> list[float]:
    """The same as a live run does it: slice by slice through bytes, states kept within the budget."""
    data, epoch, stride = STATE.to_bytes(), 0, 1
    kept: dict[int, bytes] = {}
    while epoch < epochs:
        done = work(data, Order(epochs - epoch, 0.25, stride, view="{}"))
        data, epoch = done.state, done.epoch
        kept |= dict(done.kept)
        while sum(len(state) for state in kept.values()) > BUDGET:
            stride *= 2
            kept = {at: state for at, state in kept.items() if at % stride == 0}
    return list(RunState.from_bytes(data).losses)


def elapsed(way: Callable[[int], list[float]], epochs: int) -> float:
    """Seconds of this thread: a busy machine does not count."""
    began = time.thread_time()
    way(epochs)
    return time.thread_time() - began


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=500, help="of each turn")
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ways = (bare, advanced, live)
    expected = bare(50)
    for way in ways:
        if way(50) != expected:  # other numbers would be other work
            raise SystemExit(f"{way.__name__} gives other losses")
    times: dict[str, list[float]] = {way.__name__: [] for way in ways}
    for _ in range(options.turns):
        for way in ways:
            times[way.__name__].append(elapsed(way, options.epochs))
    steps = 2 * options.epochs
    rates = {name: steps / statistics.median(found) for name, found in times.items()}
    missed = False
    print(f"row D1, one core, {options.turns} turns of {steps} steps: median steps per second")
    for name, rate in rates.items():
        ratio = rate / rates["bare"]
        miss = ratio < REACH
        missed |= miss
        print(f"{name:9}{rate:8.0f}   {ratio:.2f} of the bare loop{'  MISS' if miss else ''}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
