"""The two traps and the place of every final state, against a real module called here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz.assets import read_text
from rnnviz.presets import EXAMPLES
from rnnviz.runs import feed, run
from rnnviz.screens.layers import LayersScreen, preset_values, screen
from rnnviz.traps import TOLERANCE, TwoRuns, drift, locate, padded_screen, read_out


def of(**values: Any) -> LayersScreen:
    return screen({f"l_{key}": value for key, value in values.items()})[0]


def preset(row: str) -> LayersScreen:
    return screen(preset_values(EXAMPLES[row]))[0]


def module_s(shown: LayersScreen) -> tuple[torch.Tensor, torch.Tensor]:
    """output and h_n from calling the screen's module as a script would."""
    fed = feed(shown)
    with torch.no_grad():
        if shown.lengths is None:
            output, state = fed.module(fed.x, fed.hx)
        else:
            batch_first = shown.config.batch_first
            packed = pack_padded_sequence(
                fed.x, torch.tensor(shown.lengths), batch_first, enforce_sorted=False
            )
            output, state = fed.module(packed, fed.hx)
            output, _ = pad_packed_sequence(output, batch_first, total_length=shown.length)
    return output, state[0] if isinstance(state, tuple) else state


def picked(code: str, output: torch.Tensor, shown: LayersScreen) -> torch.Tensor:
    """What the code that the page prints picks: only running it proves it."""
    names = {"output": output, "torch": torch, "n": torch.arange(shown.batch)}
    if shown.lengths is not None:
        names["lengths"] = torch.tensor(shown.lengths)
    found: torch.Tensor = eval(code, names)
    return found


# A projecting LSTM in float32 makes PyTorch warn that oneDNN cannot run it; the run is right all the same.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")

SCREENS = st.builds(
    of,
    kind=st.sampled_from(("RNN", "LSTM", "GRU")),
    layers=st.integers(1, 3),
    bi=st.booleans(),
    bf=st.booleans(),
    len=st.integers(1, 9),
    batch=st.integers(1, 4),
    unbatched=st.booleans(),
    padded=st.booleans(),
    state=st.booleans(),
    proj=st.sampled_from((0, 0, 2)),
    seed=st.integers(0, 99),
)


@given(shown=SCREENS)
def test_every_row_of_h_n_is_where_the_page_says(shown: LayersScreen) -> None:
    output, h_n = module_s(shown)
    result = run(shown)
    top = shown.config.num_layers - 1
    for row in range(len(h_n)):
        found = locate(shown, row, result.output, result.h_n)
        assert (found.state.layer, found.state.direction) == divmod(row, shown.config.directions)
        if found.state.layer < top:
            assert found.code is None
            assert found.difference is None
            continue
        assert found.code is not None
        torch.testing.assert_close(picked(found.code, output, shown), h_n[row], rtol=0, atol=0)
        assert found.difference == 0


@pytest.mark.parametrize("row", range(4))
def test_A8_a_row_below_the_top_layer_is_nowhere_in_output(row: int) -> None:
    shown = preset("A8")
    output, h_n = module_s(shown)
    assert locate(shown, row).code is None
    features = output.unflatten(-1, (2, 6))  # every step's two halves
    assert not (features == h_n[row][:, None, None]).all(-1).any()


def test_locating_a_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IndexError):
        locate(preset("A8"), 8)


# ---- the last output


def test_A6_last_output_is_not_the_backward_final_state() -> None:
    shown = preset("A6")
    output, h_n = module_s(shown)
    read = read_out(shown, run(shown).output, run(shown).h_n)
    last, first = read.comparisons
    assert (last.code, first.code) == ("output[:, -1]", "output[:, 0]")
    assert [half.equal for half in last.halves] == [True, False]
    assert [half.equal for half in first.halves] == [False, True]
    assert [half.against for half in last.halves] == ["h_n[0]", "h_n[1]"]
    assert last.halves[0].largest == 0
    assert last.halves[1].largest == float((output[:, -1, 512:] - h_n[1]).abs().max())
    assert first.halves[1].largest == float((output[:, 0, 512:] - h_n[1]).abs().max()) == 0
    assert read.trapped
    assert "not" in read.headline


def test_E3_the_comparison_is_false_for_the_backward_half_and_only_there() -> None:
    shown = preset("A6")
    output, h_n = module_s(shown)
    equal = output[:, -1] == torch.cat([h_n[0], h_n[1]], -1)  # what the notebook compares, (4, 1024)
    last = read_out(shown, run(shown).output, run(shown).h_n).comparisons[0]
    np.testing.assert_array_equal(last.difference == 0, equal.numpy())
    assert equal[:, :512].all()
    assert not equal[:, 512:].all()


def test_A7_with_one_direction_the_last_output_is_the_top_row_and_not_the_one_below() -> None:
    shown = preset("A7")
    read = read_out(shown, run(shown).output, run(shown).h_n)
    same, below = read.comparisons
    assert not read.trapped
    assert [(half.against, half.equal) for half in same.halves] == [("h_n[1]", True)]
    assert [(half.against, half.equal) for half in below.halves] == [("h_n[0]", False)]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"bf": True}, "output[:, -1]"),
        ({"bf": False}, "output[-1]"),
        ({"unbatched": True}, "output[-1]"),
        ({"bf": False, "unbatched": True}, "output[-1]"),
    ],
)
def test_the_last_step_is_written_for_the_layout(values: dict[str, Any], code: str) -> None:
    shown = of(**values)
    output, _ = module_s(shown)
    held = read_out(shown, run(shown).output, run(shown).h_n).comparisons[0]
    assert held.code == code
    assert picked(code, output, shown).numel() == held.difference.size


def test_one_step_is_no_trap() -> None:
    shown = of(len=1)
    read = read_out(shown, run(shown).output, run(shown).h_n)
    assert not read.trapped
    assert "L = 1" in read.headline


def test_units_that_relu_keeps_at_0_are_not_called_a_single_step() -> None:
    shown = of(kind="RNN")
    zeros = np.zeros_like(run(shown).output), np.zeros_like(run(shown).h_n)
    read = read_out(shown, *zeros)
    assert not read.trapped
    assert "happens" in read.headline


def test_with_lengths_the_last_output_is_zero_and_the_last_real_step_is_named() -> None:
    shown = of(padded=True, bi=False)
    output, h_n = module_s(shown)
    last, real = read_out(shown, run(shown).output, run(shown).h_n).comparisons
    assert shown.lengths == (7, 6, 4)
    assert (last.difference.max(axis=1) > 0).tolist() == [False, True, True]
    np.testing.assert_allclose(last.difference[1:], h_n[0, 1:].abs().numpy())  # zeros against h_n
    assert real.code == "output[n, lengths - 1]"
    assert real.halves[0].equal
    torch.testing.assert_close(picked(real.code, output, shown), h_n[0], rtol=0, atol=0)


@pytest.mark.parametrize(("lengths", "others"), [("7, 4, 2", True), ("6, 4, 2", False)])
def test_both_ways_packed_the_last_output_is_zeros_in_both_halves_of_a_shorter_sequence(
    lengths: str, others: bool
) -> None:
    shown = of(padded=True, lengths=lengths)
    output, h_n = module_s(shown)
    assert shown.lengths is not None
    for n, length in enumerate(shown.lengths):
        assert (output[n, -1] == 0).all() == (length < 7)
    read = read_out(shown, run(shown).output, run(shown).h_n)
    assert "zeros for every sequence shorter than L = 7" in read.headline
    assert "0 in both halves" in read.why
    assert ("others" in read.headline) == ("single input" in read.why) == others
    forward, backward = (code for code in read.why.split("`") if code.startswith("output["))
    names = {"output": output, "n": torch.arange(3), "lengths": torch.tensor(shown.lengths)}
    torch.testing.assert_close(eval(forward, dict(names)), h_n[0], rtol=0, atol=0)
    torch.testing.assert_close(eval(backward, dict(names)), h_n[1], rtol=0, atol=0)


@pytest.mark.parametrize("bf", [True, False])
def test_the_prose_gives_the_indexing_of_both_layouts(bf: bool) -> None:
    shown = of(bf=bf)
    output, h_n = module_s(shown)
    last, backward = (":, -1", ":, 0, 6:") if bf else ("-1", "0, :, 6:")
    prose = read_text("layers")
    for code, row in ((last, h_n[0]), (backward, h_n[1])):
        assert f"`output[{code.replace('6', 'H_out')}]`" in prose
        torch.testing.assert_close(picked(f"output[{code}][..., :6]", output, shown), row, rtol=0, atol=0)
    assert ("`output[:, t]`" if bf else "`output[t]`") in read_text("traps_last_output")


@given(shown=SCREENS)
def test_the_code_that_is_recommended_gives_the_final_state(shown: LayersScreen) -> None:
    output, h_n = module_s(shown)
    read = read_out(shown, run(shown).output, run(shown).h_n)
    final = torch.cat(list(h_n[-shown.config.directions :]), -1)
    names: dict[str, Any] = {"torch": torch, "output": output, "h_n": h_n}
    names |= {"lengths": torch.tensor(shown.lengths or (shown.length,) * shown.batch)}
    given = [line for line in read.right.splitlines() if line.startswith("final")]
    for line in read.right.splitlines():
        exec(line, names)
        if line.startswith("final"):
            torch.testing.assert_close(names["final"], final, rtol=0, atol=0)
    assert len(given) == shown.config.directions


@given(shown=SCREENS)
def test_a_half_is_equal_exactly_when_its_largest_difference_is_within_the_tolerance(
    shown: LayersScreen,
) -> None:
    for held in read_out(shown, run(shown).output, run(shown).h_n).comparisons:
        for half in held.halves:
            part = held.difference[:, half.start : half.stop]
            assert half.largest == part.max()
            assert half.equal == bool((part <= TOLERANCE[shown.dtype]).all())


# ---- padding


def drifted(shown: LayersScreen, sequence: int) -> Any:
    result = run(shown)
    assert result.unpacked_output is not None and result.unpacked_h_n is not None
    return drift(
        shown, TwoRuns(result.output, result.h_n, result.unpacked_output, result.unpacked_h_n), sequence
    )


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bi", [False, True])
def test_the_drift_is_what_running_each_sequence_alone_shows(kind: str, bi: bool) -> None:
    shown = of(kind=kind, bi=bi, layers=2, padded=True)
    assert shown.lengths == (7, 6, 4)
    fed = feed(shown)
    with torch.no_grad():
        _, padded = fed.module(fed.x)
        padded = padded[0] if isinstance(padded, tuple) else padded
        for n, length in enumerate(shown.lengths):
            _, alone = fed.module(fed.x[n : n + 1, :length])
            alone = alone[0] if isinstance(alone, tuple) else alone
            expected = float((padded[:, n] - alone[:, 0]).abs().max())  # over every row of h_n
            assert drifted(shown, n).drifts[n] == pytest.approx(expected, abs=1e-6)
    assert drifted(shown, 0).drifts[0] == 0  # not 2.98e-08: kernels round
    assert drifted(shown, 0).drifts[2] > 0.01


@given(shown=SCREENS.filter(lambda shown: shown.lengths is not None))
def test_the_drift_is_the_largest_over_all_rows_of_h_n(shown: LayersScreen) -> None:
    result = run(shown)
    assert result.unpacked_h_n is not None
    largest = np.abs(result.unpacked_h_n - result.h_n).max(axis=(0, 2))
    found = drifted(shown, 0).drifts
    np.testing.assert_allclose(found, largest, rtol=0, atol=1e-6)
    assert (found[largest < 1e-6] == 0).all()


def test_a_lower_layer_that_drifts_furthest_counts() -> None:
    shown = of(layers=2, bi=False, padded=True)
    result = run(shown)
    lower = result.h_n.copy()
    lower[0] += 5
    runs = TwoRuns(result.output, result.h_n, result.output, lower)
    np.testing.assert_allclose(drift(shown, runs, 0).drifts, 5, atol=1e-5)


def test_a_lane_shows_h_over_the_padding_and_nothing_where_it_was_packed() -> None:
    shown = of(padded=True)
    result = run(shown)
    found = drifted(shown, 2)
    forward, backward = found.lanes
    assert forward.padded.shape == (7, 6)
    assert not np.isnan(forward.padded).any()
    assert np.isnan(forward.packed[4:]).all()
    np.testing.assert_array_equal(forward.packed[3], result.h_n[0, 2])
    np.testing.assert_array_equal(backward.packed[0], result.h_n[1, 2])
    assert result.unpacked_h_n is not None
    np.testing.assert_array_equal(forward.padded[6], result.unpacked_h_n[0, 2])
    assert (forward.took, backward.took) == ((6, 3), (0, 0))
    # forward, the real steps are untouched; backward, the padding came first
    np.testing.assert_allclose(forward.padded[:4], forward.packed[:4], atol=1e-6)
    assert np.abs(backward.padded[:4] - backward.packed[:4]).max() > 1e-3


def test_drift_without_lengths_is_refused() -> None:
    shown = of()
    result = run(shown)
    with pytest.raises(ValueError, match="lengths=None"):
        drift(shown, TwoRuns(result.output, result.h_n, result.output, result.h_n), 0)


@pytest.mark.parametrize(
    ("values", "lengths"), [({}, (7, 6, 4)), ({"unbatched": True}, (7, 6, 4)), ({"batch": 1}, (7, 6, 4))]
)
def test_a_screen_without_lengths_gets_some_and_says_so(
    values: dict[str, Any], lengths: tuple[int, ...]
) -> None:
    shown, note = padded_screen(of(**values))
    assert shown.lengths == lengths
    assert shown.batched
    assert note is not None and "7, 6, 4" in note


def test_a_screen_with_lengths_is_left_as_it_is() -> None:
    shown = of(padded=True, lengths="2 5")
    assert padded_screen(shown) == (shown, None)
