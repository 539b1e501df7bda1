"""The word embeddings and the tokenizer of a BERT model saved in a folder of this machine.

Which folder is read is set where the server starts, by the variable `RNNVIZ_BERT`; a page has no say in it.
Needs the extra of requirements-bert.txt. Nothing is fetched or unpickled, and no code of the folder runs.
"""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from rnnviz.data.vectors import Vectors

VARIABLE: Final = "RNNVIZ_BERT"
_WEIGHT: Final = "word_embeddings.weight"
_ONE_AT_A_TIME = threading.Lock()
MAX_PIECES = 64


@dataclass(frozen=True, eq=False)
class Bert:
    """The table of a model, one row for each word piece, and its tokenizer."""

    vectors: Vectors
    tokenizer: Any

    def pieces(self, text: str) -> tuple[str, ...]:
        """What the model reads for a text: word pieces between its own marks, such as [CLS] and [SEP]."""
        with _ONE_AT_A_TIME:  # a tokenizer is one object for all users, and not made for many threads
            ids = self.tokenizer(text, truncation=True, max_length=MAX_PIECES)["input_ids"]
            return tuple(self.tokenizer.convert_ids_to_tokens(ids))


def folder() -> Path | None:
    """The folder that whoever runs the server has named, or None."""
    named = os.environ.get(VARIABLE, "").strip()
    return Path(named) if named else None


def installed() -> bool:
    """Whether the extra of requirements-bert.txt is there."""
    return find_spec("transformers") is not None


def load(path: Path) -> Bert:
    """The model of a folder; the last one asked for is kept until its files change.

    Raises `ValueError` saying what is missing or wrong: the extra, the folder, its tokenizer, its weights.
    """
    if not installed():
        raise ValueError("transformers is not installed: pip install -r requirements-bert.txt")
    if not path.is_dir():
        raise ValueError("the folder does not exist")
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise ValueError("the folder holds no .safetensors file (weights in other formats are not read)")
    with _ONE_AT_A_TIME:
        return _load(path, tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=1)
def _load(path: Path, files: tuple[tuple[Path, int], ...]) -> Bert:
    matrix = _weight([file for file, _ in files])
    tokenizer = _tokenizer(path)
    pieces = tokenizer.convert_ids_to_tokens(list(range(min(len(tokenizer), len(matrix)))))
    if len(pieces) < 6:
        raise ValueError("its tokenizer has no vocabulary: vocab.txt or tokenizer.json is missing")
    matrix = np.ascontiguousarray(matrix[: len(pieces)])
    matrix.flags.writeable = False
    # What came now stays for the life of the server: unfrozen, the collection after each rerun of every page
    # would take 14 ms instead of less than 1.
    gc.collect()
    gc.freeze()
    return Bert(Vectors(path.name, tuple(pieces), matrix), tokenizer)


def _weight(files: list[Path]) -> Any:
    for file in files:
        try:
            with safe_open(file, framework="pt") as held:
                for key in held.keys():  # noqa: SIM118 - no mapping: it cannot be iterated
                    if key.endswith(_WEIGHT):
                        return held.get_tensor(key).float().numpy()
        except SafetensorError as error:
            raise ValueError(f"{file.name} cannot be read: {error}") from None
    raise ValueError(f"no tensor there is called …{_WEIGHT}: is this a BERT model?")


def _tokenizer(path: Path) -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is first loaded: it must not look outside
    transformers = import_module("transformers")
    try:
        return transformers.AutoTokenizer.from_pretrained(
            str(path), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        said = " ".join(str(error).replace(str(path), "the folder").split())
        raise ValueError(f"its tokenizer cannot be read: {said[:200]}") from None
