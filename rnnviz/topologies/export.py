"""The script of a screen of *Topologies*, its table, and the models' own source as it is shown and run."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache

from rnnviz.export import results, script
from rnnviz.screens.topologies import TopologiesScreen
from rnnviz.topologies import loop
from rnnviz.topologies.config import TopologyConfig
from rnnviz.topologies.kits import ASKED, KITS
from rnnviz.topologies.reading import read
from rnnviz.topologies.record import Look
from rnnviz.topologies.sharing import curves, layers, lengths, modules


@lru_cache(maxsize=16)
def model_source(name: str) -> str:
    """The classes and the loss of a topology's module, as they stand there."""
    module = KITS[name].module
    text = inspect.getsource(module)
    kept = [
        ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.FunctionDef) and node.name in ("scores", "loss"))
    ]
    return "\n\n\n".join(kept)


def _imports(texts: list[str]) -> list[str]:
    nodes = [node for text in texts for node in ast.parse(text).body]
    plain = {ast.unparse(node) for node in nodes if isinstance(node, ast.Import)}
    named: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
            named.setdefault(node.module, set()).update(alias.name for alias in node.names)
    named.setdefault("pathlib", set()).add("Path")
    return [
        "from __future__ import annotations",
        "",
        *sorted(plain),
        *(f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(named.items())),
    ]


def _body(text: str) -> list[str]:
    """All but the docstring and the imports, one text a statement (with its decorators)."""
    lines, found = text.splitlines(), []
    for node in ast.parse(text).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or docstring:
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        found.append("\n".join(lines[first - 1 : node.end_lineno]))
    return found


def topology_script(screen: TopologiesScreen) -> str:
    """The script of one topology: its module's own source, the training loop's, how well it does on each set
    of items, and the states and scores of the screen's input, as `rnnviz.export.printed` prints them.
    """
    config = screen.config
    kit = KITS[config.name]
    texts = [inspect.getsource(kit.module), inspect.getsource(loop)]
    title = kit.module.__doc__ or ""
    return script(
        [
            _imports(texts),
            [f"# {title}", *_body(texts[0])],
            ["# The training loop", *_body(texts[1])],
            _weights(config, trained=screen.weights == "trained"),
            [
                "# How well it does, on what it has seen and on what it has not",
                "for name, found in items.items():",
                f"    found = found[:{ASKED}]",
                "    answers = right(model, found)",
                "    accuracy = sum(answers) / len(answers)",
                "    with torch.no_grad():",
                '        print(f"{name}: loss {loss(model, found).item():.4f}, accuracy {accuracy:.4f}")',
            ],
            ["# This input", "with torch.no_grad():", *(f"    {line}" for line in _given(screen))],
            results(("h", "scores")),
        ]
    )


def _weights(config: TopologyConfig, *, trained: bool) -> list[str]:
    model = KITS[config.name].model
    lines = [
        "# The model: weights drawn from the seed",
        "torch.set_num_threads(1)  # the order of a sum decides its last digit",
        f"torch.manual_seed({config.seed})",
        f"model = {getattr(model, '__name__', '')}({config.hidden})",
        "items = sets()",
    ]
    if trained:
        lines += [
            "",
            "# Trained: the weights that rnnviz ships, if this runs in its folder; else the same training",
            f'shipped = Path("assets/states/{config.file}")',
            "if shipped.exists():",
            "    from safetensors.torch import load_file",
            "",
            "    model.load_state_dict(load_file(shipped))",
            "else:",
            '    known = items["trained on"]',
            f"    train(model, lambda batch: loss(model, batch), known, {config.steps}, {config.decay})",
        ]
    return [*lines, "model.eval()"]


def _given(screen: TopologiesScreen) -> list[str]:
    """The lines that make ``h`` (columns, H) and ``scores`` (outputs, classes)."""
    name, given = screen.config.name, screen.given
    if name == "one-to-one":
        return [
            f"x = torch.tensor([{given!r}])  # (1, 2)",
            "h = torch.tanh(model.hidden(x))  # (1, H)",
            "scores = model(x)  # (1, classes)",
            "print(CLASSES[int(scores.argmax())])",
        ]
    if name == "one-to-many":
        return [f"word, h, scores = write(model, vectors([{given!r}]))", "print(word)"]
    symbols = read(name, str(given)).symbols
    if name == "out-of-step":
        return [f"word, h, scores = write(model, {''.join(symbols)!r})", "print(word)"]
    if name == "many-to-one":
        return [
            f"ids = torch.tensor([SYMBOLS.index(symbol) for symbol in {''.join(symbols)!r}])  # (L)",
            "h = model.rnn(model.embedding(ids).unsqueeze(1))[0][:, 0]  # (L, H)",
            "scores = model([ids])  # (1, classes)",
            "print(CLASSES[int(scores.argmax())])",
        ]
    return [
        f"x = ids({list(symbols)!r}).unsqueeze(1)  # (L, 1)",
        "h = model.rnn(model.embedding(x))[0][:, 0]  # (L, H)",
        "scores = model(x)[:, 0]  # (L, tags)",
        'print(" ".join(TAGS[i] for i in scores.argmax(-1)))',
    ]


def sharing_script(screen: TopologiesScreen) -> str:
    """The script of the comparison: it makes every module and prints how many weights it has."""
    sizes = screen.sharing
    calls = {layer.name: layer.call for layer in layers(sizes)}
    assert calls.keys() == modules(sizes).keys()
    return script(
        [
            ["import torch", "from torch import nn"],
            [
                f"# {sizes.length} steps, {sizes.input_size} numbers in and {sizes.hidden_size} out at each",
                '# On "meta" a module has shapes but no numbers, so that no size is too large',
                'with torch.device("meta"):',
                "    layers = {",
                *(f"        {name!r}: {call}," for name, call in calls.items()),
                "    }",
            ],
            [
                "# How many weights each has",
                "for name, layer in layers.items():",
                '    print(f"{name}: {sum(p.numel() for p in layer.parameters()):,}")',
            ],
        ]
    )


def look_csv(look: Look) -> str:
    """Every number of a run: quantity,step,part,label,value; ``label`` is the unit's number or the class."""
    lines = ["quantity,step,part,label,value"]
    for step, column in enumerate(look.columns):
        lines += [f"h,{step},{column.part},{unit},{float(v)!r}" for unit, v in enumerate(look.h[step])]
        if not column.wrote:
            continue
        for name, values in (("score", look.scores), ("probability", look.probabilities)):
            pairs = zip(look.classes, values[step], strict=True)
            lines += [f"{name},{step},{column.part},{label},{float(v)!r}" for label, v in pairs]
        if column.right is not None:
            lines.append(f"loss,{step},{column.part},{column.right},{float(look.losses[step])!r}")
    return "\n".join(lines) + "\n"


def sharing_csv(screen: TopologiesScreen) -> str:
    """The curves: layer,L,weights."""
    rows = [
        f'"{name}",{length},{count}'
        for name, counts in curves(screen.sharing).items()
        for length, count in zip(lengths(), counts, strict=True)
    ]
    return "\n".join(["layer,L,weights", *rows]) + "\n"
