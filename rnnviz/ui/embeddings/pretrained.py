"""View *Pretrained*: vectors from a file, their neighbours, and an nn.Embedding made from them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rnnviz.data.vectors import Vectors
from rnnviz.embeddings import bert
from rnnviz.embeddings import pretrained as core
from rnnviz.embeddings.inputs import Pretrained
from rnnviz.embeddings.spoken import nobody_line
from rnnviz.figures.embeddings_words import Neighbours, neighbours_figure, taken_figure
from rnnviz.screens import embeddings as page
from rnnviz.ui.chart import Point, chart
from rnnviz.ui.embeddings import upload
from rnnviz.ui.link import markdown


def vectors(asked: Pretrained) -> Vectors | None:
    """The vectors of the chosen source, None while there are none."""
    if asked.source == "Sample":
        return core.sample()
    if asked.source == "My file":
        return upload.kept()
    model = _bert()
    return None if isinstance(model, str) else model.vectors


def blocked(current: page.EmbeddingsScreen, found: Vectors | None) -> str | None:
    """Why there is no table to hand out, or None."""
    if current.view == "Pretrained" and found is None:
        return "There are no vectors yet"
    return None


def _bert() -> bert.Bert | str:
    path = bert.folder()
    if path is None:
        return (
            "No BERT model is set up on this server. Whoever starts it saves a model's folder there, "
            "installs "
            f"requirements-bert.txt, and sets the variable {bert.VARIABLE} to that folder."
        )
    try:
        return bert.load(path)
    except ValueError as problem:
        return f"The BERT model of this server cannot be used: {problem}."


def show(current: page.EmbeddingsScreen, values: dict[str, Any]) -> None:
    """Neighbours and plane, then the sentence looked up."""
    asked = current.pretrained
    found = vectors(asked)
    if found is None:
        said = "Choose a file in the sidebar: word2vec's or GloVe's text, or .safetensors with a word list."
        if asked.source == "BERT":
            said = str(_bert())
        st.info(markdown(said))
        return
    for note in found.notes:
        st.caption(markdown(f"{found.name}: {note}."))
    _neighbours(found, asked)
    _sentence(found, asked)


def _neighbours(found: Vectors, asked: Pretrained) -> None:
    near = core.nearest(found, asked.ask, asked.near)
    question = near.asked
    taken = (*near.rows, *question.rows)
    crowd = tuple(row for row in range(min(core.SHOWN, len(found.words))) if row not in taken)
    flat = core.plane(found, taken, crowd)
    middle = len(near.rows)

    def named(rows: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(found.words[row] for row in rows)

    record = Neighbours(
        named(near.rows),
        near.cosines,
        flat.points[:middle],
        named(question.rows),
        flat.points[middle:],
        named(crowd),
        flat.crowd,
        flat.share,
    )
    nobody = nobody_line(near)
    first = f"{record.names[0]}, cosine {record.cosines[0]:.2f}" if record.names else "none"
    if question.missing:
        st.warning(f"Not in {markdown(found.name)}: {markdown(', '.join(question.missing))}")
    if nobody:
        st.info(markdown(nobody))
    chart(
        neighbours_figure(record),
        key="e_neighbours",
        name="Nearest words",
        summary=f"Nearest to {asked.ask}: {first}. {len(record.crowd):,} more words on a plane.",
        on_click=lambda point: _ask(point, found, {0: near.rows, 2: near.rows, 1: crowd, 3: question.rows}),
    )
    rows, dim = found.matrix.shape
    st.caption(
        f"{markdown(found.name)}: {rows:,} words, {dim} numbers each · nearest by cosine · a click on a word "
        "asks "
        "for its neighbours"
    )


def _ask(point: Point, found: Vectors, rows: dict[int, tuple[int, ...]]) -> None:
    index = point.index[0] if point.index else -1
    if point.curve in rows and 0 <= index < len(rows[point.curve]):
        st.session_state["e_ask"] = found.words[rows[point.curve][index]]
        st.rerun()  # the whole page: the sidebar holds the word


def _sentence(found: Vectors, asked: Pretrained) -> None:
    words = asked.words
    if asked.source == "BERT" and isinstance(model := _bert(), bert.Bert) and words:
        words = model.pieces(" ".join(words))
    taken = core.take(found, words, asked.freeze, asked.seed)
    if taken.missing:
        st.warning(
            f"Missing from the file, so drawn at random like any untrained row: "
            f"**{markdown(', '.join(taken.missing))}**"
        )
    drawn = [i for i, k in enumerate(taken.indices) if taken.rows[k] is None]
    chart(
        taken_figure(words, taken.output, drawn),
        key="e_taken",
        name="The sentence's vectors",
        summary=f"{len(words)} words of {found.matrix.shape[1]} numbers; missing: {len(taken.missing)}.",
    )
    learns = (
        f"**{taken.trainable:,}** numbers learn, and one step of SGD moves them by up to {taken.moved:.2g}"
        if taken.trainable
        else "nothing in it learns: one step of SGD moves it by **0**"
    )
    st.markdown(f"`nn.Embedding.from_pretrained(vectors, freeze={asked.freeze})`: {learns}.")
    if asked.source == "Sample":
        st.download_button(
            "vectors.txt",
            _sample_file,
            file_name="vectors.txt",
            mime="text/plain",
            key="e_sample_file",
            on_click="ignore",
            help="The sample itself, in word2vec's text format: the script of *Code* reads it",
        )


def _sample_file() -> bytes:
    from rnnviz.assets import FOLDER

    return (FOLDER / "samples" / "vectors.txt").read_bytes()
