"""*Attention* as a script: what it shows is what the model computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from rnnviz.data.pairs_text import format_pairs
from rnnviz.models.decoding import How, decode, model_of
from rnnviz.models.explain import explain
from rnnviz.models.studies import leak
from rnnviz.presets import SEQ2SEQ_PRESETS
from rnnviz.screens.attention import screen
from rnnviz.screens.attention_examples import EXAMPLES
from rnnviz.training import RunState, start
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.ui.attention.decoded import begun, opened, seed_of
from rnnviz.ui.attention.shipped import fresh
from tests.pages.components import components

Visit = Callable[..., AppTest]


def figure(app: AppTest, name: str) -> dict[str, Any]:
    found = [part for part in components(app) if str(part.get("name", "")).startswith(name)]
    assert len(found) == 1, [part.get("name") for part in components(app)]
    return found[0]


def array(part: Any) -> np.ndarray:
    """A trace's array, as Plotly's JSON writes it."""
    if not isinstance(part, dict):
        return np.asarray(part)
    import base64

    flat = np.frombuffer(base64.b64decode(part["bdata"]), dtype=part["dtype"])
    shape = [int(n) for n in str(part.get("shape", flat.size)).split(",")]
    return flat.reshape(shape)


def state_of(config: Seq2SeqConfig) -> RunState:
    """Where the page's run stands before anybody touches it."""
    return RunState.from_bytes(fresh(config, "attention").state)


def test_the_first_visit_shows_the_trained_model_s_own_weights_and_starts_nothing(visit: Visit) -> None:
    app = visit("attention.py")
    assert not app.exception and not app.warning
    current, _, _ = screen({})
    state = state_of(current.config)
    decoded = decode(model_of(state), current.config, current.source)
    drawn = figure(app, "Attention")["figure"]["data"][0]
    np.testing.assert_array_equal(array(drawn["z"]), decoded.weights)
    assert any(f"**epoch {state.epoch}**" in m.value for m in app.markdown)
    assert app.button(key="attention_play").label == "Play"


def test_the_sums_of_a_step_are_those_of_the_model(visit: Visit) -> None:
    app = visit("attention.py", a_step="2", a_place="3")
    current, _, _ = screen({})
    model = model_of(state_of(current.config))
    decoded = decode(model, current.config, current.source)
    found = explain(model, current.config, decoded, 2)
    energies, weights = figure(app, "Energies and weights")["figure"]["data"][:2]
    assert found.energies is not None
    np.testing.assert_allclose(array(energies["y"]), found.energies, rtol=1e-6)
    np.testing.assert_array_equal(array(weights["y"]), found.weights)
    shown = {trace["name"]: trace for trace in figure(app, "Products")["figure"]["data"]}
    np.testing.assert_array_equal(array(shown["products"]["z"]), found.products)
    choices = figure(app, "Next token")["figure"]["data"][0]
    likely = [c.probability for c in found.candidates]
    np.testing.assert_allclose(array(choices["x"])[: len(likely)], likely, rtol=1e-5)


def test_of_several_heads_one_is_written_out(visit: Visit) -> None:
    app = visit("attention.py", a_score="multihead", a_heads="4", a_head="2", a_step="1")
    current, _, _ = screen({"a_score": "multihead"})
    model = model_of(start(current.config))
    found = explain(model, current.config, decode(model, current.config, current.source), 1)
    assert found.products is not None
    shown = {t["name"]: t for t in figure(app, "Products behind the energies, head 2")["figure"]["data"]}
    np.testing.assert_allclose(array(shown["products"]["z"]), found.products[2], rtol=1e-6)
    assert len([part for part in components(app) if str(part.get("name", "")).startswith("Products")]) == 1
    assert app.number_input(key="a_head").max == 3


@pytest.mark.parametrize(
    "values",
    [{}, {"a_lr": 0.5, "a_drop": 0.3, "a_layers": 2, "a_dec": "LSTM"}, {"a_task": "dates", "a_seed": 7}],
)
def test_what_is_kept_of_an_untrained_model_is_where_its_run_starts(values: dict[str, Any]) -> None:
    config = screen(values)[0].config
    assert begun(config) == start(config).to_bytes()
    kept, own = opened(seed_of(config)).model.state_dict(), model_of(start(config)).state_dict()
    assert kept.keys() == own.keys() and all(torch.equal(kept[name], own[name]) for name in own)
    assert seed_of(replace(config, batch=7, teacher=0.5, device="cpu")) == seed_of(config)


def test_tokens_and_whole_strings_are_told_apart(visit: Visit) -> None:
    app = visit("attention.py", a_score="none")
    run = fresh(screen({"a_score": "none"})[0].config, "attention")
    series = run.look().curves
    tokens, strings = (series.points(name)[1][-1] for name in ("accuracy", "held_accuracy"))
    assert tokens > strings + 0.2
    said = next(m.value for m in app.markdown if m.value.startswith("**epoch 120**"))
    assert said.endswith(f"{tokens:.0%} of tokens · {strings:.0%} of unseen strings right")


def test_the_bars_that_can_be_moved_are_the_step_s_weights(visit: Visit) -> None:
    app = visit("attention.py", a_view="What if", a_step="1")
    for pair in (0, 3):
        app.number_input(key="a_pair").set_value(pair).run()
        current, _, _ = screen({"a_pair": pair})
        weights = decode(model_of(state_of(current.config)), current.config, current.source).weights
        assert weights is not None
        shown = figure(app, "Weights of the step")
        np.testing.assert_array_equal(array(shown["figure"]["data"][0]["y"]), weights[1])
        assert np.isnan(array(shown["figure"]["data"][1]["y"])).all()  # nothing was moved
        assert "drag" in shown["events"] and shown["urls"]["grips"].startswith("rnnviz-assets/grips.")


def test_weights_that_were_given_stand_beside_the_model_s_own(visit: Visit) -> None:
    app = visit("attention.py", a_view="What if", a_step="2", a_edits="attention 2 = 1 0 0 0 0 0 0 1\nmask 3")
    current, _, _ = screen({})
    model, how = model_of(state_of(current.config)), How(masked=(3,))
    own = decode(model, current.config, current.source, how).weights
    assert own is not None
    shown = figure(app, "Weights of the step")["figure"]
    np.testing.assert_array_equal(array(shown["data"][0]["y"]), [0.5, 0, 0, 0, 0, 0, 0, 0.5])
    np.testing.assert_allclose(array(shown["data"][1]["y"])[[0, 7]], own[2, [0, 7]], atol=1e-5)
    assert shown["layout"]["meta"]["grips"] == {"trace": 0, "fixed": [3]}


def test_drawn_tokens_have_controls_of_their_own(visit: Visit) -> None:
    app = visit("attention.py", a_view="What if", a_step="2", a_draw="true", a_temp="8")
    current, _, _ = screen({})
    model = model_of(state_of(current.config))
    for seed in (3, 4):
        app.number_input(key="a_dseed").set_value(seed).run()
        how = How(method="sample", temperature=8.0, seed=seed)
        seen = decode(model, current.config, current.source, how)
        step = int(app.session_state["a_step"])  # pulled back where fewer tokens are said
        says = next(box for box in app.selectbox if box.label == f"Step {step} says")
        assert says.value == (seen.target[step] if seen.target[step] in says.options else None)
        assert seen.weights is not None
        typed = next(box for box in app.text_input if box.label == f"Step {step}: all weights")
        found = [float(w) for w in str(typed.value).split()]
        assert found == pytest.approx(seen.weights[step].tolist(), abs=1e-3)


def test_the_slider_back_has_the_kept_epochs_alone(visit: Visit) -> None:
    app = visit("attention.py", a_score="none")
    slider = app.select_slider(key="attention_epoch")
    assert [int(o) for o in slider.options] == [0, 30, 120]
    slider.set_value(30).run()
    assert not app.exception
    assert any(m.value.startswith("**epoch 30**, looked at; the run stands at 120") for m in app.markdown)


def test_words_of_a_target_are_apart_where_the_source_is_of_digits(visit: Visit) -> None:
    app = visit("attention.py", a_task="numbers")
    current, _, _ = screen({"a_task": "numbers"})
    assert current.right is not None and len(current.right) > 1
    said = next(m.value for m in app.markdown if " ✗ right: " in m.value)
    assert said.split("right: ")[1].replace("\\", "") == " ".join(current.right)[:120]


def test_the_softmax_of_the_framed_position_is_written_out(visit: Visit) -> None:
    app = visit("attention.py", a_step="2", a_place="5")
    current, _, _ = screen({})
    model = model_of(state_of(current.config))
    found = explain(model, current.config, decode(model, current.config, current.source), 2)
    assert found.weights is not None and found.energies is not None
    line = next(m.value for m in app.markdown if m.value.startswith("Position 5"))
    assert f"e = {found.energies[5]:.3f}" in line and f"**{found.weights[5]:.3f}**" in line


def test_of_a_long_source_the_changed_map_is_drawn_beside_the_original_above(visit: Visit) -> None:
    app = visit("attention.py", a_short="64", a_long="64", a_view="What if", a_edits="mask 3")
    maps = figure(app, "Original and changed attention")["figure"]["data"]
    assert [trace["name"] for trace in maps if trace["type"] == "heatmap"] == ["changed"]
    assert not array(maps[0]["z"])[:, 3].any()
    original = figure(app, "Attention")["figure"]["data"][0]
    assert array(original["z"]).shape[1] == 64


def test_a_source_with_unknown_symbols_is_refused_in_words(visit: Visit) -> None:
    app = visit("attention.py", a_source="abcx")
    assert not app.exception
    assert any("“x” is unknown to this model" in w.value.replace("\\", "") for w in app.warning)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ("ab\tcd\nx", "line 2 has no tab"),
        ("a\tb\n\tc", "line 2: the source is empty"),
        ("a" * 90 + "\tb", "at most 64"),
    ],
)
def test_pairs_that_cannot_be_used_name_their_line(visit: Visit, pairs: str, said: str) -> None:
    app = visit("attention.py", a_task="own pairs", a_pairs=pairs)
    assert not app.exception
    assert any(said in w.value.replace("\\", "") for w in app.warning), [w.value for w in app.warning]


def test_D9_own_sentences_are_words(visit: Visit) -> None:
    app = visit(
        "attention.py",
        a_task="own pairs",
        a_unit="word",
        a_pairs=format_pairs(SEQ2SEQ_PRESETS["D9"].pairs, "word"),
    )
    assert not app.exception
    drawn = figure(app, "Attention")["figure"]["layout"]["meta"]["labels"]
    assert list(drawn["x"]) == ["good", "morning"]
    assert start(SEQ2SEQ_PRESETS["D9"]).epoch == 0


def test_D6_fed_true_tokens_counts_what_it_would_say_by_itself(visit: Visit) -> None:
    config = SEQ2SEQ_PRESETS["D7"]
    app = visit("attention.py", a_feed="true", a_hidden="8")
    current, _, _ = screen({"a_hidden": 8})
    assert current.right is not None and config.held[0] == (current.source, current.right)
    decoded = decode(
        model_of(start(current.config)), current.config, current.source, How(target=current.right)
    )
    right = int((decoded.predicted == decoded.ids).sum())
    assert any(f"**{right} of {len(decoded.ids)}** steps" in m.value for m in app.markdown)


@pytest.mark.parametrize("row", list(EXAMPLES))
def test_every_preset_is_drawn(visit: Visit, row: str) -> None:
    values = {key: str(value) for key, value in EXAMPLES[row].values.items()}
    app = visit("attention.py", **values)
    assert not app.exception and not app.warning
    assert app.session_state["attention_preset"] == row


def test_E2_the_weight_on_padding_is_the_model_s(visit: Visit) -> None:
    app = visit("attention.py", a_view="Padding")
    current, _, _ = screen({})
    model = model_of(state_of(current.config))
    by_length = {len(current.source): (current.source, current.right)}
    for pair in current.config.held:
        by_length.setdefault(len(pair[0]), pair)
    found = leak(model, current.config, [by_length[size] for size in sorted(by_length)])  # type: ignore[misc]
    table = next(m.value for m in app.markdown if m.value.startswith("| source"))
    for share in found.on_padding[1]:
        assert f"**{share:.1%}**" in table
    assert table.count("| 0.0%&nbsp;") == len(found.pairs)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"source": "a b", "target": None}], "row 1: the target is empty"),
        ([], "there are no pairs yet"),
        ([{"source": "a", "target": "b"}] * 2000, "too long for the address"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(rows: list[dict[str, Any]], said: str) -> None:
    def script(rows: list) -> None:  # type: ignore[type-arg]  # its text runs by itself, without imports
        import streamlit as st

        from rnnviz.ui.attention.own import read

        st.text(str(read(rows, "word")))

    app = AppTest.from_function(script, args=(rows,)).run()
    assert app.text[0].value == "None"
    assert said in app.warning[0].value.replace("\\", "")
