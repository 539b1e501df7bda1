"""B4 and B8: nn.RNNCell, nn.LSTMCell and nn.GRUCell in a loop, one cell or a stack of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def loop(x: Tensor, cells: list[nn.RNNCellBase]) -> tuple[Tensor, ...]:
    """x (L, N, H_in) -> output (L, N, H), h_n (1, N, H)."""
    (cell,) = cells
    h = x.new_zeros(x.shape[1], cell.hidden_size)
    states = []
    for t in range(len(x)):
        h = cell(x[t], h)  # (N, H_in), (N, H) -> (N, H)
        states.append(h)
    output = torch.stack(states)
    return output, output[-1][None]


def loop_lstm(x: Tensor, cells: list[nn.RNNCellBase]) -> tuple[Tensor, ...]:
    """x (L, N, H_in) -> output (L, N, H), h_n and c_n (1, N, H)."""
    (cell,) = cells
    h = c = x.new_zeros(x.shape[1], cell.hidden_size)
    states = []
    for t in range(len(x)):
        h, c = cell(x[t], (h, c))  # two states
        states.append(h)
    output = torch.stack(states)
    return output, output[-1][None], c[None]


def stack(x: Tensor, cells: list[nn.RNNCellBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (layers, N, H)."""
    h = [x.new_zeros(len(x), cell.hidden_size) for cell in cells]
    output = []
    for t in range(x.shape[1]):
        below = x[:, t]
        for k, cell in enumerate(cells):
            below = h[k] = cell(below, h[k])
        output.append(below)  # h of the top cell
    return torch.stack(output, 1), torch.stack(h)


def stack_lstm(x: Tensor, cells: list[nn.RNNCellBase]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n and c_n (layers, N, H)."""
    h = [x.new_zeros(len(x), cell.hidden_size) for cell in cells]
    c = list(h)
    output = []
    for t in range(x.shape[1]):
        below = x[:, t]
        for k, cell in enumerate(cells):
            h[k], c[k] = cell(below, (h[k], c[k]))
            below = h[k]
        output.append(below)  # h of the top cell
    return torch.stack(output, 1), torch.stack(h), torch.stack(c)


def cells_of(layer: nn.RNNBase) -> list[nn.RNNCellBase]:
    """One nn.RNNCell, nn.LSTMCell or nn.GRUCell a layer, with copies of its weights."""
    new = {"LSTM": nn.LSTMCell, "GRU": nn.GRUCell}.get(layer.mode, nn.RNNCell)
    cells = []
    for weights in layer.all_weights:
        cell = new(weights[0].shape[1], layer.hidden_size, layer.bias).to(weights[0].dtype)
        with torch.no_grad():
            for mine, its in zip(cell.parameters(), weights, strict=True):
                mine.copy_(its)
        cells.append(cell)
    return cells


def call(x: Tensor, layer: nn.RNNBase) -> tuple[Tensor, ...]:
    """Of an nn.RNN or nn.GRU."""
    output, h_n = layer(x)
    return output, h_n


def call_lstm(x: Tensor, layer: nn.LSTM) -> tuple[Tensor, ...]:
    """Of an nn.LSTM."""
    output, (h_n, c_n) = layer(x)
    return output, h_n, c_n
