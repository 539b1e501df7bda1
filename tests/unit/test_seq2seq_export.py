"""The script of an encoder-decoder's run prints the run's losses to the last bit, and decodes as it does."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from typing import Any

import pytest

from rnnviz.export_training import training_notebook, training_script
from rnnviz.models.decoding import How, decode, model_of
from rnnviz.presets import PRESETS, SEQ2SEQ_PRESETS
from rnnviz.training import Generated, RunState, Seq2SeqConfig, advance, change, start, step
from rnnviz.training.changes import Edit, LearningRate, Silence
from rnnviz.training.pairs_config import SCORES
from tests.unit.test_training_export import losses, run_scripts

FEW: dict[str, Any] = {"data": Generated(symbols=4, shortest=1, longest=4, train=40, held=6), "batch": 8}
EVERYTHING = Seq2SeqConfig(
    **FEW,
    encoder="LSTM",
    decoder="LSTM",
    num_layers=2,
    decoder_layers=2,
    dropout=0.3,
    teacher=0.9,
    teacher_end=0.2,
    teacher_epochs=3,
    seed=5,
)


def changed() -> RunState:
    state = change(advance(start(EVERYTHING), 1), Silence(3, layer=1, direction=1))
    state = change(step(advance(state, 1)), LearningRate(0.02))
    return advance(change(advance(state, 1), Edit("decoder.attention.v.weight", (0, 2), 0.5)), 2)


def runs() -> dict[str, RunState]:
    found = {row: config for row, config in SEQ2SEQ_PRESETS.items() if row != "D6"}
    found |= {name: replace(EVERYTHING, attention=name, teacher_reversed=name == "dot") for name in SCORES}
    found["bare"] = Seq2SeqConfig(**FEW, bidirectional=False, packed=False, mask=False, shuffle=False)
    found["RNN"] = Seq2SeqConfig(**FEW, encoder="RNN", decoder="RNN", attention="none")
    for name in ("copy", "sort", "shift", "dates", "numbers"):
        found[name] = Seq2SeqConfig(Generated(name, symbols=5, longest=5, train=40, held=6))
    odd = (((" ", "'", '"'), ("\\", "好")), (("a b", "{}"), ("x y",)))
    found["odd"] = Seq2SeqConfig(odd, (((" ",), ("only",)),))
    states = {name: advance(start(config), 2) for name, config in found.items()}
    return states | {"D6": advance(start(PRESETS["D6"]), 1), "journal": changed()}  # type: ignore[arg-type]


def script(state: RunState) -> str:
    return training_script(state.config, state.epoch, state.changes)


@pytest.fixture(scope="module")
def trained() -> dict[str, RunState]:
    return runs()


@pytest.fixture(scope="module")
def printed(trained: dict[str, RunState], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return run_scripts(
        {name: script(state) for name, state in trained.items()}, tmp_path_factory.mktemp("scripts")
    )


def test_scripts_print_the_runs_losses_bit_for_bit(
    trained: dict[str, RunState], printed: dict[str, list[str]]
) -> None:
    for name, state in trained.items():
        assert losses(printed[name]) == [loss.hex() for loss in state.losses], name
        assert len(state.losses) >= 1


def test_scripts_decode_as_the_page_does(trained: dict[str, RunState], printed: dict[str, list[str]]) -> None:
    for name, state in trained.items():
        config = state.config
        assert isinstance(config, Seq2SeqConfig)
        lines = [line for line in printed[name] if not line.startswith("epoch ")]
        shown = (config.held or config.pairs)[:5]
        assert len(lines) == len(shown)
        for line, (source, _) in zip(lines, shown, strict=True):
            seen = decode(model_of(state), config, source, How(limit=config.longest_target + 1))
            assert line == f"{' '.join(source)} -> {' '.join(seen.target)}", name


def test_the_comparison_can_fail(trained: dict[str, RunState], tmp_path: Any) -> None:
    text = script(trained["additive"])
    wrong = {
        "mask": text.replace("e = e.masked_fill(~mask, -torch.inf)", "e = e"),
        "loss": text.replace(", ignore_index=PAD", ""),
        "teacher": text.replace("< ratio", ">= ratio"),
        "top": text.replace("h_n[-2:]", "h_n[:2]"),
    }
    assert all(other != text for other in wrong.values())
    expected = [loss.hex() for loss in trained["additive"].losses]
    done = run_scripts(wrong, tmp_path)
    assert all(losses(done[name]) != expected for name in wrong)


def test_a_script_is_what_a_person_would_write(trained: dict[str, RunState]) -> None:
    for name, state in trained.items():
        text = script(state)
        roots = {
            str(node.module).split(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom)
        }
        assert roots <= {"torch", "collections"}, name
        assert max(map(len, text.splitlines())) <= 110, name
    plain = script(trained["RNN"])
    assert "class Attention" not in plain and "memory" not in plain and "dropout" not in plain
    assert "W_h" in script(trained["D7"]) and "notebook's mistake" in script(trained["E1"])
    assert "pack_padded" not in script(trained["E2"]) and "mask" not in script(trained["E2"])


def test_a_notebook_is_the_script_in_cells(trained: dict[str, RunState]) -> None:
    state = trained["journal"]
    content = json.loads(training_notebook(state.config, state.epoch, state.changes))
    title, *code = content["cells"]
    assert title["source"] == ["# Attention"]
    assert "\n\n".join("".join(cell["source"]) for cell in code) + "\n" == script(state)
    for cell in code:
        compile("".join(cell["source"]), cell["id"], "exec")


@pytest.mark.parametrize("name", ["D7", "multihead", "RNN", "D9"])
def test_a_script_prints_where_the_model_looks(
    name: str, trained: dict[str, RunState], tmp_path: Any
) -> None:
    state = trained[name]
    config = state.config
    assert isinstance(config, Seq2SeqConfig)
    source = (config.held or config.pairs)[-1][0]
    text = training_script(config, state.epoch, state.changes, source)
    assert text.startswith(script(state).rstrip("\n")) and max(map(len, text.splitlines())) <= 110
    lines = run_scripts({name: text}, tmp_path)[name]
    seen = decode(model_of(state), config, source)
    weights = seen.joined()
    if weights is None:
        assert lines[-2:] == [" ".join(source), " ".join(seen.target)]
        return
    assert lines[-len(weights) - 1].split() == list(source)
    for line, token, row in zip(lines[-len(weights) :], seen.target, weights, strict=True):
        said, *found = line.split()
        assert said == token and [float(w) for w in found] == pytest.approx(row.tolist(), abs=6e-5)
