"""Arrays become plotly figures: a frozen record first, the figure second. No torch, no streamlit."""
