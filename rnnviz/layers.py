"""From a configuration to a real torch.nn module."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import nn

from rnnviz.config import LayerConfig

MODULES: dict[str, type[nn.RNNBase]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


def build(
    config: LayerConfig,
    seed: int = 0,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    keep_stream: bool = False,
) -> nn.RNNBase:
    """The nn.RNN, nn.LSTM or nn.GRU of a configuration, in evaluation mode.

    The same seed gives the same weights on every device: they are PyTorch's own uniform(-1/√H, 1/√H), drawn in PyTorch's
    order on the CPU from ``torch.manual_seed(seed)``, which is what the exported script does. The global random state is
    left as it was, unless ``keep_stream``: then what the caller draws next continues the stream.
    """
    arguments = config.arguments()
    if config.num_layers == 1:
        arguments.pop("dropout", None)  # PyTorch would warn: there is no layer after which it could act
    with nullcontext() if keep_stream else torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = MODULES[config.kind](**arguments, dtype=dtype)
    return module.to(device).eval()
