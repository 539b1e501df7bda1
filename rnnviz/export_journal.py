"""What any training script has of its run's journal: changes replayed where they were made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rnnviz.gates import BLOCKS
from rnnviz.training.changes import Edit, Entry, LearningRate, Silence
from rnnviz.training.config import CharsConfig, Optimiser, Seq2SeqConfig, TrainConfig


def optimiser_call(optimiser: Optimiser) -> str:
    """The line a person would write, such as ``torch.optim.SGD(model.parameters(), lr=0.1)``."""
    options = [f"lr={optimiser.lr!r}"]
    if optimiser.momentum:
        options.append(f"momentum={optimiser.momentum!r}")
    if optimiser.weight_decay != (0.01 if optimiser.name == "AdamW" else 0.0):  # PyTorch's own defaults
        options.append(f"weight_decay={optimiser.weight_decay!r}")
    return f"torch.optim.{optimiser.name}(model.parameters(), {', '.join(options)})"


def hold_lines(layer: str = "model.rnn") -> list[str]:
    """The function that holds silenced units of a layer at zero."""
    return [
        "# Silenced units: the rows that make their h are zero, and zero again after each step",
        "silent = {}",
        "def hold():",
        "    with torch.no_grad():",
        "        for suffix, rows in silent.items():",
        '            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):',
        f"                getattr({layer}, name + suffix)[rows] = 0",
    ]


def changed(config: TrainConfig, entries: Sequence[Entry], moment: tuple[int, int]) -> list[str]:
    """What a person changed at one moment."""
    lines: list[str] = []
    rates = [change for *at, change in entries if tuple(at) == moment and isinstance(change, LearningRate)]
    silent: dict[tuple[int, int, int], Silence] = {}
    for epoch, step, change in entries:
        now = (epoch, step) == moment
        if (epoch, step) > moment:
            break
        if isinstance(change, Silence):
            place = (change.layer, change.direction, change.unit)
            silent.pop(place, None)
            if change.on:
                silent[place] = change
            if now:
                lines.append(f"silent = {_rows(config, list(silent))}")
        elif now and isinstance(change, Edit):
            index = ", ".join(map(str, change.index))
            lines += ["with torch.no_grad():", f"    model.{change.name}[{index}] = {change.value!r}"]
        if now and silent and not isinstance(change, LearningRate):
            lines.append("hold()")
    if rates:  # a slider on its way notes many; where it came to rest counts
        lines.append(f'optimizer.param_groups[0]["lr"] = {rates[-1].lr!r}')
    return lines


def _rows(config: TrainConfig, places: list[tuple[int, int, int]]) -> str:
    """The rows of silenced units by the suffix of their parameters."""
    found = {}
    for (layer, direction), units in groupby(sorted(places), key=lambda place: place[:2]):
        cell = isinstance(config, CharsConfig) and config.layer == "cell"
        suffix = "" if cell else f"_l{layer}" + ("_reverse" if direction else "")
        numbers = [unit for _, _, unit in units]
        kind = config.encoder if isinstance(config, Seq2SeqConfig) else config.kind
        blocks = range(len(BLOCKS[kind]))
        found[suffix] = [block * config.hidden + unit for block in blocks for unit in numbers]
    return repr(found).replace("'", '"')


def indented(lines: Sequence[str], depth: int) -> list[str]:
    """The lines, this many levels further in."""
    return ["    " * depth + line for line in lines]
