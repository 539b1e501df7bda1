"""The three pages written the plain way: one script, st.plotly_chart, tabs, a cell loop, nothing frozen or
cached.

It is what a careful beginner writes after a first read of Streamlit's guide, and the comparison for the
load generator.
"""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor, nn

WORDS = ["the", "dog", "ate", "the", "apple", "and", "everybody", "read", "that", "book", "again"]


def heatmap(values: Tensor, title: str, limit: float = 1.0) -> go.Figure:
    figure = go.Figure(go.Heatmap(z=values.detach().numpy(), colorscale="RdBu", zmin=-limit, zmax=limit))
    figure.update_layout(title=title, height=260, margin={"l": 30, "r": 10, "t": 40, "b": 30})
    return figure


def lstm_gates(layer: nn.LSTM, x: Tensor) -> dict[str, Tensor]:
    """Every gate of the first layer, step by step. Each (H, L)."""
    size, weights = layer.hidden_size, list(layer.parameters())
    h, c = torch.zeros(size), torch.zeros(size)
    found: dict[str, list[Tensor]] = {name: [] for name in "ifgoch"}
    for row in x:
        parts = weights[0] @ row + weights[1] @ h
        if layer.bias:
            parts = parts + weights[2] + weights[3]
        i, f, g, o = parts.chunk(4)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            found[name].append(value)
    return {name: torch.stack(rows, dim=1) for name, rows in found.items()}


def home() -> None:
    st.title("A small LSTM reads a sentence")
    hidden = st.slider("hidden size", 2, 64, 16, key="hidden")
    torch.manual_seed(0)
    layer = nn.LSTM(8, hidden)
    gates = lstm_gates(layer, torch.randn(len(WORDS), 8))
    st.plotly_chart(heatmap(gates["h"], "hidden state"), key="h")


def layers() -> None:
    st.title("Layers and shapes")
    with st.sidebar:
        kind = st.selectbox("kind", ["RNN", "LSTM", "GRU"], index=1, key="kind")
        inputs = st.number_input("input size", 1, 1024, 10, key="inputs")
        hidden = st.number_input("hidden size", 1, 1024, 20, key="hidden")
        num_layers = st.number_input("layers", 1, 8, 2, key="layers")
        both = st.toggle("bidirectional", key="both")
        first = st.toggle("batch first", key="first")
        bias = st.toggle("bias", value=True, key="bias")
        length = st.number_input("L", 1, 512, 5, key="length")
        batch = st.number_input("N", 1, 256, 3, key="batch")
        seed = st.number_input("seed", 0, 9999, 0, key="seed")
    torch.manual_seed(seed)
    layer = getattr(nn, kind)(inputs, hidden, num_layers, bias=bias, batch_first=first, bidirectional=both)
    x = torch.randn(batch, length, inputs) if first else torch.randn(length, batch, inputs)
    output, state = layer(x)
    states = state if isinstance(state, tuple) else (state,)
    names = ("h_n", "c_n")[: len(states)]
    shapes = {"input": x, "output": output, **dict(zip(names, states, strict=True))}
    tensors, parameters, pictures = st.tabs(["Tensors", "Parameters", "Pictures"])
    with tensors:
        st.dataframe(
            pd.DataFrame({"shape": [str(tuple(t.shape)) for t in shapes.values()]}, index=list(shapes))
        )
        st.plotly_chart(heatmap(output.reshape(-1, output.shape[-1]).T, "output"), key="output")
    with parameters:
        rows = [(name, str(tuple(p.shape)), p.numel()) for name, p in layer.named_parameters()]
        st.dataframe(pd.DataFrame(rows, columns=["name", "shape", "count"]))
    with pictures:
        for name, p in list(layer.named_parameters())[:4]:
            st.plotly_chart(heatmap(p.reshape(p.shape[0], -1), name, 0.3), key=name)


def step() -> None:
    st.title("Step through")
    with st.sidebar:
        hidden = st.slider("hidden size", 1, 64, 8, key="hidden")
        inputs = st.slider("input size", 1, 32, 4, key="inputs")
        length = st.slider("L", 1, 128, 14, key="length")
        unit = st.slider("unit", 0, 63, 0, key="unit")
        seed = st.number_input("seed", 0, 9999, 0, key="seed")
        bias = st.toggle("bias", value=True, key="bias")
    torch.manual_seed(seed)
    layer = nn.LSTM(inputs, hidden, bias=bias)
    gates = lstm_gates(layer, torch.randn(length, inputs))
    now = st.slider("step", 0, length, 0, key="now")
    everything, lines, numbers = st.tabs(["Heatmaps", "Lines", "Numbers"])
    with everything:
        for name, values in gates.items():
            figure = heatmap(values, name)
            figure.add_vline(now)
            st.plotly_chart(figure, key=f"heat_{name}")
    with lines:
        traces = [go.Scatter(y=row.detach().numpy()) for row in gates["h"]]
        st.plotly_chart(go.Figure(traces, layout={"title": "h"}), key="lines")
    with numbers:
        column = {name: float(v[min(unit, hidden - 1), min(now, length - 1)]) for name, v in gates.items()}
        st.dataframe(pd.DataFrame([column]))


st.set_page_config(layout="wide")
pages = [
    st.Page(home, title="Home", default=True),
    st.Page(layers, title="Layers", url_path="layers"),
    st.Page(step, title="Step", url_path="step"),
]
st.navigation(pages, position="top").run()
