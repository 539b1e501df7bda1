"""The quiz: predict a shape, a count or a slice, then see the formula."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from rnnviz.assets import read_text
from rnnviz.link import Field
from rnnviz.quiz import Question, formula, question
from rnnviz.quiz_answers import MAX_ANSWER, Verdict, check
from rnnviz.screens.layers import FIELDS, LayersScreen
from rnnviz.ui import pickers
from rnnviz.ui.link import markdown

SEED, NUMBER = (pickers.by_key(FIELDS)[key] for key in ("l_quiz", "l_question"))
PROGRESS, ANSWER = "layers_quiz", "l_quiz_answer"


@dataclass(frozen=True)
class Progress:
    """Where somebody stands.

    ``streak`` counts right answers at the first try; ``closed``: this question's answer has been seen;
    ``done``: how many have been.
    """

    seed: int
    number: int = 0
    done: int = 0
    streak: int = 0
    best: int = 0
    right: int = 0
    verdict: Verdict | None = None
    tried: bool = False
    closed: bool = False

    def checked(self, verdict: Verdict) -> Progress:
        """After an answer. A hint costs nothing; a mistake ends the streak but not the question."""
        if verdict.status == "unread":
            return replace(self, verdict=verdict)
        if verdict.status == "wrong":
            return replace(self, verdict=verdict, tried=True, streak=0)
        streak = self.streak if self.tried else self.streak + 1
        best, right = max(self.best, streak), self.right + (not self.tried)
        done = self.done + 1
        return replace(self, verdict=verdict, streak=streak, best=best, right=right, done=done, closed=True)

    def revealed(self) -> Progress:
        """After giving up."""
        return replace(self, verdict=None, tried=True, closed=True, streak=0, done=self.done + 1)

    def at(self, number: int) -> Progress:
        """At another question, from 0."""
        return replace(self, number=number, verdict=None, tried=False, closed=False)


def show(current: LayersScreen, values: dict[str, Any]) -> None:
    """Questions on random layers, not on the current one: answering must need the rules, not the picture."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=160):
            pickers.number(SEED)
        with st.container(width="stretch"):
            st.markdown(read_text("quiz"))
    _quiz()


@st.fragment
def _quiz() -> None:
    now = _progress()
    asked = question(now.seed, now.number)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pickers.number(NUMBER, width=160)
        st.markdown(
            f"**Question {now.number + 1}** · streak **{now.streak}** · best {now.best} · "
            f"right at once {now.right} of {now.done}"
        )
    st.code(asked.code, language="python")
    st.markdown(f"##### {asked.prompt}")
    with st.form("l_quiz_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Your answer",
            key=ANSWER,
            max_chars=MAX_ANSWER,
            placeholder=f"such as {asked.example}",
            autocomplete="off",
            persist_state="page",  # a look at another view loses nothing
            width=360,
        )
        # One button with one key: the field keeps the focus, so that Enter answers, and Enter again goes on.
        st.form_submit_button(
            "Next question" if now.closed else "Check",
            key="l_quiz_submit",
            type="primary",
            on_click=_submitted,
        )
    _reveal(asked, now)


def _progress() -> Progress:
    """Where this session stands: at the question of the address, at the first one of another seed."""
    seed, number = _value(SEED), _value(NUMBER) - 1
    before = st.session_state.get(PROGRESS)
    if not isinstance(before, Progress):
        now = Progress(seed, number)
    elif before.seed != seed:
        now = Progress(seed)
        st.session_state[NUMBER.key] = 1
    else:
        now = before if before.number == number else before.at(number)
    if now is not before:
        st.session_state[PROGRESS] = now
        st.session_state[ANSWER] = ""
    return now


def _value(field: Field) -> int:
    return int(field.clean(st.session_state.get(field.key, st.query_params.get(field.key, field.default)))[0])


def _submitted() -> None:
    now = _progress()
    if now.closed:
        st.session_state[NUMBER.key] = min(now.number + 2, int(NUMBER.high or 1))
    else:
        typed = str(st.session_state.get(ANSWER) or "")
        st.session_state[PROGRESS] = now.checked(check(question(now.seed, now.number), typed))


def _gave_up() -> None:
    st.session_state[PROGRESS] = _progress().revealed()


def _reveal(asked: Question, now: Progress) -> None:
    verdict = now.verdict
    if verdict is not None and verdict.status == "right":
        st.success(f"**Right.** {verdict.why}")
    elif now.closed:
        st.info(f"The answer is **`{asked.answer}`**. {formula(asked)}")
    elif verdict is not None and verdict.status == "wrong":
        st.warning(f"{verdict.message} Try again.", title="Not yet")
    elif verdict is not None:
        st.info(markdown(verdict.message), title="I could not read that")
    if not now.closed:
        st.button("Show the answer", key="l_quiz_reveal", on_click=_gave_up)
