"""*By hand*'s configuration: what arrives is clamped out loud; what belongs elsewhere just follows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.by_hand.faults import fault_of
from rnnviz.gates import KINDS
from rnnviz.screens import by_hand as page
from rnnviz.screens.by_hand_examples import EXAMPLES, preset_values


def test_the_first_visit_is_b5() -> None:
    current, values, notes = page.screen({})
    assert not notes and (current.experiment, current.kind, current.fault) == ("From matmul", "RNN", "Intact")
    assert set(values) == {f.key for f in page.FIELDS} and all(f.key.startswith("b_") for f in page.FIELDS)


def test_every_fault_belongs_to_an_experiment_and_has_a_maker() -> None:
    offered = {
        fault
        for experiment in page.EXPERIMENTS
        for kind in KINDS
        for way in page.WAYS
        for fault in page.faults(experiment, kind, way)
    }
    assert offered == set(page.ALL_FAULTS)


def test_a_fault_of_another_experiment_is_dropped_without_a_word() -> None:
    for values in (
        {"b_exp": "No memory", "b_fault": "Forget b_hh"},
        {"b_kind": "LSTM", "b_fault": "r before the product"},
    ):
        current, clean, notes = page.screen(values)
        assert not notes and clean["b_fault"] == page.INTACT and fault_of(current) is None
    assert page.screen({"b_detail": page.LONG})[1]["b_detail"] == page.DETAILS[0]


def test_B2_has_no_W_2_so_no_detail_that_scales_it() -> None:
    assert [e for e in page.EXPERIMENTS if page.LONG in page.details(e)] == ["Memory without activation"]
    for row, example in EXAMPLES.items():
        chosen = preset_values(example)["b_detail"]
        assert chosen in page.details(str(preset_values(example)["b_exp"])), row
    _, values, notes = page.screen({"b_exp": "No memory", "b_detail": page.LONG})  # as older links have it
    assert values["b_detail"] == page.DETAILS[0] and not notes


def test_too_much_work_is_cut_out_loud() -> None:
    big = {
        "b_exp": "Both directions",
        "b_kind": "LSTM",
        "b_layers": 4,
        "b_hidden": 512,
        "b_in": 128,
        "b_batch": 8,
    }
    current, values, notes = page.screen(big | {"b_len": 64})
    assert 1 <= current.length < 64 and values["b_len"] == current.length
    assert "64" in notes["b_len"] and f"{current.length} is used" in notes["b_len"]
    assert page.work(current) <= page.MAX_WORK


def test_bad_values_are_corrected_and_named() -> None:
    _, values, notes = page.screen(
        {"b_len": "9999", "b_exp": "Magic", "b_radius": "inf", "b_hidden": "-3", "b_n": "7"}
    )
    assert (values["b_len"], values["b_exp"], values["b_radius"], values["b_hidden"]) == (
        64,
        "From matmul",
        1.1,
        1,
    )
    assert set(notes) == {"b_len", "b_exp", "b_radius", "b_hidden"} and values["b_n"] == 1


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            f.key: ANYTHING | (st.sampled_from(f.options) if f.options else st.nothing()) for f in page.FIELDS
        },
    )
)
def test_whatever_arrives_there_is_a_screen_within_bounds(found: dict[str, object]) -> None:
    current, values, _ = page.screen(found)
    assert page.work(current) <= page.MAX_WORK
    assert current.fault in (page.INTACT, *page.faults(current.experiment, current.kind, current.way))
    assert values["b_detail"] in page.details(current.experiment) and values["b_n"] < current.batch
    for field in page.FIELDS:
        assert field.clean(values[field.key]) == (values[field.key], None)
    assert page.screen(values)[0] == current and not page.screen(values)[2]
    if current.recurrent:
        assert current.config.num_layers == current.layers
