"""*Characters* as the server builds it: PyTorch's numbers for rows D3, D4, D5 and D8; faults are named."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest
from torch import Tensor, nn

from rnnviz.presets import CHARS_PRESETS, EPOCHS, PRESETS
from rnnviz.screens import characters as page
from rnnviz.training import CharsConfig, advance, snapshot, start
from rnnviz.training import live as runtime
from rnnviz.training.live import Run, runfile
from rnnviz.ui.characters import canvas, side
from tests.pages.components import components

Visit = Callable[..., AppTest]
FAST = float("inf")
ALONE = {"c_mode": page.ALONE}
LETTERS = "ehlo"
SOFTMAX = {"D3": "Softmax and state, D3", "D4": "Softmax and state, D4", "D5": "Softmax, D5"}
"""The picture that has each model's softmax on top."""


@pytest.fixture(scope="module", autouse=True)
def ended() -> Iterator[None]:
    yield
    runtime.close()


@pytest.fixture(autouse=True)
def tab() -> Iterator[None]:
    """To AppTest all visits are of one session: a tab of its own for each test."""
    yield
    st.cache_resource.clear()


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    assert not app.exception, app.exception[0].message
    return {data["name"]: data for data in components(app) if "figure" in data}


def sent(spec: dict[str, Any]) -> NDArray[Any]:
    """The numbers of an array as they travel."""
    values = np.frombuffer(base64.b64decode(spec["bdata"]), spec["dtype"])
    return values.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else values


def strings(chart: dict[str, Any]) -> list[str]:
    """What the rows of a picture say."""
    text = chart["figure"]["data"][0]["text"]
    return ["".join(c.removeprefix("<b>").removesuffix("</b>") for c in row) for row in text]


def losses(chart: dict[str, Any]) -> NDArray[Any]:
    return sent(chart["figure"]["data"][1]["x"])


def finished(app: AppTest, *runs: Run) -> AppTest:
    for run in runs:
        while run.look().busy:
            assert run.wait(run.version, 60)
    return app.run()


def lobby(app: AppTest, group: str) -> tuple[Run, ...]:
    return runtime.house().lobby.runs(app.session_state["characters_visit"], group)


def trained(app: AppTest) -> AppTest:
    """The run in view after Play."""
    app.selectbox(key="characters_speed").set_value(FAST).run()
    app.button(key="characters_play").click().run()
    return finished(app, lobby(app, "characters")[-1])


def all_trained(app: AppTest) -> AppTest:
    """The three after one click."""
    app.selectbox(key=side.SPEED).set_value(FAST).run()
    app.button(key="c_side_play").click().run()
    return finished(app, *lobby(app, side.GROUP))


class Model(nn.Module):
    """The notebooks' three models, written again."""

    def __init__(self, row: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 10) if row == "D5" else None
        makers: dict[str, Callable[[], nn.Module]] = {
            "D3": lambda: nn.RNNCell(4, 4),
            "D4": lambda: nn.RNN(4, 4),
            "D5": lambda: nn.RNN(10, 8, num_layers=2, batch_first=True),
        }
        self.rnn = makers[row]()
        self.linear = nn.Linear(8, 4) if row == "D5" else None

    def forward(self, ids: Tensor) -> Tensor:
        if self.embedding is not None and self.linear is not None:
            scores: Tensor = self.linear(self.rnn(self.embedding(ids)[None])[0])
            return scores.view(-1, 4)
        x = nn.functional.one_hot(ids, 4).float()
        if isinstance(self.rnn, nn.RNN):
            output: Tensor = self.rnn(x[:, None])[0]
            return output.view(-1, 4)
        h, found = torch.zeros(1, 4), []
        for x_t in x:
            h = self.rnn(x_t[None], h)
            found.append(h)
        return torch.cat(found)


def written_again(row: str) -> tuple[list[str], list[float], NDArray[Any]]:
    """The strings and losses that a notebook prints, and the softmaxes after its last epoch."""
    ids, target = (torch.tensor([LETTERS.index(c) for c in text]) for text in ("hello", "ohlol"))
    said, found = [], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(41)
        model = Model(row)
        loss_function = nn.CrossEntropyLoss(reduction="sum" if row == "D3" else "mean")
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1 if row == "D3" else 0.05)
        for _ in range(EPOCHS[row]):
            scores = model(ids)
            loss = loss_function(scores, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            said.append("".join(LETTERS[i] for i in scores.argmax(-1)))
            found.append(loss.item())
        return said, found, model(ids).softmax(-1).detach().numpy()


def test_the_first_visit_draws_the_three_untrained_models_and_starts_nothing(visit: Visit) -> None:
    before = runtime.house().lobby.count()[1]
    app = visit("characters.py")
    drawn = charts(app)
    assert strings(drawn["What D3 says"]) == strings(drawn["What D4 says"])  # the very same weights
    assert len(strings(drawn["What D5 says"])) == 1
    assert {
        "Softmax and state, D3",
        "Softmax and state, D4",
        "State, D5",
        "Reshape before the loss",
    } <= drawn.keys()
    assert any("epoch 0" in m.value for m in app.markdown) and not app.warning
    assert runtime.house().lobby.count()[1] == before  # looking makes no run


def test_D3_D4_D5_train_at_once_and_print_what_their_notebooks_print(visit: Visit) -> None:
    app = all_trained(visit("characters.py"))
    drawn = charts(app)
    for row in page.ROWS:
        said, found, softmax = written_again(row)
        picture = drawn[f"What {row} says"]
        assert strings(picture)[:-1] == said
        np.testing.assert_allclose(losses(picture)[:-1], found, rtol=1e-4)
        shown = sent(drawn[SOFTMAX[row]]["figure"]["data"][0]["z"])
        np.testing.assert_allclose(shown, softmax.T, atol=1e-4)
    assert strings(drawn["What D3 says"])[-2:] == ["ohlol", "ohlol"]
    assert strings(drawn["What D4 says"])[-1] != "ohlol"
    assert strings(drawn["What D5 says"]).index("ohlol") < 8
    assert losses(drawn["What D5 says"])[-2] == pytest.approx(0.003, abs=0.002)


def test_D4_s_state_is_its_score_and_its_bound_is_said(visit: Visit) -> None:
    app = all_trained(visit("characters.py", c_which="D4"))
    drawn = charts(app)
    for row in ("D3", "D4"):
        softmax, h = (sent(trace["z"]) for trace in drawn[SOFTMAX[row]]["figure"]["data"][:2])
        h = h.astype(np.float64)
        np.testing.assert_allclose(np.exp(h) / np.exp(h).sum(0), softmax, atol=1e-6)
        assert softmax.max() < 0.712
    assert sent(drawn["Softmax, D5"]["figure"]["data"][0]["z"]).max() > 0.9
    [bounds] = [caption.value for caption in app.caption if "above **0.71**" in caption.value]
    assert bounds.startswith("D3 and D4: ") and "below **0.34**" in bounds


@pytest.mark.parametrize("two", ["false", "true"])
def test_D8_the_reshape_is_drawn_with_each_position_s_own_loss(visit: Visit, two: str) -> None:
    app = trained(visit("characters.py", c_mode=page.ALONE, c_view="Reshape", c_two=two))
    picture = charts(app)["Reshape before the loss"]
    traces = {trace["name"]: trace for trace in picture["figure"]["data"] if "name" in trace}
    bars = sent(traces["loss"]["x"])
    softmax = written_again("D3")[2]
    own = [-np.log(softmax[i, LETTERS.index(c)]) for i, c in enumerate("ohlol")]
    np.testing.assert_allclose(bars[:5], own, rtol=1e-3)
    n = 2 if two == "true" else 1
    assert len(bars) == 5 * n and f"logits ({n}, 5, 4) become ({5 * n}, 4)" in picture["summary"]
    assert f"Loss (sum) {bars.sum():.4g}" in picture["summary"]
    assert any("(L, N, C)" in caption.value for caption in app.caption)


@pytest.mark.parametrize("row", page.EXAMPLES)
def test_every_preset_is_one_click(visit: Visit, row: str) -> None:
    app = visit("characters.py", c_lr="0.3", c_source="abc", c_target="cab")
    app.pills(key="characters_preset").set_value(row).run()
    assert not app.warning and app.session_state["characters_preset"] == row
    drawn = charts(app)
    if row != "D3–D5":
        config = page.screen(page.preset_values(page.EXAMPLES[row]))[0].config
        assert drawn["What this run says"]["summary"].startswith(f"{config.source} to {config.target}:")
        assert app.number_input(key="c_lr").value == config.optimiser.lr


@pytest.mark.parametrize("view", page.VIEWS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_every_view_of_every_kind_is_drawn(visit: Visit, view: str, kind: str) -> None:
    query = {"c_kind": kind, "c_layer": "layer", "c_layers": "2", "c_readout": "true", "c_input": "embedding"}
    app = trained(visit("characters.py", **ALONE, **query, c_view=view, c_depth="layer 1", c_epochs="3"))
    drawn = charts(app)
    assert not app.warning and "What this run says" in drawn
    names = {
        "Reshape": "Reshape before the loss",
        "Inside": "Inside the layer",
        "Curves": "Loss and accuracy",
        "Weights": "Norm of the gradient",
        "Try": "Softmax of your string",
        "Save": "Softmax, this run",
    }
    assert names[view] in drawn
    assert sum(len(part.proto.json) for part in app.get("bidi_component")) < 60_000


@pytest.mark.parametrize("view", page.SIDE_VIEWS)
@pytest.mark.parametrize("which", page.ROWS)
def test_every_view_of_the_three(visit: Visit, view: str, which: str) -> None:
    app = all_trained(visit("characters.py", c_view=view, c_which=which))
    assert charts(app) and not app.warning
    assert sum(len(part.proto.json) for part in app.get("bidi_component")) < 60_000


def test_a_pair_of_chinese_characters_is_learnt(visit: Visit) -> None:
    app = all_trained(visit("characters.py", c_source="你好", c_target="好你"))
    drawn = charts(app)
    for row in page.ROWS:
        assert strings(drawn[f"What {row} says"])[-1] == "好你"
        assert sent(drawn[SOFTMAX[row]]["figure"]["data"][0]["z"]).shape == (2, 2)
    assert app.query_params["c_source"] == "你好" and app.text_input(key="c_target").value == "好你"


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("hello", "hi", "they have 5 and 2"),
        ("a" * 50, "b" * 50, "at most 40"),
        ("hello", " ", "they have 5 and 1"),
        ("<b>[x](http://example.org)", "x", "they have 26 and 1"),
    ],
)
def test_a_wrong_pair_stays_and_is_named(visit: Visit, source: str, target: str, said: str) -> None:
    app = visit("characters.py", c_source=source, c_target=target)
    assert len(app.warning) == 1
    shown = app.warning[0].value.replace("\\", "")
    assert said in shown and "hello and ohlol are used until this is mended" in shown
    assert (app.text_input(key="c_source").value, app.text_input(key="c_target").value) == (source, target)
    assert strings(charts(app)["What D3 says"])[0] != ""
    app.text_input(key="c_source").set_value("ab").run()
    app.text_input(key="c_target").set_value("ba").run()
    assert not app.warning and "ab to ba" in charts(app)["What D3 says"]["summary"]


def test_an_empty_string_is_named(visit: Visit) -> None:
    app = visit("characters.py")
    app.text_input(key="c_source").set_value("").run()
    assert "source is empty" in app.warning[0].value and app.text_input(key="c_source").value == ""


@pytest.mark.parametrize("key", ["c_kind", "c_lr", "c_seed", "c_view", "c_epochs"])
def test_what_is_wrong_in_an_address_is_corrected_and_said(visit: Visit, key: str) -> None:
    app = visit("characters.py", **ALONE, **{key: "nonsense"})
    assert charts(app) and any("nonsense" in warning.value for warning in app.warning)


def test_controls_at_their_ends(visit: Visit) -> None:
    letters = "".join(chr(ord("a") + i) for i in range(26)) + "ABCDEFGHIJKLMN"
    for query in (
        {"c_source": "a", "c_target": "a"},
        {"c_source": letters, "c_target": letters[::-1]},
        {"c_source": letters, "c_target": letters[::-1], **ALONE, "c_readout": "true", "c_hidden": "64"},
        {"c_source": "a", "c_target": "b", **ALONE, "c_readout": "true", "c_hidden": "1", "c_emb": "1"},
    ):
        app = visit("characters.py", c_view="Inside", **query)
        assert charts(app) and not app.warning


def test_text_is_shown_as_text(visit: Visit) -> None:
    app = visit("characters.py", c_source="<b>$*_", c_target="_*$>b<")
    figure = json.dumps(charts(app)["What D3 says"]["figure"], ensure_ascii=False)
    assert "&lt;→_" in figure and "<→" not in figure


def test_a_rewound_epoch_shows_the_model_of_that_epoch(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE))
    last = charts(app)["State and softmax, this run"]["summary"]
    app.select_slider(key="characters_epoch").set_value(7).run()
    config = CHARS_PRESETS["D3"]
    (run,) = lobby(app, "characters")
    wanted = snapshot(advance(start(config), 7), {})["probabilities"]
    shown = sent(charts(app)["State and softmax, this run"]["figure"]["data"][1]["z"])
    np.testing.assert_allclose(shown, wanted.T, atol=1e-5)
    assert charts(app)["What this run says"]["figure"]["layout"]["shapes"][0]["y0"] == 6.5  # epoch 8 is next
    assert run.look().epoch == 20  # the run stays where it is
    app.select_slider(key="characters_epoch").set_value(20).run()
    assert charts(app)["State and softmax, this run"]["summary"] == last


def test_the_three_are_rewound_together(visit: Visit) -> None:
    app = all_trained(visit("characters.py"))
    app.slider(key=side.EPOCH).set_value(17).run()
    drawn = charts(app)
    assert "After epoch 17" in drawn["Softmax and state, D3"]["summary"]
    assert "After epoch 15" in drawn["Softmax and state, D4"]["summary"]  # where it stands
    assert "After epoch 17" in drawn["State, D5"]["summary"]


def test_a_branch_goes_on_from_an_earlier_epoch_with_another_learning_rate(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_view="Curves"))
    app.select_slider(key="characters_epoch").set_value(5).run()
    app.button(key="characters_branch").click().run()
    app.run()  # AppTest forgets the sidebar when a fragment runs alone
    app.number_input(key="c_lr").set_value(0.01).run()
    app.button(key="characters_play").click().run()
    first, second = lobby(app, "characters")
    finished(app, second)
    assert (first.look().epoch, second.look().epoch) == (20, 20)
    assert "run 2, from 5, epoch 20" in charts(app)["Loss and accuracy"]["summary"]
    assert "lr 0.01 at epoch 5" in charts(app)["Loss and accuracy"]["summary"]
    assert strings(charts(app)["What this run says"])[:5] == written_again("D3")[0][:5]
    script = app.session_state["characters_handed_out"]["now"].script()
    assert "if epoch == 5:" in script and '["lr"] = 0.01' in script


def test_one_of_the_three_is_opened_by_itself_with_its_history(visit: Visit) -> None:
    app = all_trained(visit("characters.py", c_which="D4"))
    before = charts(app)["What D4 says"]
    app.button(key="c_side_open").click().run()
    drawn = charts(app)
    assert strings(drawn["What this run says"]) == strings(before)
    assert app.session_state["characters_preset"] == "D4" and app.number_input(key="c_epochs").value == 15
    app.select_slider(key="characters_epoch").set_value(3).run()
    assert "After epoch 3" in charts(app)["State and softmax, this run"]["summary"]
    assert [run.label for run in lobby(app, side.GROUP)] == list(page.ROWS)


def test_what_is_not_seen_does_not_train(visit: Visit) -> None:
    app = visit("characters.py", c_source="ab" * 20, c_target="ba" * 20)
    app.selectbox(key=side.SPEED).set_value(0.5).run()
    app.button(key="c_side_play").click().run()
    assert all(run.look().playing for run in lobby(app, side.GROUP))
    app.run()
    app.segmented_control(key="c_mode").set_value(page.ALONE).run()
    assert not any(run.look().playing for run in lobby(app, side.GROUP))


def test_an_infinite_learning_rate_stops_with_a_sentence_and_keeps_the_history(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_opt="SGD", c_readout="true", c_epochs="5"))
    app.number_input(key="c_lr").set_value(1e6).run()
    app.run()  # a moved control draws one part alone: AppTest forgets the rest
    app.number_input(key="c_epochs").set_value(500).run()
    app.run()
    app = trained(app)
    assert any("learning rate" in warning.value for warning in app.warning)
    assert lobby(app, "characters")[0].look().fault
    app.select_slider(key="characters_epoch").set_value(2).run()
    assert "After epoch 2" in charts(app)["Softmax, this run"]["summary"]


def test_the_script_is_that_of_the_run_in_view(visit: Visit) -> None:
    app = all_trained(visit("characters.py", c_which="D5"))
    runs = {run.label: run for run in lobby(app, side.GROUP)}
    app.segmented_control(key="c_which").set_value("D3").run()
    parts = app.session_state["characters_handed_out"]["now"]
    assert "nn.RNNCell(4, 4)" in parts.script() and "range(20)" in parts.script()
    assert json.loads(parts.notebook())["cells"]
    table = pd.read_csv(io.StringIO(parts.data()))
    assert list(table["said"]) == written_again("D3")[0] and list(table["epoch"]) == list(range(1, 21))
    config = PRESETS["D3"]
    assert isinstance(config, CharsConfig)
    np.testing.assert_allclose(table["loss"], advance(start(config), 20).losses, rtol=1e-6)
    assert canvas.table(runs["D4"])["said"].iloc[-1] == written_again("D4")[0][-1]


def test_the_data_of_an_untrained_run_is_an_empty_table(visit: Visit) -> None:
    app = visit("characters.py")
    assert app.session_state["characters_handed_out"]["now"].data().strip() == "epoch,loss,said"


def test_the_link_holds_the_whole_screen(visit: Visit) -> None:
    found = {**ALONE, "c_source": "你好", "c_target": "好你", "c_kind": "GRU", "c_view": "Try", "c_seed": "3"}
    app = visit("characters.py", **found)
    query = app.session_state["characters_handed_out"]["now"].query
    assert query == (
        "c_mode=One+run&c_source=%E4%BD%A0%E5%A5%BD&c_target=%E5%A5%BD%E4%BD%A0&c_kind=GRU&c_seed=3&c_view=Try"
    )


def test_another_string_of_the_model_s_characters_can_be_tried(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_view="Try", c_try="hello"))
    assert any("It says **ohlol**" in m.value for m in app.markdown)
    app.text_input(key="c_try").set_value("leg").run()
    assert "g: the model has only e h l o" in app.warning[0].value.replace("\\", "")
    app.text_input(key="c_try").set_value("ooh").run()
    assert "Softmax of your string" in charts(app)


def test_a_saved_run_is_whole(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_view="Save"))
    (run,) = lobby(app, "characters")
    back = runfile.from_bytes(runfile.to_bytes(run))
    assert back.state == run.state and back.look().kept == run.look().kept
    assert canvas.table(back).equals(canvas.table(run))


@pytest.mark.parametrize(
    ("query", "moves", "reruns"),
    [
        ({}, {"c_seed": 5}, "characters_live"),  # side by side, whatever the seed: the pictures alone
        ({"c_clip": "1"}, {"c_seed": 5}, "characters_live"),
        (ALONE | {"c_clip": "1", "c_readout": "true"}, {"c_hidden": 5}, "characters_live"),
        (ALONE, {"c_lr": 0.3}, "characters_canvas"),  # D3 before: its pill is no longer marked
    ],
)
def test_a_moved_control_draws_again_what_depends_on_it_and_no_more(
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str],
    moves: dict[str, Any],
    reruns: str,
) -> None:
    app = visit("characters.py", **query)
    asked: list[Any] = []
    monkeypatch.setattr("rnnviz.ui.characters.redraw.st.rerun", lambda *fragments: asked.append(*fragments))
    for key, value in moves.items():
        app.number_input(key=key).set_value(value).run()
    assert asked == [reruns]


def test_a_play_after_a_moved_control_stops_where_the_control_says(visit: Visit) -> None:
    app = visit("characters.py", **ALONE, c_clip="1", c_epochs="20")
    app.number_input(key="c_epochs").set_value(7).run()
    app = trained(app.run())
    assert lobby(app, "characters")[0].look().epoch == 7


def test_the_way_back_to_a_run_of_other_settings(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_readout="true", c_epochs="3"))
    run = lobby(app, "characters")[0]
    app.number_input(key="c_hidden").set_value(5).run()
    app.run()
    back = app.button(key=f"characters_back_{run.id}")
    assert back.label == "hidden 8, epoch 3"
    assert any(m.value.startswith("**epoch 0**") for m in app.markdown)
    back.click().run()
    assert not app.exception and app.number_input(key="c_hidden").value == 8
    assert any(m.value.startswith("**epoch 3** · loss") for m in app.markdown)


def test_a_string_in_the_name_of_a_run_is_shown_as_text(visit: Visit) -> None:
    app = visit(
        "characters.py", **ALONE, c_readout="true", c_epochs="3", c_source="[a](b)", c_target="(b)[a]"
    )
    run = lobby(trained(app), "characters")[0]
    app.text_input(key="c_source").set_value("abcabc").run()
    app.run()
    assert "](" not in app.button(key=f"characters_back_{run.id}").label


def test_an_epoch_that_was_looked_at_says_nothing_of_another_run(visit: Visit) -> None:
    app = trained(visit("characters.py", **ALONE, c_readout="true", c_epochs="3"))
    app.select_slider(key="characters_epoch").set_value(1).run()
    assert any("**epoch 1**, looked at; the run stands at 3" in m.value for m in app.markdown)
    app.number_input(key="c_hidden").set_value(5).run()
    app = trained(app.run())
    assert any(m.value.startswith("**epoch 3** · loss") for m in app.markdown)
    app.number_input(key="c_hidden").set_value(8).run()
    app.run()
    assert any(m.value.startswith("**epoch 3** · loss") for m in app.markdown)


@pytest.mark.parametrize("row", ["D3", "D4", "D5", "+"])
def test_a_preset_after_the_reshape_shows_itself(visit: Visit, row: str) -> None:
    app = visit("characters.py", **ALONE)
    for chosen in ("D8", row):
        app.pills(key="characters_preset").set_value(chosen).run()
        assert app.session_state["characters_preset"] == chosen
