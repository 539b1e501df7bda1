"""Train the models of the page *Attention* anew and save them: ``python -m tools.train_attention``.

A minute on one core. With the same torch on the same kind of machine the files are the same, byte for
byte. It prints what they make of strings they were not trained on.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace

import torch
from safetensors.numpy import load, save

from rnnviz.models.decoding import model_of
from rnnviz.models.shipped import ALL, DATES, Trained
from rnnviz.models.studies import by_length
from rnnviz.training import RunState, Stop, start, work
from rnnviz.training.live.history import History
from rnnviz.training.live.run import Run
from rnnviz.training.live.runfile import to_bytes

LENGTHS = range(1, 17)


def played(one: Trained) -> Run:
    """The run after its epochs, done here and not by a worker. A few are kept to go back to."""
    run = Run.of(start(one.config).to_bytes(), label=one.name)
    run.play(math.inf, Stop(epochs=one.epochs))
    while (job := run.job(600.0, 0.0)) is not None:
        run.accept(job, work(job.state, replace(job.order, stride=2)), 0.0)
    saved = run.saved()
    assert saved.history is not None
    kept = [(epoch, state) for epoch, state in saved.history if epoch in (*one.kept, one.epochs)]
    run.restore(replace(saved, history=History.of(kept, stride=2)))
    return run


def saved(run: Run) -> bytes:
    """The file: all of the run but the end's second copy."""
    data = to_bytes(run)
    words = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return bytes(save({n: v for n, v in load(data).items() if n != f"history/{run.look().epoch}"}, words))


def main() -> None:
    """Train, save and print."""
    torch.set_num_threads(1)  # the order of a sum, and with it the last digit, must not depend on the machine
    for one in ALL:
        began = time.process_time()
        run = played(one)
        state, data = RunState.from_bytes(run.state), saved(run)
        one.path.write_bytes(data)
        took = time.process_time() - began
        right = run.look().curves.points("held_accuracy")[1][-1]
        print(f"{one.path.name}: {len(data):,} bytes, {state.epoch} epochs, {took:.1f} s")
        print(f"  loss {state.losses[-1]:.4f}; {right:.0%} of the held-out pairs are right")
        if one is not DATES:
            found = by_length(model_of(state), one.config, LENGTHS)
            for length, exact in zip(LENGTHS, found.exact, strict=True):
                print(f"  length {length}: {exact:.0%} of strings")


if __name__ == "__main__":
    main()
