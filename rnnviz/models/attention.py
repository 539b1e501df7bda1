"""The scores of attention: how well a decoder's state s fits each of the encoder's outputs h_j.

Additive: v · tanh(W [s; h_j] + b), Bahdanau, Cho and Bengio 2015 (https://arxiv.org/abs/1409.0473). Dot and
general: s · h_j and s · W h_j, Luong, Pham and Manning 2015 (https://arxiv.org/abs/1508.04025). Scaled dot
divides by the root of the size, multi-head does so in several projections at once: Vaswani et al. 2017
(https://arxiv.org/abs/1706.03762). For all of them s is the state before the step, as in the first paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rnnviz.training.pairs_config import Seq2SeqConfig


@dataclass(frozen=True)
class Memory:
    """What the decoder may look at. ``h``: the encoder's outputs, or each head's values; ``keys``: what of
    the score depends on them alone, computed once; ``mask``: True where there is a token, None: everywhere.
    """

    h: Tensor
    keys: Tensor
    mask: Tensor | None

    def rows(self, rows: Tensor) -> Memory:
        """Of these rows of the batch."""
        return Memory(self.h[rows], self.keys[rows], None if self.mask is None else self.mask[rows])


class Attention(nn.Module):
    """What all scores share; this one is the dot product itself, s · h_j."""

    def remember(self, h: Tensor, mask: Tensor | None) -> Memory:
        """From the encoder's outputs (N, L, C) and their mask (N, L)."""
        return Memory(h, self.keys(h), mask)

    def keys(self, h: Tensor) -> Tensor:
        return h  # (N, L, C)

    def energies(self, s: Tensor, keys: Tensor) -> Tensor:
        """(N, L) for a state s (N, S)."""
        return (keys @ s.unsqueeze(-1)).squeeze(-1)

    def forward(self, s: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """The context (N, C), and the weights and energies (N, L) or (N, heads, L); of the energies those of
        padding are as computed, of the weights they are exactly 0.
        """
        e = self.energies(s, memory.keys)
        a = self.weights(e, memory)
        return self.context(a, memory), a, e

    def weights(self, e: Tensor, memory: Memory) -> Tensor:
        """softmax over the source, padding left out."""
        if memory.mask is not None:
            e = e.masked_fill(~memory.mask, -math.inf)
        return torch.softmax(e, dim=-1)

    def context(self, a: Tensor, memory: Memory) -> Tensor:
        """The sum of the outputs by their weights."""
        return (a.unsqueeze(1) @ memory.h).squeeze(1)


class Additive(Attention):
    """v · tanh(W [s; h_j] + b). W is one matrix as in the paper; its half for h_j is applied once."""

    def __init__(self, state: int, width: int) -> None:
        super().__init__()
        self.sizes = (state, width)
        self.W = nn.Linear(state + width, state)
        self.v = nn.Linear(state, 1, bias=False)

    def keys(self, h: Tensor) -> Tensor:
        W_h = self.W.weight.split(self.sizes, dim=1)[1]
        return linear(h, W_h, self.W.bias)  # (N, L, S)

    def energies(self, s: Tensor, keys: Tensor) -> Tensor:
        W_s = self.W.weight.split(self.sizes, dim=1)[0]
        e: Tensor = self.v(torch.tanh(linear(s, W_s).unsqueeze(1) + keys))
        return e.squeeze(-1)


class General(Attention):
    """s · W h_j."""

    def __init__(self, state: int, width: int) -> None:
        super().__init__()
        self.W = nn.Linear(width, state, bias=False)

    def keys(self, h: Tensor) -> Tensor:
        keys: Tensor = self.W(h)
        return keys  # (N, L, S)


class ScaledDot(Attention):
    """s · h_j / √C."""

    def energies(self, s: Tensor, keys: Tensor) -> Tensor:
        return super().energies(s, keys) / math.sqrt(s.shape[-1])


class MultiHead(Attention):
    """Scaled dot products of several projections, their contexts joined by a last linear layer."""

    def __init__(self, state: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(state, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        split: Tensor = x.unflatten(-1, (self.heads, -1))
        return split.transpose(-3, -2)  # (N, heads, L, C / heads)

    def remember(self, h: Tensor, mask: Tensor | None) -> Memory:
        mask = None if mask is None else mask.unsqueeze(1)
        return Memory(self._split(self.value(h)), self.keys(h), mask)

    def keys(self, h: Tensor) -> Tensor:
        return self._split(self.key(h))

    def energies(self, s: Tensor, keys: Tensor) -> Tensor:
        q: Tensor = self.query(s).unflatten(-1, (self.heads, -1))  # (N, heads, C / heads)
        return (keys @ q.unsqueeze(-1)).squeeze(-1) / math.sqrt(q.shape[-1])

    def context(self, a: Tensor, memory: Memory) -> Tensor:
        joined = (a.unsqueeze(-2) @ memory.h).flatten(1)  # (N, C)
        context: Tensor = self.out(joined)
        return context


def attention(config: Seq2SeqConfig) -> Attention | None:
    """The attention of a configuration; None for a plain encoder-decoder."""
    state, width = config.decoder_hidden, config.width
    if config.attention == "additive":
        return Additive(state, width)
    if config.attention == "general":
        return General(state, width)
    if config.attention == "multihead":
        return MultiHead(state, width, config.heads)
    return {"dot": Attention, "scaled_dot": ScaledDot}[config.attention]() if config.context else None
