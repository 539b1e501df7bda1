"""What if: another attention, a masked source token, another output token, another temperature."""

from __future__ import annotations

import streamlit as st

from rnnviz.figures.attention import attention_map
from rnnviz.figures.attention_drawn import Chosen
from rnnviz.figures.attention_given import given, given_figure, given_summary
from rnnviz.models.decoding import Decoded, How
from rnnviz.screens import attention as page
from rnnviz.screens.attention_edits import attention_line, moved_weight, replaced
from rnnviz.screens.attention_fields import BY_KEY
from rnnviz.training.pairs_config import END
from rnnviz.ui import pickers
from rnnviz.ui.attention import pictures, stepper
from rnnviz.ui.attention.decoded import Asked, explained, said
from rnnviz.ui.attention.reading import Moment, kept
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.drawn import Drawn
from rnnviz.ui.link import markdown

FIELD = BY_KEY
TEXT = "a_edits"


def changed(now: Moment) -> Asked:
    """The decoding with everything that was changed."""
    values, changes = now.values, now.current.changes
    how = How(
        method="sample" if values["a_draw"] else "greedy",
        temperature=float(values["a_temp"]),
        seed=values["a_dseed"],
        weights=changes.weights,
        masked=changes.masked,
        tokens=changes.tokens,
    )
    return Asked(now.state, now.current.source, how)


def original(now: Moment) -> Asked:
    """The decoding without: greedy."""
    return Asked(now.state, now.current.source)


def show(now: Moment) -> None:
    """The changes above, both decodings side by side, and what could be said at one step of each."""
    asked = changed(now)
    mine, theirs = said(original(now)), said(asked)
    step = min(int(now.values["a_step"]), len(theirs.ids) - 1)
    _spoken(now, (mine, theirs))
    with st.grid(2 if now.current.attends else 1, min_column_width=380):
        if now.current.attends:
            with st.container(gap="xsmall"):
                _weights(now, theirs, step)
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            _controls(now, theirs, step)
    _pictures(now, (mine, theirs), step)
    _text(now)
    with st.grid(2, min_column_width=340):
        for title, which, key in (("Original", original(now), "a_before"), ("Changed", asked, "a_after")):
            at = min(step, len(said(which).ids) - 1)
            stepper.next_token(now, which, at, key, f"{title}, step {at}")


def _spoken(now: Moment, both: tuple[Decoded, Decoded]) -> None:
    """What both say, above what changes it."""
    lines = zip(("Original", "Changed"), both, strict=True)
    st.markdown("\n\n".join(f"{name}: {pictures.spoken(now.current, one)}" for name, one in lines))


def _pictures(now: Moment, both: tuple[Decoded, Decoded], step: int) -> None:
    if not now.current.attends:
        return
    chosen = Chosen(step, stepper.place_of(now))
    picture = kept("what if", now, (changed(now).how, chosen), lambda: _maps(now, both, chosen))
    name, length = "Original and changed attention", len(both[1].ids)
    pictures.drawn(picture, key="a_if_maps", name=name, length=length)


def _maps(now: Moment, both: tuple[Decoded, Decoded], chosen: Chosen) -> Drawn:
    maps = []
    for name, one in zip(("original", "changed"), both, strict=True):
        weights = one.joined()
        assert weights is not None
        if name == "original" and weights is one.weights and weights.size > pictures.LARGE and not now.fed:
            continue  # it is the picture above
        masked = now.current.changes.masked if name == "changed" else ()
        maps.append(
            attention_map(
                name,
                (now.current.source, one.target),
                weights,
                truth=now.current.truth,
                outside=["masked" if j in masked else "" for j in range(len(now.current.source))],
                wrong=page.said_right(now.current, one.target),
            )
        )
    return pictures.beside(maps, chosen)


def _controls(now: Moment, theirs: Decoded, step: int) -> None:
    with st.container(width=190):
        pickers.slider(FIELD["a_step"], high=len(theirs.ids) - 1)
    _token(now, theirs, step)
    if now.current.attends:
        _attention(now, theirs, step)
    pickers.number(FIELD["a_temp"], width=130)
    if now.values["a_draw"]:
        pickers.number(FIELD["a_dseed"], width=130)
    pickers.switch(FIELD["a_draw"])


def _text(now: Moment) -> None:
    """The changes as text, and the way back."""
    pickers.area(FIELD[TEXT], height=90)
    for problem in now.current.wrong:
        st.warning(markdown(problem))
    if not now.values[TEXT].strip():
        return
    with st.container(horizontal=True):
        st.button("Undo", key="a_undo", on_click=_undo, help="Take the last line back")
        st.button("Reset all", key="a_clear", on_click=_clear, help="Take all lines back")


def _weights(now: Moment, theirs: Decoded, step: int) -> None:
    """The weights of the step as bars: one is moved by hand, the others shrink or grow to a sum of 1."""
    row, masked = row_of(theirs, step), now.current.changes.masked
    asked = changed(now)

    def draw() -> Drawn:
        found = explained((asked, step))
        assert found.own is not None
        own = found.own.mean(0) if found.own.ndim == 2 else found.own
        words = ["masked" if j in masked else "" for j in range(len(row))]
        record = given(step, theirs.target[step], now.current.source, (row, own), outside=words)
        return given_figure(record), given_summary(record)

    def dragged(point: Point) -> None:
        place = point.index[0] if point.index else len(row)
        if place < len(row) and isinstance(point.y, float):
            stepper.go(len(theirs.ids), step, place)
            _add(attention_line(step, moved_weight(row, place, point.y, masked)))

    def clicked(point: Point) -> None:
        if point.index and point.index[0] < len(row):
            stepper.go(len(theirs.ids), step, point.index[0])

    figure, summary = kept("given", now, (asked.how, step), draw)
    name = "Weights of the step" + (" (mean of the heads)" if theirs.weights is not theirs.joined() else "")
    chart(figure, key="a_given", name=name, summary=summary, on_click=clicked, on_drag=dragged)


def row_of(theirs: Decoded, step: int) -> list[float]:
    """The weights of a step, of several heads their mean."""
    weights = theirs.joined()
    assert weights is not None
    return [float(w) for w in weights[step]]


def _attention(now: Moment, theirs: Decoded, step: int) -> None:
    row = row_of(theirs, step)
    place = stepper.place_of(now)
    place = row.index(max(row)) if place is None else place
    token = markdown(now.current.source[place])
    key = f"a_row_{_mark(now)}_{step}"

    def typed() -> None:
        _add(f"attention {step} = {st.session_state[key]}")

    st.text_input(
        f"Step {step}: all weights",
        attention_line(step, row).split("= ")[1],
        key=key,
        on_change=typed,
        max_chars=600,
        width="stretch",
        help="One number for each source position; they are divided by their sum. Or move the bars.",
    )
    hidden = place in now.current.changes.masked
    st.button(
        f"{'Unmask' if hidden else 'Mask'} {token}, position {place}",
        key=f"a_mask_{place}",
        on_click=_unmask if hidden else _add,
        args=(f"mask {place}",),
        help="Attention may not look at this source token. A click on a bar or a cell chooses another one.",
    )


def _mark(now: Moment) -> int:
    """Another decoding has controls of its own: one of the same key would keep its value."""
    return hash((changed(now), now.values[TEXT]))


def _token(now: Moment, theirs: Decoded, step: int) -> None:
    tokens = now.config.target_symbols[END:]
    key = f"a_say_{_mark(now)}_{step}"

    def chosen() -> None:
        _add(f"say {step} = {st.session_state[key]}")

    at = theirs.target[step]
    st.selectbox(
        f"Step {step} says",
        tokens,
        index=tokens.index(at) if at in tokens else None,
        key=key,
        on_change=chosen,
        width=130,
        help="Another token here is fed to the next step: the decoder goes on from it.",
    )


def _add(line: str) -> None:
    st.session_state[TEXT] = replaced(st.session_state.get(TEXT, ""), line)[: FIELD[TEXT].max_chars]


def _unmask(line: str) -> None:
    lines = [old for old in st.session_state[TEXT].split("\n") if old.strip() != line]
    st.session_state[TEXT] = "\n".join(lines)


def _undo() -> None:
    st.session_state[TEXT] = "\n".join(st.session_state[TEXT].rstrip().split("\n")[:-1])


def _clear() -> None:
    st.session_state[TEXT] = ""
