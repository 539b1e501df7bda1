"""Scripts and notebooks that do what a screen does, with nothing but PyTorch. No torch is imported here.

A script is a list of paragraphs, each opened by a comment on what it does; a notebook has a cell for each.
Random numbers are drawn in the order of `rnnviz.runs.feed`: the weights, then x, h_0 and c_0, from one seed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from textwrap import fill
from typing import Any

from numpy.typing import NDArray

from rnnviz.config import LayerConfig
from rnnviz.screens.home import INPUT_SIZE, HomeScreen
from rnnviz.screens.layers import LayersScreen
from rnnviz.shapes import TensorShape, final_states, tensors

WIDTH = 100
FIRST = 4
"""How many numbers of a tensor are printed, beside the sum of all."""


def layers_script(screen: LayersScreen) -> str:
    """The script of a screen of *Layers & shapes*: its layer, what is fed, the call, and what comes out.

    It prints the name and shape of every parameter, then what `printed` gives for output, h_n and c_n, then,
    where a row of h_n is a slice of output, that they are equal.
    """
    shapes = tensors(screen.config, screen.length, screen.batch if screen.batched else None)
    return script(
        [
            imports(packed=screen.lengths is not None),
            _layer(screen),
            _fed(screen, shapes),
            _call(screen),
            results([name for name in ("output", "h_n", "c_n") if name in shapes]),
            *_where(screen),
        ]
    )


def home_script(screen: HomeScreen) -> str:
    """The script of Home: the words, an untrained LSTM, and its hidden state after each word."""
    return script(
        [
            imports(),
            [
                "# The sentence: equal words are one entry of the vocabulary",
                f"words = {' '.join(screen.words)!r}.split()",
                "vocabulary = list(dict.fromkeys(words))",
            ],
            [
                "# An untrained layer, then one random vector for each word of the vocabulary",
                f"torch.manual_seed({screen.seed})",
                f"lstm = {layer_call(screen.config)}",
                f"vectors = torch.randn(len(vocabulary), {INPUT_SIZE})",
            ],
            [
                "# The run: the batch is this one sentence",
                "x = vectors[[vocabulary.index(word) for word in words]].unsqueeze(1)  # (L, N, H_in)",
                "with torch.no_grad():",
                "    output, (h_n, c_n) = lstm(x)",
            ],
            results(("output", "h_n", "c_n")),
            [
                "# The picture: the hidden state after each word",
                "for word, h in zip(words, output[:, 0]):",
                """    print(f"{word:12}", " ".join(f"{number:+.2f}" for number in h))""",
            ],
        ]
    )


def script(paragraphs: Sequence[Sequence[str]]) -> str:
    """The text of a script from its paragraphs of lines."""
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def imports(*, packed: bool = False) -> list[str]:
    """The first paragraph: torch, and what packing needs."""
    packing = "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"
    return ["import torch", "from torch import nn", *([packing] if packed else ())]


def layer_call(config: LayerConfig, dtype: str = "float32") -> str:
    """The constructor's call that `rnnviz.layers.make` does, such as ``nn.GRU(5, 6, bidirectional=True)``."""
    if config.num_layers == 1:
        config = replace(
            config, dropout=0.0
        )  # PyTorch would warn: it acts after a layer, never after the last
    call = config.call()
    return call if dtype == "float32" else f"{call[:-1]}, dtype=torch.{dtype})"


def wrapped(line: str) -> str:
    """A line that ends in a call, with the call's arguments on lines of their own if it is too long."""
    head, _, arguments = line.removesuffix(")").partition("(")
    return line if len(line) <= WIDTH else f"{head}(\n{indented(arguments)}\n)"


def indented(text: str) -> str:
    """A long list of arguments or numbers as indented lines, broken after commas."""
    return fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def random_tensor(shape: Sequence[int], dtype: str = "float32") -> str:
    """``torch.randn(5, 3, 10)``, with the dtype if it is not PyTorch's own choice."""
    sizes = ", ".join(map(str, shape))
    return f"torch.randn({sizes})" if dtype == "float32" else f"torch.randn({sizes}, dtype=torch.{dtype})"


def results(names: Sequence[str]) -> list[str]:
    """The paragraph that prints the tensors of these names as `printed` does."""
    held = ", ".join(f'"{name}": {name}' for name in names)
    return [
        f"# What comes out: each shape, its first {FIRST} numbers, and the sum of all",
        f"for name, tensor in {{{held}}}.items():",
        f'    first = "  ".join(f"{{number:+.6f}}" for number in tensor.flatten()[:{FIRST}])',
        '    print(f"{name} {tuple(tensor.shape)}: {first}  sum {tensor.sum(dtype=torch.float64):+.6f}")',
    ]


def printed(name: str, values: NDArray[Any]) -> str:
    """The line that a script prints for a tensor, from the page's own array of it."""
    first = "  ".join(f"{number:+.6f}" for number in values.reshape(-1)[:FIRST])
    return f"{name} {values.shape}: {first}  sum {values.sum(dtype='float64'):+.6f}"


def notebook(text: str, title: str) -> str:
    """A script as a Jupyter notebook (nbformat 4.5): the title, then a cell for each commented part.

    The sources of its code cells, joined by an empty line, are the script.
    """
    cells = [_cell(0, "markdown", f"# {title}")]
    for i, paragraph in enumerate(re.split(r"\n\n(?=# )", text.removesuffix("\n")), 1):
        cells.append(_cell(i, "code", paragraph) | {"execution_count": None, "outputs": []})
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(i: int, kind: str, source: str) -> dict[str, Any]:
    return {"cell_type": kind, "id": f"cell-{i}", "metadata": {}, "source": source.splitlines(keepends=True)}


def _layer(screen: LayersScreen) -> list[str]:
    config = screen.config
    lines = [
        "# The layer: its weights are the first numbers drawn from the seed",
        f"torch.manual_seed({screen.seed})",
        wrapped(f"layer = {layer_call(config, screen.dtype)}"),
    ]
    if config.dropout and config.num_layers > 1:
        lines.append("layer.eval()  # dropout acts between layers, and only in training")
    return [
        *lines,
        "for name, parameter in layer.named_parameters():",
        '    print(f"{name} {tuple(parameter.shape)}")',
    ]


def _fed(screen: LayersScreen, shapes: dict[str, TensorShape]) -> list[str]:
    names = {"input": "x"} | ({n: n for n in ("h_0", "c_0") if n in shapes} if screen.given_state else {})
    lines = [f"# The input{' and the initial state' if len(names) > 1 else ''}, drawn next"]
    for tensor, name in names.items():
        letters = ", ".join(dim.formula for dim in shapes[tensor].dims)
        lines.append(f"{name} = {random_tensor(shapes[tensor].shape, screen.dtype)}  # ({letters})")
    if screen.lengths is not None:
        lines += _padding(screen, screen.lengths)
    if screen.device != "cpu":
        lines += [
            "",
            'device = "cuda" if torch.cuda.is_available() else "cpu"',
            f"layer, {', '.join(names.values())} = "
            + ", ".join(f"{name}.to(device)" for name in ("layer", *names.values())),
        ]
    return lines


def _padding(screen: LayersScreen, lengths: tuple[int, ...]) -> list[str]:
    numbers = ", ".join(map(str, lengths))
    line = f"lengths = torch.tensor([{numbers}])  # (N): true lengths"
    if len(line) > WIDTH:
        line = f"lengths = torch.tensor([  # (N): true lengths\n{indented(numbers)}\n])"
    steps = f"torch.arange({screen.length})"
    if screen.config.batch_first:
        return [line, f"x[{steps} >= lengths[:, None]] = 0  # padding: (N, L)"]
    return [line, f"x[{steps}[:, None] >= lengths] = 0  # padding: (L, N)"]


def _call(screen: LayersScreen) -> list[str]:
    lstm = screen.config.kind == "LSTM"
    state = "(h_n, c_n)" if lstm else "h_n"
    given = (", (h_0, c_0)" if lstm else ", h_0") if screen.given_state else ""
    start = "" if given else "; without a state it starts from zeros"
    if screen.lengths is None:
        return [f"# The run{start}", "with torch.no_grad():", f"    output, {state} = layer(x{given})"]
    layout = "batch_first=True, " if screen.config.batch_first else ""
    return [
        f"# The run, packed so that no step is spent on padding{start}",
        f"packed = pack_padded_sequence(x, lengths, {layout}enforce_sorted=False)",
        "with torch.no_grad():",
        f"    packed_output, {state} = layer(packed{given})",
        f"output, _ = pad_packed_sequence(packed_output, {layout}total_length={screen.length})",
    ]


def _where(screen: LayersScreen) -> list[list[str]]:
    """Which slice of output each final state is; a packed run ends elsewhere for every sequence."""
    if screen.lengths is not None:
        return []
    states = final_states(screen.config, screen.length, screen.batched)
    found = [(state.row, state.where) for state in states if state.where is not None]
    lines = [f'print("h_n[{row}] is {where}:", torch.equal(h_n[{row}], {where}))' for row, where in found]
    return [["# Where the last layer's final state stands in output", *lines]]
