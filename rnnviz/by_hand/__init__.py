"""nn.Linear, nn.RNN, nn.LSTM and nn.GRU written by hand, beside PyTorch's own, and broken on purpose.

The functions of `linear`, `memory`, `cells`, `matmul`, `stacks` and `both_ways` are what the page *By hand*
shows: their source is read from the function that runs (`rnnviz.by_hand.source`), so it cannot drift.
"""
