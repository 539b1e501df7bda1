"""Save and open: what a file's run means for this page's controls."""

from __future__ import annotations

from rnnviz.screens import characters as page
from rnnviz.training.config import CharsConfig, TrainConfig
from rnnviz.ui import pickers
from rnnviz.ui.characters.reading import CANVAS, PAGE, Moment, visit_once
from rnnviz.ui.lab.files import files


def show(now: Moment) -> None:
    """Two downloads and an upload."""
    files(now.run, PAGE, visit_once(), CANVAS, accept)


def accept(config: TrainConfig, name: str) -> str:
    """The page's controls as they were for a run of this configuration; a sentence why not, else ""."""
    if not isinstance(config, CharsConfig):
        return f"{name} is a run of the page Tagger: open it there."
    pickers.assign(page.values_of(config) | {"c_mode": page.ALONE})
    return ""
