"""The configuration of the page *Topologies*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.link import Field, read
from rnnviz.topologies.config import (
    MAX_FEATURES,
    MAX_KERNEL,
    MAX_LENGTH,
    NAMES,
    SHARING,
    TITLES,
    SharingConfig,
    TopologyConfig,
    topology,
)

VIEWS = ("Five shapes", "Weight sharing")
WEIGHTS = ("trained", "untrained")
DETAILS = ("Every output", "Training", "The model as code")
INPUTS = {
    "one-to-one": ("p_x", "p_y"),
    "one-to-many": ("p_number",),
    "many-to-one": ("p_brackets",),
    "out-of-step": ("p_word",),
    "in-step": ("p_sentence",),
}
"""The fields that hold each topology's input."""
SIZES = ("p_in", "p_hidden", "p_kernel", "p_len")
DEFAULTS = {"p_brackets": "([()])", "p_word": "hello", "p_sentence": "she saw the old dog today"}

FIELDS: tuple[Field, ...] = (
    Field("p_view", "View", VIEWS[0], "The five shapes, or what sharing weights saves.", options=VIEWS),
    Field(
        "p_shape",
        "Shape",
        TITLES[NAMES[2]],
        "Which of the five is drawn large.",
        options=tuple(TITLES.values()),
    ),
    Field("p_x", "x, first number", 0.3, "Where the point lies, from left to right.", -4.0, 4.0),
    Field("p_y", "x, second number", 0.4, "Where the point lies, from bottom to top.", -4.0, 4.0),
    Field("p_number", "Number", 42, "The number whose name is written, 0 to 99.", 0, 99),
    Field("p_brackets", "Brackets", DEFAULTS["p_brackets"], "A string of ( ) [ ]: is it balanced?"),
    Field("p_word", "Word", DEFAULTS["p_word"], "Letters from a to z, written backwards by the decoder."),
    Field(
        "p_sentence", "Sentence", DEFAULTS["p_sentence"], "Words; each gets its tag as soon as it is read."
    ),
    Field(
        "p_weights",
        "Weights",
        WEIGHTS[0],
        "Untrained: the same model before its first training step.",
        options=WEIGHTS,
    ),
    Field("p_detail", "Detail", DETAILS[0], "What to look into.", options=DETAILS),
    Field(
        "p_in", "input_size", SHARING.input_size, "H_in: numbers that enter at each step.", 1, MAX_FEATURES
    ),
    Field(
        "p_hidden",
        "hidden_size",
        SHARING.hidden_size,
        "H: numbers that come out at each step.",
        1,
        MAX_FEATURES,
    ),
    Field(
        "p_kernel", "kernel_size", SHARING.kernel_size, "Steps the convolution sees at once.", 1, MAX_KERNEL
    ),
    Field("p_len", "Length L", SHARING.length, "How many steps the sequence has.", 1, MAX_LENGTH),
)
_BY_KEY = {field.key: field for field in FIELDS}


@dataclass(frozen=True)
class TopologiesScreen:
    """Which view, which of the five on which input with which weights, and the sizes that are compared."""

    view: str
    config: TopologyConfig
    given: str | int | tuple[float, float]
    weights: str
    sharing: SharingConfig

    @property
    def shares(self) -> bool:
        """Whether the view is that of weight sharing."""
        return self.view == VIEWS[1]


@dataclass(frozen=True)
class Example:
    """A preset: its row, what it is called, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


FACTS = {
    "one-to-one": "No sequence, no memory: an ordinary network, the case of a single step.",
    "one-to-many": "Only h<sub style='line-height:0'>0</sub> is told the number; "
    "each letter it writes is what it reads next.",
    "many-to-one": "The last state alone gives the answer, so it has to hold all that is still open.",
    "out-of-step": "The encoder's last state is all that the decoder gets of the word: no output until then.",
    "in-step": "One output a step, from what was read so far: no later word can help.",
}
_SHORT = {
    "one-to-one": "One to one",
    "one-to-many": "One to many",
    "many-to-one": "Many to one",
    "out-of-step": "Out of step",
    "in-step": "In step",
}

EXAMPLES: dict[str, Example] = {
    **{
        f"A11.{i}": Example(
            f"A11.{i}",
            _SHORT[name],
            {
                "p_view": VIEWS[0],
                "p_shape": TITLES[name],
                "p_weights": WEIGHTS[0],
                **{key: _BY_KEY[key].default for key in INPUTS[name]},
            },
            FACTS[name],
        )
        for i, name in enumerate(NAMES, 1)
    },
    "A10": Example(
        "A10",
        "Weight sharing",
        {"p_view": VIEWS[1], **{key: _BY_KEY[key].default for key in SIZES}},
        "One set of weights serves every step, so their number does not grow with L.",
    ),
}


def active_preset(values: Mapping[str, Any]) -> str | None:
    """The row whose values these are, or None."""
    for row, example in EXAMPLES.items():
        if all(values[key] == value for key, value in example.values.items()):
            return row
    return None


def screen(found: Mapping[str, Any]) -> tuple[TopologiesScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected.
    """
    values, notes = read(FIELDS, found)
    config = topology(NAMES[tuple(TITLES.values()).index(values["p_shape"])])
    inputs = tuple(values[key] for key in INPUTS[config.name])
    return (
        TopologiesScreen(
            view=values["p_view"],
            config=config,
            given=inputs if config.name == "one-to-one" else inputs[0],
            weights=values["p_weights"],
            sharing=SharingConfig(*(values[key] for key in SIZES)),
        ),
        values,
        notes,
    )


def origin(current: TopologiesScreen) -> str:
    """Where the weights that are shown come from. It is Markdown."""
    seed = current.config.seed
    if current.weights == WEIGHTS[1]:
        return f"Untrained: as drawn with seed {seed}, before the first step of *Training* below."
    return f"Trained by this repository with seed {seed}; see *Training* below."


def example_values(name: str, text: str) -> dict[str, Any]:
    """The fields' values of an example's text."""
    keys = INPUTS[name]
    texts = text.split() if name == "one-to-one" else [text]
    return {key: type(_BY_KEY[key].default)(value) for key, value in zip(keys, texts, strict=True)}
