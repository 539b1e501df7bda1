"""`visit("layers.py")`: the whole app, navigation included, opened at one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).resolve().parents[2] / "pages" / "main.py"


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """A factory: the page after one run, with `parameters` as its address's query."""

    def open_at(name: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=60).run()  # registers the pages that can be chosen
        for key, value in parameters.items():
            app.query_params[key] = value
        return app.switch_page(name).run()

    return open_at
