"""Train the two models of the page *Attention* anew and save them: ``python -m tools.train_attention``.

Half a minute on one core. With the same torch on the same kind of machine the files are the same, byte for
byte. It prints what both make of strings they were not trained on, by length.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace

import torch
from safetensors.numpy import load, save

from rnnviz.models import shipped
from rnnviz.models.decoding import model_of
from rnnviz.models.studies import by_length
from rnnviz.training import RunState, Seq2SeqConfig, Stop, start, work
from rnnviz.training.live.history import History
from rnnviz.training.live.run import Run
from rnnviz.training.live.runfile import to_bytes

LENGTHS = range(1, 17)


def played(config: Seq2SeqConfig, epochs: int, label: str) -> Run:
    """A run after so many epochs, done here and not by a worker. A few epochs are kept to go back to."""
    run = Run.of(start(config).to_bytes(), label=label)
    run.play(math.inf, Stop(epochs=epochs))
    while (job := run.job(600.0, 0.0)) is not None:
        run.accept(job, work(job.state, replace(job.order, stride=2)), 0.0)
    saved = run.saved()
    assert saved.history is not None
    kept = [(epoch, state) for epoch, state in saved.history if epoch in (*shipped.KEPT, epochs)]
    run.restore(replace(saved, history=History.of(kept, stride=2)))
    return run


def saved(run: Run, config: Seq2SeqConfig) -> bytes:
    """The file: of the run with attention all but the end's second copy, of the other its weights."""
    state = RunState.from_bytes(run.state)
    if not config.context:
        return replace(state, optimizer={}).to_bytes()
    data = to_bytes(run)
    words = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return bytes(save({n: v for n, v in load(data).items() if n != f"history/{state.epoch}"}, words))


def main() -> None:
    """Train, save and print."""
    torch.set_num_threads(1)  # the order of a sum, and with it the last digit, must not depend on the machine
    for config, epochs, path in (
        (shipped.CONFIG, shipped.EPOCHS, shipped.ATTENTION),
        (shipped.PLAIN_CONFIG, shipped.PLAIN_EPOCHS, shipped.PLAIN),
    ):
        began = time.process_time()
        run = played(config, epochs, "Reverse, trained")
        state = RunState.from_bytes(run.state)
        data = saved(run, config)
        path.write_bytes(data)
        took = time.process_time() - began
        print(f"{path.name}: {len(data):,} bytes, {state.epoch} epochs, {took:.1f} s, {state.losses[-1]:.4f}")
        found = by_length(model_of(state), config, LENGTHS)
        for length, exact in zip(LENGTHS, found.exact, strict=True):
            print(f"  length {length}: {exact:.0%} of strings")


if __name__ == "__main__":
    main()
