"""Tagged text that comes with the playground, as files in the field's own format."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.assets import FOLDER
from rnnviz.data.conllu import Column, Reading, read


@dataclass(frozen=True)
class Sample:
    """A file of ``assets/samples`` and one sentence on what is in it."""

    file: str
    about: str

    def content(self) -> bytes:
        """The file as it is, to download."""
        return (FOLDER / "samples" / self.file).read_bytes()

    def reading(self, column: Column = "UPOS") -> Reading:
        """Its sentences with the tags of one column."""
        return read(self.content(), column)


SAMPLES: dict[str, Sample] = {
    "tiny": Sample(
        "tiny.conllu",
        "Twelve sentences of English in which book, run, can, light and open have two tags each: "
        "only the words around them tell which.",
    )
}
