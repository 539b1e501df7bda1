"""Every page runs from top to bottom without an exception and shows something."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import MAIN

PAGES = sorted(file.name for file in MAIN.parent.glob("*.py") if file != MAIN)


@pytest.mark.parametrize("name", PAGES)
def test_page_runs_without_an_exception(name: str, visit: Callable[..., AppTest]) -> None:
    page = visit(name)
    assert [item.message for item in page.exception] == []
    assert len(page.main.children) > 0


def test_pages_are_all_in_the_navigation() -> None:
    listed = MAIN.read_text(encoding="utf-8")
    assert PAGES
    assert [name for name in PAGES if f'"{name}"' not in listed] == []
