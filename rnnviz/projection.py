"""Two dimensions to look at: principal components, by NumPy's SVD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Plane:
    """Points (L, 2) in the plane of greatest variance, and the share of it along each axis."""

    points: NDArray[np.floating[Any]]
    share: tuple[float, float]


def principal_plane(values: NDArray[np.floating[Any]]) -> Plane:
    """The first two principal components of (L, units). The sign of an axis makes its largest coordinate
    positive.

    One unit, one step or no variance at all give zeros where there is no second (or first) direction.
    """
    centred = values - values.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(values), 2), values.dtype)
    kept = min(2, len(size))
    points[:, :kept] = left[:, :kept] * size[:kept]
    peak = points[np.abs(points).argmax(axis=0), range(2)]
    points *= np.where(peak < 0, -1, 1).astype(values.dtype)
    total = float((size**2).sum())
    share = [float(s) ** 2 / total if total > 0 else 0.0 for s in (*size[:2], 0.0, 0.0)[:2]]
    return Plane(points, (share[0], share[1]))


@dataclass(frozen=True, eq=False)
class Basis:
    """Where to look from, so that points of many moments can be compared: the ``centre`` (units,), two
    directions ``axes`` (units, 2), and each one's ``share`` of the variance it was made from.
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    share: tuple[float, float]

    def project(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Points (n, 2) of values (n, units); what is not a number stays so."""
        return ((values - self.centre) @ self.axes).astype(np.float32)


def basis(values: NDArray[np.floating[Any]], like: Basis | None = None) -> Basis:
    """The plane of greatest variance of (n, units), turned within itself to look as much as it can like
    ``like``.

    Principal components of two moments of a training differ by a sign, an order or a turn although the points
    hardly moved; the turn that undoes it is the orthogonal Procrustes solution (Schönemann 1966). With one
    basis for all epochs nothing jumps. Rows that are not finite are left out; without any variance the axes
    are zero.
    """
    finite = values[np.isfinite(values).all(axis=1)].astype(np.float64)
    units = values.shape[1]
    centre = finite.mean(axis=0) if len(finite) else np.zeros(units)
    centred = finite - centre
    axes = np.zeros((units, 2))
    if len(finite):
        _, size, right = np.linalg.svd(centred, full_matrices=False)
        kept = min(2, int((size > size[:1] * 1e-9).sum()))
        axes[:, :kept] = right[:kept].T
    if like is not None and like.axes.shape == axes.shape:
        left, _, right = np.linalg.svd(axes.T @ like.axes)
        axes = axes @ left @ right
    else:
        points = centred @ axes
        peak = points[np.abs(points).argmax(axis=0), range(2)] if len(points) else np.ones(2)
        axes *= np.where(peak < 0, -1, 1)
    total = float((centred**2).sum())
    share = ((centred @ axes) ** 2).sum(axis=0) / total if total > 0 else np.zeros(2)
    return Basis(centre, axes, (float(share[0]), float(share[1])))
