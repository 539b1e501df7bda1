"""A run's script, run in a fresh interpreter, prints the run's losses to the last bit."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rnnviz.export_training import optimiser_call, training_notebook, training_script
from rnnviz.presets import EPOCHS, SENTENCES, TRAINING_PRESETS
from rnnviz.training import advance, change, start, step
from rnnviz.training.changes import Device, Edit, LearningRate, Silence
from rnnviz.training.config import CharsConfig, Optimiser, TaggerConfig
from rnnviz.training.state import RunState
from tests.unit.training_cases import changes, configs

# Runs all scripts in one interpreter, since importing torch costs more than they do. Any warning is an error.
DRIVER = """
import contextlib, io, pathlib, runpy, sys
for script in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        runpy.run_path(str(script), run_name="__main__")
    script.with_suffix(".txt").write_text(said.getvalue(), encoding="utf-8")
assert "rnnviz" not in sys.modules
"""


def script(state: RunState) -> str:
    return training_script(state.config, state.epoch, state.changes)


def run_scripts(scripts: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", DRIVER, str(folder)],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {name: (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines() for name in scripts}


def losses(lines: list[str]) -> list[str]:
    """The hexadecimal digits of the printed losses."""
    found = [re.match(r"epoch \d+: loss (\S+)", line) for line in lines]
    return [float(match[1]).hex() for match in found if match]


def journal_of_all() -> RunState:
    """A run in which everything is changed, at boundaries and within an epoch."""
    config = TaggerConfig(
        (*SENTENCES, SENTENCES[0][:3]),
        num_layers=2,
        bidirectional=True,
        kind="GRU",
        dropout=0.2,
        shuffle=True,
        optimiser=Optimiser("RMSprop", 0.01, momentum=0.5, weight_decay=0.01, clip=1.0),
        seed=3,
    )
    state = change(start(config), Silence(2))
    state = change(step(advance(state, 2)), Edit("rnn.weight_ih_l1_reverse", (3, 2), 0.25))
    state = change(step(state), Silence(5, layer=1, direction=1))
    state = change(advance(state, 2), LearningRate(0.005))
    state = change(state, Edit("rnn.bias_hh_l0", (2,), 7.0))  # a silenced unit stays silent
    state = change(advance(state, 2), Silence(2, on=False))
    return change(advance(state, 3), LearningRate(0.5))


def runs() -> dict[str, RunState]:
    found = {row: advance(start(config), EPOCHS[row]) for row, config in TRAINING_PRESETS.items()}
    return found | {"journal": journal_of_all()}


@pytest.fixture(scope="module")
def trained() -> dict[str, RunState]:
    return runs()


@pytest.fixture(scope="module")
def printed(trained: dict[str, RunState], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    scripts = {name: script(state) for name, state in trained.items()}
    return run_scripts(scripts, tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize("name", [*TRAINING_PRESETS, "journal"])
def test_a_script_prints_the_run_s_losses_bit_for_bit(
    name: str, trained: dict[str, RunState], printed: dict[str, list[str]]
) -> None:
    assert losses(printed[name]) == [loss.hex() for loss in trained[name].losses]
    assert len(trained[name].losses) == EPOCHS.get(name, 9)


def test_a_script_shows_what_was_learnt(printed: dict[str, list[str]]) -> None:
    assert printed["D1"][-2:] == [
        "The/DET dog/NN ate/V the/DET apple/NN",
        "Everybody/NN read/V that/DET book/NN",
    ]
    assert printed["D3"][-1].endswith(" ohlol") and printed["D5"][-1].endswith(" ohlol")


@st.composite
def journeys(draw: st.DrawFn) -> RunState:
    state = start(draw(configs))
    for _ in range(draw(st.integers(0, 3))):
        state = change(state, draw(changes(state.config)))
        state = step(state) if draw(st.booleans()) else advance(state, draw(st.integers(1, 2)))
    return advance(state, 1)


def test_random_runs_and_journals_are_replayed_bit_for_bit(tmp_path: Path) -> None:
    drawn: list[RunState] = []

    @settings(
        max_examples=60,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(journeys())
    def collect(state: RunState) -> None:
        if not state.stopped:
            drawn.append(state)

    collect()
    assert len(drawn) >= 40
    done = run_scripts({f"run{i}": script(state) for i, state in enumerate(drawn)}, tmp_path)
    for i, state in enumerate(drawn):
        assert losses(done[f"run{i}"]) == [loss.hex() for loss in state.losses], script(state)


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    state = advance(change(advance(start(TRAINING_PRESETS["D1"]), 2), LearningRate(0.05)), 3)
    text = script(state)
    wrong = {
        "rate": text.replace("= 0.05", "= 0.051"),
        "seed": text.replace("manual_seed(0)", "manual_seed(1)"),
        "late": text.replace("if epoch == 2", "if epoch == 3"),
    }
    assert all(other != text for other in wrong.values())
    expected = [loss.hex() for loss in state.losses]
    done = run_scripts({"right": text} | wrong, tmp_path)
    assert losses(done["right"]) == expected
    assert all(losses(done[name]) != expected for name in wrong)


@pytest.mark.parametrize("name", [*TRAINING_PRESETS, "journal"])
def test_a_script_is_short_and_needs_only_torch(name: str, trained: dict[str, RunState]) -> None:
    text = script(trained[name])
    tree = ast.parse(text)
    roots = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots == {"torch"}
    assert len(text.splitlines()) <= (60 if name != "journal" else 100)
    assert max(map(len, text.splitlines())) <= 105


@pytest.mark.parametrize("name", [*TRAINING_PRESETS, "journal"])
def test_a_notebook_is_the_script_in_cells(name: str, trained: dict[str, RunState]) -> None:
    state = trained[name]
    content = json.loads(training_notebook(state.config, state.epoch, state.changes))
    title, *code = content["cells"]
    assert title["source"] == ["# Characters" if isinstance(state.config, CharsConfig) else "# Tagger"]
    assert "\n\n".join("".join(cell["source"]) for cell in code) + "\n" == script(state)
    for cell in code:
        compile("".join(cell["source"]), cell["id"], "exec")


def test_words_of_any_kind_are_written_so_that_they_are_read_back(tmp_path: Path) -> None:
    odd = (
        (("it's", "A"), ('"q"', "B\\"), ("a b", "{}")),
        (("好", "A"), ("\\n", "it's")),
        (("x\u2028y", "A"),),
    )
    held = ((("new", "ONLY"),),)
    config = TaggerConfig(odd, held, optimiser=Optimiser("AdamW", 0.01))
    pair = CharsConfig("'\"\\a", 'a{}"', hidden=6, optimiser=Optimiser("Adagrad", 0.1))
    states = {"words": advance(start(config), 3), "pair": advance(start(pair), 3)}
    done = run_scripts({name: script(state) for name, state in states.items()}, tmp_path)
    for name, state in states.items():
        assert losses(done[name]) == [loss.hex() for loss in state.losses]


def test_only_what_differs_from_pytorchs_own_choice_is_written() -> None:
    assert optimiser_call(Optimiser("SGD", 0.1)) == "torch.optim.SGD(model.parameters(), lr=0.1)"
    assert optimiser_call(Optimiser("AdamW", 0.1, weight_decay=0.01)).endswith("lr=0.1)")
    assert optimiser_call(Optimiser("AdamW", 0.1)).endswith("lr=0.1, weight_decay=0.0)")  # 0.01 by default
    text = training_script(TRAINING_PRESETS["D1"], 300)
    assert not {"dropout", "pad", "device", "clip", "hold", "silent"} & set(re.findall(r"\w+", text))


def test_a_script_for_a_gpu_runs_without_one(tmp_path: Path) -> None:
    config = replace(TRAINING_PRESETS["D1"], device="cuda")
    pair = replace(TRAINING_PRESETS["D5"], device="cuda")
    texts = {
        "d1": training_script(config, 2, [(1, 0, Device("cpu"))]),
        "d5": training_script(pair, 2),
    }
    assert 'device = "cuda" if torch.cuda.is_available() else "cpu"' in texts["d1"]
    done = run_scripts(texts, tmp_path)
    assert len(losses(done["d1"])) == len(losses(done["d5"])) == 2


def test_no_torch_is_needed_to_write_a_script() -> None:
    code = "import sys, rnnviz.export_training; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
