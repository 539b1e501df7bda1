"""The import walls, each proved in a fresh interpreter, and the proof that the check can fail.

core never imports plotly or streamlit; figures never torch or streamlit; pages never torch or plotly;
config, gates, shapes, presets, link and quiz only the standard library; only rnnviz/ui imports streamlit.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN_DATA = (
    *("config", "gates", "shapes", "presets", "link", "quiz"),
    *("embeddings.config", "embeddings.inputs", "embeddings.words"),
)
HEAVY = ("plotly", "streamlit", "torch", "numpy", "pandas")

# Imports every module named in argv and prints the top-level packages that came with them.
_PROBE = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_packages(modules: list[str], root: Path = ROOT) -> set[str]:
    """Top-level packages in a fresh interpreter after importing these modules from `root`."""
    result = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(root)!r}){_PROBE}", *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def module_names(folder: Path, root: Path = ROOT) -> list[str]:
    """Dotted names of all modules below `folder`."""
    files = (file.relative_to(root).with_suffix("") for file in sorted(folder.rglob("*.py")))
    return [".".join(file.parts[:-1] if file.name == "__init__" else file.parts) for file in files]


def core_modules(root: Path = ROOT) -> list[str]:
    """All of rnnviz but its figures and its user interface."""
    beyond = ("rnnviz.figures", "rnnviz.ui")
    return [name for name in module_names(root / "rnnviz", root) if not name.startswith(beyond)]


def imported_by_source(file: Path) -> set[str]:
    """Top-level packages that a file's own statements import, wherever in it they stand."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def trespasses(files: list[Path], forbidden: set[str]) -> list[str]:
    return [f"{file.name}: {name}" for file in files for name in sorted(imported_by_source(file) & forbidden)]


def test_core_imports_neither_plotly_nor_streamlit() -> None:
    assert not loaded_packages(core_modules()) & {"plotly", "streamlit"}


def test_figures_import_neither_torch_nor_streamlit() -> None:
    loaded = loaded_packages(module_names(ROOT / "rnnviz" / "figures"))
    assert "plotly" in loaded
    assert not loaded & {"torch", "streamlit"}


def test_no_function_of_a_walled_part_imports_what_the_part_may_not() -> None:
    package = ROOT / "rnnviz"
    beyond = {package / "figures", package / "ui"}
    core = [file for file in package.rglob("*.py") if not beyond & set(file.parents)]
    assert trespasses(core, {"plotly", "streamlit"}) == []
    assert trespasses(list((package / "figures").rglob("*.py")), {"torch", "streamlit"}) == []


def test_pages_import_neither_torch_nor_plotly() -> None:
    pages = list((ROOT / "pages").glob("*.py"))
    assert len(pages) >= 4
    assert trespasses(pages, {"torch", "plotly"}) == []


@pytest.mark.parametrize("name", PLAIN_DATA)
def test_plain_data_needs_only_the_standard_library(name: str) -> None:
    # What an interpreter loads by itself (a virtual environment's .pth files) is not the module's doing.
    brought = loaded_packages([f"rnnviz.{name}"]) - loaded_packages([])
    assert brought <= set(sys.stdlib_module_names) | {"rnnviz"}


@pytest.mark.parametrize("name", ["rnnviz", "rnnviz.figures", "rnnviz.assets"])
def test_these_imports_pull_no_torch(name: str) -> None:
    assert "torch" not in loaded_packages([name])


def test_the_package_itself_is_light() -> None:
    assert not loaded_packages(["rnnviz"]) & set(HEAVY)


def test_importing_the_server_loads_no_torch() -> None:
    assert "torch" not in loaded_packages(["app"])


@pytest.fixture
def broken_house(tmp_path: Path) -> Path:
    """A tree like this one in which every wall is broken once."""
    sources = {
        "rnnviz/__init__.py": "",
        "rnnviz/cells.py": "import helper",
        "rnnviz/config.py": "import numpy",
        "rnnviz/late.py": "def draw():\n    from plotly import graph_objects\n    return graph_objects\n",
        "rnnviz/figures/__init__.py": "import torch",
        "pages/layers.py": "import torch.nn as nn\n",
        "helper.py": "import streamlit",  # reached through another module
        "streamlit.py": "",
        "torch/__init__.py": "",
        "torch/nn.py": "",
        "numpy.py": "",
    }
    for path, source in sources.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return tmp_path


def test_each_check_sees_a_broken_wall(broken_house: Path) -> None:
    assert "streamlit" in loaded_packages(core_modules(broken_house), broken_house)
    assert "torch" in loaded_packages(["rnnviz.figures"], broken_house)
    assert "numpy" in loaded_packages(["rnnviz.config"], broken_house) - loaded_packages([])
    assert trespasses([broken_house / "pages" / "layers.py"], {"torch", "plotly"}) == ["layers.py: torch"]
    assert trespasses([broken_house / "rnnviz" / "late.py"], {"plotly"}) == ["late.py: plotly"]


def test_a_module_that_cannot_be_imported_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import does_not_exist", encoding="utf-8")
    with pytest.raises(AssertionError, match="does_not_exist"):
        loaded_packages(["broken"], tmp_path)
