"""Would the comparison notice? Each mistake is made in a copy of the package, and must be caught."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

import rnnviz
from rnnviz import LayerConfig
from tests.unit import reference
from tests.unit.strategies import Case

HOME = Path(rnnviz.__file__).parent

RNN = Case(LayerConfig("RNN", 3, 4, nonlinearity="relu"), steps=5, batch=2, given_state=True)
LSTM = Case(LayerConfig("LSTM", 3, 4, num_layers=2), steps=5, batch=2, given_state=True)
GRU = Case(LayerConfig("GRU", 3, 4, num_layers=2), steps=5, batch=2, given_state=True)
WIDE = Case(LayerConfig("LSTM", 3, 40), steps=5, batch=2, given_state=True)
PROJECTED = Case(LayerConfig("LSTM", 3, 4, proj_size=2), steps=5, batch=2, given_state=True)
BACKWARD = Case(LayerConfig("GRU", 3, 4, bidirectional=True), steps=5, batch=3, given_state=True)
PACKED = BACKWARD.but(lengths=(2, 5, 3))
PACKED_LSTM = Case(LayerConfig("LSTM", 3, 4, bidirectional=True), 5, 3, lengths=(2, 5, 3), given_state=True)


@dataclass(frozen=True)
class Mistake:
    """`old` stands once in the package; with `new` in its place `case` must differ from the reference."""

    name: str
    old: str
    new: str
    case: Case


LSTM_GATES = "i, f, _, o = torch.sigmoid(pre).chunk(4, -1)"
LSTM_BIASES = "b_hh is None else w.b_ih + w.b_hh"
GRU_NEW = "cells.gru_new_pre(x_n, r, _add_recurrent(h_n, new.w_hh, lane))"
SHIFT = "(lane.h[1:], sums[:-1]) if lane.backward else"
MISTAKES = [
    Mistake("LSTM's i and f swapped", LSTM_GATES, LSTM_GATES.replace("i, f", "f, i"), LSTM),
    Mistake("LSTM's f and o swapped", LSTM_GATES, LSTM_GATES.replace("f, _, o", "o, _, f"), LSTM),
    Mistake("LSTM's g from the block of o", "tanh(pre.chunk(4, -1)[2])", "tanh(pre.chunk(4, -1)[3])", LSTM),
    Mistake(
        "LSTM's i_pre and f_pre swapped",
        "i_pre, f_pre, g_pre, o_pre = ",
        "f_pre, i_pre, g_pre, o_pre = ",
        LSTM,
    ),
    Mistake("GRU's r and z swapped", "r, z = torch.sigmoid(pre)", "z, r = torch.sigmoid(pre)", GRU),
    Mistake("GRU's z and 1 - z swapped", "return (1 - z) * n + z * h", "return z * n + (1 - z) * h", GRU),
    Mistake(
        "GRU's r before W_hn",
        GRU_NEW,
        "x_n + h_n + (r * torch.cat([lane.h_0[None], lane.h[:-1]])) @ new.w_hh.T",
        GRU,
    ),
    Mistake("RNN's and LSTM's b_hh dropped", LSTM_BIASES, LSTM_BIASES.removesuffix(" + w.b_hh"), LSTM),
    Mistake("GRU's b_hn dropped", "new.b_hh.expand_as(x_n).clone()", "torch.zeros_like(x_n)", GRU),
    Mistake("relu for tanh", 'nonlinearity == "relu" else tanh', 'nonlinearity == "tanh" else tanh', RNN),
    Mistake(
        "backward shifted like forward", SHIFT, "(lane.h[:-1], sums[1:]) if lane.backward else", BACKWARD
    ),
    Mistake(
        "backward begins at the end of x",
        "if lane.backward and lane.lengths is not None:",
        "if False:",
        PACKED,
    ),
    Mistake(
        "c_n scanned into the padding",
        "if lane.lengths is not None and lane.backward:",
        "if False:",
        PACKED_LSTM,
    ),
    Mistake("h_0 not sorted like the packed batch", "hx = h_0[:, order] if c_0", "hx = h_0 if c_0", PACKED),
    Mistake("zeros for NaN after an end", "lengths)] = np.nan", "lengths)] = 0.0", PACKED),
    Mistake("h cut instead of projected", "h @ w_hr.T", "h[..., : len(w_hr)]", PROJECTED),
    Mistake("c_0 forgotten, few units", "c[0] += f[0] * c_0", "pass", LSTM),
    Mistake("c never carried on, many units", "last = np.add(np.multiply", "np.add(np.multiply", WIDE),
]


@contextmanager
def package_at(root: Path) -> Iterator[Callable[[str], Any]]:
    """An import function that finds `rnnviz` below `root`; afterwards everything is as before."""
    saved = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "rnnviz"}
    for name in saved:
        del sys.modules[name]
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(root))
        for name in [name for name in sys.modules if name.split(".")[0] == "rnnviz"]:
            del sys.modules[name]
        sys.modules.update(saved)


def compare(root: Path, case: Case) -> None:
    """`trace` and the step-by-step run of the package below `root` against the reference."""
    module, x, hx = case.module(), case.x(), case.hx()
    expected = reference.evaluate(module, x, hx, case.lengths)
    with package_at(root) as load:
        tracing, cells = load("rnnviz.tracing"), load("rnnviz.cells")
        assert Path(cells.__file__).is_relative_to(root)
        reference.assert_trace_equals(tracing.trace(module, x, hx, case.lengths), expected, case.atol)
        lengths = None if case.lengths is None else torch.tensor(case.lengths)
        run = cells.run(module, x, *(hx if isinstance(hx, tuple) else (hx, None)), lengths)
        reference.assert_trace_equals(tracing.from_cells(module, run, lengths), expected, case.atol)


def copied(root: Path) -> list[Path]:
    """The package's modules (they need none of its subpackages), copied below `root`."""
    (root / "rnnviz").mkdir()
    return [Path(shutil.copy(file, root / "rnnviz")) for file in HOME.glob("*.py")]


def test_a_copy_without_a_mistake_equals_the_reference(tmp_path: Path) -> None:
    copied(tmp_path)
    for case in {mistake.case for mistake in MISTAKES}:
        compare(tmp_path, case)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_comparison_catches(mistake: Mistake, tmp_path: Path) -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in copied(tmp_path)}
    assert sum(text.count(mistake.old) for text in texts.values()) == 1, (
        "the mistake's place has moved: point to it anew"
    )
    for file, text in texts.items():
        file.write_text(text.replace(mistake.old, mistake.new), encoding="utf-8")
    with pytest.raises(AssertionError, match="not close"):
        compare(tmp_path, mistake.case)
