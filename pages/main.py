"""The list of pages and their sections, nothing else."""

import streamlit as st

from rnnviz.assets import FOLDER

# A local icon, set before the navigation: Streamlit would otherwise fetch one from a font host.
st.set_page_config(page_title="rnnviz", page_icon=str(FOLDER / "icon.png"), layout="wide")

st.navigation(
    {
        "": [st.Page("home.py", title="Home", default=True)],
        "Understand": [
            st.Page("layers.py", title="Layers & shapes", url_path="layers"),
            st.Page("step.py", title="Step through", url_path="step"),
        ],
    },
    position="top",
).run()
