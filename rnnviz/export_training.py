"""The script and the notebook of a training run: they print the run's losses, to the last bit on the same
machine. No torch is imported here.

Like `rnnviz.export`'s, they are what a person would write: the data, the model, the loop; the run's journal
is replayed where it was made.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnviz.export import notebook, script
from rnnviz.export_journal import changed, hold_lines, indented
from rnnviz.export_journal import optimiser_call as optimiser_call
from rnnviz.export_models import chars_paragraphs, tagger_paragraphs
from rnnviz.export_seq2seq import seq2seq_script
from rnnviz.training.changes import Device, Entry, Silence
from rnnviz.training.config import CharsConfig, Seq2SeqConfig, TaggerConfig, TrainConfig

_TITLES = {"tagger": "Tagger", "chars": "Characters", "seq2seq": "Attention"}
_SHOWN_SENTENCES = 10


def training_script(
    config: TrainConfig, epochs: int, changes: Sequence[Entry] = (), source: Sequence[str] = ()
) -> str:
    """The script of a run's first ``epochs`` whole epochs, with its journal.

    It prints ``epoch 1: loss 1.0986…`` with all digits for each epoch. A change of device is not replayed:
    the whole script runs on the device that the run began on. ``source``: what an encoder-decoder reads in
    the end.
    """
    if isinstance(config, Seq2SeqConfig):
        return seq2seq_script(config, epochs, changes, source)
    entries = [e for e in changes if e[:2] <= (epochs, 0) and not isinstance(e[2], Device)]
    chars = isinstance(config, CharsConfig)
    last = changed(config, entries, (epochs, 0))
    silences = any(isinstance(change, Silence) for _, _, change in entries)
    return script(
        [
            *(chars_paragraphs(config) if isinstance(config, CharsConfig) else tagger_paragraphs(config)),
            _made(config),
            *([hold_lines()] if silences else ()),
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


def training_notebook(
    config: TrainConfig, epochs: int, changes: Sequence[Entry] = (), source: Sequence[str] = ()
) -> str:
    """The same as a Jupyter notebook."""
    return notebook(training_script(config, epochs, changes, source), _TITLES[config.task])


def _made(config: TaggerConfig | CharsConfig) -> list[str]:
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


def _loop(config: TaggerConfig | CharsConfig, epochs: int, entries: Sequence[Entry]) -> list[str]:
    inside = [entry for entry in entries if entry[0] < epochs]
    lines = [f"for epoch in range({epochs}):"]
    for moment in dict.fromkeys(entry[:2] for entry in inside if entry[1] == 0):
        lines += [f"    if epoch == {moment[0]}:", *indented(changed(config, entries, moment), 2)]
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
            *indented(step, 1),
            '    predicted = "".join(characters[i] for i in scores.argmax(-1).tolist())',
            '    print(f"epoch {epoch + 1}: loss {loss.item()!r} {predicted}")',
        ]
    within = list(dict.fromkeys(entry[:2] for entry in inside if entry[1]))
    lines += ["    total, steps = 0.0, 0", *indented(_batches(config.batch, config.shuffle), 1)]
    for moment in within:
        lines += [f"        if (epoch, steps) == {moment}:", *indented(changed(config, entries, moment), 3)]
    return [
        *lines,
        *indented([*step, "total += loss.item()", "steps += 1"], 2),
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


def _forward(config: TaggerConfig | CharsConfig) -> list[str]:
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


def _learnt() -> list[str]:
    return [
        "# What it has learnt: the first sentences with the tags that it gives",
        "model.eval()",
        f"for (words, _), (ids, _) in zip(sentences[:{_SHOWN_SENTENCES}], data):",
        "    given = model(ids).argmax(-1).tolist()",
        '    print(" ".join(f"{word}/{tagset[i]}" for word, i in zip(words, given)))',
    ]
