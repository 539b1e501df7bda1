"""*Embeddings*, run whole and without a browser: what it is given, and that nothing makes it fail."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from streamlit.testing.v1 import AppTest

from rnnviz.data.vectors import Vectors
from rnnviz.embeddings.bags import run_bags
from rnnviz.embeddings.learning import learn
from rnnviz.embeddings.lookup import lookup
from rnnviz.screens import embeddings as page
from rnnviz.ui.embeddings import upload
from rnnviz.ui.uploads import too_large
from tests.pages.components import components

Visit = Callable[..., AppTest]
MOST = 60_000  # bytes a rerun


def charts(app: AppTest) -> dict[str, Any]:
    """The charts on the page, {name: what the browser gets}."""
    return {data["name"]: data for data in components(app) if "figure" in data}


def array(spec: dict[str, Any]) -> Any:
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=spec["dtype"])
    return values.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else values


def texts(app: AppTest) -> str:
    return " ".join(str(item.value) for item in [*app.markdown, *app.caption, *app.warning, *app.info])


def sent(app: AppTest) -> int:
    return sum(len(part.proto.json) for part in app.get("bidi_component"))


def test_the_first_visit_shows_pytorchs_numbers(visit: Visit) -> None:
    app = visit("embeddings.py")
    assert not app.exception and not app.warning
    found = lookup(page.screen({})[0].table)
    traces = charts(app)["Embedding lookup"]["figure"]["data"]
    for trace, values in zip(
        traces, (found.one_hot, found.weight, found.output, found.product), strict=False
    ):
        np.testing.assert_array_equal(array(trace["z"]), values)
    assert "Position [0, 1] (“cat”) reads row 2" in texts(app).replace("\\", "")
    assert "max |difference| **0**" in texts(app)


@pytest.mark.parametrize("row", list(page.EXAMPLES))
def test_every_preset_is_one_click(visit: Visit, row: str) -> None:
    app = visit("embeddings.py", e_seed="3", e_rows="5", e_sparse="true")
    app.pills(key="embeddings_preset").set_value(row).run()
    assert not app.exception
    assert app.session_state["embeddings_preset"] == row
    expected = page.screen(page.preset_values(page.EXAMPLES[row]) | {"e_seed": 3})[0]
    shown = charts(app)
    if expected.view == "Lookup":
        z = array(shown["Embedding lookup"]["figure"]["data"][2]["z"])
        np.testing.assert_array_equal(z, lookup(expected.table).output)
    elif expected.view == "Gradient":
        z = array(shown["One step of training"]["figure"]["data"][1]["z"])
        np.testing.assert_array_equal(z, learn(expected.training).grad)
    elif expected.view == "Bags":
        output = run_bags(expected.bags).output
        assert output is not None
        np.testing.assert_array_equal(array(shown["Bags"]["figure"]["data"][1]["z"]), output.T)
    elif expected.view == "One-hot":
        z = array(shown["Similarity of tokens"]["figure"]["data"][0]["z"])
        np.testing.assert_array_equal(z, np.eye(10))
    else:
        assert {"Nearest words", "The sentence's vectors"} <= set(shown)
    assert f"**{row}**" in texts(app)


LARGEST = {
    "e_rows": "64",
    "e_dim": "24",
    "e_indices": "1 2 3 4 5 6 7 8\n" * 8,
    "e_items": "9 " * 40,
    "e_offsets": "0 " * 20,
    "e_near": "20",
    "e_words": "cat " * 60,
    "e_norm": "0.5",
}
SMALLEST = {"e_rows": "1", "e_dim": "1", "e_indices": "0", "e_items": "0", "e_offsets": "0", "e_near": "1"}


@pytest.mark.parametrize("view", page.VIEWS)
@pytest.mark.parametrize("source", page.SOURCES)
def test_every_view_draws_at_its_smallest_and_largest(visit: Visit, view: str, source: str) -> None:
    words = {"e_text": "\n".join(" ".join(f"w{8 * i + j}" for j in range(8)) for i in range(7))}
    for values in (SMALLEST | {"e_text": "a"}, LARGEST | words):
        app = visit("embeddings.py", e_view=view, e_source=source, **values)
        assert not app.exception
        assert charts(app) and sent(app) < MOST - 8_000  # the rest of the page needs its share


def test_nonsense_in_the_address_is_corrected_and_named(visit: Visit) -> None:
    app = visit(
        "embeddings.py", e_view="Bags", e_rows="-4", e_dim="x", e_mode="median", e_items="1 b 2", e_lr="nan"
    )
    assert not app.exception
    said = texts(app)
    for part in ("-4", "median", "“b”"):
        assert part in said.replace("\\", "")
    assert app.slider(key="e_rows").value == 1 and app.query_params["e_items"] == "1 2"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"e_offsets": "1 4"}, "offsets[0] has to be 0"),
        ({"e_offsets": "0 9"}, "can not be greater than input's length"),
        ({"e_offsets": ""}, "offsets has to be a 1D Tensor"),
        ({"e_items": "1 2\n3 4"}, "if input is 2D, then offsets has to be None"),
        ({"e_mode": "mean", "e_weights": "1 1 1 1 1 1 1 1"}, "only supported for mode='sum'"),
        ({"e_items": "1 2 3 99", "e_offsets": "0"}, "not in the valid range"),
    ],
)
def test_what_pytorch_refuses_is_shown_with_the_reason(
    visit: Visit, values: dict[str, str], error: str
) -> None:
    app = visit("embeddings.py", e_view="Bags", **values)
    assert not app.exception
    assert error in app.code[0].value and app.warning
    assert len(charts(app)["Bags"]["figure"]["data"]) > 0


def test_a_refused_step_has_no_loss(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Gradient", e_source="Indices", e_indices="0 99")
    assert not app.exception and "there is no row 99" in texts(app) and "= nan" not in texts(app)


def test_what_pytorch_does_not_check_is_not_run(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Bags", e_offsets="0 5 3", e_mode="max")
    assert not app.exception and not app.code
    assert "not asked here" in app.warning[0].value


def move(app: AppTest, **values: Any) -> None:
    """Widgets set, and the whole page run twice, as after a click on a view: AppTest knows no fragments."""
    for key, value in values.items():
        app.session_state[key] = value
    app.run().run()


def test_switches_change_what_is_shown(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Gradient", e_source="Indices", e_indices="0 2 0 5")
    names = [t["name"] for t in charts(app)["One step of training"]["figure"]["data"]]
    assert names == ["weight", "weight.grad", "after the step"]
    move(app, e_norm=0.5)
    names = [t["name"] for t in charts(app)["One step of training"]["figure"]["data"]]
    assert names == ["weight", "after forward", "weight.grad", "after the step"] and "in place" in texts(app)
    move(app, e_sparse=True)
    assert "stores 2 of 10 rows" in texts(app)
    move(app, e_freq=True)
    assert "not supported with sparse gradients" in app.code[0].value
    move(app, e_sparse=False)
    assert "divided by how often" in texts(app)
    move(app, e_freeze=True)
    assert "does not require grad" in app.code[0].value and not app.exception


def test_the_sidebar_follows_the_view_and_forgets_nothing(visit: Visit) -> None:
    app = visit("embeddings.py", e_dim="5", e_seed="4")
    move(app, e_view="Bags")
    assert app.slider(key="e_dim").value == 5
    move(app, e_offsets="0 2 6")
    move(app, e_view="Pretrained")
    assert app.query_params["e_offsets"] == "0 2 6" and app.query_params["e_dim"] == "5"
    move(app, e_view="Bags")
    assert app.text_input(key="e_offsets").value == "0 2 6" and not app.exception
    assert app.number_input(key="e_seed").value == 4


def test_words_that_the_vectors_lack_are_listed(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Pretrained", e_ask="wug", e_words="the frumious cat")
    assert not app.exception
    said = " ".join(w.value for w in app.warning)
    assert "wug" in said and "frumious" in said and "cat" not in said
    again = visit("embeddings.py", e_view="Pretrained", e_frozen="false", e_words="cat")
    assert "numbers learn" in texts(again) and "moves it by **0**" not in texts(again)


@pytest.mark.parametrize("ask", ["cat - cat", "+"])
def test_a_question_without_an_answer_says_why(visit: Visit, ask: str) -> None:
    app = visit("embeddings.py", e_view="Pretrained", e_ask=ask)
    assert not app.exception
    (said,) = (item.value.replace("\\", "") for item in app.info)
    assert "so no word is nearest" in said and "king - man + woman" in said
    app.text_input(key="e_ask").set_value("").run()
    assert "Nothing is asked" in app.info[0].value and not app.exception
    assert not visit("embeddings.py", e_view="Pretrained", e_ask="cat").info


def test_C3_the_preset_shows_the_ones_and_leads_to_the_gradient(visit: Visit) -> None:
    app = visit("embeddings.py")
    app.pills(key="embeddings_preset").set_value("C3").run()
    output = array(charts(app)["Embedding lookup"]["figure"]["data"][2]["z"])
    np.testing.assert_array_equal(output[[0, 2]], np.ones((2, 3)))
    assert "reads row 0: (1.00, 1.00, 1.00)" in texts(app).replace("\\", "")
    assert "choose *Gradient*: it still gets no gradient" in texts(app)
    app.segmented_control(key="e_view").set_value("Gradient").run()
    assert "**Row 0 is padding**: it holds ones, was looked up 2 times, and its gradient is 0." in texts(app)
    assert not app.exception


def test_vectors_of_a_file_are_used_while_the_tab_is_open(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Pretrained", e_vectors="My file")
    assert "Choose a file" in texts(app) and not app.exception
    assert app.button(key="embeddings_no_data").disabled
    matrix = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
    app.session_state[upload.KEPT] = Vectors("<b>mine</b>.txt", ("cat", "[x](http://y)", "dog"), matrix)
    app.run()
    assert not app.exception
    data = charts(app)["Nearest words"]["figure"]["data"]
    assert [c[0] for c in data[0]["customdata"]] == ["[x](http://y)", "dog"]
    assert "](http" not in texts(app) and "<b>mine" not in texts(app)


class File(io.BytesIO):
    """What Streamlit hands over of an upload."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name, self.size = name, len(content)


def test_uploads_are_read_by_their_kind() -> None:
    assert upload.read([File("a.vec", b"1 2\ncat 1 2\n")]).words == ("cat",)
    matrix = save({"w": np.ones((2, 3), np.float32)})
    found = upload.read([File("M.SafeTensors", matrix), File("words.txt", b"cat\ndog\n")])
    assert found.words == ("cat", "dog") and found.matrix.shape == (2, 3)
    for files, message in (
        ([File("m.safetensors", matrix)], "names no words"),
        ([File("a.txt", b""), File("b.txt", b"")], "choose one text file"),
        ([File("a.txt", b"cat 1\ndog x\n")], "Line 2"),
        ([File("a.txt", b"\x80\x04\x95pickle")], "not text in UTF-8"),
    ):
        with pytest.raises(ValueError, match=message):
            upload.read(files)


def test_an_upload_over_its_limit_is_refused_by_the_server_too() -> None:
    large = File("big.vec", b"cat 1 2\n")
    large.size = upload.MEGABYTES * 2**20 + 1
    with pytest.raises(ValueError, match=r"big.vec has 24.0 MB: at most 24 MB are read"):
        upload.read([large])
    assert too_large(File("a.tsv", b"a\tb"), 4) == ""


def test_without_a_model_the_page_says_how_a_server_gets_one(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RNNVIZ_BERT", raising=False)
    app = visit("embeddings.py", e_view="Pretrained", e_vectors="BERT")
    assert not app.exception and "RNNVIZ_BERT" in texts(app).replace("\\", "")
    monkeypatch.setenv("RNNVIZ_BERT", "/nowhere/secret")
    app = visit("embeddings.py", e_view="Pretrained", e_vectors="BERT")
    assert not app.exception and "cannot be used" in texts(app) and "secret" not in texts(app)


def test_user_text_is_shown_as_text(visit: Visit) -> None:
    for view in page.VIEWS:
        app = visit(
            "embeddings.py",
            e_view=view,
            e_text="[x](http://example.org) <b>bold</b>",
            e_ask="<b>q</b>",
            e_words="<i>w</i>",
        )
        assert not app.exception
        assert "](http" not in texts(app) and "<b>" not in texts(app).replace("\\<b", "")
        for data in charts(app).values():
            figure = json.dumps(data["figure"], ensure_ascii=False)
            assert "<b>bold" not in figure and "<b>q" not in figure and "<i>w" not in figure


def test_the_code_is_the_view_s_script(visit: Visit) -> None:
    app = visit("embeddings.py", e_view="Bags")
    app.session_state["embeddings_code"] = True
    app.run()
    assert not app.exception
