"""The script of a screen of *By hand*: PyTorch's layer, the hand-written functions as they stand here, and
how far they are apart.
"""

from __future__ import annotations

from rnnviz.by_hand.experiment import gradients, outcome
from rnnviz.by_hand.faults import fault_of
from rnnviz.by_hand.recipes import input_shape, sources
from rnnviz.export import FIRST, imports, layer_call, random_tensor, script, wrapped
from rnnviz.screens.by_hand import ByHandScreen

MOST_NUMBERS = 20_000


def setup_lines(screen: ByHandScreen) -> list[str]:
    """The lines that draw what `rnnviz.by_hand.recipes.setup` draws, without the seed and without x."""
    dtype = "" if screen.dtype == "float32" else f", dtype=torch.{screen.dtype}"
    if screen.experiment == "Linear layer":
        bias = "" if screen.bias else ", bias=False"
        return [f"linear = nn.Linear({screen.input_size}, {screen.hidden}{bias}{dtype})"]
    if not screen.recurrent:
        drawn = {"W_1": screen.input_size, "W_2": screen.hidden}
        if screen.experiment == "No memory":
            drawn.pop("W_2")
        return [
            f"{name} = {random_tensor((rows, screen.hidden), screen.dtype)} / {rows}**0.5"
            for name, rows in drawn.items()
        ]
    lines = [wrapped(f"layer = {layer_call(screen.config, screen.dtype)}")]
    if screen.experiment == "From matmul":
        lines.append(f"project = nn.Linear({screen.hidden}, {screen.out}{dtype})")
    return lines


def modules(screen: ByHandScreen) -> tuple[str, ...]:
    """What the lines of `setup_lines` make, by name."""
    return tuple(line.split(" = ")[0] for line in setup_lines(screen))


def by_hand_script(screen: ByHandScreen, names: tuple[str, ...]) -> str:
    """The script of a screen whose results are called ``names``.

    It prints every result of both sides as `rnnviz.export.printed` does, under ``hand_…`` and ``torch_…``,
    then for each result and each gradient ``max |difference|``, or both shapes where they differ.
    """
    made, code, fault = modules(screen), sources(screen), fault_of(screen)
    letters = "L, N" if screen.experiment == "Loop over a cell" else "N, L"
    tensors = not screen.recurrent and screen.experiment != "Linear layer"
    broken = [f"# Broken on purpose: {fault.name}"] if fault else []
    hand, share, call = (code[k][0] for k in ("hand", "share", "call"))
    return script(
        [
            ["from __future__ import annotations", "", *imports(), "from torch import Tensor"],
            [
                *(broken if fault and fault.side == "layer" else []),
                "# Weights and input: the first numbers drawn from the seed",
                f"torch.manual_seed({screen.seed})",
                *setup_lines(screen),
                *(f"{name}.requires_grad_()" for name in made if tensors),
                f"x = {random_tensor(input_shape(screen), screen.dtype)}  # ({letters}, H_in)",
            ],
            [*(broken if fault and fault.side == "hand" else []), "# By hand", hand.rstrip()],
            ["# Where its weights come from", share.rstrip()],
            [*(broken if fault and fault.side == "call" else []), "# PyTorch", call.rstrip()],
            [
                "# Both run",
                f"shared = {_name(share)}({', '.join(made)})",
                f"by_hand = {_name(hand)}(x, shared)",
                f"pytorch = {_name(call)}(x, {', '.join(made)})",
            ],
            [
                f"# What comes out: each shape, its first {FIRST} numbers, and the sum of all",
                f"results = {names!r}",
                'for side, tensors in (("hand", by_hand), ("torch", pytorch)):',
                "    for name, tensor in zip(results, tensors):",
                f'        first = "  ".join(f"{{number:+.6f}}" for number in tensor.flatten()[:{FIRST}])',
                "        total = tensor.sum(dtype=torch.float64)",
                '        print(f"{side}_{name} {tuple(tensor.shape)}: {first}  sum {total:+.6f}")',
            ],
            _DIFFERENCE,
            _gradients(made, tensors),
        ]
    )


def _name(source: str) -> str:
    return source.split("(")[0].removeprefix("def ")


_DIFFERENCE = [
    "# How far they are apart",
    "def difference(name, a, b):",
    "    apart = f'{tuple(a.shape)} and {tuple(b.shape)}'",
    "    if a.shape == b.shape:",
    "        apart = f'{(a - b).abs().max():.3e}'",
    "    print(f'difference {name}: {apart}')",
    "",
    "for name, a, b in zip(results, by_hand, pytorch):",
    "    difference(name, a, b)",
]


def _gradients(made: tuple[str, ...], tensors: bool) -> list[str]:
    theirs = "[" + ", ".join(made) + "]" if tensors else " + ".join(f"list({m}.parameters())" for m in made)
    named = [f"names = {list(made)!r}"]
    if not tensors:
        named = [f"names = [name for name, _ in {made[0]}.named_parameters()]"]
        named += [f"names += [f'{m}.{{name}}' for name, _ in {m}.named_parameters()]" for m in made[1:]]
    return [
        "# The gradients of the squared error against a ramp from -1 to 1, of both sides",
        *named,
        "mine = [list(part.parameters()) if isinstance(part, nn.Module) else [part] for part in shared]",
        "mine = [p for part in mine for p in part if p.requires_grad]",
        f"theirs = {theirs}",
        "for tensors in (by_hand, pytorch):",
        "    ramps = [torch.linspace(-1, 1, r.numel(), dtype=r.dtype).view_as(r) for r in tensors]",
        "    sum((r - ramp).square().sum() for r, ramp in zip(tensors, ramps)).backward()",
        "for name, a, b in zip(names, mine, theirs):",
        "    difference(f'gradient {name}', torch.zeros_like(a) if a.grad is None else a.grad, b.grad)",
    ]


def csv(screen: ByHandScreen) -> str:
    """Every number of every result, and of both gradients: result,index,by_hand,pytorch,difference.

    Where the shapes differ, the numbers of each side stand in lines of their own, without a difference. A
    gradient of more than `MOST_NUMBERS` is left out.
    """
    lines = ["result,index,by_hand,pytorch,difference"]
    named = [(one.name, one) for one in outcome(screen).results]
    named += [(f"gradient {g.name}", g) for g in gradients(screen) if g.torch.size <= MOST_NUMBERS]
    for name, one in named:
        if one.hand.shape == one.torch.shape:
            pairs = zip(one.hand.ravel().tolist(), one.torch.ravel().tolist(), strict=True)
            lines += [f"{name},{i},{a!r},{b!r},{a - b!r}" for i, (a, b) in enumerate(pairs)]
        else:
            lines += [f"{name},{i},{a!r},," for i, a in enumerate(one.hand.ravel().tolist())]
            lines += [f"{name},{i},,{b!r}," for i, b in enumerate(one.torch.ravel().tolist())]
    return "\n".join(lines) + "\n"
