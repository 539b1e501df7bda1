"""Every page runs from top to bottom without an exception and shows something."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).resolve().parents[2] / "pages"


@pytest.mark.parametrize("name", sorted(file.name for file in PAGES.glob("*.py")))
def test_page_runs_without_an_exception(name: str) -> None:
    page = AppTest.from_file(str(PAGES / name), default_timeout=60).run()
    assert [item.message for item in page.exception] == []
    assert len(page.main.children) > 0


def test_pages_are_all_in_the_navigation() -> None:
    listed = (PAGES / "main.py").read_text(encoding="utf-8")
    for file in PAGES.glob("*.py"):
        assert file.name == "main.py" or f'"{file.name}"' in listed
