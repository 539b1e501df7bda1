"""The configuration of the page *Tagger*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rnnviz.data import tagged
from rnnviz.data.split import split
from rnnviz.gates import DIRECTION_NAMES, KINDS
from rnnviz.kept import kept
from rnnviz.link import Field, read
from rnnviz.presets import EPOCHS, SENTENCES, TRAINING_PRESETS
from rnnviz.screens import tagger_data
from rnnviz.screens.tagger_data import Upload as Upload
from rnnviz.training.config import (
    CASES,
    OPTIMISERS,
    WITH_MOMENTUM,
    Optimiser,
    Sentence,
    TaggerConfig,
)
from rnnviz.training.slices import Stop

SOURCES = ("Typed", "Sample", "File")
COLUMNS = ("UPOS", "XPOS")
UNTIL = ("epochs", "all tags right", "loss below", "never")
VIEWS = ("Inside", "Map", "Confusion", "Weights", "Reach in", "Side by side", "Try", "Save")
PARTS = ("train", "held out")
CHOSEN = {"train": "t_sent", "held out": "t_held_sent"}
"""The field of the sentence in view, by part. One for both would be corrected when the part has fewer."""
LISTED = 60
"""So many sentences stand in a list; of more, one is chosen by its number."""
LAYERS = tuple(f"layer {k}" for k in range(4))
DEFAULT = TRAINING_PRESETS["D1"]
assert isinstance(DEFAULT, TaggerConfig)

FIELDS: tuple[Field, ...] = (
    Field("t_kind", "Kind", "LSTM", "Which recurrent layer reads the sentence.", options=KINDS),
    Field("t_emb", "Embedding size", 6, "How many numbers a word's vector has.", 1, 64),
    Field("t_hidden", "hidden_size", 8, "H: how many units the state has.", 1, 64),
    Field("t_layers", "num_layers", 1, "How many layers are stacked.", 1, 4),
    Field("t_bi", "bidirectional", False, "A second reader comes from the end of the sentence."),
    Field("t_drop", "dropout", 0.0, "The share of numbers left out while training.", 0.0, 0.9),
    Field("t_opt", "Optimiser", "SGD", "torch.optim's rule for a step.", options=OPTIMISERS),
    Field(
        "t_lr",
        "Learning rate",
        0.1,
        "How far a step goes. It may be changed while the run goes on.",
        0.0,
        1e6,
    ),
    Field("t_mom", "momentum", 0.0, "SGD and RMSprop: how much of the last step is kept.", 0.0, 0.99),
    Field("t_wd", "weight_decay", 0.0, "Pulls every weight towards 0.", 0.0, 1.0),
    Field("t_clip", "Clip", 0.0, "The largest norm of the whole gradient; 0: none.", 0.0, 100.0),
    Field("t_batch", "Sentences a step", 1, "Above 1 they are padded, packed and masked.", 1, 256),
    Field("t_shuffle", "Shuffle", False, "Another order of the sentences each epoch."),
    Field("t_seed", "Seed", 0, "Draws the weights, the dropout and the order.", 0, 2**31 - 1),
    Field("t_device", "Device", "cpu", "Where the run is computed.", options=("cpu", "cuda")),
    Field("t_data", "Data", "Typed", "Where the sentences come from.", options=SOURCES),
    Field(
        "t_text",
        "Sentences",
        tagged.format_text(SENTENCES),
        "One sentence a line, each word as word/TAG. Or paste two columns from a spreadsheet, or CoNLL-U.",
        max_chars=6000,
    ),
    Field("t_column", "Tags", "UPOS", "Which column of CoNLL-U has the tags.", options=COLUMNS),
    Field("t_held", "Held out", 0.0, "The share of the sentences that is not trained on.", 0.0, 0.5),
    Field(
        "t_case",
        "Capitals",
        "keep",
        "keep: The and the are two words. first: a sentence's first word is lower-cased. lower: all are.",
        options=CASES,
    ),
    Field(
        "t_unknown",
        "Rare words",
        0,
        "Words seen fewer times than this are read as <unk>.",
        0,
        20,
    ),
    Field("t_until", "Stop", "epochs", "What ends a run.", options=UNTIL),
    Field("t_epochs", "Epochs", EPOCHS["D1"], "How many epochs one press of Train does.", 1, 100_000),
    Field("t_loss", "Loss below", 0.05, "The run stops at the first epoch with a smaller loss.", 0.0, 100.0),
    Field("t_part", "Part", "train", "Sentences that are trained on, or held out.", options=PARTS),
    Field("t_sent", "Sentence", 0, "Which sentence is drawn.", 0, 20_000),
    Field("t_held_sent", "Sentence", 0, "Which sentence that is held out is drawn.", 0, 20_000),
    Field("t_log", "log loss", False, "A logarithmic axis for the loss."),
    Field("t_view", "View", "Inside", "What to look at under the curves.", options=VIEWS),
    Field("t_layer", "Layer", LAYERS[0], "Which layer's cells to look into.", options=LAYERS),
    Field("t_dir", "Direction", "forward", "Which reader's cells to look into.", options=DIRECTION_NAMES),
    Field("t_try", "Your words", "The apple read the dog", "Words to be tagged.", max_chars=400),
)


@dataclass(frozen=True)
class TaggerScreen:
    """What is trained, which of its sentences is drawn, and when a run ends.

    ``problem``: why the typed text or the file could not be read, else "". The sentences are then D1's.
    ``about``: what was read, "" for what is typed.
    """

    config: TaggerConfig
    part: str
    sentence: int
    until: str
    epochs: int
    loss: float
    problem: str = ""
    about: str = ""

    @property
    def shown(self) -> tuple[Sentence, ...]:
        """The sentences of the part in view."""
        return self.config.held_out if self.part == "held out" else self.config.sentences

    def stop(self, done: int) -> Stop | None:
        """What ends the next play after ``done`` epochs. A number of epochs counts from its last multiple."""
        if self.until == "epochs":
            return Stop(epochs=(done // self.epochs + 1) * self.epochs)
        if self.until == "all tags right":
            return Stop(all_right=True)
        return Stop(loss_below=self.loss) if self.until == "loss below" else None


def screen(
    found: Mapping[str, Any], upload: Upload | None = None
) -> tuple[TaggerScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected. ``upload``: the file that this session holds.
    """
    values, notes = read(FIELDS, found)
    if values["t_opt"] not in WITH_MOMENTUM:
        values["t_mom"] = 0.0
    config, problem, about = _made((tuple(values[key] for key in _MAKING), upload))
    if not config.held_out:
        values["t_part"] = "train"
    if LAYERS.index(values["t_layer"]) >= config.num_layers:
        values["t_layer"] = LAYERS[config.num_layers - 1]
    if not config.bidirectional:
        values["t_dir"] = DIRECTION_NAMES[0]
    shown = config.held_out if values["t_part"] == "held out" else config.sentences
    chosen = CHOSEN[values["t_part"]]
    values[chosen] = min(values[chosen], len(shown) - 1)
    current = TaggerScreen(
        config,
        values["t_part"],
        values[chosen],
        values["t_until"],
        values["t_epochs"],
        values["t_loss"],
        problem,
        about,
    )
    return current, values, notes


_MAKING = (
    *("t_kind", "t_emb", "t_hidden", "t_layers", "t_bi", "t_drop"),
    *("t_opt", "t_lr", "t_mom", "t_wd", "t_clip", "t_batch", "t_shuffle", "t_seed", "t_device"),
    *("t_data", "t_text", "t_column", "t_held", "t_case", "t_unknown"),
)
"""What the configuration depends on."""

Asked = tuple[tuple[Any, ...], Upload | None]


def _weight(made: tuple[TaggerConfig, str, str]) -> int:
    return 3 * len(made[0].text)


@kept(16_000_000, _weight)
def _made(asked: Asked) -> tuple[TaggerConfig, str, str]:
    """The configuration of these values, the problem with its sentences, and what they are.

    Kept, because a configuration keeps what was computed of it, and each answer asks twice or more.
    """
    values, upload = dict(zip(_MAKING, asked[0], strict=True)), asked[1]
    sentences, problem, about = tagger_data.chosen(values, upload)
    held = values["t_held"] if len(sentences) > 1 else 0.0
    parts = split(sentences, held, values["t_seed"])
    if values["t_data"] == "File" and upload is not None and upload.parts is not None:
        parts = upload.parts
    config = TaggerConfig(
        parts.train,
        parts.held_out,
        case=values["t_case"],
        kind=values["t_kind"],
        embedding=values["t_emb"],
        hidden=values["t_hidden"],
        num_layers=values["t_layers"],
        bidirectional=values["t_bi"],
        dropout=values["t_drop"],
        batch=values["t_batch"],
        shuffle=values["t_shuffle"],
        unknown=values["t_unknown"],
        optimiser=Optimiser(
            values["t_opt"], values["t_lr"], values["t_mom"], values["t_wd"], values["t_clip"]
        ),
        seed=values["t_seed"],
        device=values["t_device"],
    )
    return config, problem, about


@dataclass(frozen=True)
class TaggerExample:
    """A preset: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


EXAMPLES: dict[str, TaggerExample] = {
    e.row: e
    for e in (
        TaggerExample(
            "D1",
            "Two sentences",
            {},
            "Nine words, three tags, 300 epochs: every tag right, and the loss below 0.05.",
        ),
        TaggerExample(
            "D2",
            "Too short",
            {"t_case": "first", "t_hidden": 6, "t_lr": 0.01, "t_epochs": EPOCHS["D2"]},
            "Two epochs at a learning rate of 0.01: the scores barely move. Eight words: the is the.",
        ),
        TaggerExample(
            "E5",
            "The is the",
            {"t_case": "first"},
            "D1 with its first word lower-cased: eight words, not nine, so both articles share a vector.",
        ),
        TaggerExample(
            "+",
            "Two tags a word",
            {"t_data": "Sample", "t_emb": 12, "t_hidden": 16, "t_bi": True, "t_opt": "Adam", "t_lr": 0.02},
            "book, run and light are nouns or verbs: only the words around them tell.",
        ),
    )
}


def preset_values(example: TaggerExample) -> dict[str, Any]:
    """Every value as the preset has it, without what is only looked at."""
    kept = ("t_seed", "t_view", "t_log", "t_try", "t_device")
    return {f.key: f.default for f in FIELDS if f.key not in kept} | dict(example.values)


def active_preset(current: TaggerScreen) -> str | None:
    """The row of the preset that the screen shows, whatever its seed and device, if it shows one."""
    return _presets().get(_plain(current))


def _plain(current: TaggerScreen) -> Any:
    c = current.config
    data = _data(c)
    model = (c.case, c.kind, c.embedding, c.hidden, c.num_layers, c.bidirectional, c.dropout)
    training = (c.batch, c.shuffle, c.unknown, c.optimiser, current.until, current.epochs)
    return data, bool(c.held_out), *model, *training


@lru_cache(maxsize=32)
def _data(config: TaggerConfig) -> frozenset[Sentence]:
    return frozenset((*config.sentences, *config.held_out))


@lru_cache(maxsize=1)
def _presets() -> dict[Any, str]:
    return {_plain(screen(preset_values(example))[0]): row for row, example in EXAMPLES.items()}


def values_of(config: TaggerConfig) -> dict[str, Any]:
    """What the controls show for a run's configuration, but for its sentences."""
    o = config.optimiser
    return {
        "t_kind": config.kind,
        "t_emb": config.embedding,
        "t_hidden": config.hidden,
        "t_layers": config.num_layers,
        "t_bi": config.bidirectional,
        "t_drop": config.dropout,
        "t_opt": o.name,
        "t_lr": o.lr,
        "t_mom": o.momentum,
        "t_wd": o.weight_decay,
        "t_clip": o.clip,
        "t_batch": config.batch,
        "t_shuffle": config.shuffle,
        "t_seed": config.seed,
        "t_device": config.device,
        "t_case": config.case,
        "t_unknown": config.unknown,
    }
