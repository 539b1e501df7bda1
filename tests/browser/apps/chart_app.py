"""A server with nothing but charts, behind the same headers and routes as the real one."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from rnnviz.ui.server import CompressedFiles, SecurityHeaders, asset_route, report_error

app = st.App(
    Path(__file__).with_name("chart_page.py"),
    middleware=[Middleware(SecurityHeaders), Middleware(CompressedFiles)],
    routes=[asset_route()],
    on_script_error=report_error,
)
