"""The unrolled network, the traps and the quiz on the page *Layers & shapes*, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.quiz import question
from rnnviz.runs import run
from rnnviz.screens.layers import screen
from tests.pages.components import components

Visit = Callable[..., AppTest]


def page(visit: Visit, view: str, **parameters: str) -> AppTest:
    app = visit("layers.py", l_view=view, **parameters)
    assert not app.exception
    return app


def figure(app: AppTest, name: str) -> dict[str, Any]:
    for data in components(app):
        if data.get("name") == name:
            return data
    raise AssertionError(f"no figure {name!r}")


def texts(app: AppTest) -> str:
    return " ".join(
        one.value
        for group in (app.markdown, app.success, app.warning, app.info, app.caption)
        for one in group
    )


# ---- unrolled


@pytest.mark.parametrize(("row", "code"), [("0", "output[:, -1, :6]"), ("1", "output[:, 0, 6:]")])
def test_a_row_of_h_n_in_the_address_is_followed_and_measured(visit: Visit, row: str, code: str) -> None:
    app = page(visit, "Unrolled", l_row=row)
    assert code in texts(app)
    assert "max |difference| **0** in this run" in texts(app)
    assert figure(app, "Unrolled network")["summary"].endswith(f"equals {code}, max |difference| 0.")


def test_A8_the_control_follows_a_row_that_is_nowhere_in_output(visit: Visit) -> None:
    app = page(visit, "Unrolled", l_kind="RNN", l_layers="4", l_len="4")
    app.number_input("l_row").set_value(3).run()
    assert not app.exception
    assert "nowhere in `output`" in texts(app)
    assert figure(app, "Unrolled network")["events"] == ["click"]


def test_a_row_that_this_layer_does_not_have_becomes_its_last(visit: Visit) -> None:
    app = page(visit, "Unrolled", l_row="7")
    assert app.number_input("l_row").value == 1
    assert "h_n[1]" in texts(app)


def test_a_layer_too_large_to_run_is_unrolled_but_not_measured(visit: Visit) -> None:
    app = page(visit, "Unrolled", l_hidden="5000")
    assert figure(app, "Unrolled network")["figure"]["data"]
    assert "Not measured here: hidden" in texts(app)


@pytest.mark.parametrize(
    ("lengths", "paired"),
    [
        ("7, 4, 2", "n=0: step 6, n=1: step 3, n=2: step 1)"),
        (
            "2, 7, 1, 3, 4, 5, 6",
            "n=0: step 1, n=1: step 6, n=2: step 0, n=3: step 2, n=4: step 3, n=5: step 4, …)",
        ),
    ],
)
def test_with_lengths_each_sequence_is_paired_with_its_own_last_step(
    visit: Visit, lengths: str, paired: str
) -> None:
    batch = str(len(lengths.split(",")))
    app = page(visit, "Unrolled", l_padded="true", l_lengths=lengths, l_batch=batch)
    assert paired in texts(app)
    assert "The picture shows a sequence of full length L = 7." in texts(app)
    assert "at each last real step" in figure(app, "Unrolled network")["summary"]
    assert "full length" not in texts(page(visit, "Unrolled"))


# ---- traps


def test_E3_the_last_output_is_held_against_h_n(visit: Visit) -> None:
    app = page(visit, "Traps")
    assert "is **not** the final state" in app.warning[0].value
    summary = figure(app, "Last output against h_n")["summary"]
    assert "✓ forward = h_n[0]  off by 0" in summary
    assert "✗ backward ≠ h_n[1]  off by 0." in summary


def test_with_one_direction_there_is_no_trap(visit: Visit) -> None:
    app = page(visit, "Traps", l_bi="false")
    assert not app.warning
    assert "No trap here" in app.success[0].value


def test_padding_uses_lengths_of_its_own_and_says_so(visit: Visit) -> None:
    app = page(visit, "Traps", l_trap="Padding")
    assert "Sequence 2 has 4 of 7 steps" in app.warning[0].value
    assert "lengths 7, 6, 4 are used here" in texts(app)
    app.number_input("l_seq").set_value(0).run()
    assert not app.exception
    assert "no padding" in app.success[0].value


def test_padding_uses_the_screen_s_lengths(visit: Visit) -> None:
    app = page(visit, "Traps", l_trap="Padding", l_padded="true", l_lengths="2, 7, 1")
    assert "Sequence 2 has 1 of 7 steps" in app.warning[0].value
    assert "are used here" not in texts(app)


def test_a_sequence_that_the_batch_does_not_have_becomes_its_last(visit: Visit) -> None:
    app = page(visit, "Traps", l_trap="Padding", l_seq="99", l_batch="2")
    assert app.number_input("l_seq").value == 1


def test_padding_in_a_stack_is_measured_on_every_row_and_drawn_for_the_top_layer(visit: Visit) -> None:
    app = page(visit, "Traps", l_trap="Padding", l_padded="true", l_lengths="7, 4, 2", l_layers="3")
    current = screen({"l_padded": "true", "l_lengths": "7, 4, 2", "l_layers": "3"})[0]
    result = run(current)
    assert result.unpacked_h_n is not None
    off = abs(result.unpacked_h_n - result.h_n).max(axis=(0, 2))[2]
    assert f"off by **{off:.3g}** (the largest over all 6 rows)" in app.warning[0].value
    shown = figure(app, "Padded and packed")
    assert "n=0 (length 7): 0, n=1" in shown["summary"] and f"n=2 (length 2): {off:.3g}" in shown["summary"]
    titles = [a["text"] for a in shown["figure"]["layout"]["annotations"] if "<b>" in a["text"]]
    assert len(titles) == 4 and all("top layer" in title for title in titles)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"l_len": "1"}, "Raise L"),
        ({"l_padded": "true", "l_lengths": "7, 7, 7"}, "lower one of the true lengths"),
        ({"l_padded": "true", "l_lengths": "7, 7, 7, 2", "l_batch": "4"}, "Choose a shorter one"),
    ],
)
def test_without_padding_the_page_says_how_to_see_some(
    visit: Visit, query: dict[str, str], said: str
) -> None:
    assert said in page(visit, "Traps", l_trap="Padding", **query).success[0].value


@pytest.mark.parametrize("trap", ["Last output", "Padding"])
def test_a_trap_that_cannot_be_run_says_why(visit: Visit, trap: str) -> None:
    app = page(visit, "Traps", l_trap=trap, l_hidden="5000")
    assert "hidden_size = 5,000" in app.info[0].value


# ---- quiz


def answer(app: AppTest, text: str) -> AppTest:
    app.text_input("l_quiz_answer").set_value(text)
    return press(app)


def press(app: AppTest) -> AppTest:
    app.button("l_quiz_submit").click().run()
    assert not app.exception
    return app


def test_a_right_answer_counts_and_the_button_goes_on(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    for number in range(3):
        assert question(7, number).prompt in texts(app)
        answer(app, question(7, number).answer)
        assert "Right." in app.success[0].value
        assert f"streak **{number + 1}**" in texts(app)
        assert app.button("l_quiz_submit").label == "Next question"
        press(app)
        assert app.text_input("l_quiz_answer").value == ""
    assert "**Question 4**" in texts(app)


def test_a_mistake_is_explained_ends_the_streak_and_keeps_what_was_typed(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    answer(app, question(7, 0).answer)
    press(app)
    right = question(7, 1)
    wrong = {"slice": "output[2, 1, :1]", "count": "1"}.get(right.topic, ", ".join("1" for _ in right.shape))
    answer(app, wrong)
    assert app.warning[0].value
    assert "streak **0** · best 1" in texts(app)
    assert app.text_input("l_quiz_answer").value == wrong
    answer(app, right.answer)
    assert "streak **0** · best 1 · right at once 1 of 2" in texts(app)


def test_nonsense_gets_a_hint_and_costs_nothing(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    answer(app, "<b>[x](http://example.org)")
    assert app.text_input("l_quiz_answer").value == "<b>[x](http://example.org)"
    assert "](" not in app.info[0].value.replace("\\", "\0")
    answer(app, question(7, 0).answer)
    assert "streak **1**" in texts(app)


def test_the_answer_can_be_shown_and_ends_the_streak(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    app.button("l_quiz_reveal").click().run()
    assert question(7, 0).answer in app.info[0].value
    assert "right at once 0 of 1" in texts(app)
    press(app)
    assert question(7, 1).prompt in texts(app)


def test_another_seed_starts_again(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    answer(app, question(7, 0).answer)
    app.number_input("l_quiz").set_value(8).run()
    assert not app.exception
    assert question(8, 0).prompt in texts(app)
    assert "**Question 1** · streak **0**" in texts(app)


def test_a_link_leads_to_its_question(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7", l_question="5")
    assert question(7, 4).prompt in texts(app)
    answer(app, question(7, 4).answer)
    assert "**Question 5** · streak **1** · best 1 · right at once 1 of 1" in texts(app)
    press(app)
    assert app.number_input("l_question").value == 6 and question(7, 5).prompt in texts(app)
    app.number_input("l_question").set_value(2).run()
    assert question(7, 1).prompt in texts(app) and "streak **1**" in texts(app)
    assert app.text_input("l_quiz_answer").value == ""


def test_a_look_at_another_view_loses_nothing(visit: Visit) -> None:
    app = page(visit, "Quiz", l_quiz="7")
    answer(app, "7 7 7")
    app.button_group("l_view").set_value(["Unrolled"]).run()
    assert not app.exception
    app.button_group("l_view").set_value(["Quiz"]).run()
    assert app.text_input("l_quiz_answer").value == "7 7 7"
    assert app.warning[0].value
