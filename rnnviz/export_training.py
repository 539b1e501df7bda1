"""The script and the notebook of a training run: they print the run's losses, to the last bit on the same
machine. No torch is imported here.

Like `rnnviz.export`'s, they are what a person would write: the data, the model, the loop; the run's journal
is replayed where it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rnnviz.export import notebook, script
from rnnviz.export_models import chars_paragraphs, tagger_paragraphs
from rnnviz.gates import BLOCKS
from rnnviz.training.changes import Device, Edit, Entry, LearningRate, Silence
from rnnviz.training.config import CharsConfig, Optimiser, TrainConfig

_TITLES = {"tagger": "Tagger", "chars": "Characters"}
_SHOWN_SENTENCES = 10


def training_script(config: TrainConfig, epochs: int, changes: Sequence[Entry] = ()) -> str:
    """The script of a run's first ``epochs`` whole epochs, with its journal.

    It prints ``epoch 1: loss 1.0986…`` with all digits for each epoch. A change of device is not replayed:
    the whole script runs on the device that the run began on.
    """
    entries = [e for e in changes if e[:2] <= (epochs, 0) and not isinstance(e[2], Device)]
    chars = isinstance(config, CharsConfig)
    last = _changed(config, entries, (epochs, 0))
    silences = any(isinstance(change, Silence) for _, _, change in entries)
    return script(
        [
            *(chars_paragraphs(config) if isinstance(config, CharsConfig) else tagger_paragraphs(config)),
            _made(config),
            *([_hold()] if silences else ()),
            [
                "# The training: the loss of an epoch is the mean over its steps"
                if not chars
                else "# The training: one pair is one step, and one step an epoch",
                *_loop(config, epochs, entries),
            ],
            *([["# After the last epoch", *last]] if last else ()),
            *([] if chars else [_learnt()]),
        ]
    )


def training_notebook(config: TrainConfig, epochs: int, changes: Sequence[Entry] = ()) -> str:
    """The same as a Jupyter notebook."""
    return notebook(training_script(config, epochs, changes), _TITLES[config.task])


def _made(config: TrainConfig) -> list[str]:
    model = "Chars" if isinstance(config, CharsConfig) else "Tagger"
    device = ".to(device)" if config.device != "cpu" else ""
    if isinstance(config, CharsConfig):
        options = "" if config.reduction == "mean" else f'reduction="{config.reduction}"'
        loss = f"nn.CrossEntropyLoss({options})"
    else:
        loss = "nn.NLLLoss(ignore_index=-1)  # padding" if config.batch > 1 else "nn.NLLLoss()"
    return [
        "# The model, whose weights are the first numbers drawn from the seed, and what trains it",
        "torch.set_num_threads(1)  # sums are then added in the same order on every run",
        f"torch.manual_seed({config.seed})",
        f"model = {model}(){device}",
        f"loss_function = {loss}",
        f"optimizer = {optimiser_call(config.optimiser)}",
    ]


def optimiser_call(optimiser: Optimiser) -> str:
    """The line a person would write, such as ``torch.optim.SGD(model.parameters(), lr=0.1)``."""
    options = [f"lr={optimiser.lr!r}"]
    if optimiser.momentum:
        options.append(f"momentum={optimiser.momentum!r}")
    if optimiser.weight_decay != (0.01 if optimiser.name == "AdamW" else 0.0):  # PyTorch's own defaults
        options.append(f"weight_decay={optimiser.weight_decay!r}")
    return f"torch.optim.{optimiser.name}(model.parameters(), {', '.join(options)})"


def _hold() -> list[str]:
    return [
        "# Silenced units: the rows that make their h are zero, and zero again after each step",
        "silent = {}",
        "def hold():",
        "    with torch.no_grad():",
        "        for suffix, rows in silent.items():",
        '            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):',
        "                getattr(model.rnn, name + suffix)[rows] = 0",
    ]


def _loop(config: TrainConfig, epochs: int, entries: Sequence[Entry]) -> list[str]:
    inside = [entry for entry in entries if entry[0] < epochs]
    lines = [f"for epoch in range({epochs}):"]
    for moment in dict.fromkeys(entry[:2] for entry in inside if entry[1] == 0):
        lines += [f"    if epoch == {moment[0]}:", *_indented(_changed(config, entries, moment), 2)]
    step = [
        "optimizer.zero_grad()",
        *_forward(config),
        "loss.backward()",
        *(
            [f"nn.utils.clip_grad_norm_(model.parameters(), {config.optimiser.clip!r})"]
            if config.optimiser.clip
            else ()
        ),
        "optimizer.step()",
        *(["hold()"] if any(isinstance(change, Silence) for _, _, change in inside) else ()),
    ]
    if isinstance(config, CharsConfig):
        return [
            *lines,
            *_indented(step, 1),
            '    predicted = "".join(characters[i] for i in scores.argmax(-1).tolist())',
            '    print(f"epoch {epoch + 1}: loss {loss.item()!r} {predicted}")',
        ]
    within = list(dict.fromkeys(entry[:2] for entry in inside if entry[1]))
    lines += ["    total, steps = 0.0, 0", *_indented(_batches(config.batch, config.shuffle), 1)]
    for moment in within:
        lines += [f"        if (epoch, steps) == {moment}:", *_indented(_changed(config, entries, moment), 3)]
    return [
        *lines,
        *_indented([*step, "total += loss.item()", "steps += 1"], 2),
        '    print(f"epoch {epoch + 1}: loss {total / steps!r}")',
    ]


def _batches(batch: int, shuffle: bool) -> list[str]:
    """The head of the loop over the batches, and what makes one."""
    if batch == 1:
        if not shuffle:
            return ["for words, tags in data:"]
        return ["for i in torch.randperm(len(data)).tolist():", "    words, tags = data[i]"]
    return [
        f"order = {'torch.randperm(len(data)).tolist()' if shuffle else 'range(len(data))'}",
        f"for first in range(0, len(data), {batch}):",
        f"    words, tags = zip(*(data[i] for i in order[first : first + {batch}]))",
        "    lengths = torch.tensor([len(each) for each in words])  # (N)",
        "    words, tags = pad_sequence(words), pad_sequence(tags, padding_value=-1)  # (L, N)",
    ]


def _forward(config: TrainConfig) -> list[str]:
    if isinstance(config, CharsConfig):
        first = "L, N" if config.layer == "cell" or not config.embedding else "N, L"
        flat = first.replace(", ", " * ")
        return [
            f"scores = model(x)  # ({first}, classes)",
            f"scores = scores.reshape(-1, {len(config.characters)})  # ({flat}, classes)",
            "loss = loss_function(scores, y)",
        ]
    if config.batch == 1:
        return ["loss = loss_function(model(words), tags)"]
    return [
        "scores = model(words, lengths)  # (L, N, tags)",
        "loss = loss_function(scores.flatten(0, 1), tags.flatten())",
    ]


def _changed(config: TrainConfig, entries: Sequence[Entry], moment: tuple[int, int]) -> list[str]:
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
        blocks = range(len(BLOCKS[config.kind]))
        found[suffix] = [block * config.hidden + unit for block in blocks for unit in numbers]
    return repr(found).replace("'", '"')


def _learnt() -> list[str]:
    return [
        "# What it has learnt: the first sentences with the tags that it gives",
        "model.eval()",
        f"for (words, _), (ids, _) in zip(sentences[:{_SHOWN_SENTENCES}], data):",
        "    given = model(ids).argmax(-1).tolist()",
        '    print(" ".join(f"{word}/{tagset[i]}" for word, i in zip(words, given)))',
    ]


def _indented(lines: Sequence[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]
