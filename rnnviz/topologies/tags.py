"""Many to many, in step: each word of a sentence gets its tag as soon as it is read."""

from __future__ import annotations

import random
import re
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

Item = tuple[tuple[str, str], ...]

TAGS = ("DET", "ADJ", "NN", "V", "PRON", "ADV")
WORDS = {
    "DET": ["the", "a", "every", "that"],
    "ADJ": ["small", "red", "old", "happy", "light"],
    "NN": ["dog", "cat", "child", "apple", "house", "book", "run", "light"],
    "V": ["ate", "saw", "found", "liked", "fell", "book", "run"],
    "PRON": ["she", "they", "everybody"],
    "ADV": ["quickly", "often", "today"],
}
VOCABULARY = ("<unk>", *dict.fromkeys(word for words in WORDS.values() for word in words))
UNKNOWN = 0.05
"""The share of words that is hidden in training, so that `<unk>` is guessed from what was before."""


def sentences(count: int, seed: int) -> list[Item]:
    """Different sentences of one small grammar: somebody does something, with or without an object."""
    draw = random.Random(seed)

    def noun() -> list[str]:
        return ["DET", *(["ADJ"] if draw.random() < 0.4 else ()), "NN"]

    found: dict[Item, None] = {}
    while len(found) < count:
        tags = ["PRON"] if draw.random() < 0.4 else noun()
        tags += [*(["ADV"] if draw.random() < 0.2 else ()), "V"]
        tags += [*(noun() if draw.random() < 0.7 else ()), *(["ADV"] if draw.random() < 0.3 else ())]
        found[tuple((draw.choice(WORDS[tag]), tag) for tag in tags)] = None
    return list(found)


def sets() -> dict[str, list[Item]]:
    """What it is trained on, and what it is asked besides: also one word whose tag only a later one shows."""
    known = sentences(1500, 1)
    light = [item for item in sentences(3000, 2) if ("light" in dict(item)) and item not in known]
    return {
        "trained on": known[:1000],
        "held out": known[1000:],
        "held out, with “light” in them": light[:300],
    }


def ids(words: list[str]) -> Tensor:
    """The words' rows, that of <unk> for a word without one: (L)."""
    return torch.tensor([VOCABULARY.index(word) if word in VOCABULARY else 0 for word in words])


def parse(words: list[str]) -> list[str] | None:
    """The tags that the grammar gives a sentence; None if it has no such one, or reads it in two ways."""
    noun = "DET( ADJ)? NN"
    grammar = re.compile(f"(PRON|{noun})( ADV)? V( {noun})?( ADV)?")
    choices = [[tag for tag in TAGS if word in WORDS[tag]] for word in words]
    found = [tags for tags in product(*choices) if grammar.fullmatch(" ".join(tags))]
    return list(found[0]) if len(found) == 1 else None


class Tagger(nn.Module):
    """Scores of the tags: ids (L, N) give (L, N, tags)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), 8)
        self.rnn = nn.LSTM(8, hidden)
        self.linear = nn.Linear(hidden, len(TAGS))

    def forward(self, words: Tensor) -> Tensor:
        h, _ = self.rnn(self.embedding(words))  # (L, N, H)
        scores: Tensor = self.linear(h)  # (L, N, tags)
        return scores


def scores(model: Tagger, items: list[Item]) -> tuple[Tensor, Tensor]:
    """Scores (L, N, tags) and what is right (L, N), -1 after a sentence's end."""
    words = pad_sequence([ids([word for word, _ in item]) for item in items])
    answers = [torch.tensor([TAGS.index(tag) for _, tag in item]) for item in items]
    if model.training:
        words = words.masked_fill(torch.rand(words.shape) < UNKNOWN, 0)
    return model(words), pad_sequence(answers, padding_value=-1)


def loss(model: Tagger, items: list[Item]) -> Tensor:
    """A tag a step: the mean of -log p(right) over all words."""
    found, answers = scores(model, items)
    return cross_entropy(found.flatten(0, 1), answers.flatten(), ignore_index=-1)


@torch.no_grad()
def right(model: Tagger, items: list[Item]) -> list[bool]:
    """Whether each word's tag is right."""
    found, answers = scores(model, items)
    return [bool(same) for same in (found.argmax(-1) == answers)[answers >= 0]]
