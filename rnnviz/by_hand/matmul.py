"""B5: RNN, LSTM and GRU from matrix products, in the order and letters of PyTorch's documentation.

Sources: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html, ...LSTM.html, ...GRU.html. The
equations that the other pages rest on stand in `rnnviz.cells`; these are written out again for a reader.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def rnn(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (1, N, H), y."""
    W_ih, W_hh, b_ih, b_hh, W_y, b_y = weights
    h = x.new_zeros(len(x), len(W_hh))
    states = []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
        states.append(h)
    output = torch.stack(states, 1)
    return output, output[:, -1][None], output @ W_y.T + b_y


def lstm(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n, c_n (1, N, H), y."""
    W_ih, W_hh, b_ih, b_hh, W_y, b_y = weights
    W_ii, W_if, W_ig, W_io = W_ih.chunk(4)  # (H, H_in) each
    W_hi, W_hf, W_hg, W_ho = W_hh.chunk(4)  # (H, H) each
    b_ii, b_if, b_ig, b_io = b_ih.chunk(4)
    b_hi, b_hf, b_hg, b_ho = b_hh.chunk(4)
    h = c = x.new_zeros(len(x), W_hh.shape[1])
    states = []
    for t in range(x.shape[1]):
        x_t = x[:, t]  # (N, H_in)
        i = torch.sigmoid(x_t @ W_ii.T + b_ii + h @ W_hi.T + b_hi)
        f = torch.sigmoid(x_t @ W_if.T + b_if + h @ W_hf.T + b_hf)
        g = torch.tanh(x_t @ W_ig.T + b_ig + h @ W_hg.T + b_hg)
        o = torch.sigmoid(x_t @ W_io.T + b_io + h @ W_ho.T + b_ho)
        c = f * c + i * g
        h = o * torch.tanh(c)
        states.append(h)
    output = torch.stack(states, 1)
    return output, output[:, -1][None], c[None], output @ W_y.T + b_y


def gru(x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """x (N, L, H_in) -> output (N, L, H), h_n (1, N, H), y."""
    W_ih, W_hh, b_ih, b_hh, W_y, b_y = weights
    W_ir, W_iz, W_in = W_ih.chunk(3)  # (H, H_in) each
    W_hr, W_hz, W_hn = W_hh.chunk(3)  # (H, H) each
    b_ir, b_iz, b_in = b_ih.chunk(3)
    b_hr, b_hz, b_hn = b_hh.chunk(3)
    h = x.new_zeros(len(x), W_hh.shape[1])
    states = []
    for t in range(x.shape[1]):
        x_t = x[:, t]  # (N, H_in)
        r = torch.sigmoid(x_t @ W_ir.T + b_ir + h @ W_hr.T + b_hr)
        z = torch.sigmoid(x_t @ W_iz.T + b_iz + h @ W_hz.T + b_hz)
        n = torch.tanh(x_t @ W_in.T + b_in + r * (h @ W_hn.T + b_hn))
        h = (1 - z) * n + z * h
        states.append(h)
    output = torch.stack(states, 1)
    return output, output[:, -1][None], output @ W_y.T + b_y


def weights_of(layer: nn.RNNBase, project: nn.Linear) -> list[Tensor]:
    """W_ih, W_hh, b_ih, b_hh, W_y, b_y as copies with gradients of their own; without a bias it is zeros."""
    found = [W.detach().clone().requires_grad_() for W in layer.parameters()]
    if not layer.bias:
        found += [torch.zeros_like(found[1][:, 0])] * 2
    return found + [W.detach().clone().requires_grad_() for W in project.parameters()]


def call(x: Tensor, layer: nn.RNNBase, project: nn.Linear) -> tuple[Tensor, ...]:
    """Of an nn.RNN or nn.GRU."""
    output, h_n = layer(x)
    return output, h_n, project(output)


def call_lstm(x: Tensor, layer: nn.LSTM, project: nn.Linear) -> tuple[Tensor, ...]:
    """Of an nn.LSTM."""
    output, (h_n, c_n) = layer(x)
    return output, h_n, c_n, project(output)
