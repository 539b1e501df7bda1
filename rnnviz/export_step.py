"""The script of a screen of *Step through*: the layer, its edits, PyTorch's run, and the same run by hand,
gate by gate.
"""

from __future__ import annotations

from rnnviz.edits import Clamp, ForgetBias, SetWeight
from rnnviz.export import imports, indented, layer_call, random_tensor, results, script
from rnnviz.gates import DIRECTION_NAMES, GATES
from rnnviz.screens.step import StepScreen

# A step by hand for each kind, in the order and letters of PyTorch's documentation; {held} marks where a
# clamp acts.
_STEP = {
    "RNN": ("h = {act}(W_ih @ x + b_ih + W_hh @ h + b_hh)",),
    "LSTM": (
        "i, f, g, o = (W_ih @ x + b_ih + W_hh @ h + b_hh).chunk(4)",
        "i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()",
        "c = f * c + i * g",
        "h = o * c.tanh()",
    ),
    "GRU": (
        "(r_x, z_x, n_x), (r_h, z_h, n_h) = (W_ih @ x + b_ih).chunk(3), (W_hh @ h + b_hh).chunk(3)",
        "r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()",
        "n = (n_x + r * n_h).tanh()  # PyTorch applies r after the product",
        "h = (1 - z) * n + z * h",
    ),
}
_NOTED = {"RNN": ("h",), "LSTM": (*GATES["LSTM"], "c", "h"), "GRU": (*GATES["GRU"], "h")}


def step_script(screen: StepScreen, layer: int = 0, direction: int = 0, step: int = 0) -> str:
    """The script of a screen. It prints output, h_n and c_n as `rnnviz.export.printed` does, then every
    quantity of one step.

    With clamps, which PyTorch does not know, what it prints comes from the run by hand.
    """
    clamps = tuple(e for e in screen.edits if isinstance(e, Clamp))
    names = ("output", "h_n", "c_n") if screen.config.kind == "LSTM" else ("output", "h_n")
    state = "(h_n, c_n)" if screen.config.kind == "LSTM" else "h_n"
    given = "(h_0, c_0)" if screen.config.kind == "LSTM" else "h_0"
    edits = _weights(screen)
    by_hand = [_cell(screen, clamps), _loop(screen)]
    if clamps:
        by_hand.insert(0, _hold(clamps))
    ending = [
        "# By hand and by PyTorch agree",
        'print("max |difference|", (by_hand[:, None] - output).abs().max().item())',
    ]
    if clamps:
        made = {"output": "by_hand", "h_n": "torch.stack(last_h)", "c_n": "torch.stack(last_c)"}
        ending = [
            "# PyTorch has no clamps: from here on the run by hand counts",
            *(f"{name} = {made[name]}[:, None]" for name in names),
        ]
    return script(
        [
            imports(),
            ["# The layer: its weights are the first numbers drawn from the seed", *_layer(screen)],
            _input(screen),
            *([edits] if edits else ()),
            ["# PyTorch's run", "with torch.no_grad():", f"    output, {state} = layer(x, {given})"],
            *by_hand,
            ending,
            results(names),
            [
                f"# Every quantity of layer {layer}, {DIRECTION_NAMES[direction]}, at step {step}",
                f"for name, value in seen[{layer}, {direction}, {step}].items():",
                '    print(name, " ".join(f"{number:+.6f}" for number in value))',
            ],
        ]
    )


def _layer(screen: StepScreen) -> list[str]:
    return [f"torch.manual_seed({screen.seed})", f"layer = {layer_call(screen.config)}"]


def _input(screen: StepScreen) -> list[str]:
    config = screen.config
    if screen.table is not None:
        rows = [f"    [{', '.join(f'{v:g}' for v in row)}]," for row in screen.table]
        lines = [
            "# The input: one row a step",
            "x = torch.tensor([",
            *rows,
            "], dtype=torch.float32).unsqueeze(1)  # (L, N, H_in)",
        ]
    elif screen.ids is None:
        lines = [
            "# The input, drawn next",
            f"x = {random_tensor((screen.length, 1, config.input_size))}  # (L, N, H_in)",
        ]
    else:
        kind = "characters" if screen.one_hot else "words"
        lines = [
            f"# The input: equal {kind} get equal vectors",
            _tokens(screen),
            "vocabulary = list(dict.fromkeys(tokens))",
        ]
        rows_of = (
            "torch.eye(len(vocabulary))"
            if screen.one_hot
            else f"torch.randn(len(vocabulary), {config.input_size})"
        )
        lines += [
            f"vectors = {rows_of}",
            "x = vectors[[vocabulary.index(token) for token in tokens]].unsqueeze(1)  # (L, N, H_in)",
        ]
    shape = (config.num_layers * config.directions, 1, config.hidden_size)
    for name in ("h_0", "c_0") if config.kind == "LSTM" else ("h_0",):
        start = random_tensor(shape) if screen.given_state else f"torch.zeros{shape}"
        lines.append(f"{name} = {start}")
    return lines


def _tokens(screen: StepScreen) -> str:
    if screen.one_hot:
        return f"tokens = list({''.join(screen.tokens)!r})"
    listed = ", ".join(map(repr, screen.tokens))
    return f"tokens = [{listed}]" if len(listed) < 90 else f"tokens = [\n{indented(listed)}\n]"


def _weights(screen: StepScreen) -> list[str]:
    size, lines = screen.config.hidden_size, []
    for edit in screen.edits:
        if isinstance(edit, SetWeight):
            lines.append(f"    layer.{edit.name}[{', '.join(map(str, edit.index))}] = {edit.value!r}")
        elif isinstance(edit, ForgetBias):
            suffix = f"_l{edit.layer}" + ("_reverse" if edit.direction else "")
            lines.append(
                f"    layer.bias_ih{suffix}[{size}:{2 * size}] = {edit.value!r}  # the forget gate's block"
            )
            lines.append(f"    layer.bias_hh{suffix}[{size}:{2 * size}] = 0")
    return ["# What if: changed weights", "with torch.no_grad():", *lines] if lines else []


def _hold(clamps: tuple[Clamp, ...]) -> list[str]:
    lines = ["# What if: quantities that are held at a value", "def hold(name, layer, direction, t, value):"]
    for clamp in clamps:
        when = f"(name, layer, direction) == ({clamp.letter!r}, {clamp.layer}, {clamp.direction})"
        if clamp.first is not None:
            when += f" and {clamp.first} <= t <= {clamp.last}"
        where = ":" if clamp.unit is None else str(clamp.unit)
        lines += [
            f"    if {when}:",
            "        value = value.clone()",
            f"        value[{where}] = {clamp.value!r}",
        ]
    return [*lines, "    return value"]


def _cell(screen: StepScreen, clamps: tuple[Clamp, ...]) -> list[str]:
    kind, config = screen.config.kind, screen.config
    bias = "b_ih, b_hh = getattr(layer, 'bias_ih' + k), getattr(layer, 'bias_hh' + k)"
    held = {c.letter for c in clamps}
    lines = [
        "# One step of the cell by hand; k names its weights, such as _l0 or _l0_reverse",
        "def step(x, h, c, k, at):",
        "    W_ih, W_hh = getattr(layer, 'weight_ih' + k), getattr(layer, 'weight_hh' + k)",
        f"    {bias if config.bias else 'b_ih = b_hh = torch.zeros(len(W_ih))'}",
    ]
    for line in _STEP[kind]:
        lines.append("    " + line.replace("{act}", f"torch.{config.nonlinearity}"))
        computed = {n.strip() for n in line.split(" = ")[0].split(",")}
        activated = "sigmoid" in line or "tanh" in line or computed <= {"c", "h"}
        for letter in (n for n in _NOTED[kind] if n in computed and n in held and activated):
            lines.append(f"    {letter} = hold({letter!r}, *at, {letter})")
    noted = ", ".join(f"{n}={n}" for n in _NOTED[kind])
    return [*lines, f"    return h, c, dict({noted})"]


def _loop(screen: StepScreen) -> list[str]:
    config = screen.config
    cell = config.kind == "LSTM"
    lines = [
        "# The run by hand: layer by layer, each direction in its own order",
        "by_hand, seen, last_h, last_c = x[:, 0], {}, [], []",
        f"for depth in range({config.num_layers}):",
        "    outputs = []",
        f"    for direction in range({config.directions}):",
        "        k = f'_l{depth}' + ('_reverse' if direction else '')",
        f"        row = depth * {config.directions} + direction",
        f"        h, c, hs = h_0[row, 0], {'c_0[row, 0]' if cell else 'None'}, [None] * len(x)",
        "        for t in reversed(range(len(x))) if direction else range(len(x)):",
        "            with torch.no_grad():",
        "                h, c, seen[depth, direction, t] = step(by_hand[t], h, c, k, (depth, direction, t))",
        "            hs[t] = h",
        "        outputs.append(torch.stack(hs))",
        "        last_h.append(h)",
        "        last_c.append(c)",
        "    by_hand = torch.cat(outputs, 1)  # what the next layer reads",
    ]
    return lines
