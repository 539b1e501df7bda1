"""Training as a value: `start` makes a run, `advance` moves it on, and a run is data from first to last.

>>> from rnnviz import PRESETS
>>> from rnnviz.training import advance, start
>>> state = advance(start(PRESETS["D1"]), epochs=300)      # doctest: +SKIP
>>> state.losses[-1] < 0.05                                # doctest: +SKIP
True

Names resolve on first use, so that a configuration is plain data and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnviz.training.changes import Change as Change
    from rnnviz.training.changes import Device as Device
    from rnnviz.training.changes import Edit as Edit
    from rnnviz.training.changes import LearningRate as LearningRate
    from rnnviz.training.changes import Silence as Silence
    from rnnviz.training.config import CharsConfig as CharsConfig
    from rnnviz.training.config import Generated as Generated
    from rnnviz.training.config import Optimiser as Optimiser
    from rnnviz.training.config import Seq2SeqConfig as Seq2SeqConfig
    from rnnviz.training.config import TaggerConfig as TaggerConfig
    from rnnviz.training.config import TrainConfig as TrainConfig
    from rnnviz.training.engine import advance as advance
    from rnnviz.training.engine import change as change
    from rnnviz.training.engine import parameter_names as parameter_names
    from rnnviz.training.engine import snapshot as snapshot
    from rnnviz.training.engine import start as start
    from rnnviz.training.engine import step as step
    from rnnviz.training.slices import Order as Order
    from rnnviz.training.slices import Slice as Slice
    from rnnviz.training.slices import Stop as Stop
    from rnnviz.training.slices import work as work
    from rnnviz.training.state import DeviceLost as DeviceLost
    from rnnviz.training.state import RunState as RunState

_HOME = {
    "changes": ("Change", "Device", "Edit", "LearningRate", "Silence"),
    "config": ("CharsConfig", "Generated", "Optimiser", "Seq2SeqConfig", "TaggerConfig", "TrainConfig"),
    "engine": ("advance", "change", "parameter_names", "snapshot", "start", "step"),
    "slices": ("Order", "Slice", "Stop", "work"),
    "state": ("DeviceLost", "RunState"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE)


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        return getattr(import_module(f"rnnviz.training.{_MODULE[name]}"), name)
    raise AttributeError(f"module 'rnnviz.training' has no attribute {name!r}")
