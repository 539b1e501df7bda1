"""What lies behind one row of the heatmap: each product of the score, the weighted sum, the distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from rnnviz.config import whole
from rnnviz.models.attention import Additive, Attention, General, Memory, MultiHead, ScaledDot
from rnnviz.models.decoding import Decoded, How
from rnnviz.models.seq2seq import Seq2Seq
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.training.task import read_only

Array = NDArray[Any]
TOP = 5
WRITTEN = 12.0  # energies whose exponentials have not too many digits


@dataclass(frozen=True)
class Candidate:
    """One of the most likely tokens of a step."""

    token: str
    logit: float
    probability: float


@dataclass(frozen=True, eq=False)
class Explained:
    """Step t of a decoding. L source tokens, U units that are multiplied, C the encoder's width.

    ``units`` (L, U): what is weighed for each source position: tanh(W [s; h_j] + b) for the additive score,
    W h_j for the general one, h_j else; of several heads (heads, L, U). ``factors`` (U) or (heads, U): by
    what each is multiplied: v, or s, or s / √U. ``products``: their product, which sums over the units to
    ``energies`` (L) or (heads, L). ``weights``: as the decoding has them, typed ones too; ``own``: the
    softmax of the energies, which they are unless they were given.

    ``parts`` (L, C): weight times output (several heads: times value, side by side), which sum over the
    positions to ``joined`` (C); that is ``context`` (C) itself, but for several heads before their last
    linear layer. ``state`` (S): s before the step.

    ``difference``: the largest |difference| of the energies and the context to those that the model computed.
    All of attention's are None without it.
    """

    step: int
    state: Array
    candidates: tuple[Candidate, ...]
    temperature: float
    units: Array | None = None
    factors: Array | None = None
    products: Array | None = None
    energies: Array | None = None
    weights: Array | None = None
    own: Array | None = None
    parts: Array | None = None
    joined: Array | None = None
    context: Array | None = None
    difference: float = 0.0


@torch.no_grad()
def explain(
    model: Seq2Seq, config: Seq2SeqConfig, decoded: Decoded, t: int, how: How | None = None
) -> Explained:
    """What led to step t of what `decode` made with ``how``, and its TOP most likely tokens.

    Raises ValueError for a step that is not there.
    """
    how = how or How()
    whole("t", t, 0, len(decoded.ids) - 1)
    candidates = _candidates(config, decoded.logits[t], how.temperature)
    attend = model.decoder.attention
    if attend is None or decoded.weights is None or decoded.energies is None or decoded.context is None:
        return Explained(t, decoded.before(t), candidates, how.temperature)
    device = model.encoder.embedding.weight.device
    s = torch.tensor(decoded.before(t), device=device)
    memory = attend.remember(torch.tensor(decoded.encoded, device=device).unsqueeze(0), None)
    units, factors = _multiplied(attend, s, memory)
    products = units * factors.unsqueeze(-2)
    energies = products.sum(-1)
    own = energies.index_fill(-1, torch.tensor(how.masked, dtype=torch.long, device=device), -torch.inf)
    weights = torch.tensor(decoded.weights[t], device=device)  # (L) or (heads, L)
    parts = weights.unsqueeze(-1) * memory.h[0]  # (L, C) or (heads, L, C / heads)
    if isinstance(attend, MultiHead):
        parts = parts.transpose(0, 1).flatten(1)  # (L, C)
    joined = parts.sum(0)
    context = attend.out(joined) if isinstance(attend, MultiHead) else joined
    found = (energies, decoded.energies[t]), (context, decoded.context[t])
    return Explained(
        t,
        decoded.before(t),
        candidates,
        how.temperature,
        units=read_only(units),
        factors=read_only(factors),
        products=read_only(products),
        energies=read_only(energies),
        weights=decoded.weights[t],
        own=read_only(torch.softmax(own, dim=-1)),
        parts=read_only(parts),
        joined=read_only(joined),
        context=decoded.context[t],
        difference=max(float(np.abs(read_only(mine) - theirs).max()) for mine, theirs in found),
    )


def softmax_of(found: Explained, place: int) -> tuple[float, float, float] | None:
    """The energy of a source position, its exponential, and the sum of all positions' exponentials; None
    without attention, for several heads, and where they are too large to be written down.
    """
    energies = found.energies
    if energies is None or energies.ndim > 1 or not np.abs(energies).max() < WRITTEN:
        return None
    exponentials = np.exp(energies.astype(np.float64))
    return float(energies[place]), float(exponentials[place]), float(exponentials.sum())


def _multiplied(attend: Attention, s: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """The units of each source position and what each is multiplied by; see `Explained`."""
    keys = memory.keys[0]
    if isinstance(attend, Additive):
        W_s = attend.W.weight.split(attend.sizes, dim=1)[0]
        return torch.tanh(linear(s, W_s) + keys), attend.v.weight[0]
    if isinstance(attend, MultiHead):
        q = attend.query(s).unflatten(-1, (attend.heads, -1))  # (heads, U)
        return keys, q / q.shape[-1] ** 0.5
    if isinstance(attend, ScaledDot):
        return keys, s / s.shape[-1] ** 0.5
    assert type(attend) in (Attention, General)
    return keys, s


def _candidates(config: Seq2SeqConfig, logits: Array, temperature: float) -> tuple[Candidate, ...]:
    scaled = logits.astype(np.float64) / temperature
    chances = np.exp(scaled - scaled.max())
    chances /= chances.sum()
    best = np.argsort(-logits, kind="stable")[:TOP]
    tokens = config.target_text(best.tolist())
    return tuple(
        Candidate(token, float(logits[i]), float(chances[i])) for token, i in zip(tokens, best, strict=True)
    )
