"""Views under the pictures: the reshape before the loss, the layer's inside, curves, another string."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from rnnviz.data.characters import shown
from rnnviz.figures.characters import Strings, softmax_grid
from rnnviz.figures.heatmap import step_heatmaps, step_maps
from rnnviz.figures.losses import GROUP, curves, losses_figure, losses_summary
from rnnviz.figures.norms import norms, norms_figure, norms_summary
from rnnviz.figures.reshape import Scored, reshape, reshape_figure, reshape_summary
from rnnviz.figures.tags import tag_grid, tag_row, tag_summary, tagged
from rnnviz.figures.tags_drawn import tag_figure
from rnnviz.reshaped import scored
from rnnviz.screens import characters as page
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import Run
from rnnviz.ui import pickers
from rnnviz.ui.characters.reading import Moment
from rnnviz.ui.chart import Mark, chart
from rnnviz.ui.lab import series
from rnnviz.ui.lab.drawn import Drawn, kept_figure
from rnnviz.ui.link import markdown

FIELD = pickers.by_key(page.FIELDS)
ORDER = {"RNN": ("x", "h_pre", "h"), "LSTM": tuple("xifgoch"), "GRU": tuple("xrznh")}


def options(config: CharsConfig, view: str) -> None:
    """The view's own control, drawn beside the choice of the view: it stands still while a run goes on."""
    if view == "Reshape":
        pickers.switch(FIELD["c_two"])
    elif view == "Curves":
        pickers.switch(FIELD["c_log"])
    elif view == "Inside" and config.num_layers > 1:
        pickers.choice(FIELD["c_depth"], page.DEPTHS[: config.num_layers], collapsed=True)


def reshaped(now: Moment) -> None:
    """Row D8: the scores as the model gives them, as the loss takes them, and what each position adds."""
    texts = [now.config.source, now.config.target][: 1 + bool(now.values["c_two"])]
    logits = [now.arrays_of(text)["flat_logits"] for text in texts]

    def draw() -> Drawn:
        batch = scored(now.config, *logits)
        record = reshape(
            Scored(
                batch.logits,
                batch.target,
                batch.losses,
                [shown(c) for c in now.config.characters],
                [[shown(c) for c in text] for text in batch.sentences],
                now.config.reduction,
            )
        )
        return reshape_figure(record), reshape_summary(record)

    numbers = tuple(each.tobytes() for each in logits)
    figure, told = kept_figure("reshape", (now.strings, now.config.reduction, numbers), draw)
    chart(figure, key="c_reshape", name="Reshape before the loss", summary=told)
    size, length, count = len(texts), len(now.config.source), len(now.config.characters)
    first = "(L, N, C)" if now.config.layer == "cell" or not now.config.embedding else "(N, L, C)"
    given = (length, size, count) if first == "(L, N, C)" else (size, length, count)
    st.caption(
        f"The model gives scores of shape {first} = {given}; `scores.reshape(-1, {count})` puts every "
        f"position into a row of its own, and `cross_entropy` compares them with {size * length} "
        f"target{'s' * (size * length > 1)}. "
        + ("The second sentence is not trained on." if size == 2 else "")
    )


def inside(now: Moment) -> None:
    """Hidden states and gates at this epoch, the same pictures as in *Step through*."""
    config = now.config
    layer = page.DEPTHS.index(now.values["c_depth"])
    values = {letter: now.arrays[f"{letter}/{layer}/0"] for letter in ORDER[config.kind]}

    def draw() -> Drawn:
        maps = step_maps(values, [shown(c) for c in config.source])
        return step_heatmaps(maps, columns=3 if config.kind == "RNN" else 2), (
            f"Every quantity of layer {layer} at epoch {now.epoch}, characters along x, units along y. "
            f"h lies between {values['h'].min():.3f} and {values['h'].max():.3f}."
        )

    numbers = tuple(array.tobytes() for array in values.values())
    figure, told = kept_figure("inside", (config.source, config.kind, layer, now.epoch, numbers), draw)
    chart(figure, key="c_inside", name="Inside the layer", summary=told)


def losses(now: Moment, runs: Sequence[Run]) -> None:
    """Loss and accuracy over the epochs, of several runs."""
    looks = [run.look() for run in runs]

    blind = series.guessing(now.config)

    def draw() -> Drawn:
        found = [series.history(run, look) for run, look in zip(runs, looks, strict=True)]
        record = curves(found, guess=blind)
        return losses_figure(record, log=bool(now.values["c_log"]), height=360), losses_summary(record)

    what = series.told_apart(runs, looks, now.values["c_log"])
    figure, told = kept_figure("c_losses", (what, blind), draw)
    chart(figure, key="c_losses", name="Loss and accuracy", summary=told, mark=Mark(GROUP, now.epoch))


def weights(now: Moment) -> None:
    """How large each parameter's gradient is, and how far each parameter goes in an epoch."""
    found = now.look.curves.curves
    if "grad_norm" not in found:
        st.caption("No epoch has been trained yet: there is no gradient to draw.")
        return
    with st.grid(2, min_column_width=400):
        for name, what in (("grad_norm", "Norm of the gradient"), ("change", "Way in one epoch")):
            curve = found[name]
            largest = np.where(np.isfinite(curve.high), curve.high, np.nan)
            record = norms(what, largest, now.names, width=curve.width)
            chart(
                norms_figure(record),
                key=f"c_{name}",
                name=what,
                summary=norms_summary(record),
                mark=Mark(GROUP, now.epoch),
            )


def trying(now: Moment) -> None:
    """What the model makes of another string of its characters."""
    known = now.config.characters
    pickers.line(FIELD["c_try"])
    text = now.values["c_try"]
    if not text:
        st.caption("Type a character or more.")
        return
    if strange := sorted({*text} - {*known}):
        st.warning(
            markdown(f"{' '.join(map(shown, strange))}: the model has only {' '.join(map(shown, known))}.")
        )
        return
    softmax = now.arrays_of(text)["probabilities"]
    words, classes = [shown(c) for c in text], [shown(c) for c in known]
    if text == now.config.source:
        grid = softmax_grid(Strings(text, now.config.target, known), [("softmax", softmax)])
    else:
        grid = tag_grid([tag_row("softmax", [tagged(words, softmax)])], classes)
    chart(tag_figure(grid), key="c_tried", name="Softmax of your string", summary=tag_summary(grid))
    said = "".join(known[k] for k in softmax.argmax(-1))
    st.markdown(f"It says **{markdown(said)}**.")
