"""The server: `streamlit run app.py` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from rnnviz.ui.server import (
    CompressedFiles,
    OwnWebsockets,
    SecurityHeaders,
    asset_route,
    lifespan,
    prepare,
    report_error,
)

# The main script lies inside pages/: next to that folder, Streamlit would look for a classic multipage app
# and show the first deep link without the navigation. Absolute, for `uvicorn app:app` from any folder.
MAIN = Path(__file__).resolve().parent / "pages" / "main.py"

prepare()
app = st.App(
    MAIN,
    lifespan=lifespan,
    middleware=[Middleware(SecurityHeaders), Middleware(OwnWebsockets), Middleware(CompressedFiles)],
    routes=[asset_route()],
    on_script_error=report_error,
)
