"""nn.Embedding really called, beside the product of one-hot vectors with its weight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from rnnviz.embeddings.config import BagConfig, EmbeddingConfig
from rnnviz.embeddings.inputs import Table
from rnnviz.embeddings.refusals import Rule, table_rule
from rnnviz.layers import stream

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Refusal:
    """A call that was not answered: PyTorch's own error, "" where it was not asked, and the rule in words."""

    error: str
    rule: Rule


@dataclass(frozen=True, eq=False)
class Lookup:
    """One call of nn.Embedding. T = N · L positions, V rows, D numbers a row; all arrays are read-only.

    ``start`` is the weight as it was drawn, ``weight`` (V, D) as the call left it: ``max_norm`` shortens rows
    in place. ``output`` and ``product`` (T, D) are None where the call was refused; ``difference`` is
    max |output - one_hot @ weight|.
    """

    start: Matrix
    weight: Matrix
    shape: tuple[int, ...]
    one_hot: NDArray[np.uint8]
    output: Matrix | None
    product: Matrix | None
    difference: float
    refusal: Refusal | None


def embedding(config: EmbeddingConfig, seed: int) -> nn.Embedding:
    """The module of a configuration, its weight the first numbers drawn from the seed."""
    with stream(seed):
        return nn.Embedding(**config.arguments())


def embedding_bag(config: BagConfig, seed: int) -> nn.EmbeddingBag:
    """The same for nn.EmbeddingBag: equal sizes and seeds give equal weights."""
    with stream(seed):
        return nn.EmbeddingBag(**config.arguments())


def prepared(table: Table) -> nn.Embedding:
    """The screen's module: drawn from its seed, its padding row overwritten with ones if that was asked."""
    module = embedding(table.config, table.seed)
    if table.ones and table.config.padding_idx is not None:
        with torch.no_grad():
            module.weight[table.config.padding_idx] = 1
    return module


@lru_cache(maxsize=64)
def lookup(table: Table) -> Lookup:
    """The screen's call and its parts."""
    module = prepared(table)
    start = frozen(module.weight)
    rule = table_rule(table)
    if rule is not None:
        return Lookup(
            start, start, (), np.zeros((0, 0), np.uint8), None, None, 0.0, refused(module, table, rule)
        )
    indices = torch.tensor(table.indices)  # (N, L)
    with torch.no_grad():
        output = module(indices)  # (N, L, D)
        one_hot = F.one_hot(indices, table.config.num_embeddings)  # (N, L, V)
        product = one_hot.to(module.weight.dtype) @ module.weight
    width = table.config.embedding_dim
    return Lookup(
        start,
        frozen(module.weight),
        tuple(output.shape),
        frozen(one_hot.reshape(-1, table.config.num_embeddings).to(torch.uint8)),
        frozen(output.reshape(-1, width)),
        frozen(product.reshape(-1, width)),
        float((output - product).abs().max()),
        None,
    )


def refused(module: nn.Embedding, table: Table, rule: Rule) -> Refusal:
    """PyTorch's own error for a lookup that breaks a rule. It reads no row before it has checked them all."""
    with torch.no_grad():
        error = said(lambda: F.embedding(torch.tensor(table.indices), module.weight))
    return Refusal(error, rule)


def said(call: Any) -> str:
    """The error that a call raises, with its type, on one line.

    Raises AssertionError if there is none: then a rule has been stated that PyTorch does not have.
    """
    try:
        call()
    except (RuntimeError, ValueError, IndexError, NotImplementedError) as error:
        text = " ".join(str(error).split("\n[ torch.")[0].split())
        return f"{type(error).__name__}: {text}"
    raise AssertionError("PyTorch accepts what is said to break a rule")


def frozen(tensor: torch.Tensor) -> NDArray[Any]:
    """A read-only numpy copy."""
    array: NDArray[Any] = tensor.detach().numpy().copy()
    array.flags.writeable = False
    return array
