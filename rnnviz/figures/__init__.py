"""Arrays and tables become plotly figures here: a small frozen record first, the figure second. No torch, no streamlit."""
