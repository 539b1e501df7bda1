"""*Attention*'s configuration, presets and what-if lines."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.models import shipped
from rnnviz.presets import SEQ2SEQ_PRESETS
from rnnviz.screens.attention import Upload, said_right, screen, tabbed
from rnnviz.screens.attention_edits import attention_line, moved_weight, parse, replaced
from rnnviz.screens.attention_examples import EXAMPLES, WIDE_BEAM, active_preset, preset_values, values_of
from rnnviz.screens.attention_fields import FIELDS, FILE, LOOKED
from rnnviz.training.pairs_config import Seq2SeqConfig

KNOWN = frozenset("abc")


def test_the_default_is_D7() -> None:
    current, values, notes = screen({})
    assert current.config == SEQ2SEQ_PRESETS["D7"] == shipped.REVERSE.config
    assert not notes and not current.problem and not current.trouble
    assert current.right == tuple(reversed(current.source))
    assert active_preset(current, values) == "D7"


@pytest.mark.parametrize("row", list(SEQ2SEQ_PRESETS))
def test_a_row_s_preset_is_its_configuration(row: str) -> None:
    current, values, notes = screen(preset_values(EXAMPLES[row]))
    assert current.config == SEQ2SEQ_PRESETS[row]
    assert not notes and active_preset(current, values) == row


def test_every_preset_is_known_again() -> None:
    for row, example in EXAMPLES.items():
        current, values, notes = screen(preset_values(example))
        assert active_preset(current, values) == row and not notes and not current.problem


def test_the_beam_that_is_too_wide_is_the_shipped_case() -> None:
    case = shipped.BEAM_CASE
    current, values, _ = screen(WIDE_BEAM)
    assert current.config == shipped.PLAIN.config
    assert (current.source, values["a_width"], values["a_alpha"]) == (case.source, case.wide, case.alpha)


@pytest.mark.parametrize("row", list(SEQ2SEQ_PRESETS))
def test_the_controls_show_a_run_s_own_configuration(row: str) -> None:
    assert screen(values_of(SEQ2SEQ_PRESETS[row]))[0].config == SEQ2SEQ_PRESETS[row]


def test_pairs_that_are_held_out_come_back_as_a_file() -> None:
    config = Seq2SeqConfig(((("a",), ("b",)),), ((("a", "a"), ("b", "b")),), batch=1)
    values = values_of(config)
    assert values["a_task"] == FILE
    upload = Upload("x", {"character": config.data, "word": config.data}, config.held_out)  # type: ignore[dict-item]
    assert screen(values, upload)[0].config == config


@given(
    st.dictionaries(
        st.sampled_from([f.key for f in FIELDS]),
        st.one_of(st.text(max_size=30), st.integers(-10, 500), st.floats(), st.booleans()),
        max_size=8,
    )
)
def test_anything_that_arrives_gives_a_screen_whose_values_give_it_again(found: dict[str, Any]) -> None:
    current, values, _ = screen(found)
    again, same, _ = screen(values)
    assert (again, same) == (current, values)
    assert 1 <= len(current.source) <= 100 and all(values[key] is not None for key in LOOKED)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a_source": "abz"}, "“z” is unknown to this model"),
        ({"a_source": "abc" * 40}, "at most 64"),
        ({"a_task": "dates", "a_source": "31 February 2020"}, "is not a date"),
        ({"a_task": "numbers", "a_source": "007"}, "the first not 0"),
    ],
)
def test_a_source_that_cannot_be_read_is_named_and_another_is_used(values: dict[str, Any], said: str) -> None:
    current, _, _ = screen(values)
    assert said in current.trouble
    assert current.source == current.config.held[0][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab\tcd\nx", "line 2 has no tab"),
        ("a\tb\tc", "line 1 has 2 tabs"),
        ("source\ttarget\n", "there are no pairs yet"),
        ("a\t" + "b" * 65, "at most 64"),
    ],
)
def test_pairs_that_cannot_be_used_are_named_and_examples_are_used(text: str, said: str) -> None:
    current, _, _ = screen({"a_task": "own pairs", "a_pairs": text})
    assert said in current.problem
    assert current.config.pairs[0][0] == tuple("good morning")


def test_sizes_that_cannot_be_trained_together_are_said() -> None:
    current, _, _ = screen({"a_task": "own pairs", "a_pairs": "a\tb", "a_vocab": 2})
    assert "vocabulary" in current.problem


def test_an_arrow_is_a_tab_and_a_tab_is_left_alone() -> None:
    assert tabbed("a=>b\nc\t=>d\n") == "a\tb\nc\t=>d\n"
    assert tabbed("  \n ") == ""


def test_dot_scores_fit_the_sizes_and_heads_divide_the_width() -> None:
    assert screen({"a_score": "dot", "a_hidden": 20})[0].config.decoder_hidden == 40
    assert screen({"a_score": "multihead", "a_hidden": 5, "a_heads": 4})[0].config.heads == 2


def test_what_was_said_is_judged_token_by_token() -> None:
    current, _, _ = screen({"a_source": "abc"})
    assert said_right(current, ("c", "b", "a", "<end>")) == (False,) * 4
    assert said_right(current, ("c", "a", "<end>")) == (False, True, True)
    assert said_right(current, ("c", "b", "a", "a", "<end>")) == (False, False, False, True, True)


def test_the_lines_of_what_if() -> None:
    changes, wrong = parse("attention 1 = 1 3 0\n\nmask 2\nsay 0 = b\nsay 0 = c", 3, KNOWN)
    assert not wrong
    assert (changes.weights, changes.masked, changes.tokens) == (((1, (1.0, 3.0, 0.0)),), (2,), ((0, "c"),))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("attention 1 = 1 2", "2 weights, and the source has 3 tokens"),
        ("attention 1 = 1 x 2", "numbers with spaces"),
        ("attention 1 = 0 0 0", "above 0"),
        ("attention 1 = 1 -1 0", "0 or more"),
        ("attention 1 = nan 1 0", "0 or more"),
        ("attention 999 = 1 1 1", "none of"),
        ("mask 3", "positions 0 to 2"),
        ("mask 0\nmask 1\nmask 2", "one must stay"),
        ("mask 0\nattention 2 = 1 0 0", "on masked positions"),
        ("say 1 = z", "this model can say a b c"),
        ("shout", "none of"),
        ("\n".join(["mask 1"] * 41), "at most 40"),
    ],
)
def test_a_line_that_cannot_be_done_is_named(line: str, said: str) -> None:
    _, wrong = parse(line, 3, KNOWN)
    assert len(wrong) == 1 and said in wrong[0]


def test_without_attention_only_tokens_can_be_changed() -> None:
    changes, wrong = parse("mask 1\nsay 1 = a", 3, KNOWN, attends=False)
    assert len(wrong) == 1 and changes.tokens == ((1, "a"),) and not changes.masked


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    changes, _ = parse(text, 3, KNOWN)
    assert all(math.isclose(len(row), 3) and sum(row) > 0 for _, row in changes.weights)
    assert len(changes.masked) < 3


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0, 1))
def test_a_dragged_weight_leaves_the_sum_and_the_others_proportions(row: list[float], weight: float) -> None:
    moved = moved_weight(row, 0, weight)
    assert moved[0] == weight and math.isclose(sum(moved), 1.0, abs_tol=1e-9)
    if row[1] > 1e-6 and weight < 0.999:
        assert all(
            math.isclose(moved[j] * row[1], moved[1] * row[j], abs_tol=1e-6) for j in range(1, len(row))
        )


def test_a_dragged_weight_gives_nothing_to_what_stays() -> None:
    assert moved_weight([1.0, 0.0, 0.0, 0.0], 0, 0.4, fixed=(2,)) == [0.4, 0.3, 0.0, 0.3]
    assert moved_weight([0.5, 0.5, 0.0], 0, 7.0, fixed=(2,)) == [1.0, 0.0, 0.0]
    assert moved_weight([0.5, 0.5, 0.0], 0, -1.0, fixed=(2,)) == [0.0, 1.0, 0.0]


def test_a_line_takes_the_place_of_the_one_about_the_same_thing() -> None:
    assert attention_line(3, [0.5, 0.25, 0.0]) == "attention 3 = 0.5 0.25 0"
    text = replaced("mask 1\nattention 3 = 1 0", "attention 3 = 0 1")
    assert text == "mask 1\nattention 3 = 0 1"
    assert replaced("attention 31 = 1 0", "attention 3 = 0 1").count("\n") == 1
