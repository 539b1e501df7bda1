"""The view *Beam*: the hypotheses as a tree, the strings that ended, and the attention of one of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from rnnviz.figures.attention import attention_map
from rnnviz.figures.beam import beam_summary, beam_tree
from rnnviz.figures.beam_drawn import beam_figure, number
from rnnviz.models.beam import BeamTree
from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import BY_KEY
from rnnviz.training.pairs_config import END, SPECIAL, START
from rnnviz.ui import pickers
from rnnviz.ui.attention import pictures
from rnnviz.ui.attention.decoded import searched
from rnnviz.ui.attention.reading import Moment, kept
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.lab.drawn import Drawn
from rnnviz.ui.link import markdown

FIELD = BY_KEY
WIDTHS = (1, 3, 10)
MOST, LISTED = 6, 32
"""Ended strings that are listed, and characters of one."""


def show(now: Moment) -> None:
    """The controls, the tree, and what it found."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        pickers.number(FIELD["a_width"], width=150)
        pickers.number(FIELD["a_alpha"], width=170, step=0.1)
        st.caption(
            "A box: a token, and the score of the string that ends with it. A click shows its attention."
        )
    trees = found(now)
    tree = trees[int(now.values["a_width"])]
    chosen = int(now.values["a_node"])
    chosen = chosen if 0 < chosen < len(tree.nodes) else tree.best.id
    count = len(tree.nodes)

    def draw() -> Drawn:
        names = now.config.target_text([node.token for node in tree.nodes])
        record = beam_tree(tree.nodes, [SPECIAL[START], *names[1:]], best=tree.best.id, chosen=chosen)
        return beam_figure(record), beam_summary(record)

    figure, summary = kept("beam", now, (tree.how, chosen), draw)

    def clicked(point: Point) -> None:
        node = point.custom[0] if point.custom else None
        if isinstance(node, float) and 0 < node < count:
            st.session_state["a_node"] = int(node)

    chart(figure, key="a_beam", name="Beam", summary=summary, on_click=clicked)
    with st.grid(2, min_column_width=380):
        st.markdown(f"{_answers(now, tree)}\n\n{_widths(now, trees)}")
        with st.container():
            _attention(now, tree, chosen)


def found(now: Moment) -> dict[int, BeamTree]:
    """The searches by their widths: the one that is drawn, and those that it is compared with."""
    widths = tuple(sorted({*WIDTHS, int(now.values["a_width"])}))
    trees = searched(now.state, now.current.source, widths, float(now.values["a_alpha"]))
    return dict(zip(widths, trees, strict=True))


def text_of(now: Moment, tree: BeamTree, id: int) -> tuple[str, bool | None]:
    """A hypothesis' string, and whether it is the right one; None where nobody knows."""
    tokens = tree.tokens(now.config, id)
    ended = bool(tokens) and tree.nodes[id].token == END
    own = tokens[:-1] if ended else tokens
    right = None if now.current.right is None else ended and own == now.current.right
    return now.current.said(own, LISTED), right


def _mark(right: bool | None) -> str:
    return "" if right is None else " ✓" if right else " ✗"


def _answers(now: Moment, tree: BeamTree) -> str:
    rows = ["| ended | log p | tokens | score |", "|---|---|---|---|"]
    for id in tree.answers[:MOST]:
        node = tree.nodes[id]
        text, right = text_of(now, tree, id)
        bold = "**" if id == tree.best.id else ""
        scores = f"{number(node.log_prob)} | {node.step} | {number(node.score)}"
        rows.append(f"| {bold}{markdown(text) or 'nothing'}{bold}{_mark(right)} | {scores} |")
    power = f"{now.values['a_alpha']:g}"
    length = {"0": "", "1": " / tokens, the end symbol counted"}.get(
        power, f" / tokens to the power {power}, the end symbol counted"
    )
    words = f"score = log p{length}"
    return "\n".join([*rows, "", f":small[{words}]"])


def _widths(now: Moment, trees: Mapping[int, BeamTree]) -> str:
    """The answer of several widths: a wider beam is not always a better one."""
    rows = ["| width | answer | log p |", "|---|---|---|"]
    for width, tree in trees.items():
        text, right = text_of(now, tree, tree.best.id)
        rows.append(
            f"| {width} | {markdown(text) or 'nothing'}{_mark(right)} | {number(tree.best.log_prob)} |"
        )
    return "\n".join(rows)


def _attention(now: Moment, tree: BeamTree, chosen: int) -> None:
    path = tree.path(chosen)
    text, right = text_of(now, tree, chosen)
    st.markdown(f"{tree.nodes[chosen].fate}: **{markdown(text) or 'nothing'}**{_mark(right)}")
    rows = [node.weights for node in path if node.weights is not None]
    if not rows:
        st.caption("There is no attention in this model.")
        return
    weights = np.stack([row.mean(0) if row.ndim == 2 else row for row in rows])
    tokens = tree.tokens(now.config, chosen)
    if weights.size > pictures.LARGE and rows[0].ndim == 1 and tokens == now.decoded.target:
        st.caption("Its attention is the picture above.")
        return

    def draw() -> Drawn:
        one = attention_map(
            "this hypothesis",
            (now.current.source, tokens),
            weights,
            truth=now.current.truth,
            wrong=page.said_right(now.current, tokens),
        )
        return pictures.beside([one])

    picture = kept("hypothesis", now, (tree.how.width, chosen), draw)
    pictures.drawn(picture, key="a_beam_map", name="Attention of the hypothesis")
