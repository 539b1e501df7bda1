"""The exported script of *Step through*, run in a fresh interpreter, prints the page's numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.export_step import step_script
from rnnviz.gates import DIRECTION_NAMES
from rnnviz.screens import step as page
from rnnviz.stepping import step_run
from tests.unit.test_export import run_scripts

CASES: dict[str, dict[str, Any]] = {
    **{f"preset_{row}": page.preset_values(example) for row, example in page.EXAMPLES.items()},
    "first_visit": {},
    "deep_both_ways": {
        "s_kind": "GRU",
        "s_bi": True,
        "s_layers": 3,
        "s_state": True,
        "s_layer": "layer 2",
        "s_dir": "backward",
    },
    "relu_table_no_bias": {"s_kind": "RNN", "s_source": "Table", "s_nonlin": "relu", "s_bias": False},
    "weights": {"s_edits": "weight_hh_l0[3, 2] = 0.5\nforget_bias l0 = 2"},
    "clamps": {
        "s_layers": 2,
        "s_edits": "clamp f l0 steps 1-3 = 1\nclamp g l1 unit 2 = -0.5\n"
        "silence l0 unit 1\nclamp c l0 unit 0 steps 2 = 1",
    },
    "clamps_gru": {
        "s_kind": "GRU",
        "s_bi": True,
        "s_dir": "backward",
        "s_edits": "clamp z l0 reverse steps 2-3 = 1",
    },
    "clamps_rnn": {"s_kind": "RNN", "s_edits": "clamp h l0 unit 1 steps 2 = 0.75\nclamp h l0 unit 2 = -0.75"},
    "quotes": {"s_text": 'it\'s "quoted" \\ {braces} 你好 <b>'},
    "long": {"s_text": " ".join(f"word{k}" for k in range(60))},
    "characters": {"s_source": "Characters", "s_chars": "\"'\\ \u4f60"},
}


def test_every_script_prints_what_the_page_shows(tmp_path: Path) -> None:
    screens = {name: page.screen(values) for name, values in CASES.items()}
    scripts = {name: step_script(s, *page.lane(v), v["s_step"]) for name, (s, v, _) in screens.items()}
    done = run_scripts(scripts, tmp_path)
    for name, (current, values, notes) in screens.items():
        assert not notes, name
        trace = step_run(current).trace
        for tensor in ("output", "h_n", "c_n") if current.config.kind == "LSTM" else ("output", "h_n"):
            np.testing.assert_allclose(
                done[name].tensors[tensor], getattr(trace, tensor), atol=2e-6, err_msg=name
            )
        layer, direction = page.lane(values)
        assert DIRECTION_NAMES[direction] == values["s_dir"]
        printed = [line.split(" ") for line in done[name].lines]
        gates = {words[0]: list(map(float, words[1:])) for words in printed if words[0] in trace.names}
        assert set(gates) == {n for n in trace.names if n != "x" and not n.endswith("_pre")}, name
        for letter, numbers in gates.items():
            expected = trace.sel(letter, layer, direction)[values["s_step"], 0]
            np.testing.assert_allclose(numbers, expected, atol=3e-6, err_msg=f"{name} {letter}")


@pytest.mark.parametrize("name", ["first_visit", "clamps"])
def test_a_script_is_short_enough_to_read(name: str) -> None:
    text = step_script(page.screen(CASES[name])[0])
    assert len(text.splitlines()) < 90 and max(map(len, text.splitlines())) <= 110
