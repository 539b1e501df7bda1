"""The configuration of the page *Layers & shapes*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rnnviz import shapes
from rnnviz.config import LayerConfig
from rnnviz.gates import KINDS, NAMES
from rnnviz.link import Field, read
from rnnviz.presets import EXAMPLES, Example

TRAPS = ("Last output", "Padding")
VIEWS = ("Tensors", "Unrolled", "Parameters", "Feeding order", "Traps", "Quiz")
TENSORS = ("none", "input", "h_0", "c_0", "output", "h_n", "c_n")
SENTENCES = "the dog ate the apple\neverybody read that book\nshe sings"

# What is run on a shared machine; the shapes of anything larger are shown without running it.
MAX_RUN = {"input_size": 1024, "hidden_size": 1024, "num_layers": 8, "L": 512, "N": 256}

FIELDS: tuple[Field, ...] = (
    Field("l_kind", "Kind", "GRU", "Which recurrent layer: nn.RNN, nn.LSTM or nn.GRU.", options=KINDS),
    Field("l_in", "input_size", 5, "H_in: how many numbers enter at each step.", 1, 65_536),
    Field(
        "l_hidden",
        "hidden_size",
        6,
        "H: how many numbers the state holds, for each layer and direction.",
        1,
        65_536,
    ),
    Field(
        "l_layers", "num_layers", 1, "How many layers are stacked; each reads the h of the one below.", 1, 64
    ),
    Field(
        "l_bi", "bidirectional", True, "Add a second reader that goes from the last step to the first: D = 2."
    ),
    Field("l_bf", "batch_first", True, "Put N before L in input and output. h_n does not move."),
    Field("l_len", "Length L", 7, "How many steps a sequence has.", 1, 1_000_000),
    Field("l_batch", "Batch N", 3, "How many sequences run at once.", 1, 1_000_000),
    Field(
        "l_seed",
        "Seed",
        0,
        "The same seed gives the same weights and inputs, here and in the exported code.",
        0,
        2**31 - 1,
    ),
    Field("l_bias", "bias", True, "Off: no b_ih and no b_hh."),
    Field(
        "l_nonlin",
        "nonlinearity",
        "tanh",
        "The RNN's activation. LSTM and GRU have no choice.",
        options=("tanh", "relu"),
    ),
    Field(
        "l_dropout",
        "dropout",
        0.0,
        "Between layers and only in training; this page runs in evaluation mode.",
        0.0,
        1.0,
    ),
    Field(
        "l_proj", "proj_size", 0, "LSTM only: h is multiplied by W_hr down to this size. 0 is off.", 0, 65_535
    ),
    Field("l_unbatched", "Unbatched", False, "Feed one sequence without the axis N."),
    Field("l_state", "Give h_0 (and c_0)", False, "Start from seeded random states instead of zeros."),
    Field(
        "l_padded",
        "True lengths",
        False,
        "The batch is padded to L; each sequence has its own end and the run is packed.",
    ),
    Field("l_lengths", "Lengths", "", "The true length of each sequence, such as 7, 4, 2.", max_chars=2400),
    Field("l_dtype", "dtype", "float32", "The precision of every number.", options=("float32", "float64")),
    Field("l_device", "device", "cpu", "Where it runs.", options=("cpu", "cuda")),
    Field("l_view", "View", "Tensors", "What to look at.", options=VIEWS),
    Field("l_text", "Sentences", SENTENCES, "One sentence a line.", max_chars=2000),
    Field("l_step", "Step t", 0, "The step whose tokens enter together.", 0, 511),
    Field(
        "l_tensor",
        "Numbers of",
        "none",
        "The tensor whose numbers are shown. Or click its box.",
        options=TENSORS,
    ),
    Field("l_item", "Sequence", 0, "Which sequence of the batch.", 0, 255),
    Field(
        "l_param", "Parameter", "weight_ih_l0", "PyTorch's name of the parameter that is drawn.", max_chars=40
    ),
    Field("l_row", "Row of h_n", 0, "The final state to find in output.", 0, 127),
    Field("l_trap", "Trap", "Last output", "What goes wrong.", options=TRAPS),
    Field("l_seq", "Sequence n", 2, "The sequence of the batch to look at.", 0, 255),
    Field(
        "l_quiz", "Quiz seed", 1, "A class that types the same seed gets the same questions.", 0, 2**31 - 1
    ),
    Field("l_question", "Question", 1, "Which of the seed's questions; the link carries it.", 1, 9999),
)

BY_KEY = {f.key: f for f in FIELDS}
SEPARATORS = str.maketrans(dict.fromkeys("[](),;", " "))

MORE = (
    "l_bias",
    "l_nonlin",
    "l_dropout",
    "l_proj",
    "l_unbatched",
    "l_state",
    "l_padded",
    "l_lengths",
    "l_dtype",
    "l_device",
)
"""The controls that a first visit does not show."""


def changed(values: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    """How many of these values are not at their default."""
    return sum(values[f.key] != f.default for f in FIELDS if f.key in keys)


PADDED_BATCH = 3
"""The batch shown for padding when the screen has a single sequence, which needs none."""

MAX_ROWS = 1_500_000  # of the CSV: about 50 MB, and a second or two to write


@dataclass(frozen=True)
class LayersScreen:
    """A layer and how it is run. ``lengths`` None means that every sequence fills L."""

    config: LayerConfig
    length: int
    batch: int
    batched: bool
    given_state: bool
    lengths: tuple[int, ...] | None
    dtype: str
    device: str
    seed: int

    @property
    def too_large(self) -> str | None:
        """Why this is not run here (its shapes are shown all the same), or None."""
        sizes = {
            "input_size": self.config.input_size,
            "hidden_size": self.config.hidden_size,
            "num_layers": self.config.num_layers,
            "L": self.length,
            "N": self.batch,
        }
        for name, size in sizes.items():
            if size > MAX_RUN[name]:
                return f"{name} = {size:,}: at most {MAX_RUN[name]:,} is run here"
        return shapes.too_large(self.config, self.length, self.batch)

    @property
    def traced(self) -> int:
        """How many numbers a trace of the run holds, which are the rows of its CSV."""
        config, each = self.config, 0
        for layer in range(config.num_layers):
            below = config.input_size if layer == 0 else config.directions * config.output_size
            inner = (len(NAMES[config.kind]) - 2) * config.hidden_size
            each += config.directions * (below + config.output_size + inner)
        return self.length * self.batch * each

    @property
    def no_data(self) -> str | None:
        """Why there is no CSV to hand out, or None."""
        if self.too_large or self.traced <= MAX_ROWS:
            return self.too_large
        return f"{self.traced:,} numbers: at most {MAX_ROWS:,} are written to a table"


def screen(found: Mapping[str, Any]) -> tuple[LayersScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected.
    """
    values, notes = read(FIELDS, found)
    kind, hidden = values["l_kind"], values["l_hidden"]
    proj = values["l_proj"] if kind == "LSTM" else 0
    if proj >= hidden:
        notes["l_proj"] = f"proj_size {proj} is not less than hidden_size {hidden}: {hidden - 1} is used"
        values["l_proj"] = proj = hidden - 1
    config = LayerConfig(
        kind,
        values["l_in"],
        hidden,
        num_layers=values["l_layers"],
        nonlinearity=values["l_nonlin"] if kind == "RNN" else "tanh",
        bias=values["l_bias"],
        batch_first=values["l_bf"],
        dropout=values["l_dropout"] if values["l_layers"] > 1 else 0.0,
        bidirectional=values["l_bi"],
        proj_size=proj,
    )
    batched = not values["l_unbatched"]
    batch = values["l_batch"] if batched else 1
    lengths = None
    if values["l_padded"] and batched and batch <= MAX_RUN["N"]:
        lengths, note = parse_lengths(values["l_lengths"], values["l_len"], batch)
        if note:
            # Put right, or an address that holds it would be corrected again and again.
            notes["l_lengths"] = note
            values["l_lengths"] = ", ".join(map(str, lengths))
    _within(config, batch, values, notes)
    return (
        LayersScreen(
            config,
            values["l_len"],
            batch,
            batched,
            values["l_state"],
            lengths,
            values["l_dtype"],
            values["l_device"],
            values["l_seed"],
        ),
        values,
        notes,
    )


def _within(config: LayerConfig, batch: int, values: dict[str, Any], notes: dict[str, str]) -> None:
    """Lowers in place what points at a row, a sequence or a parameter beyond this layer and batch."""
    values["l_row"] = min(values["l_row"], config.num_layers * config.directions - 1)
    values["l_item"] = min(values["l_item"], batch - 1)
    if values["l_seq"] != BY_KEY["l_seq"].default:  # the default is nobody's wish: no address for it
        values["l_seq"] = min(values["l_seq"], (batch if batch > 1 else PADDED_BATCH) - 1)
    first, asked = BY_KEY["l_param"].default, values["l_param"]
    if asked != first and asked not in (p.name for p in shapes.parameters(config)):
        values["l_param"] = first
        if values["l_view"] == "Parameters":  # elsewhere nobody sees it change
            notes["l_param"] = f"“{asked}” is no parameter of this layer: {first} is used"


def parse_lengths(text: str, length: int, batch: int) -> tuple[tuple[int, ...], str | None]:
    """N true lengths from a text such as ``7, 4, 2``, also in Python's brackets, and a sentence if it is
    anything else than N lengths or nothing. Missing ones fall evenly from L, so that padding is there to see.
    """
    words = text.translate(SEPARATORS).split()
    numbers = [int(word) if word.isdecimal() else 0 for word in words[:batch]]
    found = [min(max(number, 1), length) for number in numbers]
    missing = [max(1, length - (length * n) // (batch + 1)) for n in range(len(found), batch)]
    lengths = (*found, *missing)
    wrong = [f"“{w[:20]}”" for w, number in zip(words, numbers, strict=False) if not 1 <= number <= length]
    faults = []
    if wrong:
        first, *others = wrong
        more = ", ".join(others[:2]) + (", …" if len(others) > 2 else "")
        nor = f", nor {'is' if len(others) == 1 else 'are'} {more}" if others else ""
        faults.append(f"{first} is not a length (a whole number from 1 to {length:,} is){nor}")
    if words and len(words) != batch:
        faults.append(f"{len(words)} given for {batch} sequence{'s' if batch > 1 else ''}")
    if not faults:
        return lengths, None
    used = ", ".join(map(str, lengths[:12])) + (", …" if batch > 12 else "")
    return lengths, f"Lengths: {', and '.join(faults)}: {used} is used"


def preset_values(example: Example, looking_at: str = VIEWS[0]) -> dict[str, Any]:
    """What one click on a preset sets, at a view; everything else goes back to its default.

    Whoever clicks on a preset wants to see the fact that it is named after. So the view that is looked at
    stays if the fact shows there, as the shapes of A1 to A5 do in Tensors and Unrolled: one preset after the
    other can be compared. Any other view gives way to the one that shows the fact, also when it was an
    earlier preset that had opened it. What was typed, the seed and the quiz stay.
    """
    config = example.config
    kept = ("l_text", "l_trap", "l_quiz", "l_question", "l_seed")
    values: dict[str, Any] = {f.key: f.default for f in FIELDS if f.key not in kept}
    values |= {"l_view": looking_at if looking_at in example.views else example.views[0], **example.shows}
    return values | {
        "l_kind": config.kind,
        "l_in": config.input_size,
        "l_hidden": config.hidden_size,
        "l_layers": config.num_layers,
        "l_bi": config.bidirectional,
        "l_bf": config.batch_first,
        "l_len": example.length,
        "l_batch": example.batch,
        "l_state": example.given_state,
    }


def active_preset(current: LayersScreen) -> str | None:
    """The row of the preset that the screen shows, whatever its seed, if it shows one."""
    return _presets().get(replace(current, seed=0))


@lru_cache(maxsize=1)
def _presets() -> dict[LayersScreen, str]:
    return {screen(preset_values(example))[0]: row for row, example in reversed(EXAMPLES.items())}
