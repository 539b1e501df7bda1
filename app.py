"""The server: `streamlit run app.py` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from rnnviz.ui.server import CompressedFiles, SecurityHeaders, asset_route, lifespan, report_error

app = st.App(
    # Absolute, so that `uvicorn app:app` works from any folder too. The main script lies inside pages/: Streamlit
    # would otherwise take that folder for a classic multipage app and lose the navigation on a first deep link.
    Path(__file__).resolve().parent / "pages" / "main.py",
    lifespan=lifespan,
    middleware=[Middleware(SecurityHeaders), Middleware(CompressedFiles)],
    routes=[asset_route()],
    on_script_error=report_error,
)
