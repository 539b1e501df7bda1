"""What a worker does before its first slice: it trains a moment.

PyTorch loads a good part of itself at a process's first optimiser and first backward pass, two to eight
seconds on a busy machine. A run's first slice would be charged for it: of thirty runs, the two that met a
fresh worker stood still for a minute, until the others had had as many seconds.
"""

from __future__ import annotations


def rehearse() -> None:
    """Train each of the models for two epochs, with all that a slice does."""
    from rnnviz.training.config import CharsConfig, TaggerConfig
    from rnnviz.training.engine import start
    from rnnviz.training.slices import Order, work

    for config in (TaggerConfig(((("a", "A"), ("b", "B")),)), CharsConfig("ab", "ba", hidden=2)):
        work(start(config).to_bytes(), Order(epochs=2, seconds=60.0, stride=1, view="{}"))
