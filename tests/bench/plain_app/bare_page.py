"""A bare page: one slider, one heatmap (an LSTM's hidden states over 32 steps), in Streamlit's own chart."""

import plotly.graph_objects as go
import streamlit as st
import torch

hidden = st.slider("hidden size", 2, 64, 16, key="hidden")
torch.manual_seed(0)
with torch.no_grad():
    output, _ = torch.nn.LSTM(8, hidden)(torch.randn(32, 1, 8))
values = output[:, 0].T.numpy()
st.plotly_chart(go.Figure(go.Heatmap(z=values, zmin=-1, zmax=1), layout={"height": 360}), key="heat")
