"""The sentences of the page *Tagger*: typed, from the sample, or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rnnviz.data import tagged
from rnnviz.data.conllu import Reading
from rnnviz.data.samples import SAMPLES
from rnnviz.data.split import Split
from rnnviz.presets import SENTENCES
from rnnviz.training.config import Sentence


@dataclass(frozen=True)
class Upload:
    """A file that was read: its name, and its sentences with either column's tags."""

    name: str
    readings: Mapping[str, Reading | str]
    """By column: the reading, or the sentence that says what is wrong with it."""
    parts: Split | None = None
    """How a saved run had them split."""

    def __hash__(self) -> int:
        return id(self)


def chosen(values: Mapping[str, Any], upload: Upload | None) -> tuple[tuple[Sentence, ...], str, str]:
    """The sentences that the values of *Data* ask for, why they could not be read, and what they are."""
    if values["t_data"] == "Sample":
        sample = SAMPLES["tiny"]
        return _sample(values["t_column"]).sentences, "", sample.about
    if values["t_data"] == "File" and upload is None:
        return SENTENCES, "", "No file yet (a link does not carry one): these are the sentences of D1"
    if values["t_data"] == "File" and upload is not None:
        if upload.parts is not None:
            return upload.parts.train, "", f"The sentences of {upload.name}"
        reading = upload.readings[values["t_column"]]
        if isinstance(reading, str):
            return SENTENCES, f"{upload.name}: {reading}", ""
        return reading.sentences, "", f"{upload.name}: {reading.told()}"
    found = typed(values["t_text"], values["t_column"])
    return (SENTENCES, found, "") if isinstance(found, str) else (found, "", "")


@lru_cache(maxsize=8)
def _sample(column: Any) -> Reading:
    return SAMPLES["tiny"].reading(column)


@lru_cache(maxsize=32)
def typed(text: str, column: Any) -> tuple[Sentence, ...] | str:
    """The sentences of a typed or pasted text, or the sentence that says what is wrong with it."""
    from rnnviz.data import conllu

    try:
        if any(line.count("\t") == 9 for line in text.splitlines()):
            return conllu.read(text, column).sentences
        return tagged.parse(text)
    except ValueError as fault:
        return str(fault)
