"""What the README promises: its code runs, its files are there, its table lists the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from rnnviz.screens import home

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for written, text in found if written == language]


def test_the_notebook_s_five_lines_run_and_give_what_they_say() -> None:
    (code,) = blocks("python")
    assert len(code.strip().splitlines()) == 5
    *first, last = code.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(first), names)
    shape, frame = eval(last, names)
    assert shape == (5, 2, 3)
    assert isinstance(frame, pd.DataFrame)


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#]+)\)", README)
    (house,) = (block for block in blocks("") if block.startswith("app.py"))
    named += re.findall(r"^(\S+)  ", house, re.MULTILINE)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_is_listed_with_its_question() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", README, re.MULTILINE))
    assert {card.title: card.question for card in home.CARDS}.items() <= rows.items()


def test_its_commands_are_those_of_the_repository() -> None:
    commands = "\n".join(blocks("sh"))
    assert "pip install -r requirements.txt && streamlit run app.py" in commands
    assert "pip install nox && nox" in commands
    assert (ROOT / "app.py").exists() and (ROOT / "noxfile.py").exists()
