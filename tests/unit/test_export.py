"""Every exported script, run in a fresh interpreter, gives the page's numbers to the last bit."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rnnviz.export import home_script, layers_script, notebook, printed
from rnnviz.home import read
from rnnviz.presets import EXAMPLES
from rnnviz.runs import run
from rnnviz.screens import home
from rnnviz.screens.layers import LayersScreen, preset_values, screen

# PyTorch's own word on every projecting LSTM on a CPU, once a process.
PROJECTIONS = "LSTM with projections is not supported with oneDNN"
pytestmark = pytest.mark.filterwarnings(f"ignore:{PROJECTIONS}")

# Runs all scripts in one interpreter, since importing torch costs more than they do. Any warning is an error.
DRIVER = """
import contextlib, io, json, pathlib, runpy, sys
import numpy as np
folder = pathlib.Path(sys.argv[1])
for script in sorted(folder.glob("*.py")):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        names = runpy.run_path(str(script), run_name="__main__")
    tensors = {k: v.numpy() for k, v in names.items() if k in ("x", "h_0", "c_0", "output", "h_n", "c_n")}
    np.savez(script.with_suffix(".npz"), **tensors)
    script.with_suffix(".txt").write_text(said.getvalue(), encoding="utf-8")
assert "rnnviz" not in sys.modules
"""


@dataclass(frozen=True, eq=False)
class Done:
    """What a script printed, and its tensors."""

    lines: list[str]
    tensors: Mapping[str, NDArray[Any]]


def run_scripts(scripts: Mapping[str, str], folder: Path) -> dict[str, Done]:
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # the order of summation may depend on it
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-W", f"ignore:{PROJECTIONS}", "-c", DRIVER, str(folder)],
        cwd=folder,
        env=clean | threads,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: Done(
            (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines(),
            dict(np.load(folder / f"{name}.npz")),
        )
        for name in scripts
    }


ODD: dict[str, dict[str, Any]] = {
    "proj_size": {"l_kind": "LSTM", "l_proj": 3, "l_layers": 2, "l_state": True},
    "proj_size_packed": {"l_kind": "LSTM", "l_proj": 2, "l_bi": True, "l_padded": True, "l_state": True},
    "relu": {"l_kind": "RNN", "l_nonlin": "relu", "l_bi": True},
    "unbatched": {"l_kind": "LSTM", "l_unbatched": True, "l_state": True, "l_layers": 2},
    "unbatched_batch_first": {"l_kind": "GRU", "l_unbatched": True, "l_bf": True, "l_bi": True},
    "lengths_batch_first": {"l_kind": "GRU", "l_padded": True, "l_lengths": "3, 7, 1", "l_bf": True},
    "lengths_step_first": {"l_kind": "LSTM", "l_padded": True, "l_lengths": "2 5 4", "l_bf": False},
    "lengths_all_short": {"l_kind": "RNN", "l_padded": True, "l_lengths": "2 3 1", "l_len": 6},
    "many_lengths": {"l_kind": "GRU", "l_padded": True, "l_batch": 90, "l_bi": False},
    "float64": {"l_kind": "GRU", "l_dtype": "float64", "l_state": True},
    "no_bias": {"l_kind": "LSTM", "l_bias": False, "l_bi": True},
    "dropout": {"l_kind": "RNN", "l_dropout": 0.5, "l_layers": 3},
    "dropout_without_a_layer_above": {"l_kind": "GRU", "l_dropout": 0.5, "l_layers": 1},
    "cuda_or_cpu": {"l_kind": "LSTM", "l_device": "cuda", "l_state": True, "l_padded": True},
    "largest_seed": {"l_seed": 2**31 - 1},
    "one_of_everything": {"l_in": 1, "l_hidden": 1, "l_len": 1, "l_batch": 1},
}


def drawn(seed: int) -> dict[str, Any]:
    """A screen whose every control stands somewhere, as a student would leave it."""
    draw = random.Random(seed)

    def any_of(*options: Any) -> Any:
        return draw.choice(options)

    return {
        "l_kind": any_of("RNN", "LSTM", "GRU"),
        "l_in": draw.randint(1, 40),
        "l_hidden": draw.randint(2, 40),
        "l_layers": draw.randint(1, 4),
        "l_len": draw.randint(1, 20),
        "l_batch": draw.randint(1, 9),
        "l_seed": draw.randint(0, 2**31 - 1),
        "l_nonlin": any_of("tanh", "relu"),
        "l_dropout": any_of(0.0, 0.3),
        "l_proj": draw.randint(0, 5),
        "l_lengths": any_of("", "1", "20 1 3"),
        "l_dtype": any_of("float32", "float64"),
        **{k: any_of(True, False) for k in ("l_bi", "l_bf", "l_bias", "l_unbatched", "l_state", "l_padded")},
    }


@lru_cache(maxsize=1)
def screens() -> dict[str, LayersScreen]:
    raw = {row: preset_values(example) for row, example in EXAMPLES.items()}
    raw |= {f"{row}_seed": preset_values(EXAMPLES[row]) | {"l_seed": 7} for row in ("A2", "A8")}
    raw |= ODD | {f"drawn{i}": drawn(i) for i in range(40)}
    return {name: screen(values)[0] for name, values in raw.items()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    scripts = {name: layers_script(each) for name, each in screens().items()}
    return run_scripts(scripts, tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize("name", screens())
def test_a_script_prints_and_holds_the_numbers_of_the_page(name: str, done: dict[str, Done]) -> None:
    page = run(screens()[name])
    arrays = {"x": page.x, "output": page.output, "h_n": page.h_n, "c_n": page.c_n}
    for key, array in arrays.items():
        if array is None:
            assert key not in done[name].tensors
        else:
            np.testing.assert_array_equal(done[name].tensors[key], array, strict=True)

    parameters = [f"{k} {v.shape}" for k, v in page.parameters.items()]
    outputs = [printed(k, v) for k, v in arrays.items() if k != "x" and v is not None]
    lines = done[name].lines
    assert lines[: len(parameters) + len(outputs)] == parameters + outputs


@pytest.mark.parametrize("name", screens())
def test_every_printed_equality_holds(name: str, done: dict[str, Done]) -> None:
    each = screens()[name]
    said = [line for line in done[name].lines if re.match(r"h_n\[\d+\] is output", line)]
    assert len(said) == (0 if each.lengths is not None else each.config.directions)
    assert all(line.endswith("True") for line in said)


def test_A6_script_says_where_the_backward_state_is(done: dict[str, Done]) -> None:
    assert done["A6"].lines[-2:] == [
        "h_n[0] is output[:, -1, :512]: True",
        "h_n[1] is output[:, 0, 512:]: True",
    ]


def test_another_seed_prints_other_numbers(done: dict[str, Done]) -> None:
    assert [line for line in done["A2"].lines if line.startswith("output")] != [
        line for line in done["A2_seed"].lines if line.startswith("output")
    ]


def test_printed_names_the_first_numbers_and_the_sum() -> None:
    values = np.array([[0.5, -0.25, 1.0], [2.0, 3.0, 4.0]], dtype=np.float32)
    assert printed("h_n", values) == "h_n (2, 3): +0.500000  -0.250000  +1.000000  +2.000000  sum +10.250000"


@pytest.mark.parametrize("name", screens())
def test_a_script_is_short_and_needs_only_torch(name: str) -> None:
    text = layers_script(screens()[name])
    tree = ast.parse(text)
    roots = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots == {"torch"}
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 105


def test_only_what_differs_from_pytorchs_own_choice_is_written() -> None:
    text = layers_script(screen(preset_values(EXAMPLES["A2"]))[0])
    assert "layer = nn.LSTM(10, 20, num_layers=2)\n" in text
    assert "output, (h_n, c_n) = layer(x, (h_0, c_0))\n" in text
    assert not {"dtype=torch.float32", "device", "bias", "pack"} & set(re.findall(r"[\w.=]+", text))


@pytest.mark.parametrize("name", screens())
def test_a_notebook_is_the_script_in_cells(name: str) -> None:
    text = layers_script(screens()[name])
    content = json.loads(notebook(text, "Layers & shapes"))
    # what the nbformat 4.5 schema requires of a notebook and of its cells
    assert set(content) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)
    title, *code = content["cells"]
    assert set(title) == {"cell_type", "id", "metadata", "source"}
    assert title["source"] == ["# Layers & shapes"]
    for cell in code:
        assert set(cell) == {"cell_type", "id", "metadata", "source", "execution_count", "outputs"}
        assert (cell["cell_type"], cell["execution_count"], cell["outputs"]) == ("code", None, [])
        compile("".join(cell["source"]), cell["id"], "exec")
    assert len(code) >= 5
    assert "\n\n".join("".join(cell["source"]) for cell in code) + "\n" == text


def test_no_torch_is_needed_to_write_a_script() -> None:
    code = "import sys, rnnviz.export; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """Drawing the input before the weights, the mistake to guard against, is seen."""
    each = screen(preset_values(EXAMPLES["A7"]))[0]
    shape = "torch.randn(4, 16, 5)"
    moved = layers_script(each).replace("layer = nn", f"x = {shape}\nlayer = nn", 1)
    moved = moved.replace(f"x = {shape}  # (N, L, H_in)\n", "", 1)
    found = run_scripts({"moved": moved}, tmp_path)["moved"]
    assert not np.array_equal(found.tensors["output"], run(each).output)
    assert np.array_equal(run(each).output, run(replace(each)).output)


def test_home_s_script_prints_and_holds_the_numbers_of_the_page(tmp_path: Path) -> None:
    quoted = """it's "so" \\ {so} é"""
    found = [
        {},
        {"h_text": quoted, "h_hidden": 3},
        {"h_text": "to be or not to be", "h_seed": 5, "h_hidden": 32},
    ]
    each = {f"home{i}": home.screen(values)[0] for i, values in enumerate(found)}
    done = run_scripts({name: home_script(shown) for name, shown in each.items()}, tmp_path)
    for name, shown in each.items():
        page = read(shown)
        assert page.c_n is not None
        arrays = {"output": page.output, "h_n": page.h_n, "c_n": page.c_n}
        for key, array in arrays.items():
            np.testing.assert_array_equal(done[name].tensors[key], array, strict=True)
        lines = done[name].lines
        assert lines[:3] == [printed(key, array) for key, array in arrays.items()]
        assert [line.split()[0] for line in lines[3:]] == list(shown.words)
        assert lines[-1].split()[1:] == [f"{number:+.2f}" for number in page.sel("h")[-1, 0]]
