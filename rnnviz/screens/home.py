"""The configuration of the page *Home*, and the one list of the pages that it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.config import LayerConfig
from rnnviz.link import Field, read

INPUT_SIZE = 32
"""H_in: enough for random words to be far apart; the page has no control for it."""

MAX_WORDS = 24
SENTENCE = "the small dog that chased the cat ran home"

FIELDS: tuple[Field, ...] = (
    Field("h_hidden", "Hidden size", 12, "H: how many numbers the LSTM remembers.", 1, 32),
    Field("h_text", "Sentence", SENTENCE, "Words; equal words get equal vectors.", max_chars=120),
    Field("h_seed", "Seed", 0, "Draws the weights and the word vectors.", 0, 2**31 - 1),
)


@dataclass(frozen=True)
class HomeScreen:
    """The words that are read, and the LSTM that reads them."""

    words: tuple[str, ...]
    hidden: int
    seed: int

    @property
    def config(self) -> LayerConfig:
        return LayerConfig("LSTM", INPUT_SIZE, self.hidden)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The different words, in the order in which they first come."""
        return tuple(dict.fromkeys(self.words))


@dataclass(frozen=True)
class Card:
    """A page as Home shows it: its file, its title, the question that it answers, the name of its picture."""

    page: str
    title: str
    question: str
    picture: str


CARDS: tuple[Card, ...] = (
    Card(
        "layers.py",
        "Layers & shapes",
        "What goes in, what comes out, and where does each number live?",
        "tensors",
    ),
    Card("step.py", "Step through", "What happens inside the cell at this step?", "gates"),
    Card("by_hand.py", "By hand", "Is there any magic in nn.RNN?", "equality"),
    Card("embeddings.py", "Embeddings", "How does a word become a vector that learns?", "lookup"),
    Card(
        "topologies.py",
        "Topologies",
        "Where does the input enter, and where does the answer leave?",
        "answer",
    ),
    Card("tagger.py", "Tagger", "How does a network learn to give each word its tag?", "tags"),
    Card(
        "characters.py", "Characters", "How does a network learn to say one string after another?", "strings"
    ),
    Card("attention.py", "Attention", "Where does a decoder look while it writes?", "looks"),
)


def screen(found: Mapping[str, Any]) -> tuple[HomeScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence a corrected key."""
    values, notes = read(FIELDS, found)
    words = values["h_text"].split()
    if not words:
        words = SENTENCE.split()
        values["h_text"] = SENTENCE
        notes["h_text"] = f"Sentence needs at least one word: “{SENTENCE}” is used"
    elif len(words) > MAX_WORDS:
        words = words[:MAX_WORDS]
        values["h_text"] = " ".join(words)
        notes["h_text"] = f"Sentence has more than {MAX_WORDS} words: the rest is cut off"
    return HomeScreen(tuple(words), values["h_hidden"], values["h_seed"]), values, notes


def step_values(screen: HomeScreen) -> dict[str, str]:
    """The address of the page *Step through* on which every gate of this very run stands."""
    return {
        "s_text": " ".join(screen.words),
        "s_in": str(INPUT_SIZE),
        "s_hidden": str(screen.hidden),
        "s_seed": str(screen.seed),
        "s_step": str(len(screen.words) - 1),
    }
