"""Many to many, out of step: an encoder reads a word to its end; then a decoder writes it backwards."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_sequence, pad_sequence

Item = str

END = "."
SYMBOLS = (END, *"abcdefghijklmnopqrstuvwxyz")
LONGEST = 5
"""Letters of the longest word that it is trained on."""


def words(count: int, seed: int, lengths: tuple[int, int]) -> list[Item]:
    """Different random words: any letter at any place."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(draw.choices(SYMBOLS[1:], k=draw.randint(*lengths)))] = None
    return list(found)


def sets() -> dict[str, list[Item]]:
    """What it is trained on, and what it is asked besides."""
    known = words(20_500, 1, (1, LONGEST))
    return {
        "trained on": known[:20_000],
        "held out": known[20_000:],
        "longer, 6 letters": words(200, 5, (6, 6)),
        "longer, 8 letters": words(200, 5, (8, 8)),
    }


def ids(word: str) -> Tensor:
    """The symbols' numbers: (L)."""
    return torch.tensor([SYMBOLS.index(letter) for letter in word])


class Reverser(nn.Module):
    """Scores of the next letter: words, each (L), and the letters before (M, N) give (M, N, symbols)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(SYMBOLS), 16)
        self.encoder = nn.GRU(16, hidden)
        self.decoder = nn.GRU(16, hidden)
        self.linear = nn.Linear(hidden, len(SYMBOLS))

    def forward(self, words: list[Tensor], before: Tensor) -> Tensor:
        x = pack_sequence([self.embedding(word) for word in words], enforce_sorted=False)
        _, h_n = self.encoder(x)  # (1, N, H): all that the decoder learns of the word
        h, _ = self.decoder(self.embedding(before), h_n)  # (M, N, H)
        scores: Tensor = self.linear(h)  # (M, N, symbols)
        return scores


def loss(model: Reverser, items: list[Item]) -> Tensor:
    """A letter a decoder's step: the mean of -log p(right) over them. It is fed the right letters before."""
    end = torch.zeros(1, dtype=torch.long)
    answers = [torch.cat([ids(word[::-1]), end]) for word in items]
    before = [torch.cat([end, answer[:-1]]) for answer in answers]
    scores = model([ids(word) for word in items], pad_sequence(before))
    wanted = pad_sequence(answers, padding_value=-1)  # (M, N)
    return cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=-1)


@torch.no_grad()
def write(model: Reverser, word: str) -> tuple[str, Tensor, Tensor]:
    """What it writes, fed with its own letters. Also h of both parts (L + M, H), the scores (M, symbols)."""
    read, state = model.encoder(model.embedding(ids(word)).unsqueeze(1))  # (L, 1, H), (1, 1, H)
    text, symbol, states, scores = "", 0, list(read[:, 0]), []
    for _ in range(len(word) + 3):  # by then it is wrong anyway
        h, state = model.decoder(model.embedding(torch.tensor([[symbol]])), state)  # (1, 1, H)
        states.append(h[0, 0])
        scores.append(model.linear(h[0, 0]))
        symbol = int(scores[-1].argmax())
        if symbol == 0:
            break
        text += SYMBOLS[symbol]
    return text, torch.stack(states), torch.stack(scores)


def right(model: Reverser, items: list[Item]) -> list[bool]:
    """Whether each word is written backwards without a mistake."""
    return [write(model, word)[0] == word[::-1] for word in items]
