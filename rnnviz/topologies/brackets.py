"""Many to one: a string of brackets goes in symbol by symbol; one answer comes out of the last state."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_sequence

Item = tuple[str, int]

SYMBOLS = "()[]"
CLASSES = ("not balanced", "balanced")
LONGEST, DEEPEST = 12, 4
"""Of the strings that it is trained on."""


def depth(text: str) -> int:
    """How deep a balanced string is nested; -1 if it is not balanced."""
    opened: list[str] = []
    deepest = 0
    for symbol in text:
        if symbol in "([":
            opened.append(symbol)
            deepest = max(deepest, len(opened))
        elif not opened or opened.pop() + symbol not in ("()", "[]"):
            return -1
    return -1 if opened else deepest


def balanced(draw: random.Random, length: int) -> str:
    """A random balanced string."""
    text = ""
    opened: list[str] = []
    while len(text) < length:
        if opened and (len(opened) == length - len(text) or draw.random() < 0.45):
            text += {"(": ")", "[": "]"}[opened.pop()]
        else:
            opened.append(draw.choice("(["))
            text += opened[-1]
    return text


def spoiled(draw: random.Random, text: str) -> str:
    """The string with one symbol replaced, two swapped, or the last one cut off."""
    i, j = draw.randrange(len(text)), draw.randrange(len(text))
    how = draw.random()
    if how < 0.6:
        return text[:i] + draw.choice(SYMBOLS) + text[i + 1 :]
    if how < 0.9:
        symbols = list(text)
        symbols[i], symbols[j] = symbols[j], symbols[i]
        return "".join(symbols)
    return text[:-1]


def strings(count: int, seed: int, *, lengths: tuple[int, int], deepest: int) -> list[Item]:
    """Different strings, one half balanced and at most so deep, the other half spoiled ones."""
    draw = random.Random(seed)
    found: dict[str, int] = {}
    while len(found) < count:
        text = balanced(draw, 2 * draw.randint(lengths[0] // 2, lengths[1] // 2))
        if depth(text) <= deepest:
            if len(found) % 2:
                text = spoiled(draw, text)
            if depth(text) <= deepest:  # what spoils a string may also nest it deeper
                found[text] = int(depth(text) >= 0)
    return list(found.items())


def sets() -> dict[str, list[Item]]:
    """What it is trained on, and what it is asked besides."""
    known = strings(6000, 1, lengths=(2, LONGEST), deepest=DEEPEST)
    longer = strings(1000, 3, lengths=(14, 24), deepest=DEEPEST)
    deeper = [item for item in strings(4000, 4, lengths=(12, 24), deepest=12) if depth(item[0]) > DEEPEST]
    return {
        "trained on": known[:5000],
        "held out": known[5000:],
        "longer, 14 to 24 symbols": longer,
        "deeper than 4, all balanced": deeper[:500],
    }


class Checker(nn.Module):
    """Scores of the two answers: packed ids of N strings give (N, 2)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(SYMBOLS), 4)
        self.rnn = nn.LSTM(4, hidden)
        self.linear = nn.Linear(hidden, len(CLASSES))

    def forward(self, strings: list[Tensor]) -> Tensor:
        x = pack_sequence([self.embedding(ids) for ids in strings], enforce_sorted=False)
        _, (h_n, _) = self.rnn(x)  # h_n (1, N, H): each string's own last state
        scores: Tensor = self.linear(h_n[0])  # (N, classes)
        return scores


def scores(model: Checker, items: list[Item]) -> tuple[Tensor, Tensor]:
    """Scores (N, classes) and what is right (N)."""
    strings = [torch.tensor([SYMBOLS.index(symbol) for symbol in text]) for text, _ in items]
    return model(strings), torch.tensor([answer for _, answer in items])


def loss(model: Checker, items: list[Item]) -> Tensor:
    """One answer a string, however long: the mean of -log p(right) over the batch."""
    return cross_entropy(*scores(model, items))


@torch.no_grad()
def right(model: Checker, items: list[Item]) -> list[bool]:
    """Whether each string's answer is right."""
    found, answers = scores(model, items)
    return [bool(same) for same in found.argmax(-1) == answers]
