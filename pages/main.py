"""The list of pages and their sections, nothing else."""

import streamlit as st

from rnnviz.assets import data_uri

# A local icon, set before the navigation: Streamlit would otherwise fetch one from a font host.
st.set_page_config(
    page_title="rnnviz",
    page_icon=data_uri("icon.svg"),
    layout="wide",
    initial_sidebar_state=308,  # pixels: two number fields side by side, with their buttons
    # An entry of its own keeps the minimal menu, and with it the choice between light and dark.
    menu_items={"About": "**rnnviz**: every number on these pages is PyTorch's own."},
)

st.navigation(
    {
        "": [st.Page("home.py", title="Home", default=True)],
        "Understand": [
            st.Page("layers.py", title="Layers & shapes", url_path="layers"),
            st.Page("step.py", title="Step through", url_path="step"),
            st.Page("by_hand.py", title="By hand", url_path="by-hand"),
            st.Page("embeddings.py", title="Embeddings", url_path="embeddings"),
            st.Page("topologies.py", title="Topologies", url_path="topologies"),
        ],
        "Train": [
            st.Page("tagger.py", title="Tagger", url_path="tagger"),
            st.Page("characters.py", title="Characters", url_path="characters"),
            st.Page("attention.py", title="Attention", url_path="attention"),
        ],
    },
    position="top",
).run()
