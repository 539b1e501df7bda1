"""The arithmetic of a step: what is written out is what PyTorch computed, and it adds up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnviz import arithmetic, sums, table
from rnnviz.export_step import step_script
from rnnviz.gates import BLOCKS, KINDS
from rnnviz.projection import principal_plane
from rnnviz.screens import step as page
from rnnviz.stepping import Stepping, step_run

SCREENS = st.fixed_dictionaries(
    {
        "s_kind": st.sampled_from(KINDS),
        "s_source": st.sampled_from(page.SOURCES),
        "s_hidden": st.integers(1, 7),
        "s_layers": st.integers(1, 3),
        "s_in": st.integers(1, 4),
        "s_len": st.integers(1, 6),
        "s_bi": st.booleans(),
        "s_bias": st.booleans(),
        "s_state": st.booleans(),
        "s_nonlin": st.sampled_from(("tanh", "relu")),
        "s_seed": st.integers(0, 50),
    }
)


def stepping(values: dict[str, Any]) -> tuple[page.StepScreen, Stepping]:
    current, _, _ = page.screen(values)
    return current, step_run(current)


def moments(current: page.StepScreen, run: Stepping) -> Any:
    for layer in range(current.config.num_layers):
        for direction in range(current.config.directions):
            for step in range(current.length):
                where = (layer, direction, step)
                yield arithmetic.moment(current.config, run.trace, run.parameters, run.initial, where)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(SCREENS)
def test_every_sum_adds_up_and_every_chain_ends_in_the_traced_value(values: dict[str, Any]) -> None:
    current, run = stepping(values)
    assert run.difference < 1e-5
    for m in moments(current, run):
        for letter in BLOCKS[current.config.kind]:
            for unit in range(current.config.hidden_size):
                written = sums.unit_sum(m, letter, unit)
                assert sum(t.product for t in written.terms) == pytest.approx(
                    written.total, abs=2e-5, rel=1e-5
                )
                squash: dict[str, Any] = {
                    "σ": lambda v: 1 / (1 + np.exp(-v)),
                    "tanh": np.tanh,
                    "ReLU": lambda v: max(v, 0),
                }
                assert squash[written.activation](written.total) == pytest.approx(
                    written.result, abs=2e-5, rel=1e-5
                )
        for chain in arithmetic.chains(m):
            np.testing.assert_allclose(
                chained(chain),
                chain.columns[-2].values if is_gate(chain) else chain.columns[-1].values,
                atol=2e-5,
                rtol=1e-5,
            )


def is_gate(chain: arithmetic.Chain) -> bool:
    return any(column.operator.endswith("=") and column.label == "sum" for column in chain.columns)


def chained(chain: arithmetic.Chain) -> Any:
    """The chain's own labels and operators, evaluated: a + b ⊙ (c + d) and so on, up to the "=" column."""
    total: Any = 0.0
    product: Any = None
    inner: Any = None
    for column in chain.columns:
        op = column.operator
        if op.endswith("="):
            break
        if op == "⊙ (":
            inner = column.values
        elif op == "+" and inner is not None:
            inner = inner + column.values
        elif op == "⊙":
            assert product is not None
            product = product * column.values
        else:
            total = total + (product if product is not None else 0)
            product = column.values
    assert product is not None
    return total + (product if inner is None else product * inner)


@settings(max_examples=60)
@given(SCREENS, st.integers(0, 6))
def test_the_written_lines_add_up_to_the_digit(values: dict[str, Any], unit: int) -> None:
    current, run = stepping(values)
    m = next(moments(current, run))
    letter = BLOCKS[current.config.kind][-1]
    written = sums.unit_sum(m, letter, min(unit, current.config.hidden_size - 1))
    lines = sums.written_out(written)
    assert round(sum(float(line.product) for line in lines), 4) == pytest.approx(
        round(written.total, 4), abs=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_backward_reader_comes_from_the_right(kind: str) -> None:
    current, run = stepping({"s_kind": kind, "s_bi": True, "s_source": "Random", "s_len": 4, "s_state": True})
    first = arithmetic.moment(current.config, run.trace, run.parameters, run.initial, (0, 1, 3))
    assert first.before is None
    np.testing.assert_array_equal(first.h, run.initial[0][1, 0])
    later = arithmetic.moment(current.config, run.trace, run.parameters, run.initial, (0, 1, 2))
    assert later.before == 3
    np.testing.assert_array_equal(later.h, run.trace.sel("h", 0, 1)[3, 0])


def test_the_badge_sees_a_wrong_gate() -> None:
    current, run = stepping({"s_kind": "LSTM"})
    broken = dict(run.trace.values)
    broken["o", 0, 0] = broken["o", 0, 0] + 0.01
    wrong = type(run.trace)(run.trace.kind, run.trace.output, run.trace.h_n, run.trace.c_n, broken)
    assert arithmetic.disagreement(current.config, run.trace, run.initial) < 1e-6
    assert arithmetic.disagreement(current.config, wrong, run.initial) > 1e-4


def test_equal_words_have_equal_vectors_and_D2_gives_both_the_one_vector() -> None:
    _, two = stepping(page.preset_values(page.EXAMPLES["D1"]))
    _, one = stepping(page.preset_values(page.EXAMPLES["D2"]))
    assert np.abs(two.trace.sel("x")[0] - two.trace.sel("x")[3]).max() > 0.1  # E5: "The" and "the"
    np.testing.assert_array_equal(one.trace.sel("x")[0], one.trace.sel("x")[3])
    assert np.abs(one.trace.sel("h")[0] - one.trace.sel("h")[3]).max() > 1e-3


def test_B6_the_second_layer_reads_the_first_ones_h() -> None:
    _, run = stepping(page.preset_values(page.EXAMPLES["B6"]))
    np.testing.assert_array_equal(run.trace.sel("x", 1), run.trace.sel("h", 0))


def test_D3_one_hot_picks_a_column() -> None:
    current, run = stepping(page.preset_values(page.EXAMPLES["D3"]))
    assert current.config.input_size == 4 and current.vocabulary == tuple("helo")
    m = arithmetic.moment(current.config, run.trace, run.parameters, run.initial, (0, 0, 3))
    gate = arithmetic.chains(m)[0]
    np.testing.assert_allclose(gate.columns[0].values, run.parameters["weight_ih_l0"][:, 2], atol=1e-7)


def test_every_preset_is_its_row_and_fits() -> None:
    for row, example in page.EXAMPLES.items():
        current, _, notes = page.screen(page.preset_values(example))
        assert not notes and page.active_preset(current) == row
        assert step_run(current).difference < 1e-6


def test_the_widest_screen_stays_within_its_bounds() -> None:
    current, run = stepping(
        {"s_kind": "LSTM", "s_source": "Random", "s_len": 999, "s_hidden": 999, "s_layers": 9, "s_bi": True}
    )
    assert (current.length, current.config.hidden_size, current.config.num_layers) == (128, 64, 4)
    assert run.difference < 1e-5


@pytest.mark.parametrize(
    ("text", "rows", "complaint"),
    [
        ("1 2\n3 4", ((1, 2), (3, 4)), None),
        ("a,b\n1,2\n", ((1, 2),), None),
        ("1\t2\r\n3\t4", ((1, 2), (3, 4)), None),
        ("1;2\n3", ((1, 2),), "line 2 has 1 numbers"),
        ("0,5;1,5\n0,25;2,0", ((0.5, 1.5), (0.25, 2)), None),
        ("1\t\t3\n4\t\t6", None, "no number in column 2"),
        ("1 2\nx 4", ((1, 2),), "“x” is not a number"),
        ("1 nan", None, "not a number"),
        ("1 1e9", None, "not a number"),
        ("", None, "no numbers"),
        (" ".join("1" * 40), None, "at most 32"),
        ("\n".join(["1"] * 200), ((1,),) * 128, "at most 128 lines"),
    ],
)
def test_a_pasted_table_is_read_or_its_fault_named(text: str, rows: Any, complaint: str | None) -> None:
    read, note = table.parse_table(text)
    assert read == (rows if rows is not None else table.parse_table(table.TABLE)[0])
    assert note is None if complaint is None else note is not None and complaint in note


@given(st.text(max_size=60))
def test_no_table_raises_and_every_table_is_rectangular(text: str) -> None:
    read, _ = table.parse_table(text)
    assert read and len({len(row) for row in read}) == 1
    again, note = table.parse_table(table.format_table(read))
    assert note is None
    np.testing.assert_allclose(again, read, rtol=1e-6)


def test_a_grid_writes_its_changes_into_the_table() -> None:
    rows = ((1.0, 2.0), (3.0, 4.0))
    changes = {"edited_rows": {0: {"1": 7}}, "added_rows": [{"0": 5}], "deleted_rows": [1]}
    assert table.edit_table(rows, changes) == ((1.0, 7.0), (5.0, 0.0))
    assert table.edit_table(rows, {"deleted_rows": [0, 1]}) == ((1.0, 2.0),)
    assert table.edit_table(rows, {"edited_rows": {0: {"0": "nan", "9": 1}, 8: {"0": 1}}}) == (
        (0.0, 2.0),
        (3.0, 4.0),
    )


def test_principal_plane_keeps_distances_of_points_in_a_plane() -> None:
    torch.manual_seed(0)
    flat = (
        torch.randn(9, 2, dtype=torch.float64) @ torch.linalg.qr(torch.randn(5, 2, dtype=torch.float64)).Q.T
    )
    plane = principal_plane(flat.numpy())
    inside = np.linalg.norm(plane.points[:, None] - plane.points, axis=-1)
    np.testing.assert_allclose(inside, torch.cdist(flat, flat).numpy(), atol=1e-7)
    assert sum(plane.share) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (3, 3)])
def test_principal_plane_of_too_little_is_flat(shape: tuple[int, int]) -> None:
    plane = principal_plane(np.ones(shape, np.float32))
    assert plane.points.shape == (shape[0], 2) and not plane.points.any() and plane.share == (0.0, 0.0)


def test_the_script_names_the_step_in_view() -> None:
    current, _, _ = page.screen({"s_kind": "GRU"})
    assert "seen[0, 0, 4]" in step_script(current, 0, 0, 4)
