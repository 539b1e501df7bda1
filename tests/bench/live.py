"""Live training through the pool and the dispatcher, against the plain loop of the same model.

`python -m tests.bench.live`. Four measurements, each a ratio or a difference within one run: thirty runs at
full speed and how evenly they get on; D1 at full speed against a bare PyTorch loop in its own process; what
10,000 epochs leave in the server's memory; how long a kept epoch takes to be back with its snapshot. Exit
code 1 when a row of DESIGN.md's numbers is missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from rnnviz.presets import PRESETS
from rnnviz.training.live.cluster import Pool
from rnnviz.training.live.dispatcher import Dispatcher
from rnnviz.training.live.run import Run

FAIREST = 0.5  # slowest run against the mean
FULL_SPEED = 0.8  # steps a second against the bare loop
MEMORY_MB = 20.0
SEEK_SECONDS = 0.2
QUIET = 0.9  # of a core for a loop that never waits; below, others take turns with it

# D1 as a notebook writes it: one sentence a step, nothing measured but the loss. Prints steps a second.
BARE = """
import json, os, sys, time
os.environ["OMP_NUM_THREADS"] = "1"
import torch
from torch import nn
torch.set_num_threads(1)
os.nice({nice})
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 6)
        self.lstm = nn.LSTM(6, 8)
        self.out = nn.Linear(8, 3)
    def forward(self, words):
        h, _ = self.lstm(self.embedding(words).view(len(words), 1, -1))
        return torch.log_softmax(self.out(h.view(len(words), -1)), dim=1)
data = [(torch.tensor([0, 1, 2, 3, 4]), torch.tensor([0, 1, 2, 0, 1])),
        (torch.tensor([5, 6, 7, 8]), torch.tensor([1, 2, 0, 1]))]
model, loss_function = Tagger(), nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
def train(seconds):
    steps, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        total = 0.0
        for words, tags in data:
            model.zero_grad()
            loss = loss_function(model(words), tags)
            loss.backward()
            optimizer.step()
            total += loss.item()
            steps += 1
    return steps
train(0.5)
for line in sys.stdin:
    seconds = float(line)
    began = time.perf_counter()
    steps = train(seconds)
    print(steps / (time.perf_counter() - began), flush=True)
"""


def first_state(row: str = "D1") -> bytes:
    from rnnviz.training import start

    return start(PRESETS[row]).to_bytes()  # type: ignore[arg-type]


@contextmanager
def dispatching(size: int | None = None) -> Iterator[Dispatcher]:
    """A dispatcher with warm workers."""
    dispatcher = Dispatcher(Pool(size))
    try:
        for _ in range(2 * dispatcher.pool.size):
            run = dispatcher.add(Run.of(first_state()))
            run.one_step()
            while run.look().busy:
                run.wait(run.version, 30)
        yield dispatcher
    finally:
        dispatcher.close()


def after(seconds: float) -> None:
    threading.Event().wait(seconds)


def fairness(count: int, seconds: float) -> float:
    """Progress of the slowest of `count` runs against their mean."""
    with dispatching() as dispatcher:
        runs = [dispatcher.add(Run.of(first_state())) for _ in range(count)]
        for run in runs:
            run.play(math.inf)
        after(seconds)
        for run in runs:
            run.pause()
        epochs = [run.look().epoch for run in runs]
    print(f"{count} runs for {seconds:g} s: epochs {min(epochs)} to {max(epochs)}, all {sum(epochs)}")
    return min(epochs) / (sum(epochs) / count)


def full_speed(seconds: float, rounds: int) -> float:
    """Steps a second of D1, live with one worker, against the bare loop meanwhile: the middle ratio."""
    from rnnviz.training.live.worker import NICENESS

    bare = subprocess.Popen(
        [sys.executable, "-c", BARE.replace("{nice}", str(NICENESS))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert bare.stdin is not None and bare.stdout is not None
    walls, works, shares = [], [], []
    with dispatching(1) as dispatcher:
        run = dispatcher.add(Run.of(first_state()))
        run.watch(json.dumps({}))
        (worker,) = dispatcher.pool.pids()
        for _ in range(rounds):
            run.play(math.inf)
            run.wait(run.version, 30)  # counted from the end of a slice to the end of another
            used, began, before = [cpu(worker), cpu(bare.pid)], time.perf_counter(), run.look()
            print(seconds, file=bare.stdin, flush=True)
            while time.perf_counter() < began + seconds:
                run.wait(run.version, 30)
            took, now = time.perf_counter() - began, run.look()
            # Epochs and the parts of one: an epoch of D1 has two steps.
            live = (2 * (now.epoch - before.epoch) + now.step - before.step) / took
            busy = [(cpu(pid) - since) / took for pid, since in zip((worker, bare.pid), used, strict=True)]
            run.pause()
            plain = float(bare.stdout.readline())
            walls.append(live / plain)
            works.append(live / busy[0] / (plain / busy[1]))
            shares.append(busy[1])
            print(
                f"live {live:.0f} steps/s on {busy[0]:.2f} of a core, bare {plain:.0f} on {busy[1]:.2f}: "
                f"{walls[-1]:.2f}; a processor second: {works[-1]:.2f}"
            )
    bare.stdin.close()
    bare.wait()
    bare.stdout.close()
    if median(shares) < QUIET:
        print(f"The machine is busy: the bare loop had {median(shares):.2f} of a core, so its seconds count.")
        return median(works)
    return median(walls)


def cpu(pid: int) -> float:
    """Processor seconds of a process so far."""
    return time.clock_gettime((~pid << 3) | 2)


def resident() -> float:
    """MB of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def memory_and_seek(epochs: int) -> tuple[float, float]:
    """MB that `epochs` epochs of D1 leave here, and seconds until an epoch is back with its picture."""
    from rnnviz.training.slices import Stop

    with dispatching() as dispatcher:
        run = dispatcher.add(Run.of(first_state()))
        run.watch(json.dumps({}))
        run.play(math.inf, Stop(epochs=20))
        while run.look().busy:
            run.wait(run.version, 30)
        run.picture("{}")
        gc.collect()
        before = resident()
        run.play(math.inf, Stop(epochs=epochs))
        began = time.perf_counter()
        while run.look().busy:
            run.wait(run.version, 30)
        took = time.perf_counter() - began
        gc.collect()
        more = resident() - before
        look = run.look()
        size = sum(len(state) for _, state in run.history())
        print(
            f"{look.epoch} epochs in {took:.1f} s: {more:+.1f} MB; {len(look.kept)} states kept, "
            f"{size / 1e6:.1f} MB, {len(look.curves.points('loss')[0])} points of the loss"
        )
        times = []
        for epoch in range(0, epochs, max(1, epochs // 50)):
            began = time.perf_counter()
            run.picture("{}", epoch)
            times.append(time.perf_counter() - began)
        began = time.perf_counter()
        run.seek(epochs // 2 + 1, exact=True)
        print(f"an epoch that is not kept: {1e3 * (time.perf_counter() - began):.0f} ms")
    print(f"a kept epoch with its snapshot: {1e3 * median(times):.1f} ms, longest {1e3 * max(times):.1f} ms")
    return more, max(times)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--epochs", type=int, default=10_000)
    given = parser.parse_args()
    speed = full_speed(given.seconds / 5, given.rounds)
    fair = fairness(given.runs, given.seconds)
    more, seek = memory_and_seek(given.epochs)
    rows = [
        ("full speed against the bare loop", f"{speed:.2f}", f"at least {FULL_SPEED}", speed >= FULL_SPEED),
        ("slowest run against the mean", f"{fair:.2f}", f"at least {FAIREST}", fair >= FAIREST),
        (f"memory of {given.epochs} epochs", f"{more:.1f} MB", f"at most {MEMORY_MB:g}", more <= MEMORY_MB),
        ("longest seek", f"{1e3 * seek:.0f} ms", f"at most {1e3 * SEEK_SECONDS:.0f}", seek <= SEEK_SECONDS),
    ]
    print()
    for name, value, reach, good in rows:
        print(f"{name:<36}{value:>10}   {reach:<16}{'reached' if good else 'MISSED'}")
    return 0 if all(good for *_, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
