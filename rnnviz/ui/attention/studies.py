"""The views *Padding* (row E2), *Length* and *Model*."""

from __future__ import annotations

import numpy as np
import streamlit as st

from rnnviz.figures import attention_lines as lines
from rnnviz.figures.attention import attention_map
from rnnviz.figures.encoder_decoder import scheme, scheme_summary
from rnnviz.figures.encoder_decoder_drawn import scheme_figure
from rnnviz.models.studies import ByLength, Leak
from rnnviz.training.pairs_config import SPECIAL, Pair, Seq2SeqConfig
from rnnviz.ui.attention import pictures
from rnnviz.ui.attention.decoded import leaked, reach, shapes_of
from rnnviz.ui.attention.reading import Moment
from rnnviz.ui.attention.shipped import Shipped, shipped
from rnnviz.ui.chart import chart
from rnnviz.ui.link import markdown

SENTENCES = 6
STRINGS = 40
"""Strings of each length that are asked."""


def padding(now: Moment) -> None:
    """How much weight leaks onto padding without the mask, in one batch of unequal lengths."""
    pairs = batch(now)
    lengths = {len(source) for source, _ in pairs}
    if len(pairs) < 2 or len(lengths) < 2:
        st.caption("All sources are of one length: there is no padding in a batch. Draw shorter ones too.")
        return
    found = leaked((now.state, pairs))
    n = int(np.argmin(found.lengths))
    target = (*pairs[n][1], SPECIAL[2])
    with st.grid(2, min_column_width=380):
        with st.container():
            _leaking(now, found, n, target)
        st.markdown(f"{_table(now, found)}\n\n:small[{_explained(now)}]")


def _explained(now: Moment) -> str:
    """What the table's columns are, and what to think of them."""
    words = (
        "One batch, looked at twice with the true tokens fed: only the mask differs. The share is the weight "
        "on padding; ✓ or ✗: whether the string is decoded without a fault in this batch, and *alone*, "
        "without any padding. "
    )
    if not now.epoch:
        return words + (
            "The model is not trained: it looks everywhere alike, so padding gets its share of the positions."
        )
    if now.config.mask:
        return words + "This model was trained with the mask: what leaks without it is new to it."
    return words + (
        "This model was trained without the mask: it has learnt to live with padding, and may fail where "
        "there is none."
    )


def _leaking(now: Moment, found: Leak, n: int, target: tuple[str, ...]) -> None:
    """The shortest string's maps, and the weight on padding at each step."""
    source, real = found.pairs[n][0], int(found.lengths[n])
    with_mask, without = (each[n][: len(target)] for each in (found.masked, found.unmasked))
    maps = [
        attention_map(
            name,
            ((*source, *("·" * (found.longest - real))), target),
            weights,
            outside=[j >= real for j in range(found.longest)],
        )
        for name, weights in (("with the mask", with_mask), ("without", without))
    ]
    pictures.drawn(pictures.beside(maps), key="a_leak_maps", name="Attention with and without the mask")
    record = lines.leak(target, {"with the mask": with_mask, "without": without}, real)
    chart(
        lines.leak_figure(record, height=230),
        key="a_leak",
        name="Weight on padding",
        summary=lines.leak_summary(record),
    )


def batch(now: Moment) -> tuple[Pair, ...]:
    """The pairs of the batch: the one in view, and others of different lengths."""
    every = now.config.held if len(now.config.held) > 1 else now.config.pairs
    by_length: dict[int, Pair] = {}
    if now.current.right is not None:
        by_length[len(now.current.source)] = (now.current.source, now.current.right)
    for pair in every:
        by_length.setdefault(len(pair[0]), pair)
    sizes = sorted(by_length)
    most = SENTENCES if len(sizes) > SENTENCES else len(sizes)
    kept = {sizes[round(i * (len(sizes) - 1) / max(1, most - 1))] for i in range(most)}
    return tuple(by_length[size] for size in sorted(kept))


def _table(now: Moment, found: Leak) -> str:
    rows = ["| source | padding | with mask | without | alone |", "|---|---|---|---|---|"]
    for n, (source, _) in enumerate(found.pairs):
        text = now.current.text(source)
        masked, unmasked = found.on_padding[:, n]
        marks = [_mark(found.right[0, n]), _mark(found.right[1, n]), _mark(found.alone[n])]
        rows.append(
            f"| {markdown(text[:24] + '…' * (len(text) > 24))} | {found.longest - int(found.lengths[n])} "
            f"| {masked:.1%}&nbsp;{marks[0]} | **{unmasked:.1%}**&nbsp;{marks[1]} | {marks[2]} |"
        )
    return "\n".join(rows)


def _mark(right: bool) -> str:
    return "✓" if right else "✗"


def length(now: Moment) -> None:
    """How often the whole string is right, by length, beyond what was trained on."""
    data = now.current.generated
    if data is None or data.task == "dates":
        st.caption("Only the drawn tasks have a length to choose (not dates).")
        return
    if now.look.busy:
        st.caption("Measured as soon as the run stands still.")
        return
    most = min(2 * data.longest, 20 if data.task == "numbers" else 40)
    step = max(1, round(most / 16))
    asked = tuple(range(step, most + 1, step))
    found = {_name(now.config) + f", epoch {now.epoch}": reach((now.state, asked, STRINGS))}
    for one in compared(now):
        found[f"{_name(one.config)}, epoch {one.origin.epoch}"] = reach((one.origin.state, asked, STRINGS))
    first = next(iter(found.values()))
    record = lines.by_length(
        first.lengths,
        {name: each.exact for name, each in found.items()},
        tried=first.count,
        trained=first.trained,
    )
    chart(
        lines.by_length_figure(record),
        key="a_length",
        name="Exact match by length",
        summary=lines.by_length_summary(record),
    )
    alone = "Train the same pairs with and without attention to compare: each is a run of its own."
    st.caption(
        f"{_strings(first)} Decoded greedily. Trained: {data.shortest} to {data.longest} tokens. "
        f"{alone * (len(found) == 1)}"
    )


def _strings(found: ByLength) -> str:
    """How many strings were asked, and which of them had been trained on."""
    fewer = [f"{n:.0f} of length {k}" for k, n in zip(found.lengths, found.count, strict=True) if n < STRINGS]
    few = f" ({', '.join(fewer)})" if fewer else ""
    words = f"{STRINGS} strings of each length{few}, none of them trained on"
    if known := [str(k) for k, seen in zip(found.lengths, found.seen, strict=True) if seen]:
        words += f", but for length {', '.join(known)}, of which all strings were"
    return f"{words}."


def compared(now: Moment) -> list[Shipped]:
    """The shipped runs of the same pairs, but for the run in view."""
    return [one for one in shipped() if one.config.data == now.config.data and one.origin.state != now.state]


def _name(config: Seq2SeqConfig) -> str:
    return "no attention" if config.attention == "none" else f"{config.attention.replace('_', ' ')} attention"


def model(now: Moment) -> None:
    """The encoder-decoder with the shape at every arrow, and its parameters."""
    config = now.config
    source = max(len(s) for s, _ in config.pairs)
    record = scheme(config, min(config.batch, len(config.pairs)), source, config.longest_target + 1)
    chart(scheme_figure(record), key="a_scheme", name="Model", summary=scheme_summary(record))
    sizes = shapes_of(config)
    total = sum(int(np.prod(shape)) for shape in sizes.values())
    rows = ["| parameter | shape | numbers |", "|---|---|---|"]
    rows += [f"| `{name}` | {tuple(shape)} | {int(np.prod(shape)):,} |" for name, shape in sizes.items()]
    st.markdown(f"**{total:,} numbers** in {len(sizes)} parameters")
    with st.container(height=260):
        st.markdown("\n".join(rows))
