"""The script of an encoder-decoder's run: it prints the run's losses, to the last bit on the same machine.

No torch is imported here. The model's text is in `rnnviz.export_seq2seq_model`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnviz.data.pairs_drawn import script_text
from rnnviz.export import indented, script, wrapped
from rnnviz.export_journal import changed, hold_lines, optimiser_call
from rnnviz.export_journal import indented as moved
from rnnviz.export_seq2seq_model import model_paragraphs
from rnnviz.training.changes import Device, Entry, Silence
from rnnviz.training.config import Generated, Seq2SeqConfig
from rnnviz.training.pairs_config import MAX_LENGTH, Pair

_SHOWN = 5


def seq2seq_script(
    config: Seq2SeqConfig, epochs: int, changes: Sequence[Entry] = (), source: Sequence[str] = ()
) -> str:
    """The script of a run's first ``epochs`` whole epochs, with its journal.

    It prints ``epoch 1: loss 2.0986…`` with all digits for each epoch, then what the trained model makes of
    a few sources, and where it looks in ``source``, if one is given: a row of weights for each token that is
    said, of several heads their mean. A change of device is not replayed.
    """
    entries = [e for e in changes if e[:2] <= (epochs, 0) and not isinstance(e[2], Device)]
    imports, pairs = _pairs(config)
    last = changed(config, entries, (epochs, 0))
    silences = any(isinstance(change, Silence) for _, _, change in entries)
    return script(
        [
            imports,
            pairs,
            _data(config),
            *model_paragraphs(config),
            _made(config),
            *([hold_lines("model.encoder.rnn")] if silences else ()),
            [
                "# The training: the loss of an epoch is the mean over its steps",
                *_loop(config, epochs, entries),
            ],
            *([["# After the last epoch", *last]] if last else ()),
            _learnt(config),
            *([_looked(config, source)] if source else ()),
        ]
    )


def _pairs(config: Seq2SeqConfig) -> tuple[list[str], list[str]]:
    """All imports, and where the pairs come from."""
    names = "pad_sequence"
    if config.packed:
        names = f"pack_padded_sequence, pad_packed_sequence, {names}"
    functions = "cross_entropy, linear" if config.attention == "additive" else "cross_entropy"
    torch = [
        "import torch",
        "from torch import nn",
        f"from torch.nn.functional import {functions}",
        f"from torch.nn.utils.rnn import {names}",
    ]
    data = config.data
    if not isinstance(data, Generated):
        lines = ["# The pairs: tokens of a source and of its target", *_listed("pairs", config.pairs)]
        return torch, [*lines, *(_listed("held_out", config.held) if config.held else ())]
    head, _, text = script_text(data.task).partition("\n\n\n")
    train, held = len(config.pairs), len(config.held)
    size = f"({data.shortest}, {data.longest})"
    asked = data.train + data.held  # the order of all depends on how many were asked for
    return [*head.splitlines(), "", *torch], [
        "# The pairs: drawn from the seed; the first are trained, the others are not",
        *text.rstrip().splitlines(),
        "",
        "",
        f'drawn = draw_pairs("{data.task}", {data.symbols}, {size}, {data.shift}, {asked}, {config.seed})',
        f"pairs, held_out = drawn[:{train}], drawn[{train}:{train + held}]",
    ]


def _listed(name: str, pairs: Sequence[Pair]) -> list[str]:
    lines = [f"{name} = ["]
    for source, target in pairs:
        line = f"    ({_tokens(source)}, {_tokens(target)}),"
        short = len(line) <= 100
        lines += [line] if short else ["    (", f"{_on_lines(source)},", f"{_on_lines(target)},", "    ),"]
    return [*lines, "]"]


def _on_lines(tokens: Sequence[str]) -> str:
    """One side on lines of its own: `_tokens`, its list broken where it is too long."""
    text = _tokens(tokens)
    if len(text) > 90:
        text = f"[\n{indented(repr(list(tokens))[1:-1])}\n]"
    return "\n".join(f"        {line}" for line in text.splitlines())


def _tokens(tokens: Sequence[str]) -> str:
    """One side as a person writes it: a string to split, or its characters."""
    if all(len(token) == 1 for token in tokens):
        return f"list({''.join(tokens)!r})"
    joined = " ".join(tokens)
    return f"{joined!r}.split()" if joined.split() == list(tokens) else repr(list(tokens))


def _symbols(name: str, symbols: Sequence[str]) -> str:
    return wrapped(f"{name} = dict(enumerate([{', '.join(map(repr, symbols))}]))")


def _data(config: Seq2SeqConfig) -> list[str]:
    device = config.device != "cpu"
    to = ".to(device)" if device else ""
    first = 'device = "cuda" if torch.cuda.is_available() else "cpu"'
    return [
        "# The data: tokens as numbers; 0 is padding, 1 begins a target and 2 ends it",
        *([first] if device else ()),
        "PAD, START, END = 0, 1, 2",
        _symbols("source_symbols", config.source_symbols),
        _symbols("target_symbols", config.target_symbols),
        "source_ids = {token: i for i, token in source_symbols.items()}",
        "target_ids = {token: i for i, token in target_symbols.items()}",
        "",
        "",
        "def numbers(source, target):",
        "    ids = [target_ids[token] for token in target]",
        "    read = torch.tensor([source_ids[token] for token in source])",
        "    return read, torch.tensor([START, *ids]), torch.tensor([*ids, END])",
        "",
        "",
        "def padded(sequences):",
        f"    return pad_sequence(sequences, batch_first=True, padding_value=PAD){to}",
        "",
        "",
        "data = [numbers(*pair) for pair in pairs]",
    ]


def _made(config: Seq2SeqConfig) -> list[str]:
    return [
        "# The model, whose weights are the first numbers drawn from the seed, and what trains it",
        "torch.set_num_threads(1)  # sums are then added in the same order on every run",
        f"torch.manual_seed({config.seed})",
        f"model = Seq2Seq(){'.to(device)' if config.device != 'cpu' else ''}",
        f"optimizer = {optimiser_call(config.optimiser)}",
    ]


def _ratio(config: Seq2SeqConfig) -> list[str]:
    """How often a true token is fed."""
    start, end = config.teacher, config.teacher_end
    if not config.teacher_epochs:
        return [f"ratio = {start!r}  # of the decoder's steps are fed the true token"]
    way = f"{start!r} + min(epoch / {config.teacher_epochs}, 1.0) * ({end!r} - {start!r})"
    return [f"ratio = {way}  # of the decoder's steps are fed the true token"]


def _loop(config: Seq2SeqConfig, epochs: int, entries: Sequence[Entry]) -> list[str]:
    inside = [entry for entry in entries if entry[0] < epochs]
    lines = [f"for epoch in range({epochs}):"]
    for moment in dict.fromkeys(entry[:2] for entry in inside if entry[1] == 0):
        lines += [f"    if epoch == {moment[0]}:", *moved(changed(config, entries, moment), 2)]
    clip = config.optimiser.clip
    sign = ">=  # the notebook's mistake" if config.teacher_reversed else "<"
    sign, _, mistake = sign.partition("  ")
    lines += moved(
        [
            *_ratio(config),
            f"order = {'torch.randperm(len(data)).tolist()' if config.shuffle else 'range(len(data))'}",
            "total, steps = 0.0, 0",
            f"for first in range(0, len(data), {config.batch}):",
            f"    source, inputs, targets = zip(*(data[i] for i in order[first : first + {config.batch}]))",
            "    lengths = torch.tensor([len(each) for each in source])  # (N)",
            "    source, inputs, targets = padded(source), padded(inputs), padded(targets)  # (N, L), (N, T)",
        ],
        1,
    )
    for moment in dict.fromkeys(entry[:2] for entry in inside if entry[1]):
        lines += [f"        if (epoch, steps) == {moment}:", *moved(changed(config, entries, moment), 3)]
    held = any(isinstance(change, Silence) for _, _, change in inside)
    return [
        *lines,
        *moved(
            [
                "optimizer.zero_grad()",
                f"teacher = (torch.rand(targets.shape[1]) {sign} ratio).tolist()"
                + (f"  {mistake}" if mistake else ""),
                "logits = model(source, lengths, inputs, teacher)  # (N, T, V)",
                "loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)",
                "loss.backward()",
                *([f"nn.utils.clip_grad_norm_(model.parameters(), {clip!r})"] if clip else ()),
                "optimizer.step()",
                *(["hold()"] if held else ()),
                "total += loss.item()",
                "steps += 1",
            ],
            2,
        ),
        '    print(f"epoch {epoch + 1}: loss {total / steps!r}")',
    ]


def _learnt(config: Seq2SeqConfig) -> list[str]:
    held = bool(config.held)
    to = ".to(device)" if config.device != "cpu" else ""
    limit = config.longest_target + 1
    return [
        f"# What it has learnt: some {'held-out ' if held else ''}sources, decoded greedily",
        "model.eval()",
        f"for source, target in {'held_out' if held else 'pairs'}[:{_SHOWN}]:",
        "    ids = numbers(source, target)[0]",
        f"    said = model.greedy(ids.unsqueeze(0){to}, torch.tensor([len(ids)]), {limit})",
        '    words = [target_symbols.get(i, f"<unused {i}>") for i in said]',
        '    print(" ".join(source), "->", " ".join(words))',
    ]


def _looked(config: Seq2SeqConfig, source: Sequence[str]) -> list[str]:
    """One source: what is said of it, and where the model looks for each token."""
    to = ".to(device)" if config.device != "cpu" else ""
    limit = min(MAX_LENGTH, max(config.longest_target, 2 * len(source))) + 1
    attends = bool(config.context)
    first = "Where it looks: the weights over the source, a row a token" if attends else "One source"
    hook = "model.decoder.attention.register_forward_hook(lambda module, given, found: rows.append(found[1]))"
    return [
        f"# {first}",
        *_named("read", source),
        f"ids = torch.tensor([source_ids[token] for token in read]){to}",
        *(["rows = []", f"hook = {hook}"] if attends else ()),
        f"said = model.greedy(ids.unsqueeze(0), torch.tensor([len(ids)]), {limit})",
        *(["hook.remove()"] if attends else ()),
        'print("".join(f"{token:>8}" for token in ["", *read]))' if attends else 'print(" ".join(read))',
        *(
            [
                "for token, row in zip(said, rows):",
                "    weights = row.reshape(-1, len(ids)).mean(0)  # of several heads their mean",
                '    word = target_symbols.get(token, f"<unused {token}>")',
                '    cells = [word, *(f"{weight:.4f}" for weight in weights.tolist())]',
                '    print("".join(f"{cell:>8}" for cell in cells))',
            ]
            if attends
            else ['print(" ".join(target_symbols.get(token, f"<unused {token}>") for token in said))']
        ),
    ]


def _named(name: str, tokens: Sequence[str]) -> list[str]:
    line = f"{name} = {_tokens(tokens)}"
    return (
        [line] if len(line) <= 100 else [f"{name} = [", *indented(repr(list(tokens))[1:-1]).splitlines(), "]"]
    )
