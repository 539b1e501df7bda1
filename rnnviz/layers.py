"""From a configuration to a real torch.nn module."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from rnnviz.config import LayerConfig

MODULES: dict[str, type[nn.RNNBase]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def stream(seed: int) -> Iterator[None]:
    """Draw from PyTorch's global CPU generator as if the program had begun with ``torch.manual_seed(seed)``.

    The generator is put back afterwards. Locked, because a module draws its weights from that one global
    generator and the server builds for many students at once.
    """
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def make(config: LayerConfig, dtype: torch.dtype = torch.float32) -> nn.RNNBase:
    """The module of a configuration on the CPU, in evaluation mode, its weights drawn from the running
    stream.
    """
    arguments = config.arguments()
    if config.num_layers == 1:
        arguments.pop("dropout", None)  # PyTorch would warn: there is no layer after which it could act
    return MODULES[config.kind](**arguments, dtype=dtype).eval()


def build(
    config: LayerConfig, seed: int = 0, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> nn.RNNBase:
    """The nn.RNN, nn.LSTM or nn.GRU of a configuration, in evaluation mode.

    The same seed gives the same weights on every device: they are PyTorch's own uniform(-1/√H, 1/√H), drawn
    in PyTorch's order on the CPU from ``torch.manual_seed(seed)``, which is what the exported script does.
    The global random state is left as it was.
    """
    with stream(seed):
        module = make(config, dtype)
    return module.to(device)
