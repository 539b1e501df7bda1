"""The quiz: every answer against a real module, what counts as the same answer, what a mistake is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnviz import LayerConfig, build
from rnnviz.quiz import TOPICS, Question, formula, question
from rnnviz.quiz_answers import MAX_ANSWER, check
from rnnviz.quiz_reading import Unread, read_count, read_shape, read_slice

SEEDS = st.integers(0, 2**31 - 1)
QUESTIONS = st.builds(question, SEEDS, st.integers(0, 500))


def called(asked: Question) -> dict[str, torch.Tensor]:
    """What the module of a question takes and gives, by PyTorch's names."""
    c = asked.config
    lead = (asked.batch, asked.length) if c.batch_first else (asked.length, asked.batch)
    x = torch.randn(*lead, c.input_size)
    with torch.no_grad():
        output, state = build(c, seed=3)(x)
    h_n, c_n = state if isinstance(state, tuple) else (state, state)
    return {"input": x, "output": output, "h_n": h_n, "c_n": c_n}


def of(topic: str, config: LayerConfig, subject: str) -> Question:
    return Question(1, 0, topic, config, length=5, batch=3, subject=subject)


A1 = LayerConfig("RNN", 10, 20, num_layers=2, bidirectional=True)
FIRST = replace(A1, batch_first=True)


# ---- questions


@settings(max_examples=60)
@given(asked=QUESTIONS)
def test_every_answer_is_what_a_real_module_gives(asked: Question) -> None:
    module, tensors = build(asked.config), called(asked)
    if asked.topic == "count":
        assert int(asked.answer) == sum(p.numel() for p in module.parameters())
    elif asked.topic in ("weight", "bias"):
        assert asked.shape == tuple(dict(module.named_parameters())[asked.subject].shape)
    elif asked.topic == "slice":
        row = tensors["h_n"][int(asked.subject[4:-1])]
        if asked.answer == "nowhere":
            halves = tensors["output"].unflatten(-1, (asked.config.directions, asked.config.output_size))
            sequences = row[:, None, None] if asked.config.batch_first else row[None, :, None]
            assert not (halves == sequences).all(-1).any()
        else:
            torch.testing.assert_close(eval(asked.answer, {"output": tensors["output"]}), row, rtol=0, atol=0)
    else:
        assert asked.shape == tuple(tensors[asked.subject].shape)


@given(asked=QUESTIONS)
def test_the_right_answer_is_right_and_the_example_never_is(asked: Question) -> None:
    assert check(asked, asked.answer).status == "right"
    assert check(asked, asked.example.partition(", or")[0]).status != "right"


@settings(max_examples=24)
@given(asked=QUESTIONS)
def test_a_question_s_code_runs_and_names_the_layer(asked: Question) -> None:
    names = {"nn": nn, "torch": torch, "input": called(asked)["input"]}
    exec(asked.code, names)
    assert asked.config.call() in asked.code


@given(seed=SEEDS, first=st.integers(0, 60))
def test_every_eight_questions_ask_everything_once(seed: int, first: int) -> None:
    asked = [question(seed, 8 * first + k) for k in range(8)]
    assert sorted(q.topic for q in asked) == sorted(TOPICS)


def test_a_class_that_types_the_same_seed_gets_the_same_questions() -> None:
    # Written down: another version or process that drew otherwise would split the class.
    first = question(1, 0)
    assert first == question(1, 0)
    assert (first.topic, first.config.call(), first.length, first.batch) == WRITTEN
    assert question(1, 0) != question(2, 0)


@given(asked=QUESTIONS)
def test_sizes_differ_so_that_a_swapped_axis_cannot_look_right(asked: Question) -> None:
    c = asked.config
    assert len({c.input_size, c.hidden_size, asked.length, asked.batch}) == 4


# ---- reading


@pytest.mark.parametrize(
    "text",
    [
        *("(5, 3, 40)", "5 3 40", "5,3,40", "[5,3,40]", "5 , 3,40", "(5, 3, 40,)", "5x3x40", "5 × 3 × 40"),
        *("torch.Size([5, 3, 40])", "5, 3, 2*20", "5 3 2 * 20", "  (5,3,40)  "),
    ],
)
def test_a_shape_may_be_typed_in_many_ways(text: str) -> None:
    assert read_shape(text) == (5, 3, 40)
    assert check(of("output", A1, "output"), text).status == "right"


@pytest.mark.parametrize("text", ["(8,)", "8", "[8]"])
def test_one_axis_needs_no_comma(text: str) -> None:
    assert read_shape(text) == (8,)


@pytest.mark.parametrize(
    "text", ["N, L, 40", "five", "5.5, 3", "-5, 3, 40", "5,,3", "()", "5; 3", "9" * 30, "2**9"]
)
def test_what_is_no_shape_gets_a_hint(text: str) -> None:
    with pytest.raises(Unread):
        read_shape(text)


@pytest.mark.parametrize("text", ["12345", "12,345", "12 345", "12_345"])
def test_a_count_may_be_grouped(text: str) -> None:
    assert read_count(text) == 12345


@pytest.mark.parametrize(
    "text",
    [
        *(
            "output[:, -1, :20]",
            "output[:,L-1,0:20]",
            "output[:, 4, :H]",
            "output[0:3, -1, :-20]",
            "[:, -1, :20]",
        ),
        *(
            "output[..., -1, :20]",
            "output[:, -1][:, :20]",
            "output[:, L - 1, : H_out]",
            "output[:N, 2*2, 0:20:1]",
        ),
    ],
)
def test_the_same_slice_may_be_written_in_many_ways(text: str) -> None:
    assert check(of("slice", FIRST, "h_n[2]"), text).status == "right"


@pytest.mark.parametrize("text", ["nowhere", "Nowhere.", "none", "not in output"])
def test_nowhere_is_an_answer(text: str) -> None:
    assert check(of("slice", FIRST, "h_n[1]"), text).status == "right"
    assert check(of("slice", FIRST, "h_n[2]"), text).status == "wrong"


SHAPE = (3, 5, 40)
BOUND = st.integers(-45, 45)


@st.composite
def indices(draw: st.DrawFn) -> str:
    """One bracket of Python indices that fit an axis of its size."""
    parts = []
    for size in SHAPE[: draw(st.integers(1, 3))]:
        low, high = draw(st.none() | BOUND), draw(st.none() | BOUND)
        step = draw(st.sampled_from(("", ":", ":1", ":2")))
        cut = f"{'' if low is None else low}:{'' if high is None else high}{step}"
        parts.append(draw(st.just(cut) | st.integers(-size, size - 1).map(str)))
    if len(parts) < 3 and draw(st.booleans()):
        parts.append("...")
    return f"output[{', '.join(parts)}]"


@given(code=indices())
def test_a_slice_is_read_as_pytorch_would_take_it(code: str) -> None:
    numbered = torch.arange(3 * 5 * 40).reshape(SHAPE)
    read = read_slice(code, SHAPE, {})
    assert read is not None
    mine = numbered
    for axis in (2, 1, 0):
        one = read[axis]
        mine = mine.select(axis, one) if isinstance(one, int) else mine[(slice(None),) * axis + (list(one),)]
    expected: torch.Tensor = eval(code, {"output": numbered})
    assert mine.shape == expected.shape
    assert torch.equal(mine, expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "output",
            "output[",
            "output[]",
            "h_n[0]",
            "output[:, 9, :20]",
            "output[:, -1, :20, 0]",
            "output[::-1]",
        ),
        *("output[:, foo, :20]", "output[:, 1/2]", "output[__import__('os')]", "output[:, -1, :20].clone()"),
        *("output[:, 9999999999]", "output[:, -1, 0:20:0]", "output[..., ..., 0]", "output[1:2:3:4]"),
    ],
)
def test_what_is_no_slice_gets_a_hint(text: str) -> None:
    assert check(of("slice", FIRST, "h_n[2]"), text).status == "unread"


def test_a_slice_that_keeps_an_axis_of_size_1_is_hinted_at_rather_than_called_wrong() -> None:
    verdict = check(of("slice", FIRST, "h_n[2]"), "output[:, -1:, :20]")
    assert verdict.status == "unread"
    assert "keeps its axis" in verdict.message


@given(asked=QUESTIONS, text=st.text(max_size=200))
def test_nothing_that_can_be_typed_raises(asked: Question, text: str) -> None:
    assert check(asked, text).status in ("right", "wrong", "unread")


@given(asked=QUESTIONS, text=st.text(alphabet="output[]:,.-+*LNHD0123456789 ", max_size=40))
def test_nothing_that_looks_like_an_answer_raises(asked: Question, text: str) -> None:
    assert check(asked, text).status in ("right", "wrong", "unread")


def test_an_empty_or_endless_answer_gets_a_hint() -> None:
    asked = of("output", A1, "output")
    assert "Type an answer first" in check(asked, "   ").message
    assert str(MAX_ANSWER) in check(asked, "1 " * MAX_ANSWER).message


# ---- what a mistake is told


@pytest.mark.parametrize(
    ("config", "subject", "typed", "told"),
    [
        (FIRST, "h_n", "(4, 5, 20)", "The middle axis is `N = 3`, you wrote 5"),
        (FIRST, "h_n", "(3, 4, 20)", "never in h_n"),
        (A1, "h_n", "(2, 3, 20)", "a row for each of its two directions"),
        (A1, "h_n", "(4, 3, 40)", "another row, not more columns"),
        (A1, "output", "(3, 5, 40)", "`batch_first=False` puts L first"),
        (A1, "output", "(5, 3, 20)", "joins both directions"),
        (A1, "output", "(5, 3)", "has 3 axes, `(L, N, D * H_out)`: you wrote 2"),
        (A1, "input", "(5, 3, 20)", "input_size"),
        (replace(A1, bidirectional=False), "output", "(5, 3, 40)", "only one direction"),
        (LayerConfig("LSTM", 10, 20, proj_size=4), "h_n", "(1, 3, 20)", "`proj_size=4` replaces"),
        (LayerConfig("LSTM", 10, 20, proj_size=4), "c_n", "(1, 3, 4)", "c keeps hidden_size"),
        (LayerConfig("LSTM", 10, 20), "output", "(5, 3, 80)", "stacked in the weights"),
        (LayerConfig("LSTM", 10, 20), "weight_ih_l0", "(20, 10)", "W_ii | W_if | W_ig | W_io"),
        (LayerConfig("GRU", 10, 20), "weight_ih_l0", "(20, 10)", "a GRU stacks 3"),
        (LayerConfig("LSTM", 10, 20), "weight_ih_l0", "(10, 80)", "rows that leave"),
        (A1, "weight_ih_l1", "(20, 10)", "both directions: 2 × 20"),
        (LayerConfig("LSTM", 10, 20, proj_size=4), "weight_hr_l0", "(20, 3)", "down to proj_size"),
    ],
)
def test_a_wrong_axis_is_named_with_its_reason(
    config: LayerConfig, subject: str, typed: str, told: str
) -> None:
    topic = "weight" if subject.startswith("weight") else subject
    asked = of(topic, config, subject)
    verdict = check(asked, typed)
    assert verdict.status == "wrong"
    assert told in verdict.message
    assert verdict.why == formula(asked)
    assert str(asked.shape) in verdict.why


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda every: [p for n, p in every if "bias" not in n], "leaves out the biases"),
        (lambda every: [p for n, p in every if "bias_hh" not in n], "two biases"),
        (lambda every: [p for n, p in every if "reverse" not in n], "second direction"),
        (lambda every: [p for n, p in every if "_l0" in n], "every layer"),
        (lambda every: [p[: len(p) // 4] for n, p in every], "4 blocks"),
    ],
)
def test_a_wrong_count_is_told_what_was_forgotten(slip: object, told: str) -> None:
    config = LayerConfig("LSTM", 10, 20, num_layers=2, bidirectional=True)
    kept = slip(list(build(config).named_parameters()))  # type: ignore[operator]
    verdict = check(of("count", config, "count"), str(sum(p.numel() for p in kept)))
    assert verdict.status == "wrong"
    assert told in verdict.message


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("output[:, -1, 20:]", "is done at step 0"),
        ("output[:, 0, :20]", "the backward half is `20:`"),
        ("output[0, :, 20:]", "it must stay whole"),
    ],
)
def test_a_wrong_slice_is_told_which_axis(typed: str, told: str) -> None:
    verdict = check(of("slice", FIRST, "h_n[3]"), typed)
    assert verdict.status == "wrong"
    assert told in verdict.message


def test_a_slice_for_a_row_below_the_top_is_told_where_it_is_not() -> None:
    assert "output holds only layer 1" in check(of("slice", FIRST, "h_n[0]"), "output[:, -1, :20]").message


WRITTEN = ("output", "nn.GRU(9, 4, num_layers=2, bias=False, batch_first=True, bidirectional=True)", 12, 7)
