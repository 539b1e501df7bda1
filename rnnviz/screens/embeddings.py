"""The configuration of the page *Embeddings*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rnnviz.embeddings.config import MODES, BagConfig, EmbeddingConfig
from rnnviz.embeddings.inputs import LOSSES, MAX_BAGS, MAX_ITEMS, Bags, Pretrained, Table, Training
from rnnviz.embeddings.words import (
    MAX_DIM,
    MAX_ROWS,
    MAX_TOKENS,
    Indices,
    numbers,
    sentences,
    whole_numbers,
    written,
)
from rnnviz.link import Field, read
from rnnviz.presets import BAG_PRESETS, EMBEDDING_PRESETS

VIEWS = ("Lookup", "One-hot", "Gradient", "Bags", "Pretrained")
SOURCES = ("Words", "Indices")
SIMILAR = ("This table", "Sample vectors")
VECTORS = ("Sample", "My file", "BERT")

TEXT = "the cat sat on the mat\nthe dog ran"
INDICES = "1 2 4 5\n4 3 2 9"
ITEMS = "1 2 4 5 4 3 2 9"

FIELDS: tuple[Field, ...] = (
    Field("e_view", "View", "Lookup", "What to look at.", options=VIEWS),
    Field("e_source", "Input", "Words", "Type sentences, or row numbers.", options=SOURCES),
    Field("e_text", "Sentences", TEXT, "One sentence a line. Equal words are one row.", max_chars=600),
    Field("e_indices", "Indices", INDICES, "(N, L): one sequence of row numbers a line.", max_chars=600),
    Field("e_rows", "num_embeddings", 10, "How many rows the table has, one for each token.", 1, MAX_ROWS),
    Field("e_dim", "embedding_dim", 3, "How many numbers a row has.", 1, MAX_DIM),
    Field("e_padded", "padding_idx", True, "Declare one row as padding: it starts at zero and never learns."),
    Field("e_pad", "Padding row", 0, "Which row padding_idx names.", 0, MAX_ROWS - 1),
    Field("e_ones", "Overwrite it with ones", False, "weight[padding_idx] = 1, as anybody may do."),
    Field("e_seed", "Seed", 0, "The same seed gives the same table, here and in the code.", 0, 2**31 - 1),
    Field("e_pos", "Position", 1, "Whose lookup is marked and written out.", 0, MAX_TOKENS - 1),
    Field("e_loss", "Loss", LOSSES[0], "What backward() starts from.", options=LOSSES),
    Field("e_lr", "Learning rate", 0.5, "Of the one step of torch.optim.SGD.", 0.0, 1.0),
    Field("e_norm", "max_norm", 0.0, "0: off. Else longer rows are shortened when looked up.", 0.0, 4.0),
    Field("e_freeze", "freeze", False, "weight.requires_grad = False, as from_pretrained does by default."),
    Field("e_freq", "scale_grad_by_freq", False, "Divide a row's gradient by how often it was looked up."),
    Field("e_sparse", "sparse", False, "Keep the gradient of the looked-up rows alone."),
    Field(
        "e_similar",
        "Similarity of",
        SIMILAR[0],
        "The untrained table, or vectors that know what words mean.",
        options=SIMILAR,
    ),
    Field(
        "e_items",
        "input",
        ITEMS,
        "Row numbers: one line is a flat list for offsets, several lines are one bag each.",
        max_chars=400,
    ),
    Field("e_offsets", "offsets", "0 4", "Where each bag starts in the flat list.", max_chars=120),
    Field("e_mode", "mode", "sum", "What becomes of a bag's rows.", options=MODES),
    Field("e_bag_padded", "padding_idx", False, "Leave one row out of every bag."),
    Field("e_bag_pad", "Padding row", 2, "Which row padding_idx names.", 0, MAX_ROWS - 1),
    Field(
        "e_weights",
        "per_sample_weights",
        "",
        "A weight for each index, only with sum. Empty: none.",
        max_chars=300,
    ),
    Field("e_last", "include_last_offset", False, "The last offset is the list's end and starts no bag."),
    Field("e_vectors", "Vectors", VECTORS[0], "Where the vectors come from.", options=VECTORS),
    Field("e_ask", "Nearest to", "cat", "A word, or a sum such as: king - man + woman", max_chars=80),
    Field("e_near", "Neighbours", 8, "How many are listed.", 1, 20),
    Field(
        "e_words",
        "Sentence",
        "the cat drinks milk and the wug sleeps",
        "Its words are looked up in the vectors.",
        max_chars=300,
    ),
    Field("e_frozen", "freeze", True, "from_pretrained(vectors, freeze=True) keeps them as they are."),
)

_BY_KEY = {f.key: f for f in FIELDS}


@dataclass(frozen=True)
class EmbeddingsScreen:
    """Everything the page shows; each view reads its own part."""

    view: str
    training: Training
    similar: str
    bags: Bags
    pretrained: Pretrained

    @property
    def table(self) -> Table:
        return self.training.table


def screen(found: Mapping[str, Any]) -> tuple[EmbeddingsScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected.
    """
    values, notes = read(FIELDS, found)
    table = _table(values, notes)
    return (
        EmbeddingsScreen(
            view=values["e_view"],
            training=Training(table, values["e_loss"], values["e_lr"], values["e_freeze"]),
            similar=values["e_similar"],
            bags=_bags(values, notes),
            pretrained=Pretrained(
                values["e_vectors"],
                values["e_ask"].strip(),
                values["e_near"],
                tuple(values["e_words"].split()),
                values["e_frozen"],
                values["e_seed"],
            ),
        ),
        values,
        notes,
    )


def _table(values: dict[str, Any], notes: dict[str, str]) -> Table:
    if values["e_source"] == "Words":
        typed = sentences(values["e_text"])
        names, indices, rows = typed.names, typed.indices, len(typed.names)
        if typed.note:
            notes["e_text"] = typed.note
            values["e_text"] = "\n".join(
                " ".join(names[i] for i in line if i or "<pad>" in values["e_text"]) for line in indices
            )
    else:
        names, rows = (), values["e_rows"]
        indices, note = _lines(values["e_indices"], "Indices", MAX_TOKENS)
        if not indices:
            indices, note = ((0,),), note or "Indices needs at least one row number: 0 is used"
        if note:
            notes["e_indices"], values["e_indices"] = note, written(indices)
    values["e_pad"] = min(values["e_pad"], rows - 1)  # it follows a table that got smaller, without a word
    values["e_pos"] = min(values["e_pos"], sum(map(len, indices)) - 1)
    config = EmbeddingConfig(
        rows,
        values["e_dim"],
        padding_idx=values["e_pad"] if values["e_padded"] else None,
        max_norm=values["e_norm"] or None,
        scale_grad_by_freq=values["e_freq"],
        sparse=values["e_sparse"],
    )
    return Table(config, values["e_seed"], values["e_ones"] and values["e_padded"], names, indices)


def _bags(values: dict[str, Any], notes: dict[str, str]) -> Bags:
    items, note = _lines(values["e_items"], "input", MAX_ITEMS)
    if note:
        notes["e_items"], values["e_items"] = note, written(items)
    offsets, note = _lines(values["e_offsets"].replace("\n", " "), "offsets", MAX_BAGS)
    if note:
        notes["e_offsets"], values["e_offsets"] = note, written(offsets)
    weights, note = numbers(values["e_weights"], "per_sample_weights")
    if note:
        notes["e_weights"], values["e_weights"] = note, " ".join(f"{w:g}" for w in weights)
    values["e_bag_pad"] = min(values["e_bag_pad"], values["e_rows"] - 1)
    config = BagConfig(
        values["e_rows"],
        values["e_dim"],
        values["e_mode"],
        padding_idx=values["e_bag_pad"] if values["e_bag_padded"] else None,
        include_last_offset=values["e_last"],
    )
    flat = offsets[0] if offsets else None
    return Bags(config, values["e_seed"], items, flat, weights or None)


def _lines(text: str, what: str, most: int) -> tuple[Indices, str | None]:
    """Lines of whole numbers, at most so many in all, and a sentence on what was left out."""
    lines, note = whole_numbers(text, what)
    kept: list[tuple[int, ...]] = []
    room = most
    for line in lines:
        if room:
            kept.append(line[:room])
            room -= len(kept[-1])
    if sum(map(len, lines)) > most:
        note = f"{what}: at most {most} numbers are taken: the rest is left out"
    return tuple(kept), note


@dataclass(frozen=True)
class EmbeddingExample:
    """A preset of the page: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


def _embedding(row: str) -> dict[str, Any]:
    config = EMBEDDING_PRESETS[row]
    return {
        "e_rows": config.num_embeddings,
        "e_dim": config.embedding_dim,
        "e_padded": config.padding_idx is not None,
        "e_pad": config.padding_idx or 0,
    }


def _bag(row: str) -> dict[str, Any]:
    config = BAG_PRESETS[row]
    return {
        "e_view": "Bags",
        "e_rows": config.num_embeddings,
        "e_dim": config.embedding_dim,
        "e_mode": config.mode,
        "e_bag_padded": config.padding_idx is not None,
        **({} if config.padding_idx is None else {"e_bag_pad": config.padding_idx}),
    }


_ROWS = {"e_source": "Indices"}
_PADDED: dict[str, Any] = {**_ROWS, "e_view": "Gradient", "e_indices": "0 2 0 5"}

EXAMPLES: dict[str, EmbeddingExample] = {
    e.row: e
    for e in (
        EmbeddingExample(
            "C1",
            "Lookup",
            {**_ROWS, **_embedding("C1")},
            "(2, 4) indices give (2, 4, 3): equal indices, equal rows; one_hot @ weight gives the same.",
        ),
        EmbeddingExample(
            "C2",
            "Padding",
            {**_PADDED, **_embedding("C2")},
            "Row 0 is looked up twice, is zero, and gets no gradient: after the step it is zero still.",
        ),
        EmbeddingExample(
            "C3",
            "Pad = 1",
            {**_PADDED, **_embedding("C3"), "e_view": "Lookup", "e_ones": True, "e_pos": 0},
            "Overwritten with ones, padding row 0 is looked up as ones; choose *Gradient*: it still gets no "
            "gradient.",
        ),
        EmbeddingExample(
            "C4",
            "Bags",
            {**_bag("C4")},
            "Offsets 0 and 4 cut one flat list into two bags of four: Embedding, then a sum.",
        ),
        EmbeddingExample(
            "C5",
            "Empty bag",
            {**_bag("C5"), "e_items": "2 2 2 2 4 3 2 9", "e_offsets": "0 3 6"},
            "Every 2 is left out: bag 0 has nothing left, so it is zero.",
        ),
        EmbeddingExample(
            "C6",
            "Weights",
            {**_bag("C6"), "e_weights": "1 0.5 2 0 1 1 -1 0.25"},
            "A weight for each index, only with sum: switch to mean or max to read PyTorch's refusal.",
        ),
        EmbeddingExample(
            "C7",
            "One-hot",
            {
                **_embedding("C7"),
                "e_view": "One-hot",
                "e_text": "king queen man woman cat\ndog milk bread red",
            },
            "One-hot vectors are all equally far apart: their similarity is the identity.",
        ),
        EmbeddingExample(
            "C8",
            "Pretrained",
            {"e_view": "Pretrained"},
            "Vectors counted from text know which words are used alike; missing words are listed.",
        ),
    )
}


def preset_values(example: EmbeddingExample) -> dict[str, Any]:
    """What one click on a preset sets; everything else but the seed goes back to its default."""
    return {f.key: f.default for f in FIELDS if f.key != "e_seed"} | dict(example.values)


@lru_cache(maxsize=256)
def active_preset(current: EmbeddingsScreen) -> str | None:
    """The row of the preset that the screen shows, if it shows one: what other views hold does not count."""
    seed = current.table.seed
    for row, example in EXAMPLES.items():
        plain = screen(preset_values(example) | {"e_seed": seed})[0]
        if plain.view == current.view and _SHOWN[current.view](plain) == _SHOWN[current.view](current):
            return row
    return None


_SHOWN: dict[str, Callable[[EmbeddingsScreen], object]] = {
    "Lookup": lambda s: s.table,
    "One-hot": lambda s: (s.table, s.similar),
    "Gradient": lambda s: s.training,
    "Bags": lambda s: s.bags,
    "Pretrained": lambda s: s.pretrained,
}
"""The part of a screen that each view draws."""
