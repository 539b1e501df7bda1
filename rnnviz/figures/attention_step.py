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

NAMES = {
    "additive": ("tanh(W [s; h])", "v"),
    "dot": ("h", "s"),
    "general": ("W h", "s"),
    "scaled_dot": ("h", "s / √S"),
    "multihead": ("W h", "q / √d"),
}
"""For each score, what is multiplied: a value for each position and unit, and a factor for each unit."""
MOST_CELLS = 1200  # of one heatmap: 6 kB on the way to the browser
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
    """What an energy is the sum of: ``values`` (S, units) times ``factors`` (units,) are ``products``.

    ``names`` are those of the values and the factors: tanh(W [s; h]) and v in additive attention. ``units``:
    which of all ``total`` are shown: those whose products reach furthest; ``rest`` (S,) is the sum of the
    products of the others, None if there are none. ``energies`` (S,) are the sums over all.
    """

    said: str
    source: tuple[str, ...]
    names: tuple[str, str]
    units: tuple[int, ...]
    values: NDArray[np.float32]
    factors: NDArray[np.float32]
    products: NDArray[np.float32]
    rest: NDArray[np.float32] | None
    energies: NDArray[np.float32]
    total: int
    place: int | None


@dataclass(frozen=True, eq=False)
class Weighted:
    """The context as a sum: ``weights`` (S,) times ``states`` (S, units) of the encoder are ``products``, and
    the sum of their rows is ``context`` (units,). ``units``: which of all ``total`` are shown.
    """

    said: str
    source: tuple[str, ...]
    weights: NDArray[np.float32]
    units: tuple[int, ...]
    states: NDArray[np.float32] | None
    products: NDArray[np.float32]
    context: NDArray[np.float32]
    total: int
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
    parts: tuple[ArrayLike, ArrayLike],
    *,
    names: tuple[str, str] = NAMES["additive"],
    place: int | None = None,
) -> Products:
    """The record of one step: ``parts`` are the values (S, U) and the factors (U,) whose products sum over U
    to the energies; `NAMES` has their names for each score. Raises `ValueError` for other shapes.
    """
    count = len(source)
    values = np.asarray(parts[0], np.float32)
    if values.ndim != 2 or len(values) != count:
        raise ValueError(f"values have shape {values.shape}: expected ({count}, units)")
    factors = _array("factors", parts[1], values.shape[1:])
    made = values * factors
    shown = _furthest(made, max(LEAST_UNITS, MOST_CELLS // max(1, count)))
    rest = None
    if len(shown) < len(factors):
        rest = np.delete(made, shown, axis=1).sum(axis=1, dtype=np.float64).astype(np.float32)
    return Products(
        str(said),
        tuple(map(str, source)),
        names,
        tuple(map(int, shown)),
        np.ascontiguousarray(values[:, shown]),
        factors[shown],
        np.ascontiguousarray(made[:, shown]),
        rest,
        made.sum(axis=1, dtype=np.float64).astype(np.float32),
        len(factors),
        place,
    )


def weighted(
    said: object,
    source: Sequence[object],
    weights: ArrayLike,
    parts: ArrayLike,
    *,
    states: ArrayLike | None = None,
    place: int | None = None,
) -> Weighted:
    """The record of one step: ``weights`` (S,), and ``parts`` (S, C), which sum over the positions to the
    context. ``states`` (S, C) are what the weights were multiplied with, where that is one thing for each
    position (not with several heads). Of too many units those are kept whose parts reach furthest.

    Raises `ValueError` for other shapes.
    """
    count = len(source)
    made = np.asarray(parts, np.float32)
    if made.ndim != 2 or len(made) != count:
        raise ValueError(f"parts have shape {made.shape}: expected ({count}, units)")
    shares = _array("weights", weights, (count,))
    given = None if states is None else _array("states", states, made.shape)
    shown = _furthest(made, max(LEAST_UNITS, MOST_CELLS // max(1, count)))
    return Weighted(
        str(said),
        tuple(map(str, source)),
        shares,
        tuple(map(int, shown)),
        None if given is None else np.ascontiguousarray(given[:, shown]),
        np.ascontiguousarray(made[:, shown]),
        made.sum(axis=0, dtype=np.float64).astype(np.float32)[shown],
        made.shape[1],
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
        f"{' times '.join(record.names)}: {len(record.source)} positions, {len(record.units)} units; "
        f"the products lie within ±{signed_limit(record.products):.2g}. "
        f"Largest sum: {record.energies[top]:.2f} for {record.source[top]} at position {top}."
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
