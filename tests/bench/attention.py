"""`python -m tests.bench.attention`: how soon the encoder-decoder has learnt to reverse, and what that costs.

reach    seconds of training, done as a live run does it (slices, states kept, a snapshot a slice), until 99 %
         of held-out strings of 4 to 8 symbols are right and 90 % of the peaks are on the true position
ratio    steps per second of such a run against the exported script's bare loop, taken in turns
looking  what the held-out pairs of an epoch's row cost, of the whole epoch
one call the decoder without attention in one call against step by step, forward and backward

The exit code is 1 when a seed needs more than 10 s, the ratio is below 0.8, or looking takes more than 15 %.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from rnnviz.export_training import training_script
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.presets import SEQ2SEQ_PRESETS
from rnnviz.training import Order, Seq2SeqConfig, start, work
from rnnviz.training import task as tasks
from rnnviz.training.opened import Live

CONFIG = SEQ2SEQ_PRESETS["D7"]
VIEW = '{"pair": 0, "target": true}'
SECONDS, RATIO, LOOKING = 10.0, 0.8, 0.15


def live(config: Seq2SeqConfig, epochs: int, *, learnt: bool) -> tuple[int, float]:
    """Epochs and seconds of a live run: to these epochs, or (``learnt``) until it is good enough."""
    data, epoch, began = start(config).to_bytes(), 0, time.perf_counter()
    while epoch < epochs:
        done = work(data, Order(epochs - epoch, 0.25, 2, VIEW))
        data = done.state
        log = done.log
        for row in range(done.epoch - epoch):
            if learnt and log["held_accuracy"][row] >= 0.99 and log["alignment"][row] >= 0.9:
                return epoch + row + 1, time.perf_counter() - began
        epoch = done.epoch
    return epoch, time.perf_counter() - began


def bare(config: Seq2SeqConfig, epochs: int) -> float:
    """Seconds of the exported script, its printing unheard."""
    program = compile(training_script(config, epochs), "script", "exec")
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        exec(program, {"__name__": "script"})
    return time.perf_counter() - began


def looking(config: Seq2SeqConfig) -> tuple[float, float]:
    """Seconds of an epoch without its look at held-out pairs, and of that look."""
    state = start(config)
    model = Live.open(state)
    task = tasks.named(config.task)

    def epoch() -> None:
        work(state.to_bytes(), Order(1, 600.0))

    def look() -> None:
        model.evaluate(held_out=True)
        model.watch()

    assert task.holds_out(config)
    whole, part = (statistics.median(timed(f) for _ in range(7)) for f in (epoch, look))
    return whole - part, part


def timed(f: Callable[[], object]) -> float:
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


def one_call() -> float:
    """How many times as long the decoder without attention takes step by step."""
    config = replace(CONFIG, attention="none")
    model = Seq2Seq(config)
    batch = tasks.named(config.task).data(config, "cpu").batch(range(64))
    steps = batch.targets.shape[1]
    e = model.decoder.embedding(batch.inputs[2]).detach()
    state, _, _ = model.read(*batch.inputs[:2])
    assert isinstance(state, torch.Tensor)
    first = state.detach().requires_grad_()

    def fused() -> None:
        model.decoder.rnn(e, first)[0].sum().backward()

    def looped() -> None:
        now, parts = first, []
        for t in range(steps):
            look = model.decoder.step(e[:, t], now, None)
            now = look.state  # type: ignore[assignment]
            parts.append(look.s)
        torch.stack(parts).sum().backward()

    times = [(timed(looped), timed(fused)) for _ in range(60)]
    return statistics.median(a for a, _ in times[10:]) / statistics.median(b for _, b in times[10:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="runs until learnt")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the comparison with the bare loop")
    options = parser.parse_args()
    torch.set_num_threads(1)
    work(start(CONFIG).to_bytes(), Order(1, 600.0, 0, VIEW))  # what is loaded once
    missed = False
    for seed in range(options.seeds):
        epochs, seconds = live(replace(CONFIG, seed=seed), 200, learnt=True)
        missed |= seconds > SECONDS
        print(f"reach    seed {seed}: {seconds:.1f} s, {epochs} epochs of 16 steps (≤ {SECONDS:g} s)")
    ratios, bares = [], []
    for _ in range(options.rounds):
        bares.append(bare(CONFIG, 12))
        ratios.append(bares[-1] / live(CONFIG, 12, learnt=False)[1])
    ratio = statistics.median(ratios)
    missed |= ratio < RATIO
    print(
        f"ratio    {ratio:.2f} of the script's steps per second, which does 12 epochs in {min(bares):.1f} s"
    )
    epoch, look = looking(CONFIG)
    missed |= look / (epoch + look) > LOOKING
    print(f"looking  {look / (epoch + look):.1%} of an epoch of {epoch + look:.3f} s (≤ {LOOKING:.0%})")
    print(f"one call {one_call():.1f} times as fast as the loop over steps, without attention")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
