"""rnnviz: every number inside PyTorch's recurrent layers, from one call.

>>> from rnnviz import LayerConfig, build, trace
>>> layer = build(LayerConfig("LSTM", input_size=4, hidden_size=3), seed=0)
>>> trace(layer, torch.randn(5, 2, 4)).sel("f").shape      # doctest: +SKIP
(5, 2, 3)

Names resolve on first use, so that ``import rnnviz.figures`` does not load torch. No module here is called
``trace`` or ``build``: Python would bind the submodule to that name and ``from rnnviz import trace`` would
give the module.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnviz.config import LayerConfig as LayerConfig
    from rnnviz.layers import build as build
    from rnnviz.presets import PRESETS as PRESETS
    from rnnviz.tracing import Trace as Trace
    from rnnviz.tracing import trace as trace

_HOME = {
    "LayerConfig": "rnnviz.config",
    "PRESETS": "rnnviz.presets",
    "build": "rnnviz.layers",
    "trace": "rnnviz.tracing",
    "Trace": "rnnviz.tracing",
}
__all__ = ["PRESETS", "LayerConfig", "Trace", "build", "trace"]


def __getattr__(name: str) -> Any:
    # Not cached by hand: `from rnnviz.tracing import trace` must not be shadowed by the submodule of the same
    # name.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'rnnviz' has no attribute {name!r}")
