"""The server: `streamlit run app.py` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from rnnviz.ui.server import (
    CompressedFiles,
    OwnWebsockets,
    SameProcess,
    SecurityHeaders,
    asset_route,
    lifespan,
    prepare,
    process_number,
    report_error,
)

# The main script lies inside pages/: next to that folder, Streamlit would look for a classic multipage app
# and show the first deep link without the navigation. Absolute, for `uvicorn app:app` from any folder.
HERE = Path(__file__).resolve()
MAIN = HERE.parent / "pages" / "main.py"

prepare()
app = st.App(
    MAIN,
    lifespan=lifespan(HERE),
    middleware=[
        Middleware(SameProcess, number=process_number),
        Middleware(SecurityHeaders),
        Middleware(OwnWebsockets),
        Middleware(CompressedFiles),
    ],
    routes=[asset_route()],
    on_script_error=report_error,
)
