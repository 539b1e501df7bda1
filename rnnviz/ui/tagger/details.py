"""Views under the curves that only look: inside the layer, words and states in a plane, mistakes, weights."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from rnnviz.figures.cloud import Dots, cloud, cloud_figure, cloud_summary
from rnnviz.figures.confusion import confusion, confusion_figure, confusion_summary
from rnnviz.figures.heatmap import step_heatmaps, step_maps
from rnnviz.figures.losses import GROUP
from rnnviz.figures.norms import norms, norms_figure, norms_summary
from rnnviz.gates import DIRECTION_NAMES
from rnnviz.projection import Basis, basis
from rnnviz.screens import tagger as page
from rnnviz.training.config import TaggerConfig
from rnnviz.training.live.curves import Curve
from rnnviz.ui import pickers
from rnnviz.ui.chart import Mark, chart
from rnnviz.ui.lab.drawn import Drawn, kept_figure
from rnnviz.ui.tagger.reading import Moment

FIELD = pickers.by_key(page.FIELDS)
ORDER = {"RNN": ("x", "h_pre", "h"), "LSTM": tuple("xifgoch"), "GRU": tuple("xrznh")}


def inside(now: Moment) -> None:
    """Hidden states and gates of the sentence at this epoch, the same pictures as in *Step through*."""
    config = now.config
    layer, direction = page.LAYERS.index(now.values["t_layer"]), DIRECTION_NAMES.index(now.values["t_dir"])
    if config.num_layers > 1 or config.bidirectional:
        with st.container(horizontal=True):
            if config.num_layers > 1:
                pickers.choice(FIELD["t_layer"], page.LAYERS[: config.num_layers], collapsed=True)
            if config.bidirectional:
                pickers.choice(FIELD["t_dir"], collapsed=True)
    values = {letter: now.arrays[f"{letter}/{layer}/{direction}"] for letter in ORDER[config.kind]}

    def draw() -> Drawn:
        figure = step_heatmaps(step_maps(values, now.words), columns=2, height=430, backward=direction == 1)
        return figure, (
            f"Every quantity of layer {layer}, {DIRECTION_NAMES[direction]}, at epoch {now.epoch}, words "
            f"along x, units along y. h lies between {values['h'].min():.3f} and {values['h'].max():.3f}."
        )

    numbers = tuple(array.tobytes() for array in values.values())
    what = (now.words, config.kind, layer, direction, now.epoch, numbers)
    figure, told = kept_figure("inside", what, draw)
    chart(figure, key="t_inside", name="Inside the layer", summary=told)


def plane(now: Moment) -> None:
    """Word vectors and hidden states in the plane of greatest variance, which turns as little as it can."""
    words = now.config.vocabulary[: len(now.arrays["embeddings"])]
    states = [int(i) for i in now.arrays["state_words"]]
    with st.grid(2, min_column_width=400):
        _cloud(
            now,
            "Word vectors",
            now.arrays["embeddings"],
            words,
            [_usual_tag(now.config).get(i, -1) for i in range(len(words))],
        )
        _cloud(
            now,
            "Hidden states of the words",
            now.arrays["states"],
            [now.config.vocabulary[i] if i >= 0 else "?" for i in states],
            [int(i) for i in now.arrays["state_tags"]],
        )


def _cloud(now: Moment, title: str, values: NDArray[Any], labels: Any, groups: list[int]) -> None:
    seen, limit = _basis(now, title, values)
    points = seen.project(values)
    reach = np.abs(points[np.isfinite(points).all(axis=1)]).max(axis=0, initial=0.0)
    limit = (max(limit[0], float(reach[0])), max(limit[1], float(reach[1])))
    st.session_state[_place(now, title)] = (seen, limit)
    record = cloud(Dots(title, points, labels, groups, now.config.tags, seen.share, limit))
    chart(cloud_figure(record, height=380), key=f"t_{title}", name=title, summary=cloud_summary(record))


def _basis(now: Moment, title: str, values: NDArray[Any]) -> tuple[Basis, tuple[float, float]]:
    """Where to look from: as at the newest epoch that was drawn, while an older one is looked at."""
    held = st.session_state.get(_place(now, title))
    if held is not None and now.rewound:
        return held[0], held[1]
    return basis(values, held[0] if held else None), held[1] if held else (0.0, 0.0)


def _place(now: Moment, title: str) -> str:
    return f"t_basis_{now.desk.run.id}_{title}"


@lru_cache(maxsize=16)
def _usual_tag(config: TaggerConfig) -> dict[int, int]:
    """From a word's row to the number of the tag that it has most often."""
    counts: dict[int, Counter[int]] = {}
    for sentence in config.sentences:
        for row, (_, tag) in zip(config.ids(word for word, _ in sentence), sentence, strict=True):
            counts.setdefault(row, Counter())[config.tag_ids[tag]] += 1
    return {row: found.most_common(1)[0][0] for row, found in counts.items()}


def confused(now: Moment) -> None:
    """Which tags are taken for which."""
    parts = [("Training sentences", now.arrays["confusion"])]
    if now.config.held_out:
        parts.append(("Held-out sentences", now.arrays["held_confusion"]))
    with st.grid(2, min_column_width=400):
        for title, counts in parts:
            record = confusion(counts, now.config.tags, title)
            chart(
                confusion_figure(record),
                key=f"t_confusion_{title[0]}",
                name=f"Confusion, {title.lower()}",
                summary=confusion_summary(record),
            )


def weights(now: Moment) -> None:
    """How large each parameter's gradient is, and how far each parameter goes in an epoch."""
    found = now.look.curves.curves
    if "grad_norm" not in found:
        st.caption("No epoch has been trained yet: there is no gradient to draw.")
        return
    with st.grid(2, min_column_width=400):
        for series, what in (
            ("grad_norm", "Norm of the gradient"),
            ("change", "How far each moved in one epoch"),
        ):
            with st.container():
                _norms(now, found[series], series, what)


def _norms(now: Moment, curve: Curve, series: str, what: str) -> None:
    largest = np.where(np.isfinite(curve.high), curve.high, np.nan)
    record = norms(what, largest, now.names, width=curve.width)
    st.markdown(f"{what}, parameter by parameter")
    chart(
        norms_figure(record),
        key=f"t_{series}",
        name=what,
        summary=norms_summary(record),
        mark=Mark(GROUP, now.epoch),
    )
