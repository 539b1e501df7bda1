"""The only part of rnnviz that imports streamlit: the chart, the pickers, the transport, the footer."""
