"""The script of a screen of *Embeddings*: one for each view, with nothing but PyTorch. No torch is imported
here.

Each prints, as `rnnviz.export.printed` does, the tensors that the view shows.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnviz.data.vectors import Vectors
from rnnviz.embeddings.inputs import Bags, Pretrained, Table
from rnnviz.embeddings.refusals import bag_rule, table_rule
from rnnviz.embeddings.words import PAD
from rnnviz.export import imports, indented, results, script, wrapped
from rnnviz.screens.embeddings import SIMILAR, EmbeddingsScreen

Paragraphs = list[list[str]]


def embeddings_script(screen: EmbeddingsScreen, vectors: Vectors | None = None) -> str:
    """The script of the screen's view. ``vectors`` are those that *Pretrained* shows.

    A call that PyTorch refuses is written as it was typed, and stops with PyTorch's error, unless PyTorch
    would not check it: then it is left out and said why.
    """
    return script(_VIEWS[screen.view](screen, vectors))


def _indices(table: Table) -> list[str]:
    lines = ["# What is looked up: (N, L) row numbers"]
    if table.names:
        names = ", ".join(map(repr, table.names))
        lines += [f"vocabulary = [\n{indented(names)}\n]  # row 0 fills up shorter sentences"]
    rows = ", ".join(f"[{', '.join(map(str, line))}]" for line in table.indices)
    return [*lines, wrapped(f"indices = torch.tensor([{rows}])")]


def _module(table: Table) -> list[str]:
    lines = [
        "# The table: its numbers are the first drawn from the seed",
        f"torch.manual_seed({table.seed})",
        wrapped(f"embedding = {table.config.call()}"),
    ]
    if table.ones:
        lines += [
            "with torch.no_grad():",
            f"    embedding.weight[{table.config.padding_idx}] = 1  # the padding row, overwritten",
        ]
    return lines


def _lookup(screen: EmbeddingsScreen, _: Vectors | None) -> Paragraphs:
    table = screen.table
    return [
        [*imports(), "from torch.nn import functional as F"],
        _module(table),
        _indices(table),
        [
            "# The lookup, and the same as a product",
            "with torch.no_grad():",
            "    output = embedding(indices)  # (N, L, D)",
            "    one_hot = F.one_hot(indices, embedding.num_embeddings).to(output.dtype)  # (N, L, V)",
            "    product = one_hot @ embedding.weight  # (N, L, D)",
            'print("max |difference|", (output - product).abs().max().item())',
        ],
        results(("output", "product")),
    ]


def _one_hot(screen: EmbeddingsScreen, _: Vectors | None) -> Paragraphs:
    table = screen.table
    if screen.similar == SIMILAR[1]:
        words = [word for word in table.names if word != PAD]
        made = [
            *_reader("vectors.txt"),
            [
                "# The vectors of some words",
                f"words = [word for word in {words!r} if word in rows]",
                "weight = matrix[[rows[word] for word in words]]",
            ],
        ]
    else:
        made = [_module(table), ["weight = embedding.weight.detach()"]]
        if table_rule(table) is None and table.config.max_norm is not None:
            made[1:] = [_indices(table), ["embedding(indices)  # max_norm acts", *made[1]]]
    return [
        [*imports()],
        *made,
        [
            "# How alike two tokens are: cosines. A row of zeros has no direction, so its cosines are nan",
            "def cosines(rows):",
            "    directions = rows / rows.norm(dim=1, keepdim=True)",
            "    return directions @ directions.T",
            "",
            "one_hot, alike = cosines(torch.eye(len(weight))), cosines(weight)",
        ],
        results(("one_hot", "alike")),
    ]


def _gradient(screen: EmbeddingsScreen, _: Vectors | None) -> Paragraphs:
    training = screen.training
    frozen = ["embedding.weight.requires_grad_(False)  # freeze"] if training.freeze else []
    return [
        [*imports()],
        [*_module(training.table), *frozen],
        _indices(training.table),
        [
            "# One step: forward, backward, SGD",
            "before = embedding.weight.detach().clone()",
            "output = embedding(indices)",
            "forward = embedding.weight.detach().clone()  # max_norm shortens rows in forward",
            f"loss = {training.loss}",
            "loss.backward()",
            "grad = embedding.weight.grad.to_dense()",
            f"torch.optim.SGD(embedding.parameters(), lr={training.lr!r}).step()",
            "output, after = output.detach(), embedding.weight.detach()",
        ],
        results(("before", "forward", "grad", "after")),
    ]


def _bags(screen: EmbeddingsScreen, _: Vectors | None) -> Paragraphs:
    bags = screen.bags
    rule = bag_rule(bags)
    if rule is not None and not rule.checked:
        return [["# There is no call to show: " + rule.words]]
    call = "output = bag(indices, offsets, per_sample_weights=weights)"
    return [
        [*imports()],
        [
            "# The table: its numbers are the first drawn from the seed",
            f"torch.manual_seed({bags.seed})",
            wrapped(f"bag = {bags.config.call()}"),
        ],
        _bag_input(bags),
        ["# By PyTorch", "with torch.no_grad():", f"    {call}"],
        *_two_step(bags),
        results(("output", "two_step")),
    ]


def _bag_input(bags: Bags) -> list[str]:
    if len(bags.items) == 1:
        rows = ", ".join(map(str, bags.flat))
    else:
        rows = ", ".join(f"[{', '.join(map(str, line))}]" for line in bags.items)
    offsets = None if bags.offsets is None else f"torch.tensor([{', '.join(map(str, bags.offsets))}])"
    weights = "None"
    if bags.weights is not None:
        weights = f"torch.tensor([{', '.join(map(repr, bags.weights))}])"
        if len(bags.items) > 1 and len(bags.weights) == len(bags.flat):
            weights += ".view_as(indices)"
    what = "# The list, and where its bags start" if offsets else "# The input: a bag a line"
    return [
        what,
        wrapped(f"indices = torch.tensor([{rows}])"),
        f"offsets = {offsets}",
        f"weights = {weights}",
    ]


_REDUCE = {"sum": "sum(0)", "mean": "mean(0)", "max": "amax(0)"}


def _two_step(bags: Bags) -> Paragraphs:
    last = "" if bags.config.include_last_offset else " + [len(flat)]"
    ends = f"starts = offsets.tolist(){last}"
    if len(bags.items) > 1:
        ends = "starts = list(range(0, len(flat) + 1, indices.shape[1]))"
    each = "embedding(flat[start:end])"
    if bags.weights is not None:
        each += " * weights.flatten()[start:end, None]"
    keep = f"[flat[start:end] != {bags.config.padding_idx}]" if bags.config.padding_idx is not None else ""
    return [
        [
            "# In two steps: look the rows up, then reduce each bag; an empty bag is zero",
            "embedding = nn.Embedding.from_pretrained(bag.weight.detach())",
            "flat = indices.flatten()",
            ends,
            "two_step = torch.zeros(len(starts) - 1, embedding.embedding_dim)",
            "for k, (start, end) in enumerate(zip(starts, starts[1:])):",
            f"    rows = ({each}){keep}",
            "    if len(rows):",
            f"        two_step[k] = rows.{_REDUCE[bags.config.mode]}",
            'print("max |difference|", (output - two_step).abs().max().item())',
        ]
    ]


def _reader(name: str) -> Paragraphs:
    return [
        [
            "# The vectors: a word a line, then its numbers; a first line of two numbers is a heading",
            "rows, numbers = {}, []",
            f"with open({name!r}, encoding='utf-8') as file:  # next to this script",
            "    for line in file:",
            '        word, *values = line.rstrip().split(" ")',
            "        if len(values) > 1 and word not in rows:",
            "            rows[word] = len(numbers)",
            "            numbers.append(list(map(float, values)))",
            "matrix = torch.tensor(numbers)  # (V, D)",
        ]
    ]


def _safetensors(name: str) -> Paragraphs:
    return [
        [
            "# The vectors: a matrix, and the word of each of its rows",
            "from safetensors.torch import load_file",
            "",
            f"matrix = next(t for t in load_file({name!r}).values() if t.ndim == 2).float()",
            "with open('words.txt', encoding='utf-8') as file:  # your word list, a word a line",
            "    rows = {word.strip(): i for i, word in enumerate(file)}",
        ]
    ]


def _bert(asked: Pretrained) -> Paragraphs:
    return [
        [
            "# The word embeddings and the tokenizer of a BERT model in a folder of your own",
            "from transformers import AutoModel, AutoTokenizer",
            "",
            "folder = 'path/to/the/model'",
            "tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)",
            "model = AutoModel.from_pretrained(folder, local_files_only=True)",
            "matrix = model.get_input_embeddings().weight.detach()",
            "rows = tokenizer.get_vocab()",
            f"words = tokenizer.tokenize({' '.join(asked.words)!r}, add_special_tokens=True)",
        ]
    ]


def _pretrained(screen: EmbeddingsScreen, vectors: Vectors | None) -> Paragraphs:
    asked = screen.pretrained
    words = [f"words = {' '.join(asked.words)!r}.split()"]
    if asked.source == "BERT":
        read, words = _bert(asked), []
    elif vectors is not None and vectors.name.lower().endswith(".safetensors"):
        read = _safetensors(vectors.name)
    else:
        read = _reader(vectors.name if vectors is not None else "vectors.txt")
    return [
        [*imports()],
        *read,
        [
            "# Nearest by cosine; every asked vector counts with length 1",
            "def find(word):",
            "    return rows.get(word, rows.get(word.lower()))",
            "",
            f"question, sign, target, asked = {asked.ask!r}.split(), 1, 0, []",
            "directions = matrix / matrix.norm(dim=1, keepdim=True).clamp(min=1e-12)",
            "for word in question:",
            '    if word in ("+", "-"):',
            '        sign = -1 if word == "-" else 1',
            "        continue",
            "    asked.append(find(word))",
            "    target = target + sign * directions[asked[-1]]",
            "    sign = 1",
            "cosine = directions @ (target / target.norm())",
            "cosine[asked] = -torch.inf",
            "names = {i: word for word, i in rows.items()}",
            f"for value, i in zip(*cosine.topk({asked.near})):",
            '    print(f"{names[i.item()]} {value:.4f}")',
        ],
        [
            "# The sentence: a row for each word, drawn where the file has none",
            *words,
            "known = list(dict.fromkeys(words))",
            f"torch.manual_seed({asked.seed})",
            "table = torch.randn(len(known), matrix.shape[1]) * matrix.std(correction=0)",
            "for k, word in enumerate(known):",
            "    if find(word) is not None:",
            "        table[k] = matrix[find(word)]",
            "    else:",
            '        print(f"missing: {word}")',
            f"embedding = nn.Embedding.from_pretrained(table, freeze={asked.freeze})",
            "output = embedding(torch.tensor([known.index(word) for word in words])).detach()  # (L, D)",
            'print("learns:", embedding.weight.requires_grad)',
        ],
        results(("output",)),
    ]


_VIEWS: dict[str, Callable[[EmbeddingsScreen, Vectors | None], Paragraphs]] = {
    "Lookup": _lookup,
    "One-hot": _one_hot,
    "Gradient": _gradient,
    "Bags": _bags,
    "Pretrained": _pretrained,
}
