"""*Tagger* as the server builds it: presets, what is drawn at first, what a run that went on changes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from rnnviz.presets import PRESETS, TRAINING_PRESETS
from rnnviz.screens import tagger as page
from rnnviz.training import TaggerConfig, advance, snapshot, start, step
from rnnviz.training import live as runtime
from tests.pages.components import components


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    runtime.close()


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    assert not app.exception, app.exception[0].message
    return {data["name"]: data for data in components(app) if "figure" in data}


def sent(trace: dict[str, Any]) -> NDArray[np.float32]:
    """The numbers of a heatmap as they travel."""
    z = trace["z"]
    shape = [int(n) for n in z["shape"].split(",")]
    return np.frombuffer(base64.b64decode(z["bdata"]), "f4").reshape(shape)


def arrays(row: str, epochs: int) -> Any:
    config = PRESETS[row]
    assert isinstance(config, TaggerConfig)
    return snapshot(advance(start(config), epochs) if epochs else start(config), {"sentence": 0, "parts": []})


def test_D1_the_first_visit_draws_the_untrained_model(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py")
    drawn = charts(app)
    assert "Before training: 2 of 5 right" in drawn["Tags of the sentence"]["summary"]
    figure = drawn["Tags of the sentence"]["figure"]
    found = arrays("D1", 0)["probabilities"]
    np.testing.assert_array_equal(sent(figure["data"][0]), found.T)
    assert any("epoch 0" in m.value for m in app.markdown)
    assert runtime.house().lobby.count()[1] == 0  # looking makes no run


@pytest.mark.parametrize("row", ["D1", "D2", "E5", "+"])
def test_presets_are_drawn(visit: Callable[..., AppTest], row: str) -> None:
    query = {k: str(v) for k, v in page.preset_values(page.EXAMPLES[row]).items()}
    app = visit("tagger.py", **query)
    assert "Tags of the sentence" in charts(app)
    assert any(m.value.startswith(f"**{row}**") for m in app.markdown)


def test_a_run_goes_on_in_a_worker_and_the_page_shows_it(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py", t_epochs="25")
    app.selectbox(key="tagger_speed").set_value(float("inf")).run()
    app.button(key="tagger_play").click().run()
    key = app.session_state["tagger_visit"]
    (run,) = runtime.house().lobby.runs(key, "tagger")
    while run.look().busy:
        assert run.wait(run.version, 60)
    app.run()
    found = arrays("D1", 25)
    assert any("**epoch 25**" in m.value for m in app.markdown)
    now = charts(app)["Tags of the sentence"]["figure"]["data"][1]
    np.testing.assert_array_equal(sent(now), found["probabilities"].T)
    assert any("25 epochs are done" in info.value for info in app.info)


@pytest.mark.parametrize(
    "view", ["Inside", "Map", "Confusion", "Weights", "Reach in", "Side by side", "Try", "Save"]
)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_every_view_of_every_kind_is_drawn(visit: Callable[..., AppTest], view: str, kind: str) -> None:
    app = visit("tagger.py", t_view=view, t_kind=kind, t_bi="true", t_layers="2")
    assert charts(app)
    assert not app.warning
    assert sum(len(part.proto.json) for part in app.get("bidi_component")) < 90_000


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"t_hidden": "9999"}, "9999"),
        ({"t_lr": "fast"}, "fast"),
        ({"t_text": "The dog/NN"}, "no tag"),
        ({"t_opt": "Magic"}, "Magic"),
    ],
)
def test_what_is_wrong_in_an_address_is_said(
    visit: Callable[..., AppTest], query: dict[str, str], said: str
) -> None:
    app = visit("tagger.py", **query)
    assert charts(app)
    assert any(said in w.value.replace("\\", "") for w in app.warning)


def test_controls_at_their_ends(visit: Callable[..., AppTest]) -> None:
    for key, ends in (
        ("t_emb", (1, 64)),
        ("t_hidden", (1, 64)),
        ("t_lr", (0.0, 1e6)),
        ("t_epochs", (1, 100_000)),
    ):
        for value in ends:
            app = visit("tagger.py")  # a moved control draws one part alone: AppTest forgets the rest
            app.number_input(key=key).set_value(value).run()
            assert charts(app)


@pytest.mark.parametrize(
    ("query", "moves", "reruns"),
    [
        ({"t_clip": "1"}, {"t_hidden": 5}, "tagger_live"),  # no preset before, none after: the pictures alone
        ({}, {"t_hidden": 5}, "tagger_canvas"),  # D1 before: its pill is no longer marked
        ({"t_clip": "1"}, {"t_batch": 2}, "tagger_canvas"),  # "1 sentence" becomes "1 batch"
        ({"t_data": "Sample", "t_clip": "1"}, {"t_unknown": 3}, None),  # the sidebar counts the words
    ],
)
def test_a_moved_control_draws_again_what_depends_on_it_and_no_more(
    visit: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str],
    moves: dict[str, int],
    reruns: str | None,
) -> None:
    app = visit("tagger.py", **query)
    asked: list[str | None] = []
    monkeypatch.setattr("rnnviz.ui.tagger.redraw.st.rerun", lambda *fragments: asked.append(*fragments))
    for key, value in moves.items():
        app.number_input(key=key).set_value(value).run()
    assert asked == ([reruns] if reruns else [])


def test_the_table_is_read_as_the_text_and_what_is_wrong_in_it_is_said(
    visit: Callable[..., AppTest],
) -> None:
    def script() -> None:
        import streamlit as st

        from rnnviz.ui.tagger.table import read

        rows = [{"sentence": "1", "word": "a", "tag": "X"}, {"sentence": "1", "word": "b", "tag": "Y"}]
        st.text(read(rows))
        st.text(read([*rows, {"sentence": "1", "word": "c", "tag": None}]))
        st.text(read([{"sentence": str(i // 9), "word": "ab", "tag": "X"} for i in range(3000)]))

    app = AppTest.from_function(script).run()
    assert [text.value for text in app.text] == ["a/X b/Y", "None", "None"]
    first, second = (warning.value for warning in app.warning)
    assert "tag" in first and "too long" in second


def test_a_run_elsewhere_and_the_stop_condition_are_said(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py", t_until="loss below", t_loss="0.01")
    lobby, here = runtime.house().lobby, app.session_state["tagger_visit"]
    config = TRAINING_PRESETS["D3"]
    other = lobby.new(here, start(config).to_bytes(), group="characters side by side")
    other.play(0.5)
    app.run()
    assert any("A run on *Characters* goes on" in caption.value for caption in app.caption)
    app.button(key="tagger_play").click().run()
    app.run()
    assert any("until the loss is below 0.01" in m.value for m in app.markdown)
    for run in lobby.runs(here):
        run.pause()


def test_a_run_that_plays_can_be_reset(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py", t_until="never")
    assert app.button(key="tagger_reset").disabled
    app.selectbox(key="tagger_speed").set_value(0.5).run()
    app.button(key="tagger_play").click().run()
    app.run()
    assert not app.button(key="tagger_reset").disabled
    (run,) = runtime.house().lobby.runs(app.session_state["tagger_visit"], "tagger")
    app.button(key="tagger_reset").click().run()
    assert not run.look().busy and run.look().epoch == 0


def test_unknown_words_are_named_once_and_not_all_of_them(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py", t_view="Try", t_try="dog " + "w w " * 9 + " ".join(f"u{i}" for i in range(20)))
    (told,) = (c.value.replace("\\", "") for c in app.caption if "Not seen in training" in c.value)
    assert told.count(" w,") == 1 and "u10, and 9 more." in told and "u11" not in told


def test_a_live_picture_belongs_to_the_epoch_that_is_said(visit: Callable[..., AppTest]) -> None:
    app = visit("tagger.py", t_until="never", t_view="Confusion")
    app.button(key="tagger_play").click().run()
    (run,) = runtime.house().lobby.runs(app.session_state["tagger_visit"], "tagger")
    while run.look().epoch < 3:
        assert run.wait(run.version, 60)
    app.run()
    drawn = charts(app)["Tags of the sentence"]
    epoch = int(drawn["summary"].split("Epoch ")[1].split(":")[0])
    run.pause()
    config = PRESETS["D1"]
    assert isinstance(config, TaggerConfig)
    state = advance(start(config), epoch)
    found = [snapshot(each, {"sentence": 0, "parts": []})["probabilities"].T for each in (state, step(state))]
    now = sent(drawn["figure"]["data"][1])
    assert any(np.array_equal(now, each) for each in found)  # a slice may end within an epoch
