"""The exported scripts of *Embeddings*, run in a fresh interpreter, print the page's numbers."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from rnnviz.assets import FOLDER
from rnnviz.data.vectors import Vectors, read_text_vectors
from rnnviz.embeddings.bags import run_bags
from rnnviz.embeddings.compare import compare
from rnnviz.embeddings.frames import COLUMNS, frame
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.lookup import lookup
from rnnviz.embeddings.pretrained import nearest, sample, take
from rnnviz.export import notebook, printed
from rnnviz.export_embeddings import embeddings_script
from rnnviz.screens import embeddings as page
from tests.unit.test_export import Done, run_scripts

CASES: dict[str, dict[str, Any]] = {
    **{f"preset_{row}": page.preset_values(example) for row, example in page.EXAMPLES.items()},
    "first_visit": {},
    "quotes": {"e_text": 'it\'s "quoted" \\ {braces} 你好 <b>'},
    "many_words": {"e_text": " ".join(f"word{k}" for k in range(60))},
    "overwritten": {"e_ones": True, "e_seed": 9},
    "norm_in_lookup": {"e_source": "Indices", "e_norm": 0.5},
    "one_hot_norm": {"e_view": "One-hot", "e_norm": 0.5},
    "one_hot_sample": {"e_view": "One-hot", "e_similar": "Sample vectors", "e_text": "cat dog wug king"},
    "step_squares": {"e_view": "Gradient", "e_loss": "output.pow(2).sum()", "e_lr": 0.05},
    "step_norm_freq": {"e_view": "Gradient", "e_norm": 1.0, "e_freq": True},
    "step_sparse": {"e_view": "Gradient", "e_sparse": True, "e_ones": True},
    "bags_2d": {"e_view": "Bags", "e_items": "1 2\n3 4", "e_offsets": "", "e_mode": "max"},
    "bags_2d_weights": {"e_view": "Bags", "e_items": "1 2\n3 4", "e_offsets": "", "e_weights": "1 2 3 4"},
    "bags_mean_padded": {
        "e_view": "Bags",
        "e_mode": "mean",
        "e_bag_padded": True,
        "e_offsets": "0 3 3 6",
        "e_seed": 4,
    },
    "bags_last": {"e_view": "Bags", "e_last": True, "e_offsets": "0 3 8", "e_mode": "max"},
    "analogy": {"e_view": "Pretrained", "e_ask": "king - man + woman", "e_frozen": False, "e_near": 3},
    "no_words": {"e_view": "Pretrained", "e_ask": "Cat", "e_words": "wug"},
}


def expected(current: page.EmbeddingsScreen, vectors: Vectors | None = None) -> list[str]:
    """The lines that the page's own arrays give."""
    n, length = len(current.table.indices), len(current.table.indices[0])
    dim = current.table.config.embedding_dim
    if current.view == "Lookup":
        looked = lookup(current.table)
        assert looked.output is not None and looked.product is not None
        shape = (n, length, dim)
        return [
            printed("output", looked.output.reshape(shape)),
            printed("product", looked.product.reshape(shape)),
        ]
    if current.view == "Gradient":
        step = learn(current.training)
        assert step.grad is not None
        tables = {"before": step.before, "forward": step.forward, "grad": np.nan_to_num(step.grad)}
        return [printed(name, values) for name, values in (tables | {"after": step.after}).items()]
    if current.view == "Bags":
        bags = run_bags(current.bags)
        assert bags.output is not None and bags.two_step is not None
        return [printed("output", bags.output), printed("two_step", bags.two_step)]
    assert current.view == "Pretrained"
    asked, vectors = current.pretrained, vectors or sample()
    near = nearest(vectors, asked.ask, asked.near)
    taken = take(vectors, asked.words, asked.freeze, asked.seed)
    return [
        *(f"{vectors.words[row]} {cosine:.4f}" for row, cosine in zip(near.rows, near.cosines, strict=True)),
        *(f"missing: {word}" for word in taken.missing),
        f"learns: {not asked.freeze}",
        printed("output", taken.output),
    ]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "vectors.txt").write_bytes((FOLDER / "samples" / "vectors.txt").read_bytes())
    screens = {name: page.screen(values)[0] for name, values in CASES.items()}
    return run_scripts({name: embeddings_script(s, sample()) for name, s in screens.items()}, folder)


def same(line: str, other: str) -> bool:
    """Equal texts, but for a last digit: sums may be added in another order, and -0 is 0."""
    mine, theirs = line.split(), other.split()
    return len(mine) == len(theirs) and all(
        a == b or (a[-1].isdigit() and abs(float(a) - float(b)) <= 2.1e-4)
        for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.parametrize(
    "name", [name for name, values in CASES.items() if values.get("e_view") != "One-hot"]
)
def test_every_script_prints_what_the_page_shows(done: dict[str, Done], name: str) -> None:
    current, _, notes = page.screen(CASES[name])
    assert not notes
    lines = [line for line in done[name].lines if not line.startswith("max |difference|")]
    wanted = expected(current)
    assert len(lines) == len(wanted)
    for line, other in zip(lines, wanted, strict=True):
        assert same(line, other), f"{line}\n{other}"


@pytest.mark.parametrize(
    "name", [name for name, values in CASES.items() if values.get("e_view") == "One-hot"]
)
def test_the_cosines_are_printed(done: dict[str, Done], name: str) -> None:
    current = page.screen(CASES[name])[0]
    found = compare(current.table, current.similar == page.SIMILAR[1])
    one_hot, alike = done[name].lines
    assert one_hot == printed("one_hot", found.one_hot)
    assert same(alike, printed("alike", found.vectors))


def test_it_says_how_far_the_two_ways_are_apart(done: dict[str, Done]) -> None:
    for name in ("preset_C1", "preset_C4", "bags_mean_padded"):
        (line,) = [line for line in done[name].lines if line.startswith("max |difference|")]
        assert float(line.split()[-1]) <= 1e-6


@pytest.mark.parametrize("values", [{"e_offsets": "0 5 3"}, {"e_items": ""}])
def test_a_call_that_pytorch_does_not_check_is_not_written(values: dict[str, Any]) -> None:
    text = embeddings_script(page.screen({"e_view": "Bags"} | values)[0])
    assert "EmbeddingBag" not in text and text.startswith("# There is no call")
    ast.parse(text)


@pytest.mark.parametrize(
    "values",
    [
        {"e_view": "Bags", "e_offsets": "1 4"},
        {"e_view": "Bags", "e_mode": "max", "e_weights": "1 1 1 1 1 1 1 1"},
        {"e_view": "Gradient", "e_freeze": True},
        {"e_view": "Lookup", "e_source": "Indices", "e_indices": "99"},
    ],
)
def test_a_call_that_pytorch_refuses_is_written_as_typed(values: dict[str, Any], tmp_path: Path) -> None:
    text = embeddings_script(page.screen(values)[0])
    with pytest.raises(AssertionError, match=r"RuntimeError|IndexError|NotImplementedError"):
        run_scripts({"refused": text}, tmp_path)


def test_the_script_of_a_matrix_reads_it_with_its_words(tmp_path: Path) -> None:
    words = ("cat", "dog", "cow")
    matrix = np.array([[1, 0.5], [1, 0.25], [-1, 2]], np.float32)
    save_file({"weight": matrix}, tmp_path / "mine.safetensors")
    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    vectors = Vectors("mine.safetensors", words, matrix)
    current = page.screen({"e_view": "Pretrained", "e_vectors": "My file", "e_near": 2, "e_words": "cow x"})[
        0
    ]
    done = run_scripts({"mine": embeddings_script(current, vectors)}, tmp_path)
    lines = done["mine"].lines
    assert [line.split()[0] for line in lines[:2]] == ["dog", "cow"] and "missing: x" in lines


def test_a_student_s_file_is_read_by_its_own_name() -> None:
    vectors = read_text_vectors(io.BytesIO(b"cat 1 2\n"), 'my "odd" file.vec')
    current = page.screen({"e_view": "Pretrained", "e_vectors": "My file"})[0]
    text = embeddings_script(current, vectors)
    assert repr('my "odd" file.vec') in text
    ast.parse(text)


@pytest.mark.parametrize("name", CASES)
def test_its_notebook_holds_the_script(name: str) -> None:
    text = embeddings_script(page.screen(CASES[name])[0], sample())
    cells = json.loads(notebook(text, "Embeddings"))["cells"]
    assert "\n\n".join("".join(cell["source"]) for cell in cells[1:]) + "\n" == text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("name", CASES)
def test_the_table_of_a_view_is_tidy(name: str) -> None:
    current = page.screen(CASES[name])[0]
    found = frame(current, sample())
    assert list(found.columns) == COLUMNS.split(", ")
    assert len(found) == len(found.drop_duplicates(["quantity", "row", "column"]))


def test_the_table_holds_the_view_s_numbers() -> None:
    current = page.screen(page.preset_values(page.EXAMPLES["C1"]))[0]
    found = frame(current)
    output = found[found.quantity == "output"].pivot(index="row", columns="column", values="value").to_numpy()
    np.testing.assert_array_equal(output, lookup(current.table).output)
    assert found[(found.quantity == "output") & (found.row == 3)]["name"].unique().tolist() == ["5"]
    with pytest.raises(ValueError, match="no vectors"):
        frame(page.screen({"e_view": "Pretrained"})[0], None)
