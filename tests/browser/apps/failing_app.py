"""A server whose only page fails, behind the error handler of the real one."""

from pathlib import Path

import streamlit as st

from rnnviz.ui.server import report_error

app = st.App(Path(__file__).with_name("failing_page.py"), on_script_error=report_error)
