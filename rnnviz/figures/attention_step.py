"""One step of attention written out: the products behind the energies, the softmax, the context as a sum.

Records only; `rnnviz.figures.attention_sums` draws them. S source positions, U units of the score, C units of
an encoder state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures.base import signed_limit

MOST_CELLS = 2400  # of one heatmap: 13 kB on the way to the browser
LEAST_UNITS = 6


@dataclass(frozen=True, eq=False)
class Looked:
    """What one step looks at: ``energies`` (S,) before the softmax, ``weights`` (S,) after it.

    ``outside``: for each position "", or why the softmax leaves it out ("padding", "masked").
    """

    said: str
    source: tuple[str, ...]
    energies: NDArray[np.float32]
    weights: NDArray[np.float32]
    outside: tuple[str, ...]
    place: int | None


@dataclass(frozen=True, eq=False)
class Products:
    """What an energy is the sum of: ``tanh`` (S, units), ``v`` (units,) and ``products`` (S, units).

    ``tanh`` and ``v`` are None for scores that have none (dot, general). ``units``: which of all are shown,
    in order: those whose products reach furthest; ``rest`` (S,) is the sum of the products of the others.
    """

    said: str
    source: tuple[str, ...]
    formula: str
    units: tuple[int, ...]
    tanh: NDArray[np.float32] | None
    v: NDArray[np.float32] | None
    products: NDArray[np.float32]
    rest: NDArray[np.float32] | None
    energies: NDArray[np.float32]
    place: int | None


@dataclass(frozen=True, eq=False)
class Weighted:
    """The context as a sum: ``states`` (S, units) of the encoder, ``weights`` (S,), their products and
    ``context`` (units,), the sum of the rows of ``products``. ``units``: which of all C are shown.
    """

    said: str
    source: tuple[str, ...]
    weights: NDArray[np.float32]
    units: tuple[int, ...]
    states: NDArray[np.float32]
    products: NDArray[np.float32]
    context: NDArray[np.float32]
    place: int | None


def looked(
    said: object,
    source: Sequence[object],
    sums: tuple[ArrayLike, ArrayLike],
    *,
    outside: Sequence[str | bool] | None = None,
    place: int | None = None,
) -> Looked:
    """The record of one step: ``sums`` are its energies and weights, both (S,); ``said`` is what it says.

    An energy may be -inf where the softmax leaves a position out. Raises `ValueError` for other shapes.
    """
    count = len(source)
    energies, weights = (
        _array(name, part, (count,)) for name, part in zip(("energies", "weights"), sums, strict=True)
    )
    words = tuple(word if isinstance(word, str) else "padding" * word for word in outside or ("",) * count)
    if len(words) != count:
        raise ValueError(f"outside has {len(words)} values: expected {count}")
    return Looked(str(said), tuple(map(str, source)), energies, weights, words, place)


def products(
    said: object,
    source: Sequence[object],
    parts: ArrayLike,
    *,
    tanh: ArrayLike | None = None,
    v: ArrayLike | None = None,
    formula: str = "v · tanh(W [s; h])",
    place: int | None = None,
) -> Products:
    """The record of one step: ``parts`` (S, U) are the products whose sums over U are the energies, ``tanh``
    (S, U) and ``v`` (U,) their factors in additive attention. Raises `ValueError` for other shapes.
    """
    count = len(source)
    array = np.asarray(parts, np.float32)
    if array.ndim != 2 or len(array) != count:
        raise ValueError(f"products have shape {array.shape}: expected ({count}, units)")
    units = array.shape[1]
    bent = None if tanh is None else _array("tanh", tanh, array.shape)
    factors = None if v is None else _array("v", v, (units,))
    most = max(LEAST_UNITS, MOST_CELLS // max(1, count))
    shown = _furthest(array, most)
    rest = None
    if len(shown) < units:
        hidden = np.setdiff1d(np.arange(units), shown)
        rest = array[:, hidden].sum(axis=1, dtype=np.float64).astype(np.float32)
    return Products(
        str(said),
        tuple(map(str, source)),
        formula,
        tuple(map(int, shown)),
        None if bent is None else np.ascontiguousarray(bent[:, shown]),
        None if factors is None else factors[shown],
        np.ascontiguousarray(array[:, shown]),
        rest,
        array.sum(axis=1, dtype=np.float64).astype(np.float32),
        place,
    )


def weighted(
    said: object,
    source: Sequence[object],
    weights: ArrayLike,
    states: ArrayLike,
    *,
    place: int | None = None,
) -> Weighted:
    """The record of one step: ``weights`` (S,) and the encoder's ``states`` (S, C). Of too many units those
    are kept whose products reach furthest. Raises `ValueError` for other shapes.
    """
    count = len(source)
    array = np.asarray(states, np.float32)
    if array.ndim != 2 or len(array) != count:
        raise ValueError(f"states have shape {array.shape}: expected ({count}, units)")
    shares = _array("weights", weights, (count,))
    made = array * shares[:, None]
    shown = _furthest(made, max(LEAST_UNITS, MOST_CELLS // max(1, count)))
    return Weighted(
        str(said),
        tuple(map(str, source)),
        shares,
        tuple(map(int, shown)),
        np.ascontiguousarray(array[:, shown]),
        np.ascontiguousarray(made[:, shown]),
        made.sum(axis=0, dtype=np.float64).astype(np.float32)[shown],
        place,
    )


def _array(name: str, given: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = np.asarray(given, np.float32)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {shape}")
    return array


def _furthest(values: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """The columns with the largest absolute values, at most ``most``, in their order."""
    if values.shape[1] <= most:
        return np.arange(values.shape[1])
    reach = np.abs(values).max(axis=0, initial=0.0)
    return np.sort(np.argsort(-reach, kind="stable")[:most])


def looked_summary(record: Looked) -> str:
    """The text alternative."""
    if not record.source:
        return "There is no source to look at."
    order = np.argsort(-record.weights, kind="stable")[:3]
    best = ", ".join(
        f"{record.source[s]} at position {s}: energy {record.energies[s]:.2f}, weight {record.weights[s]:.2f}"
        for s in order
    )
    return f"To say {record.said} the model looks most at {best}."


def products_summary(record: Products) -> str:
    """The text alternative."""
    if not record.source:
        return "There is no source to look at."
    top = int(record.energies.argmax())
    return (
        f"{record.formula}: {len(record.source)} positions, {len(record.units)} units; the products lie "
        f"within ±{signed_limit(record.products):.2g}. Largest sum: {record.energies[top]:.2f} for "
        f"{record.source[top]} at position {top}."
    )


def weighted_summary(record: Weighted) -> str:
    """The text alternative."""
    if not record.source:
        return "There is no source to look at."
    top = int(record.weights.argmax())
    return (
        f"The context is the sum of {len(record.source)} encoder states times their weights; "
        f"{record.weights[top]:.0%} of it is the state of {record.source[top]} at position {top}."
    )
