"""The encoder-decoder with attention (rows D6, D9, E1, E2, E6). It reads like the exported script's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz.layers import MODULES
from rnnviz.models.attention import Memory, attention
from rnnviz.training.pairs_config import PAD, Seq2SeqConfig

State = Tensor | tuple[Tensor, Tensor]
"""The decoder's: h (layers, N, S), with c for an LSTM."""


def _dropout(config: Seq2SeqConfig) -> nn.Module:
    return nn.Dropout(config.dropout) if config.dropout else nn.Identity()


def _between(config: Seq2SeqConfig, layers: int) -> float:
    return config.dropout if layers > 1 else 0.0


class Encoder(nn.Module):
    """The outputs (N, L, D * H) and the decoder's first state (N, S) of sources (N, L)."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.packed, self.directions = config.packed, config.directions
        self.embedding = nn.Embedding(config.source_rows, config.embedding)
        self.dropout = _dropout(config)
        layer: Any = MODULES[config.encoder]
        self.rnn: nn.RNNBase = layer(
            config.embedding,
            config.hidden,
            config.num_layers,
            batch_first=True,
            dropout=_between(config, config.num_layers),
            bidirectional=config.bidirectional,
        )
        self.join = nn.Linear(config.width, config.decoder_hidden)

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = self.dropout(self.embedding(source))  # (N, L, E)
        if self.packed:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            h, last = self.rnn(packed)
            h, _ = pad_packed_sequence(h, batch_first=True)  # (N, L, D * H)
        else:
            h, last = self.rnn(x)
        h_n = last[0] if isinstance(last, tuple) else last  # (layers * D, N, H)
        # The top layer's states: all of them side by side would fit the linear layer for one layer only (E6)
        s = torch.tanh(self.join(torch.cat([*h_n[-self.directions :]], dim=-1)))
        return h, s


@dataclass(frozen=True)
class Look:
    """One step of the decoder, before its output layer. ``s``: the top layer's h after it (N, S); ``context``
    (N, C), ``weights`` and ``energies`` (N, L) or (N, heads, L), all None without attention.
    """

    state: State
    s: Tensor
    features: Tensor
    context: Tensor | None
    weights: Tensor | None
    energies: Tensor | None


class Decoder(nn.Module):
    """One token from the one before it, the state, and what attention brings from the source."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.kind, self.layers = config.decoder, config.decoder_layers
        self.embedding = nn.Embedding(config.target_rows, config.embedding)
        self.dropout = _dropout(config)
        self.attention = attention(config)
        layer: Any = MODULES[config.decoder]
        self.rnn: nn.RNNBase = layer(
            config.context + config.embedding,
            config.decoder_hidden,
            config.decoder_layers,
            batch_first=True,
            dropout=_between(config, config.decoder_layers),
        )
        self.out = nn.Linear(config.decoder_hidden + config.context + config.embedding, config.target_rows)

    def start(self, s: Tensor) -> State:
        """Every layer begins with the encoder's joined state; an LSTM's c with zeros."""
        h = s.expand(self.layers, *s.shape).contiguous()
        return (h, torch.zeros_like(h)) if self.kind == "LSTM" else h

    def step(self, e: Tensor, state: State, memory: Memory | None) -> Look:
        """e: the embedded token (N, E)."""
        context = weights = energies = None
        x = e
        if self.attention is not None and memory is not None:
            context, weights, energies = self.attention(top(state), memory)
            x = torch.cat([context, e], dim=-1)  # (N, C + E)
        return self.move(e, x, state, (context, weights, energies))

    def move(self, e: Tensor, x: Tensor, state: State, seen: tuple[Any, Any, Any]) -> Look:
        """The rest of a step, when it is known what attention saw."""
        s, state = self.rnn(x.unsqueeze(1), state)
        s = s.squeeze(1)  # (N, S)
        return Look(state, s, torch.cat([s, x], dim=-1), *seen)


def top(state: State) -> Tensor:
    """The top layer's h (N, S)."""
    return (state[0] if isinstance(state, tuple) else state)[-1]


class Seq2Seq(nn.Module):
    """Logits (N, T, V) of the targets' tokens, each from the source and the tokens before it."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.mask = config.mask
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def read(self, source: Tensor, lengths: Tensor) -> tuple[State, Memory | None, Tensor]:
        """The decoder's first state, what it may look at, and the encoder's outputs."""
        h, s = self.encoder(source, lengths)
        attend = self.decoder.attention
        mask = source != PAD if self.mask else None
        return self.decoder.start(s), None if attend is None else attend.remember(h, mask), h

    def forward(
        self, source: Tensor, lengths: Tensor, inputs: Tensor, teacher: Sequence[bool] | None = None
    ) -> Tensor:
        """source (N, L), lengths (N) on the CPU, inputs (N, T): the start symbol and the target's tokens.

        ``teacher`` (T): whether a step is fed the true token; where not, the token with the highest logit of
        the step before. The first step is always fed the start symbol. None: always.
        """
        decoder = self.decoder
        state, memory, _ = self.read(source, lengths)
        e = decoder.dropout(decoder.embedding(inputs))  # (N, T, E)
        if memory is None and (teacher is None or all(teacher[1:])):
            s, _ = decoder.rnn(e, state)  # nothing waits for the step before: one call
            return decoder.out(torch.cat([s, e], dim=-1))  # type: ignore[no-any-return]
        features: list[Tensor] = []
        for t in range(inputs.shape[1]):
            e_t = e[:, t]
            if t and teacher is not None and not teacher[t]:
                own = decoder.out(features[-1].detach()).argmax(-1)
                e_t = decoder.dropout(decoder.embedding(own))
            look = decoder.step(e_t, state, memory)
            state = look.state
            features.append(look.features)
        logits: Tensor = decoder.out(torch.stack(features, dim=1))
        return logits
