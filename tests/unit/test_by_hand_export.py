"""The script and the notebook of *By hand*, run in a fresh interpreter, print the page's numbers."""

from __future__ import annotations

import csv as table
import io
import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.by_hand.experiment import Outcome, outcome
from rnnviz.by_hand.recipes import setup
from rnnviz.export import FIRST, notebook
from rnnviz.export_by_hand import by_hand_script, csv, modules, setup_lines
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import EXAMPLES, preset_values
from tests.unit.test_export import run_scripts

CASES: dict[str, dict[str, Any]] = {
    **{f"preset_{row}": preset_values(example) for row, example in EXAMPLES.items()},
    **{
        f"{experiment} {kind} {k}".replace(" ", "_"): {
            "b_exp": experiment,
            "b_kind": kind,
            "b_fault": fault,
            "b_len": 5,
            "b_layers": 2,
            "b_seed": 3,
            "b_way": page.WAYS[1],
        }
        for experiment in page.EXPERIMENTS
        for kind in (("RNN", "LSTM", "GRU") if experiment in page.EXPERIMENTS[3:] else ("RNN",))
        for k, fault in enumerate((page.INTACT, *page.faults(experiment, kind, page.WAYS[1])))
    },
    "float64_no_bias": {"b_kind": "GRU", "b_dtype": "float64", "b_bias": False, "b_out": 1},
    "linear_float64_no_bias": {"b_exp": "Linear layer", "b_dtype": "float64", "b_bias": False},
    "memory_float64": {"b_exp": "Memory without activation", "b_dtype": "float64"},
    "largest_batch": {"b_exp": "Loop over a cell", "b_batch": 8, "b_len": 64},
}


def script_of(current: page.ByHandScreen) -> str:
    return by_hand_script(current, tuple(one.name for one in outcome(current).results))


def assert_printed(lines: list[str], found: Outcome, name: str) -> None:
    said = dict(line.split(": ", 1) for line in lines)
    for one in found.results:
        for side, values in (("hand", one.hand), ("torch", one.torch)):
            numbers = said[f"{side}_{one.name} {values.shape}"].split()
            first = [float(n) for n in numbers[: min(FIRST, values.size)]]
            np.testing.assert_allclose(first, values.ravel()[:FIRST], atol=3e-6, rtol=1e-5, err_msg=name)
            assert float(numbers[-1]) == pytest.approx(values.sum(dtype="float64"), abs=2e-3, rel=1e-4), name
    for one in found.results:
        printed = said[f"difference {one.name}"]
        if one.largest is None:
            assert printed == f"{one.hand.shape} and {one.torch.shape}"
        else:
            assert_same_gap(float(printed), one.largest, one.equal, float(np.abs(one.torch).max()))
    for g in found.gradients:
        assert_same_gap(float(said[f"difference gradient {g.name}"]), g.largest, g.equal, g.torch)


def assert_same_gap(printed: float, shown: float, equal: bool, size: float) -> None:
    if equal:
        assert printed <= 1e-5 * max(1.0, size)
    else:
        assert printed == pytest.approx(shown, rel=1e-3)


def test_every_script_and_notebook_prints_what_the_page_shows(tmp_path: Path) -> None:
    screens = {name: page.screen(values) for name, values in CASES.items()}
    scripts = {name: script_of(current) for name, (current, _, _) in screens.items()}
    for name in ("preset_B5", "preset_B7"):
        cells = json.loads(notebook(scripts[name], "By hand"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        scripts[f"notebook_{name}"] = "\n\n".join(code) + "\n"
        screens[f"notebook_{name}"] = screens[name]
    done = run_scripts(scripts, tmp_path)
    for name, (current, _, notes) in screens.items():
        assert not notes, name
        assert_printed(done[name].lines, outcome(current), name)


def test_the_script_holds_the_very_functions_and_names_the_fault() -> None:
    current = page.screen({"b_fault": "Transpose W_hh"})[0]
    script = script_of(current)
    assert "# Broken on purpose: Transpose W_hh" in script
    assert "h = torch.tanh(x[:, t] @ W_ih.T + b_ih + h @ W_hh + b_hh)" in script
    assert "Broken" not in script_of(current.intact())


@pytest.mark.parametrize("row", list(EXAMPLES))
def test_a_script_is_short_enough_to_read(row: str) -> None:
    lines = script_of(page.screen(preset_values(EXAMPLES[row]))[0]).splitlines()
    assert len(lines) < 95 and max(map(len, lines)) <= 110


def test_the_lines_that_are_shown_make_what_runs() -> None:
    for name, values in CASES.items():
        current = page.screen(values)[0]
        made, names = setup(current), modules(current)
        assert len(names) == len(made.modules) == len(setup_lines(current)), name
        for line, module in zip(setup_lines(current), made.modules, strict=True):
            if current.recurrent or current.experiment == "Linear layer":
                assert f"nn.{type(module).__name__}(" in line, name


def test_the_csv_holds_every_number_of_both_sides() -> None:
    current = page.screen({"b_fault": "batch_first data", "b_batch": 3})[0]
    found = outcome(current)
    rows = list(table.DictReader(io.StringIO(csv(current))))
    output = [row for row in rows if row["result"] == "output"]
    hand = np.array([float(row["by_hand"]) for row in output], dtype=np.float32).reshape(3, 4, 6)
    np.testing.assert_array_equal(hand, found.results[0].hand)
    for row in output[:5]:
        assert float(row["difference"]) == pytest.approx(float(row["by_hand"]) - float(row["pytorch"]))
    h_n = [row for row in rows if row["result"] == "h_n"]  # (1, 3, 6) and (1, 4, 6)
    assert len(h_n) == 18 + 24 and all(row["difference"] == "" for row in h_n)
    assert sum(row["result"].startswith("gradient ") for row in rows) == sum(
        prod(g.shape) for g in found.gradients
    )


def test_the_csv_of_large_layers_leaves_their_gradients_out() -> None:
    text = csv(page.screen(preset_values(EXAMPLES["B8"]))[0])
    assert "gradient weight" not in text and "gradient bias_hh_l0," in text and len(text) < 6_000_000
