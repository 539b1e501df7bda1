"""The course notebooks' systems, one configuration a row, and how the pages name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rnnviz.config import LayerConfig, LinearConfig
from rnnviz.data.pairs import Pair, generate
from rnnviz.embeddings.config import BagConfig, EmbeddingConfig
from rnnviz.topologies.config import SHARING, TOPOLOGIES, SharingConfig, TopologyConfig
from rnnviz.training.config import (
    CharsConfig,
    Generated,
    Optimiser,
    Sentence,
    Seq2SeqConfig,
    TaggerConfig,
    TrainConfig,
)

LAYER_PRESETS: dict[str, LayerConfig] = {
    "A1": LayerConfig("RNN", 10, 20, num_layers=2, bidirectional=True),
    "A2": LayerConfig("LSTM", 10, 20, num_layers=2),
    "A3": LayerConfig("GRU", 10, 20, num_layers=2),
    "A4": LayerConfig("RNN", 128, 512, batch_first=True),
    "A5": LayerConfig("LSTM", 128, 512, num_layers=2, batch_first=True),
    "A6": LayerConfig("GRU", 128, 512, batch_first=True, bidirectional=True),
    "A7": LayerConfig("RNN", 5, 6, num_layers=2, batch_first=True),
    "A8": LayerConfig("RNN", 5, 6, num_layers=4, batch_first=True, bidirectional=True),
    "B4": LayerConfig("RNN", 4, 2),
    "B5": LayerConfig("RNN", 5, 6, batch_first=True),
    "B6": LayerConfig("RNN", 5, 6, num_layers=2, batch_first=True),
    "B7": LayerConfig("RNN", 5, 6, batch_first=True, bidirectional=True),
    "B8": LayerConfig("LSTM", 128, 512, batch_first=True),
}
LINEAR_PRESETS: dict[str, LinearConfig] = {
    "B1": LinearConfig(5, 6),
    "B2": LinearConfig(5, 6, bias=False),
    "B3": LinearConfig(5, 6, bias=False, memory=True),
}
LAYER_FAULTS: dict[str, LayerConfig] = {
    "E3": LAYER_PRESETS["A6"],
    "E4": replace(LAYER_PRESETS["B8"], num_layers=2),
    "E6": LayerConfig("LSTM", 5, 4, num_layers=2, batch_first=True, bidirectional=True),
}
"""The layers in which the notebooks' faults about layers show."""


def tagged(words: str, tags: str) -> Sentence:
    """A sentence from its words and its tags, each a line of text."""
    return tuple(zip(words.split(), tags.split(), strict=True))


SENTENCES = (
    tagged("The dog ate the apple", "DET NN V DET NN"),
    tagged("Everybody read that book", "NN V DET NN"),
)
TAGGER_PRESETS: dict[str, TaggerConfig] = {
    "D1": TaggerConfig(SENTENCES, embedding=6, hidden=8, optimiser=Optimiser("SGD", 0.1)),
    "D2": TaggerConfig(SENTENCES, case="first", embedding=6, hidden=6, optimiser=Optimiser("SGD", 0.01)),
}
CHARS_PRESETS: dict[str, CharsConfig] = {
    "D3": CharsConfig(layer="cell", hidden=4, reduction="sum", optimiser=Optimiser("Adam", 0.1), seed=41),
    "D4": CharsConfig(layer="layer", hidden=4, reduction="mean", optimiser=Optimiser("Adam", 0.05), seed=41),
    "D5": CharsConfig(
        layer="layer",
        embedding=10,
        hidden=8,
        num_layers=2,
        readout=True,
        reduction="mean",
        optimiser=Optimiser("Adam", 0.05),
        seed=41,
    ),
}
"""One seed for the three, with which D3 stays right after its last epoch: with 1 the next string is wrong."""
TRAINING_PRESETS: dict[str, TrainConfig] = {**TAGGER_PRESETS, **CHARS_PRESETS}
LOOKED_AT: dict[str, TrainConfig] = {
    "D8": CHARS_PRESETS["D5"],
    "E5": replace(TAGGER_PRESETS["D1"], case="first"),
}
"""Rows that are about a model of another row."""
EPOCHS: dict[str, int] = {"D1": 300, "D2": 2, "D3": 20, "D4": 15, "D5": 20}
"""How long the notebooks train each of them."""


def notebook_pairs() -> tuple[Pair, ...]:
    """Four random pairs of D6's sizes: sources of 30 tokens, targets of 19 and the end symbol."""
    sides = [generate("copy", 900, (size, size), 0, 4, seed=size) for size in (30, 19)]
    return tuple((source[0], target[0]) for source, target in zip(*sides, strict=True))


def translated(source: str, target: str) -> Pair:
    """A pair from two sentences."""
    return tuple(source.split()), tuple(target.split())


UNEQUAL = (
    translated("good morning", "guten Morgen"),
    translated("the dog sleeps", "der Hund schläft"),
    translated("the cat eats the fish", "die Katze frisst den Fisch"),
    translated("I can not see the dog in the garden", "ich kann den Hund im Garten nicht sehen"),
)
SEQ2SEQ_PRESETS: dict[str, Seq2SeqConfig] = {
    "D6": Seq2SeqConfig(
        notebook_pairs(),
        vocabulary=1000,
        encoder="LSTM",
        decoder="GRU",
        embedding=768,
        hidden=256,
        decoder_hidden=256,
        dropout=0.1,
        teacher=0.5,
        batch=4,
        shuffle=False,
        optimiser=Optimiser("Adam", 0.001),
    ),
    "D7": Seq2SeqConfig(),
    "D9": Seq2SeqConfig(UNEQUAL, batch=4, shuffle=False),
    "E1": Seq2SeqConfig(teacher=0.9, teacher_reversed=True),
    "E2": Seq2SeqConfig(Generated("reverse", shortest=2, longest=12), mask=False, packed=False),
}
"""The encoder-decoders. D6 has the notebook's sizes on four random pairs: half a second a step on one core,
and it learns them by heart in some forty. D7 and the others are small and learn in seconds.
"""

EMBEDDING_PRESETS: dict[str, EmbeddingConfig] = {
    "C1": EmbeddingConfig(10, 3),
    "C2": EmbeddingConfig(10, 3, padding_idx=0),
    "C3": EmbeddingConfig(10, 3, padding_idx=0),
    "C7": EmbeddingConfig(10, 3),
}
BAG_PRESETS: dict[str, BagConfig] = {
    "C4": BagConfig(10, 3, mode="sum"),
    "C5": BagConfig(10, 3, mode="sum", padding_idx=2),
    "C6": BagConfig(10, 3, mode="sum"),
}

TOPOLOGY_PRESETS: dict[str, SharingConfig | tuple[TopologyConfig, ...]] = {"A10": SHARING, "A11": TOPOLOGIES}

PRESETS: Mapping[
    str,
    LayerConfig
    | LinearConfig
    | TrainConfig
    | EmbeddingConfig
    | BagConfig
    | SharingConfig
    | tuple[TopologyConfig, ...],
] = MappingProxyType(
    {
        **LAYER_PRESETS,
        **LINEAR_PRESETS,
        **LAYER_FAULTS,
        **TOPOLOGY_PRESETS,
        **TRAINING_PRESETS,
        **LOOKED_AT,
        **SEQ2SEQ_PRESETS,
        **EMBEDDING_PRESETS,
        **BAG_PRESETS,
    }
)
"""Every row of the table of the notebooks' systems but A9, which is about an order, and C8, about a file."""


@dataclass(frozen=True)
class Example:
    """A preset as the page *Layers & shapes* offers it: a row, a name, L and N, and the one thing to see in
    it.

    ``views``: where that can be seen, the best place first. ``shows`` is set besides, for those of them that
    show one of several things. ``layer``: the row whose layer is taken, if the row itself has none.
    """

    row: str
    title: str
    length: int
    batch: int
    given_state: bool
    fact: str
    views: tuple[str, ...] = ("Tensors", "Unrolled")
    shows: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""

    @property
    def config(self) -> LayerConfig:
        return LAYER_PRESETS[self.layer or self.row]


EXAMPLES: dict[str, Example] = {
    e.row: e
    for e in (
        Example(
            "A1", "Deep, both ways", 5, 3, False, "h_n has a row for each layer and direction: 2 × 2 = 4."
        ),
        Example("A2", "LSTM: two states", 5, 3, True, "Three inputs, two results: output and (h_n, c_n)."),
        Example(
            "A3",
            "GRU: one state",
            5,
            3,
            True,
            "The same shapes as the RNN; only the weights are three times as tall.",
            ("Tensors", "Unrolled", "Parameters"),
        ),
        Example(
            "A4",
            "batch_first",
            30,
            4,
            True,
            "batch_first moves N in input and output, but does not move h_n.",
        ),
        Example("A5", "LSTM, batch_first", 30, 4, False, "h_n and c_n keep their layers first."),
        Example(
            "A6",
            "The classic trap",
            30,
            4,
            True,
            "output[:, -1] is not h_n: the backward half ends at step 0.",
            ("Traps",),
            {"l_trap": "Last output"},
        ),
        Example(
            "A7",
            "Eight parameters",
            16,
            4,
            False,
            "Two layers have four tensors each; output[:, -1] equals h_n[-1].",
            ("Parameters",),
        ),
        Example(
            "A8",
            "32 parameters",
            4,
            3,
            False,
            "Above layer 0, weight_ih has 2 × 6 columns: both directions come in.",
            ("Parameters",),
            {"l_param": "weight_ih_l1"},
        ),
        Example(
            "A9",
            "Feeding order",
            5,
            3,
            False,
            "With the steps first, step t feeds the t-th token of every sentence at once: (N, H_in) a step.",
            ("Feeding order",),
            layer="B4",
        ),
    )
}
