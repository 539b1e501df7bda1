"""What `app.py` gives to `st.App`: start-up work, several processes, headers, compressed files, an answer to
a fault.
"""

from rnnviz.ui.server.door import SameProcess
from rnnviz.ui.server.files import CompressedFiles, asset_route
from rnnviz.ui.server.headers import OwnWebsockets, SecurityHeaders
from rnnviz.ui.server.processes import number as process_number
from rnnviz.ui.server.room import prepare
from rnnviz.ui.server.startup import lifespan, report_error

__all__ = [
    "CompressedFiles",
    "OwnWebsockets",
    "SameProcess",
    "SecurityHeaders",
    "asset_route",
    "lifespan",
    "prepare",
    "process_number",
    "report_error",
]
