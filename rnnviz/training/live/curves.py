"""What a run measured at each epoch, decimated for a picture: about 600 points, however long it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

POINTS: Final = 600

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """One series of P columns. Each bucket of `width` epochs keeps its lowest and highest value, exactly.

    `keys` (B,): (epoch - 1) // width. `low`, `high` (B, P), and the epochs they stand at, `low_at`,
    `high_at`. A bucket with no finite value has low = inf and high = -inf. `ends` (2, 1 + P): the first and
    last epoch and their values, which are always drawn.
    """

    width: int
    keys: Whole
    low: Floats
    low_at: Whole
    high: Floats
    high_at: Whole
    ends: Floats

    @classmethod
    def of(cls, epochs: Whole, rows: Floats) -> Curve:
        """The series with one row (E, P) an epoch (E ≥ 1), undecimated."""
        at = np.repeat(epochs[:, None], rows.shape[1], axis=1)
        finite = np.isfinite(rows)
        low, high = np.where(finite, rows, np.inf), np.where(finite, rows, -np.inf)
        ends = np.column_stack([epochs, rows])[[0, -1]]
        return cls(1, epochs - 1, low, at, high, at, ends.astype(np.float64))

    def then(self, new: Curve) -> Curve:
        """This series followed by a later one of width 1, thinned to the bound."""
        keys = np.concatenate([self.keys, new.keys // self.width])
        joined = Curve(
            self.width,
            keys,
            np.concatenate([self.low, new.low]),
            np.concatenate([self.low_at, new.low_at]),
            np.concatenate([self.high, new.high]),
            np.concatenate([self.high_at, new.high_at]),
            np.stack([self.ends[0], new.ends[1]]),
        )
        return joined.grouped().thinned()

    def thinned(self) -> Curve:
        """The same in buckets twice, four times … as wide, until there are few enough."""
        curve = self
        while len(curve.keys) > (POINTS if curve.width == 1 else POINTS // 2):
            curve = replace(curve, width=curve.width * 2, keys=curve.keys // 2).grouped()
        return curve

    def grouped(self) -> Curve:
        """One bucket for each run of equal keys."""
        starts = np.flatnonzero(np.diff(self.keys, prepend=-1))
        if len(starts) == len(self.keys):
            return self
        sizes = np.diff(starts, append=len(self.keys))
        low, high = np.minimum.reduceat(self.low, starts), np.maximum.reduceat(self.high, starts)
        return replace(
            self,
            keys=self.keys[starts],
            low=low,
            low_at=_first_at(self.low == np.repeat(low, sizes, axis=0), self.low_at, starts),
            high=high,
            high_at=_first_at(self.high == np.repeat(high, sizes, axis=0), self.high_at, starts),
        )

    def points(self, column: int = 0) -> tuple[Whole, Floats]:
        """Epochs (K,), rising, and values (K,) of one column to draw; without what is not finite."""
        epochs = np.concatenate(
            [self.low_at[:, column], self.high_at[:, column], self.ends[:, 0].astype(int)]
        )
        values = np.concatenate([self.low[:, column], self.high[:, column], self.ends[:, 1 + column]])
        finite = np.isfinite(values)
        at, first = np.unique(epochs[finite], return_index=True)
        return at, values[finite][first]

    def until(self, epoch: int) -> Curve | None:
        """What is known up to `epoch`: of a bucket that reaches beyond, the values before."""
        stay = self.keys * self.width < epoch
        if not stay.any():
            return None
        cut = replace(
            self,
            keys=self.keys[stay],
            low=np.where(self.low_at > epoch, np.inf, self.low)[stay],
            low_at=self.low_at[stay],
            high=np.where(self.high_at > epoch, -np.inf, self.high)[stay],
            high_at=self.high_at[stay],
        )
        if self.ends[1, 0] <= epoch:
            return cut
        ats = np.concatenate([cut.low_at, cut.high_at])  # (2B, P)
        values = np.concatenate([cut.low, cut.high])
        last = max(int(self.ends[0, 0]), int(np.where(np.isfinite(values), ats, 0).max()))
        here = (ats == last) & np.isfinite(values)
        end = np.where(here.any(0), np.where(here, values, -np.inf).max(0), np.nan)
        return replace(cut, ends=np.stack([self.ends[0], np.concatenate([[last], end])]))


def _first_at(here: NDArray[np.bool_], at: Whole, starts: NDArray[np.intp]) -> Whole:
    found: Whole = np.minimum.reduceat(np.where(here, at, np.iinfo(np.int64).max), starts)
    return found


@dataclass(frozen=True)
class Samples:
    """Rows of whole numbers (classes: an average says nothing): those of each epoch divisible by `stride`,
    and the last. `epochs` (K,), `rows` (K, P), K about 600 at most.
    """

    stride: int
    epochs: Whole
    rows: Whole

    def then(self, epochs: Whole, rows: Whole) -> Samples:
        """These and later ones, thinned to the bound."""
        if len(self.epochs) and rows.shape[1] != self.rows.shape[1]:
            raise ValueError("rows of one series must be equally long")
        both = Samples(self.stride, np.append(self.epochs, epochs), np.concatenate([self.rows, rows]))
        while True:
            stay = both.epochs % both.stride == 0
            stay[-1] = True
            both = Samples(both.stride, both.epochs[stay], both.rows[stay])
            if len(both.epochs) <= POINTS:
                return both
            both = replace(both, stride=both.stride * 2)

    def until(self, epoch: int) -> Samples:
        """Those up to `epoch`."""
        stay = self.epochs <= epoch
        return Samples(self.stride, self.epochs[stay], self.rows[stay])


class Curves:
    """All series of a run by name. Not thread-safe by itself; the curves in it never change."""

    def __init__(
        self, curves: Mapping[str, Curve] | None = None, samples: Mapping[str, Samples] | None = None
    ) -> None:
        self._curves = dict(curves or {})
        self._samples = dict(samples or {})

    def extend(self, last_epoch: int, log: Mapping[str, NDArray[Any]]) -> None:
        """Add one row an epoch, (E,) or (E, P) for each name, the last of them at `last_epoch`."""
        for name, rows in log.items():
            count = len(rows)
            if count == 0 or name == "epoch":
                continue
            epochs = np.arange(last_epoch - count + 1, last_epoch + 1, dtype=np.int64)
            if rows.dtype.kind in "iu":
                whole = rows.reshape(count, -1).astype(np.int64)
                first = Samples(1, epochs[:0], whole[:0])
                self._samples[name] = self._samples.get(name, first).then(epochs, whole)
                continue
            values = np.asarray(rows, dtype=np.float64)
            new = Curve.of(epochs, values.reshape(count, -1))
            old = self._curves.get(name)
            self._curves[name] = new.thinned() if old is None else old.then(new)

    def points(self, name: str, column: int = 0) -> tuple[Whole, Floats]:
        """Epochs and values of one series to draw; empty when nothing is known of it."""
        if name not in self._curves:
            return np.empty(0, np.int64), np.empty(0)
        return self._curves[name].points(column)

    def rows(self, name: str) -> tuple[Whole, Whole]:
        """Epochs (K,) and rows (K, P) of a series of whole numbers, such as `predicted`; evenly thinned."""
        found = self._samples.get(name, Samples(1, np.empty(0, np.int64), np.empty((0, 0), np.int64)))
        return found.epochs, found.rows

    @property
    def names(self) -> tuple[str, ...]:
        """The series there are, those of `rows` last."""
        return (*self._curves, *self._samples)

    def columns(self, name: str) -> int:
        """How many columns a series has; 0 when there is no such series."""
        return self._curves[name].low.shape[1] if name in self._curves else 0

    def until(self, epoch: int) -> Curves:
        """A new record of what is known up to `epoch`."""
        cut = {name: curve.until(epoch) for name, curve in self._curves.items()}
        samples = {name: rows.until(epoch) for name, rows in self._samples.items()}
        return Curves(
            {name: curve for name, curve in cut.items() if curve is not None},
            {name: rows for name, rows in samples.items() if len(rows.epochs)},
        )

    def copy(self) -> Curves:
        """A copy that later rows do not change."""
        return Curves(self._curves, self._samples)

    @property
    def curves(self) -> Mapping[str, Curve]:
        """The decimated series by name."""
        return self._curves

    @property
    def samples(self) -> Mapping[str, Samples]:
        """The thinned rows of whole numbers by name."""
        return self._samples
