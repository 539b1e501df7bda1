"""The presets of the page *By hand*: rows B1 to B8, E4 and E6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.config import LayerConfig, LinearConfig
from rnnviz.presets import LAYER_FAULTS, LAYER_PRESETS, LINEAR_PRESETS
from rnnviz.screens.by_hand import FIELDS, LONG, ByHandScreen, screen


@dataclass(frozen=True)
class ByHandExample:
    """A preset of the page: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


def _sizes(experiment: str, batch: int, length: int, config: LayerConfig) -> dict[str, Any]:
    return {
        "b_exp": experiment,
        "b_kind": config.kind,
        "b_batch": batch,
        "b_len": length,
        "b_in": config.input_size,
        "b_hidden": config.hidden_size,
        "b_layers": config.num_layers,
    }


def _linear(experiment: str, config: LinearConfig) -> dict[str, Any]:
    sizes = {"b_batch": 4, "b_len": 16, "b_in": config.in_features, "b_hidden": config.out_features}
    return {"b_exp": experiment, **sizes}


EXAMPLES: dict[str, ByHandExample] = {
    e.row: e
    for e in (
        ByHandExample(
            "B1",
            "Linear",
            _linear("Linear layer", LINEAR_PRESETS["B1"]),
            "A linear layer knows no time: sample by sample or step by step, the same rows.",
        ),
        ByHandExample(
            "B2",
            "Steps",
            _linear("No memory", LINEAR_PRESETS["B2"]),
            "Without memory all steps are one batched product: nothing waits for anything.",
        ),
        ByHandExample(
            "B3",
            "Memory",
            _linear("Memory without activation", LINEAR_PRESETS["B3"]) | {"b_detail": LONG},
            "Two products and a sum are one product: [x ; h]·[W₁ ; W₂] = x·W₁ + h·W₂.",
        ),
        ByHandExample(
            "B4",
            "Loop",
            _sizes("Loop over a cell", 1, 3, LAYER_PRESETS["B4"]),
            "A cell is one step. The loop around it is all that nn.RNN adds.",
        ),
        ByHandExample(
            "B5",
            "Matmul",
            _sizes("From matmul", 2, 4, LAYER_PRESETS["B5"]),
            "Two products, two biases, a tanh: that is all of nn.RNN.",
        ),
        ByHandExample(
            "B6",
            "Stack",
            _sizes("Layers stacked", 4, 16, LAYER_PRESETS["B6"]),
            "Two layers are two one-layer RNNs, the second fed with the first one's output.",
        ),
        ByHandExample(
            "B7",
            "Both",
            _sizes("Both directions", 3, 4, LAYER_PRESETS["B7"]),
            "The backward reader is a second layer that is fed the reversed sequence.",
        ),
        ByHandExample(
            "B8",
            "Cells",
            _sizes("Stack of cells", 4, 30, LAYER_PRESETS["B8"]),
            "nn.LSTM from LSTMCells, any number of layers.",
        ),
        ByHandExample(
            "E4",
            "Trap",
            _sizes("Stack of cells", 4, 30, LAYER_FAULTS["E4"]) | {"b_fault": "Only the first cell"},
            "The notebook's stack runs its first cell only, whatever num_layers says.",
        ),
        ByHandExample(
            "E6",
            "Join",
            _sizes("Join final states", 4, 6, LAYER_FAULTS["E6"]) | {"b_fault": "Join every layer"},
            "With two layers the joined states no longer fit: the top layer's must be picked first.",
        ),
    )
}


def preset_values(example: ByHandExample) -> dict[str, Any]:
    """What one click on a preset sets; everything else but the seed and the view goes back to default."""
    kept = ("b_seed", "b_dtype")
    return {f.key: f.default for f in FIELDS if f.key not in kept} | dict(example.values)


_DEFAULT = screen({})[0]
_SHOWN = {screen(preset_values(example))[0]: row for row, example in reversed(EXAMPLES.items())}


def active_preset(current: ByHandScreen) -> str | None:
    """The row of the preset that the screen shows, if it shows one, whatever seed and dtype."""
    return _SHOWN.get(replace(current, seed=_DEFAULT.seed, dtype=_DEFAULT.dtype))
