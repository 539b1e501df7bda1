"""The view *Step*: one token at a time, and all that lies behind it."""

from __future__ import annotations

import math

import streamlit as st

from rnnviz.figures.attention_step import (
    NAMES,
    looked,
    looked_summary,
    products,
    products_summary,
    weighted,
    weighted_summary,
)
from rnnviz.figures.attention_sums import looked_figure, products_figure, weighted_figure
from rnnviz.figures.choices import choices, choices_figure, choices_summary
from rnnviz.models.explain import Explained, softmax_of
from rnnviz.screens.attention_fields import BY_KEY
from rnnviz.training.pairs_config import END
from rnnviz.ui import pickers
from rnnviz.ui.attention.decoded import Asked, explained, said
from rnnviz.ui.attention.reading import Moment, kept
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.drawn import Drawn
from rnnviz.ui.link import markdown
from rnnviz.ui.transport import Line, jump, position, tick, transport

LINE = "attention_step"
FIELD = BY_KEY
HEIGHT = 260
"""Pixels of the two pictures of a step."""


def playing_tick() -> float | None:
    """The live fragment's ``run_every`` while the steps are played."""
    return tick(LINE)


def line(now: Moment) -> Line:
    """What the transport of the steps runs along."""
    return Line(LINE, FIELD["a_step"], len(now.decoded.ids))


def step_of(now: Moment) -> int:
    """The step in view."""
    return position(line(now))


def go(length: int, step: int, place: int | None) -> None:
    """A callback: another step, and the source position that is framed."""
    if 0 <= step < length:
        jump(Line(LINE, FIELD["a_step"], length), step)
    if place is not None:
        st.session_state["a_place"] = place


def show(now: Moment) -> None:
    """The transport and the arithmetic of one step."""
    decoded, step = now.decoded, step_of(now)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        transport(line(now))
    found = explained((now.asked, step))
    before = now.config.target_text(decoded.fed[step : step + 1])[0]
    token = decoded.target[step]
    words = (
        f"**Step {step}**: fed “{markdown(before)}”, the decoder says **{markdown(token)}** with "
        f"p = {math.exp(decoded.log_probs[step]):.3f}."
    )
    if now.current.attends:
        words += f" :small[What is below is computed again: max |difference| {found.difference:.1e}]"
    st.markdown(words)
    with st.grid(2 if now.current.attends else 1, min_column_width=340):
        if now.current.attends:
            energies(now, found, token, "a_looked")
        next_token(now, now.asked, step, "a_choices")
    if now.current.attends:
        _worked(now, found)
        _sums(now, found, token)


def _worked(now: Moment, found: Explained) -> None:
    """The softmax of the framed position with its numbers, else of the one with the most weight."""
    place = place_of(now)
    if found.weights is None or found.weights.ndim > 1:
        return
    place = int(found.weights.argmax()) if place is None else place
    parts = softmax_of(found, place)
    if parts is not None:
        energy, exponential, total = parts
        st.markdown(
            f"Position {place}, {markdown(now.current.source[place])}: energy e = {energy:.3f}, "
            f"exp(e) = {exponential:.3f}, of {total:.3f} for all positions together: the weight "
            f"**{found.weights[place]:.3f}**."
        )


def place_of(now: Moment) -> int | None:
    """The source position that is framed."""
    place = int(now.values["a_place"])
    return place if 0 <= place < len(now.current.source) else None


def energies(now: Moment, found: Explained, token: str, key: str) -> None:
    """Energies and weights of one step; of several heads their mean."""
    assert found.energies is not None and found.weights is not None
    several = found.energies.ndim == 2
    sums = (found.energies.mean(0), found.weights.mean(0)) if several else (found.energies, found.weights)
    place = place_of(now)

    def draw() -> Drawn:
        record = looked(token, now.current.source, sums, place=place)
        return looked_figure(record, height=HEIGHT), looked_summary(record)

    figure, summary = kept("energies", now, (now.asked.how, found.step, place), draw)
    name = "Energies and weights" + (" (mean of the heads)" if several else "")
    chart(figure, key=key, name=name, summary=summary, on_click=_place)


def _place(point: Point) -> None:
    if isinstance(point.x, float) and point.x >= 0:
        st.session_state["a_place"] = int(point.x)


def next_token(now: Moment, asked: Asked, step: int, key: str, title: str = "next token") -> None:
    """The likeliest next tokens and the state behind them."""
    decoded = said(asked)
    right = now.current.right
    known = now.config.target_numbers
    wanted = None
    if right is not None and step <= len(right):
        wanted = END if step == len(right) else known[right[step]]

    def draw() -> Drawn:
        record = choices(
            now.config.target_text(range(now.config.target_rows)),
            decoded.logits[step],
            said=int(decoded.ids[step]),
            right=wanted,
            state=decoded.states[step],
            temperature=asked.how.temperature,
        )
        return choices_figure(record, height=HEIGHT, title=title), choices_summary(record)

    figure, summary = kept("next", now, (asked.how, step, title), draw)
    chart(figure, key=key, name="Next token" if title == "next token" else title, summary=summary)


def _sums(now: Moment, found: Explained, token: str) -> None:
    """The products behind the energies, or the context as a sum."""
    assert found.units is not None and found.factors is not None
    place, source = place_of(now), now.current.source
    energies = now.values["a_sums"] == "Energies"
    units, factors, head = found.units, found.factors, ""
    if units.ndim == 3:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            pickers.choice(FIELD["a_sums"], collapsed=True)
            if energies:
                pickers.number(FIELD["a_head"], high=len(units) - 1, width=130)
        chosen = int(now.values["a_head"])
        units, factors, head = units[chosen], factors[chosen], f", head {chosen}"
    else:
        pickers.choice(FIELD["a_sums"], collapsed=True)
    if energies:

        def multiplied() -> Drawn:
            names = NAMES[now.config.attention]
            record = products(token, source, (units, factors), names=names, place=place)
            return products_figure(record), products_summary(record)

        figure, summary = kept("products", now, (now.asked.how, found.step, place, head), multiplied)
        chart(figure, key="a_products", name=f"Products behind the energies{head}", summary=summary)
    else:
        assert found.parts is not None and found.weights is not None
        one = found.weights.ndim == 1
        weights = found.weights if one else found.weights.mean(0)
        states = now.decoded.encoded if one else None
        sum_ = weighted(token, source, weights, found.parts, states=states, place=place)
        chart(
            weighted_figure(sum_),
            key="a_context",
            name="Context as a weighted sum",
            summary=weighted_summary(sum_),
        )
