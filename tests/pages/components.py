"""What the page's own components were given, as AppTest hands it over."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def components(app: AppTest) -> list[dict[str, Any]]:
    """The data of every component on the page in order; the text that a chart's data travels as is read."""
    found = [json.loads(part.proto.json) for part in app.get("bidi_component")]
    return [json.loads(d["sent"]) if "sent" in d else d for d in found]
