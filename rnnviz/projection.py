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
