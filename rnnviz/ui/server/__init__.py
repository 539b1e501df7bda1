"""What `app.py` gives to `st.App`: start-up work, headers, compressed files, an answer when a page fails."""

from rnnviz.ui.server.files import CompressedFiles, asset_route
from rnnviz.ui.server.headers import OwnWebsockets, SecurityHeaders
from rnnviz.ui.server.room import prepare
from rnnviz.ui.server.startup import lifespan, report_error

__all__ = [
    "CompressedFiles",
    "OwnWebsockets",
    "SecurityHeaders",
    "asset_route",
    "lifespan",
    "prepare",
    "report_error",
]
