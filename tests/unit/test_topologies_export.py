"""The scripts of *Topologies*, run in a fresh interpreter, print the page's numbers."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.export import FIRST, notebook
from rnnviz.screens import topologies as page
from rnnviz.topologies.config import NAMES, TITLES
from rnnviz.topologies.export import look_csv, model_source, sharing_csv, sharing_script, topology_script
from rnnviz.topologies.kits import KITS, fresh, scored, shipped
from rnnviz.topologies.look import look
from rnnviz.topologies.record import Look
from rnnviz.topologies.sharing import counted

ROOT = Path(__file__).resolve().parents[2]


def screen_of(name: str, **values: Any) -> page.TopologiesScreen:
    return page.screen({"p_shape": TITLES[name], **values})[0]


def look_of(current: page.TopologiesScreen) -> Look:
    net = shipped(current.config)[0] if current.weights == "trained" else fresh(current.config)
    return look(current.config, net, current.given)


def printed(text: str, folder: Path) -> dict[str, str]:
    """What a script says, by what stands before the colon, run in a fresh interpreter in this folder."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", text],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.partition(": ")[::2] for line in done.stdout.splitlines())


def assert_same(said: dict[str, str], current: page.TopologiesScreen) -> None:
    found = look_of(current)
    taken = list(found.outputs)
    for name, values in (("h", found.h), ("scores", found.scores[taken])):
        numbers = said[f"{name} {values.shape}"].replace("sum", "").split()
        first = [float(n) for n in numbers[: min(FIRST, values.size)]]
        np.testing.assert_allclose(first, values.ravel()[:FIRST], atol=3e-6, rtol=1e-5)
        assert float(numbers[-1]) == pytest.approx(values.sum(dtype="float64"), abs=1e-3, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_A11_the_script_loads_the_shipped_weights_and_prints_the_same_numbers(name: str) -> None:
    current = screen_of(name)
    said = printed(topology_script(current), ROOT)
    assert_same(said, current)
    for score in shipped(current.config)[1].scores:
        loss, accuracy = said[score.name].removeprefix("loss ").split(", accuracy ")
        assert float(accuracy) == pytest.approx(score.accuracy, abs=0.01)
        assert float(loss) == pytest.approx(score.loss, rel=0.02, abs=1e-3)


def test_A11_elsewhere_the_script_trains_the_model_itself(tmp_path: Path) -> None:
    current = screen_of("one-to-one", p_x=1.0, p_y=-1.5)
    said = printed(topology_script(current), tmp_path)
    for score in shipped(current.config)[1].scores:
        assert float(said[score.name].split()[-1]) == pytest.approx(score.accuracy, abs=0.02)
    assert "outside" in said


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("one-to-many", {"p_number": 7}),
        ("many-to-one", {"p_brackets": "[](x"}),
        ("out-of-step", {"p_word": "Zebra!"}),
        ("in-step", {"p_sentence": "a 'quoted\" \\word"}),
    ],
)
def test_A11_untrained_and_odd_inputs_print_the_same_numbers(
    name: str, values: dict[str, Any], tmp_path: Path
) -> None:
    current = screen_of(name, p_weights="untrained", **values)
    said = printed(topology_script(current), tmp_path)
    assert_same(said, current)
    before = scored(current.config, fresh(current.config))[0]
    assert float(said[before.name].split()[-1]) == pytest.approx(before.accuracy, abs=0.01)


def test_A10_the_script_counts_what_the_page_counts(tmp_path: Path) -> None:
    current = page.screen({"p_view": page.VIEWS[1], "p_len": 1000, "p_in": 512, "p_hidden": 512})[0]
    said = printed(sharing_script(current), tmp_path)
    assert said == {name: f"{count:,}" for name, count in counted(current.sharing).items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_shown_as_it_stands(name: str) -> None:
    source, module = model_source(name), Path(str(KITS[name].module.__file__)).read_text(encoding="utf-8")
    assert "class " in source and "cross_entropy" in source
    assert all(part in module for part in source.split("\n\n\n"))
    assert "nn.Module" in notebook(topology_script(screen_of(name)), "Topologies")


@pytest.mark.parametrize("name", NAMES)
def test_the_table_holds_every_number(name: str) -> None:
    found = look_of(screen_of(name))
    rows = list(csv.DictReader(io.StringIO(look_csv(found))))
    h = np.array([float(row["value"]) for row in rows if row["quantity"] == "h"])
    np.testing.assert_array_equal(h.reshape(found.h.shape), found.h.astype(np.float64))
    chances = [float(row["value"]) for row in rows if row["quantity"] == "probability"]
    expected = found.probabilities[list(found.outputs)].astype(np.float64)
    np.testing.assert_array_equal(np.reshape(chances, expected.shape), expected)
    losses = [float(row["value"]) for row in rows if row["quantity"] == "loss"]
    assert np.mean(losses) == pytest.approx(found.loss, rel=1e-5)
    assert all(len(row) == 5 and None not in row for row in rows)


def test_A10_the_table_holds_the_curves() -> None:
    rows = list(csv.DictReader(io.StringIO(sharing_csv(page.screen({"p_view": page.VIEWS[1]})[0]))))
    assert {row["layer"] for row in rows} == set(counted(page.screen({})[0].sharing))
    assert [int(row["weights"]) for row in rows if row["layer"] == "RNN"] == [416] * (len(rows) // 6)
