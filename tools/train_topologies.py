"""Train the five models of the page *Topologies* anew and save them: ``python -m tools.train_topologies``.

About a minute on one core; names as arguments train only those. The weights go to assets/states as
safetensors, with the report (losses, accuracy on each set of items) as JSON beside them. With the same torch
on the same kind of machine the files are the same, byte for byte.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

import torch
from safetensors.torch import save_file

from rnnviz.topologies.config import NAMES, topology
from rnnviz.topologies.kits import STATES, trained


def main(names: list[str]) -> None:
    """Train, save and print a line for each set of items."""
    torch.set_num_threads(1)  # the order of a sum, and with it the last digit, must not depend on the machine
    STATES.mkdir(exist_ok=True)
    for name in names or NAMES:
        config = topology(name)
        began = time.perf_counter()
        model, report = trained(config)
        words = asdict(config) | asdict(report)
        weights = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(weights, STATES / config.file, {"report": json.dumps(words)})
        took = time.perf_counter() - began
        print(f"{config.title}: {report.parameters:,} weights, {report.steps:,} steps, {took:.1f} s")
        print(f"  loss of the first steps {report.curve[0]:.4f}, of the last {report.curve[-1]:.4f}")
        for score in report.scores:
            asked = f"{score.asked:,} of {score.items:,}"
            print(f"  {score.name} ({asked}): loss {score.loss:.4f}, accuracy {score.accuracy:.1%}")


if __name__ == "__main__":
    main(sys.argv[1:])
