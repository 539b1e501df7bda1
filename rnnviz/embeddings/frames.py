"""The numbers of a view as one tidy table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnnviz.data.vectors import Vectors
from rnnviz.embeddings.bags import run_bags
from rnnviz.embeddings.compare import compare
from rnnviz.embeddings.inputs import Table
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.lookup import lookup
from rnnviz.embeddings.pretrained import nearest, take
from rnnviz.screens.embeddings import SIMILAR, EmbeddingsScreen

COLUMNS = "quantity, row, name, column, value"


def frame(screen: EmbeddingsScreen, vectors: Vectors | None = None) -> pd.DataFrame:
    """Every matrix of the screen's view: quantity, row, the row's name, column, value.

    Raises ValueError for the view *Pretrained* without vectors.
    """
    return pd.concat(_VIEWS[screen.view](screen, vectors), ignore_index=True)


def _long(quantity: str, values: NDArray[np.generic] | None, names: Sequence[str]) -> Iterable[pd.DataFrame]:
    if values is None or not values.size:
        return []
    rows, columns = values.shape
    return [
        pd.DataFrame(
            {
                "quantity": quantity,
                "row": np.repeat(np.arange(rows), columns),
                "name": np.repeat(np.array(names[:rows], dtype=object), columns),
                "column": np.tile(np.arange(columns), rows),
                "value": values.reshape(-1).astype(np.float64),
            }
        )
    ]


def _names(table: Table) -> list[str]:
    return [table.row_name(row) for row in range(table.config.num_embeddings)]


def _lookup(screen: EmbeddingsScreen, _: Vectors | None) -> list[pd.DataFrame]:
    table, found = screen.table, lookup(screen.table)
    read = [table.row_name(i) for line in table.indices for i in line]
    return [
        *_long("weight", found.weight, _names(table)),
        *_long("one_hot", found.one_hot, read),
        *_long("output", found.output, read),
        *_long("one_hot @ weight", found.product, read),
    ]


def _alike(screen: EmbeddingsScreen, _: Vectors | None) -> list[pd.DataFrame]:
    found = compare(screen.table, screen.similar == SIMILAR[1])
    empty = pd.DataFrame(columns=COLUMNS.split(", "))
    return [
        *_long("cosine of one-hot", found.one_hot, found.names),
        *_long("cosine", found.vectors, found.names),
    ] or [empty]


def _training(screen: EmbeddingsScreen, _: Vectors | None) -> list[pd.DataFrame]:
    found, names = learn(screen.training), _names(screen.table)
    return [
        *_long("weight", found.before, names),
        *_long("weight after forward", found.forward, names),
        *_long("weight.grad", found.grad, names),
        *_long("weight after the step", found.after, names),
    ]


def _bags(screen: EmbeddingsScreen, _: Vectors | None) -> list[pd.DataFrame]:
    found = run_bags(screen.bags)
    bags = [f"bag {k}" for k in range(len(found.spans))]
    return [
        *_long("weight", found.weight, [str(row) for row in range(len(found.weight))]),
        *_long("weight[input]", found.vectors, [str(i) for i in found.items]),
        *_long("output", found.output, bags),
        *_long("two steps", found.two_step, bags),
    ]


def _pretrained(screen: EmbeddingsScreen, vectors: Vectors | None) -> list[pd.DataFrame]:
    if vectors is None:
        raise ValueError("there are no vectors to write to a table")
    asked = screen.pretrained
    near = nearest(vectors, asked.ask, asked.near)
    taken = take(vectors, asked.words, asked.freeze, asked.seed)
    cosines = np.array(near.cosines)[:, None]
    empty = pd.DataFrame(columns=COLUMNS.split(", "))
    return [
        *_long("cosine", cosines, [vectors.words[row] for row in near.rows]),
        *_long("output", taken.output, asked.words),
    ] or [empty]


_VIEWS: dict[str, Callable[[EmbeddingsScreen, Vectors | None], list[pd.DataFrame]]] = {
    "Lookup": _lookup,
    "One-hot": _alike,
    "Gradient": _training,
    "Bags": _bags,
    "Pretrained": _pretrained,
}
