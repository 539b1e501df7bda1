"""C8: a BERT model saved in a folder, made here, tiny and random, and loaded for real."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import save_file

from rnnviz.embeddings import bert
from rnnviz.embeddings.pretrained import nearest, take

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "##s", "play", "##ing", "un")

needs_transformers = pytest.mark.skipif(
    not bert.installed(), reason="transformers is not installed (requirements-bert.txt)"
)
# Of the library and what it loads, not of ours.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    """The folder of a saved model, and its word embeddings."""
    transformers: Any = import_module("transformers")
    folder = tmp_path_factory.mktemp("bert") / "tiny"
    torch.manual_seed(0)
    made = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=len(PIECES),
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    )
    made.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return folder, made.get_input_embeddings().weight.detach()


@needs_transformers
def test_C8_a_bert_model_s_embeddings_and_tokenizer_are_loaded(model: tuple[Path, torch.Tensor]) -> None:
    folder, weight = model
    found = bert.load(folder)
    assert found.vectors.words == PIECES and found.vectors.name == "tiny"
    assert_array_equal(found.vectors.matrix, weight.numpy())
    assert not found.vectors.matrix.flags.writeable
    assert found.pieces("The cats, playing") == (
        "[CLS]",
        "the",
        "cat",
        "##s",
        "[UNK]",
        "play",
        "##ing",
        "[SEP]",
    )
    assert len(found.pieces("cat " * 500)) == bert.MAX_PIECES
    taken = take(found.vectors, found.pieces("the cats"), True, 0)
    assert taken.missing == () and taken.moved == 0
    assert_array_equal(taken.output, weight[[2, 5, 6, 8, 3]].numpy())
    assert len(nearest(found.vectors, "cat", 3).rows) == 3
    assert bert.load(folder) is found  # kept, not loaded for every student


@needs_transformers
def test_a_changed_model_is_loaded_anew(model: tuple[Path, torch.Tensor], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in model[0].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    before = bert.load(folder)
    save_file({"bert.embeddings.word_embeddings.weight": torch.ones(12, 4)}, folder / "model.safetensors")
    after = bert.load(folder)
    assert before.vectors.matrix.shape == (12, 8)
    assert_array_equal(after.vectors.matrix, np.ones((12, 4)))


@needs_transformers
def test_what_a_folder_lacks_is_said_without_its_path(
    model: tuple[Path, torch.Tensor], tmp_path: Path
) -> None:
    cases: dict[str, tuple[dict[str, bytes], str]] = {
        "empty": ({}, "no .safetensors file"),
        "noise": ({"model.safetensors": b"noise"}, "model.safetensors cannot be read"),
        "other": ({"model.safetensors": b""}, "no tensor there is called"),
        "bare": ({"model.safetensors": (model[0] / "model.safetensors").read_bytes()}, "tokenizer"),
        "pickled": ({"pytorch_model.bin": b"\x80\x04."}, "other formats are not read"),
    }
    for name, (files, message) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        if name == "other":
            save_file({"weight": torch.ones(2, 2)}, folder / "model.safetensors")
        with pytest.raises(ValueError, match=message) as caught:
            bert.load(folder)
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(ValueError, match="does not exist"):
        bert.load(tmp_path / "nowhere")


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bert, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"requirements-bert\.txt"):
        bert.load(tmp_path)


def test_the_folder_is_the_server_s_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(bert.VARIABLE, raising=False)
    assert bert.folder() is None
    monkeypatch.setenv(bert.VARIABLE, " ")
    assert bert.folder() is None
    monkeypatch.setenv(bert.VARIABLE, "/models/bert")
    assert bert.folder() == Path("/models/bert")
