"""The configuration of the page *Step through*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rnnviz.config import LayerConfig
from rnnviz.edits import Edit, parse
from rnnviz.gates import BLOCKS, DIRECTION_NAMES, KINDS, NAMES
from rnnviz.link import Field, read
from rnnviz.table import MAX_COLUMNS, MAX_STEPS, TABLE, Rows, parse_table

SOURCES = ("Sentence", "Characters", "Random", "Table")
VIEWS = ("Heatmaps", "Lines", "Path", "Text")
SHOWS = ("Side by side", "Edited", "Original", "Difference")
DETAILS = ("Every gate", "One unit, every product")
LAYERS = tuple(f"layer {k}" for k in range(4))

FIELDS: tuple[Field, ...] = (
    Field("s_kind", "Kind", "LSTM", "Which recurrent layer: nn.RNN, nn.LSTM or nn.GRU.", options=KINDS),
    Field("s_source", "Input", "Sentence", "Where the numbers that enter come from.", options=SOURCES),
    Field(
        "s_text",
        "Sentence",
        "the cat sat on the mat",
        "Words; equal words get equal seeded vectors.",
        max_chars=1200,
    ),
    Field(
        "s_chars",
        "Text",
        "hello",
        "Each different character is one place of a one-hot vector.",
        max_chars=MAX_STEPS,
    ),
    Field(
        "s_table",
        "Table",
        TABLE,
        "One line a step, one number a feature; paste from a spreadsheet, or CSV.",
        max_chars=9000,
    ),
    Field("s_in", "input_size", 4, "H_in: how many numbers enter at each step.", 1, MAX_COLUMNS),
    Field("s_len", "Sequence length L", 8, "How many steps.", 1, MAX_STEPS),
    Field("s_hidden", "hidden_size", 6, "H: how many units the state has.", 1, 64),
    Field("s_layers", "num_layers", 1, "How many layers are stacked.", 1, 4),
    Field("s_bi", "bidirectional", False, "Add a second reader that goes from the last step to the first."),
    Field(
        "s_seed",
        "Seed",
        0,
        "The same seed gives the same weights and vectors, here and in the code.",
        0,
        2**31 - 1,
    ),
    Field("s_bias", "bias", True, "Off: no b_ih and no b_hh."),
    Field(
        "s_nonlin",
        "nonlinearity",
        "tanh",
        "The RNN's activation. LSTM and GRU have no choice.",
        options=("tanh", "relu"),
    ),
    Field("s_state", "Random h_0 (and c_0)", False, "Start from seeded random states instead of zeros."),
    Field("s_layer", "Layer", LAYERS[0], "Which layer's cells to look into.", options=LAYERS),
    Field("s_dir", "Direction", "forward", "Which reader's cells to look into.", options=DIRECTION_NAMES),
    Field("s_view", "View", "Heatmaps", "How to look at the run.", options=VIEWS),
    Field("s_pre", "Before activation", False, "Show what enters each activation as well."),
    Field("s_quantity", "Quantity", "h", "Which quantity's units are drawn.", options=tuple("hcifgorzn")),
    Field(
        "s_show",
        "Show",
        "Side by side",
        "With edits: the changed run, the original, or one minus the other.",
        options=SHOWS,
    ),
    Field(
        "s_step",
        "Step t",
        2,
        "The position in the sequence that the arithmetic below is written out for.",
        0,
        MAX_STEPS - 1,
    ),
    Field("s_detail", "Detail", DETAILS[0], "Every gate of the step, or one unit's sum.", options=DETAILS),
    Field("s_gate", "Gate", "i", "Whose sum is written out product by product.", options=tuple("ifgorznh")),
    Field("s_unit", "Unit", 0, "The unit whose sums are written out.", 0, 63),
    Field(
        "s_edits",
        "Edits, one a line",
        "",
        "Every change as text: copy it, share it, or type your own.",
        max_chars=1500,
    ),
)


@dataclass(frozen=True)
class StepScreen:
    """A layer, the one sequence that is fed to it, and what was changed.

    ``tokens`` label the steps. ``table`` holds the rows of the user's own numbers, else None; ``ids`` the
    token of each step, for a sentence or characters (one-hot when ``one_hot``), else None.
    """

    config: LayerConfig
    seed: int
    given_state: bool
    tokens: tuple[str, ...]
    ids: tuple[int, ...] | None
    one_hot: bool
    table: Rows | None
    edits: tuple[Edit, ...]

    @property
    def length(self) -> int:
        """L."""
        return len(self.tokens)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The different tokens in the order in which they first come."""
        return tuple(dict.fromkeys(self.tokens))

    def original(self) -> StepScreen:
        """The same without edits."""
        return StepScreen(**{**self.__dict__, "edits": ()})


def lane(values: Mapping[str, Any]) -> tuple[int, int]:
    """The (layer, direction) in view."""
    return LAYERS.index(values["s_layer"]), DIRECTION_NAMES.index(values["s_dir"])


@dataclass(frozen=True)
class _Input:
    tokens: tuple[str, ...]
    size: int
    by_token: bool
    one_hot: bool
    table: Rows | None


def screen(found: Mapping[str, Any]) -> tuple[StepScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected.
    """
    values, notes = read(FIELDS, found)
    source = _input(values, notes)
    kind = values["s_kind"]
    config = LayerConfig(
        kind,
        source.size,
        values["s_hidden"],
        num_layers=values["s_layers"],
        nonlinearity=values["s_nonlin"] if kind == "RNN" else "tanh",
        bias=values["s_bias"],
        bidirectional=values["s_bi"],
    )
    length = len(source.tokens)
    for key, top in (("s_step", length), ("s_unit", config.hidden_size)):
        values[key] = min(
            values[key], top - 1
        )  # they follow a layer or a text that got smaller, without a word
    if LAYERS.index(values["s_layer"]) >= config.num_layers:
        values["s_layer"] = LAYERS[config.num_layers - 1]
    if not config.bidirectional:
        values["s_dir"] = DIRECTION_NAMES[0]
    if values["s_quantity"] not in NAMES[kind]:
        values["s_quantity"] = "h"
    if values["s_gate"] not in BLOCKS[kind]:
        values["s_gate"] = BLOCKS[kind][0]
    edits, _ = parse(values["s_edits"], config, length)
    vocabulary = list(dict.fromkeys(source.tokens))
    current = StepScreen(
        config=config,
        seed=values["s_seed"],
        given_state=values["s_state"],
        tokens=source.tokens,
        ids=tuple(map(vocabulary.index, source.tokens)) if source.by_token else None,
        one_hot=source.one_hot,
        table=source.table,
        edits=edits,
    )
    return current, values, notes


def _input(values: dict[str, Any], notes: dict[str, str]) -> _Input:
    if values["s_source"] == "Characters":
        characters = tuple(values["s_chars"][:MAX_STEPS])
        if not characters:
            values["s_chars"] = "hello"
            notes["s_chars"] = "Text needs at least one character: “hello” is used"
            characters = tuple("hello")
        return _Input(characters, len(set(characters)), True, True, None)
    if values["s_source"] == "Random":
        return _Input(tuple(map(str, range(values["s_len"]))), values["s_in"], False, False, None)
    if values["s_source"] == "Table":
        table, _ = parse_table(
            values["s_table"]
        )  # the page says what is wrong beside the box, and keeps the text
        return _Input(tuple(map(str, range(len(table)))), len(table[0]), False, False, table)
    words = tuple(values["s_text"].split())
    if not words:
        words = tuple(str(_DEFAULTS["s_text"]).split())
        values["s_text"] = " ".join(words)
        notes["s_text"] = f"Sentence needs at least one word: “{values['s_text']}” is used"
    if len(words) > MAX_STEPS:
        words = words[:MAX_STEPS]
        values["s_text"] = " ".join(words)
        notes["s_text"] = f"Sentence has more than {MAX_STEPS} words: the rest is cut off"
    return _Input(words, values["s_in"], True, False, None)


_DEFAULTS = {f.key: f.default for f in FIELDS}


@dataclass(frozen=True)
class StepExample:
    """A preset of the page: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


EXAMPLES: dict[str, StepExample] = {
    e.row: e
    for e in (
        StepExample(
            "B4",
            "RNNCell loop",
            {"s_kind": "RNN", "s_source": "Random", "s_in": 4, "s_hidden": 2, "s_len": 3, "s_step": 1},
            "nn.RNN(4, 2) over three steps: the smallest loop there is.",
        ),
        StepExample(
            "B5",
            "RNN by matmul",
            {"s_kind": "RNN", "s_source": "Random", "s_in": 5, "s_hidden": 6, "s_len": 4},
            "h is tanh(W_ih x + b_ih + W_hh h + b_hh): every product of it stands below.",
        ),
        StepExample(
            "B6",
            "Two layers",
            {
                "s_kind": "RNN",
                "s_source": "Random",
                "s_in": 5,
                "s_hidden": 6,
                "s_len": 16,
                "s_layers": 2,
                "s_layer": LAYERS[1],
            },
            "Layer 1's x is layer 0's h.",
        ),
        StepExample(
            "B7",
            "Two-way",
            {
                "s_kind": "RNN",
                "s_source": "Random",
                "s_in": 5,
                "s_hidden": 6,
                "s_len": 4,
                "s_bi": True,
                "s_dir": "backward",
            },
            "The backward reader starts at the last step: its h comes from the right.",
        ),
        StepExample(
            "D1",
            "Tagger's LSTM",
            {"s_text": "The dog ate the apple", "s_in": 6, "s_hidden": 8},
            "The layer of the tagger, before any training: “The” and “the” are two words with two vectors.",
        ),
        StepExample(
            "D2",
            "Lower-cased",
            {"s_text": "the dog ate the apple", "s_in": 6, "s_hidden": 6},
            "Now both “the” have one vector, yet h differs: the state remembers what came before.",
        ),
        StepExample(
            "D3",
            "hello",
            {"s_kind": "RNN", "s_source": "Characters", "s_chars": "hello", "s_hidden": 4, "s_step": 3},
            "One-hot input picks one column of W_ih: look at the second l.",
        ),
    )
}


def preset_values(example: StepExample) -> dict[str, Any]:
    """What one click on a preset sets; everything else but the seed and the views goes back to default."""
    kept = ("s_seed", "s_view", "s_detail")
    return {f.key: f.default for f in FIELDS if f.key not in kept} | dict(example.values)


def active_preset(current: StepScreen) -> str | None:
    """The row of the preset that the screen shows, whatever its seed, if it shows one."""
    return _presets().get(replace(current, seed=0))


@lru_cache(maxsize=1)
def _presets() -> dict[StepScreen, str]:
    return {screen(preset_values(example))[0]: row for row, example in reversed(EXAMPLES.items())}
