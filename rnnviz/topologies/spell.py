"""One to many: one vector goes in, a word comes out letter by letter, until the model ends it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.nn.utils.rnn import pad_sequence

Item = tuple[int, str]

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
END = "."
SYMBOLS = (END, "-", *"efghilnorstuvwxyz")
LONGEST = 16


def spelled(number: int) -> str:
    """The English word of a number from 0 to 99."""
    if number < 20:
        return SMALL[number]
    return TENS[number // 10 - 2] + (f"-{SMALL[number % 10]}" if number % 10 else "")


def numbers(held_out: bool) -> list[Item]:
    """0 to 99 without those held out (24, 31, 38 ...), or those."""
    return [(n, spelled(n)) for n in range(100) if (n > 20 and n % 7 == 3) == held_out]


def sets() -> dict[str, list[Item]]:
    """What it is trained on, and what it is asked besides."""
    return {"trained on": numbers(held_out=False), "held out": numbers(held_out=True)}


def vectors(found: list[int]) -> Tensor:
    """Each number as one vector, its two digits one-hot: (N, 20)."""
    digits = torch.tensor([divmod(number, 10) for number in found])  # (N, 2)
    return one_hot(digits, 10).flatten(1).float()


class Speller(nn.Module):
    """Scores of the next letter: vectors (N, 20) and the letters before (L, N) give (L, N, symbols)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.start = nn.Linear(20, hidden)
        self.embedding = nn.Embedding(len(SYMBOLS), 8)
        self.rnn = nn.GRU(8, hidden)
        self.linear = nn.Linear(hidden, len(SYMBOLS))

    def begin(self, x: Tensor) -> Tensor:
        """The vector is the first state: (1, N, H)."""
        return torch.tanh(self.start(x)).unsqueeze(0)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        h, _ = self.rnn(self.embedding(before), self.begin(x))  # (L, N, H)
        scores: Tensor = self.linear(h)  # (L, N, symbols)
        return scores


def loss(model: Speller, items: list[Item]) -> Tensor:
    """A letter a step: the mean of -log p(right) over all letters. It is fed the right letters before."""
    words = [torch.tensor([SYMBOLS.index(c) for c in word] + [0]) for _, word in items]  # 0: it is over
    before = [torch.cat([torch.zeros(1, dtype=torch.long), word[:-1]]) for word in words]  # 0: it begins
    scores = model(vectors([number for number, _ in items]), pad_sequence(before))
    answers = pad_sequence(words, padding_value=-1)  # (L, N)
    return cross_entropy(scores.flatten(0, 1), answers.flatten(), ignore_index=-1)


@torch.no_grad()
def write(model: Speller, x: Tensor) -> tuple[str, Tensor, Tensor]:
    """The word of one vector (1, 20): it is fed its own letters. Also h (L, H), the scores (L, symbols)."""
    state, symbol = model.begin(x), 0
    word, states, scores = "", [], []
    for _ in range(LONGEST):
        h, state = model.rnn(model.embedding(torch.tensor([[symbol]])), state)  # (1, 1, H)
        states.append(h[0, 0])
        scores.append(model.linear(h[0, 0]))
        symbol = int(scores[-1].argmax())
        if symbol == 0:
            break
        word += SYMBOLS[symbol]
    return word, torch.stack(states), torch.stack(scores)


def right(model: Speller, items: list[Item]) -> list[bool]:
    """Whether each number is spelled without a mistake."""
    return [write(model, vectors([number]))[0] == word for number, word in items]
