"""Addresses of assets: they name the content, and nothing outside assets/ can be asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnviz import assets
from rnnviz.assets import asset_url, find, load, read_text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    (tmp_path / "text").mkdir()
    return tmp_path


def test_an_address_changes_with_the_content_and_only_the_new_one_is_found(folder: Path) -> None:
    style = folder / "a.css"
    style.write_text("p {}", encoding="utf-8")
    old = asset_url("a.css")
    assert old.startswith("rnnviz-assets/a.")
    assert old.endswith(".css")
    style.write_text("b {}", encoding="utf-8")
    os.utime(style, ns=(1, 1))  # another time stamp, however coarse the file system's clock
    new = asset_url("a.css")
    assert new != old
    assert find(old.split("/")[1]) is None
    found = find(new.split("/")[1])
    assert found is not None
    assert found.content == b"b {}"


def test_the_chart_script_begins_with_the_palette_of_the_figures() -> None:
    script = load("chart.js")
    assert script.content.startswith(b"const PALETTE = {")
    assert script.content.endswith((assets.FOLDER / "chart.js").read_bytes())


@pytest.mark.parametrize(
    "name", ["../app.js", "text/a.js", "a.py", ".hidden.js", "a", "", "/etc/a.css", "a\n.js"]
)
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="asset name"):
        asset_url(name)


def test_texts_are_read_by_plain_name_and_again_after_a_change(folder: Path) -> None:
    text = folder / "text" / "layers.md"
    text.write_text("σ", encoding="utf-8")
    assert read_text("layers") == read_text("layers.md") == "σ"
    text.write_text("tanh", encoding="utf-8")
    os.utime(text, ns=(1, 1))
    assert read_text("layers") == "tanh"
    with pytest.raises(FileNotFoundError):
        read_text("missing")
    with pytest.raises(ValueError, match="plain file name"):
        read_text("../layers")
