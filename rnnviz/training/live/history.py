"""Full states of a run, evenly thinned within a budget of bytes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

BUDGET: Final = 8_000_000  # bytes of kept states a run
MOST: Final = 256  # a slider has no use for more, and D1 at full speed was a third slower keeping each epoch


class History:
    """Kept states by epoch: the first, the last, and between them each epoch divisible by `stride`.

    The stride doubles whenever they are more than MOST or take more than `budget` bytes. Two states are
    always kept, also when they alone are larger: `over` says so. Not thread-safe by itself; the states are
    bytes and never change.
    """

    def __init__(self, budget: int = BUDGET, stride: int = 1) -> None:
        if budget < 0 or stride < 1:
            raise ValueError(f"budget must be 0 or more and stride 1 or more, not {budget} and {stride}")
        self.budget = budget
        self.stride = stride
        self.size = 0
        self._epochs: list[int] = []
        self._states: dict[int, bytes] = {}

    def put(self, epoch: int, state: bytes) -> None:
        """Keep the run's newest state, or replace it. ValueError for an epoch before the last."""
        if self._epochs and epoch < self._epochs[-1]:
            raise ValueError(f"epoch {epoch} comes after epoch {self._epochs[-1]}, which was kept before")
        if self._epochs and epoch == self._epochs[-1]:
            self._drop(len(self._epochs) - 1)
        elif len(self._epochs) > 1 and self._epochs[-1] % self.stride:
            self._drop(len(self._epochs) - 1)  # it stayed only because it was the last
        self._epochs.append(epoch)
        self._states[epoch] = state
        self.size += len(state)
        while len(self._epochs) > 2 and (self.over or len(self._epochs) > MOST):
            self._double()

    def _drop(self, index: int) -> None:
        self.size -= len(self._states.pop(self._epochs.pop(index)))

    def _double(self) -> None:
        self.stride *= 2
        inner = self._epochs[1:-1]
        for epoch in inner:
            if epoch % self.stride:
                self.size -= len(self._states.pop(epoch))
        self._epochs[1:-1] = [epoch for epoch in inner if epoch % self.stride == 0]

    @property
    def over(self) -> bool:
        """Whether the kept states are larger than the budget."""
        return self.size > self.budget

    @property
    def note(self) -> str:
        """A sentence for the page when nothing but the first and last state could be kept, else ""."""
        if not self.over:
            return ""
        megabytes = self.size / 1e6
        return (
            f"This model's states are large ({megabytes:.1f} MB for two): only the first and the last "
            "are kept, so epochs between them have to be computed again."
        )

    @property
    def epochs(self) -> tuple[int, ...]:
        """The kept epochs, in order."""
        return tuple(self._epochs)

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter([(epoch, self._states[epoch]) for epoch in self._epochs])

    def __getitem__(self, epoch: int) -> bytes:
        """The state of a kept epoch. KeyError for another."""
        return self._states[epoch]

    def __contains__(self, epoch: object) -> bool:
        return epoch in self._states

    def nearest(self, epoch: int) -> int:
        """The kept epoch closest to `epoch`, the earlier of two. LookupError when nothing is kept."""
        if not self._epochs:
            raise LookupError("no state is kept")
        at = bisect_left(self._epochs, epoch)
        around = self._epochs[max(0, at - 1) : at + 1]
        return min(around, key=lambda kept: (abs(kept - epoch), kept))

    def before(self, epoch: int) -> int:
        """The last kept epoch that is not after `epoch`. LookupError when there is none."""
        at = bisect_right(self._epochs, epoch)
        if at == 0:
            raise LookupError(f"no state at or before epoch {epoch} is kept")
        return self._epochs[at - 1]

    def until(self, epoch: int) -> History:
        """A new history of what is kept up to `epoch`; the states are shared, being immutable."""
        return History.of(((e, s) for e, s in self if e <= epoch), self.budget, self.stride)

    @classmethod
    def of(cls, states: Iterable[tuple[int, bytes]], budget: int = BUDGET, stride: int = 1) -> History:
        """A history with these states, in order of their epochs. ValueError when they are not in order."""
        history = cls(budget, stride)
        for epoch, state in states:
            if epoch in history:
                raise ValueError(f"epoch {epoch} is there twice")
            history.put(epoch, state)
        return history
