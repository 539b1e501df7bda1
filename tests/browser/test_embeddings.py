"""*Embeddings* as a student meets it: clicks on rows, offsets and words, uploads, links, narrow screens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from safetensors.numpy import save

from rnnviz.embeddings.bert import installed
from rnnviz.embeddings.lookup import lookup
from rnnviz.screens import embeddings as screens
from tests.browser.harness import Server, drawn, expect_fits, pick, place, wait_idle

PICTURES = {
    "Lookup": "Embedding lookup",
    "One-hot": "Similarity",
    "Gradient": "One step",
    "Bags": "Bags",
    "Pretrained": "Nearest",
}


def option(page: Page, name: str) -> Locator:
    """One segment of a segmented control."""
    return page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)


def said(page: Page, text: str) -> Locator:
    """A sentence of the page; the chart's own description repeats it for those who do not see the picture."""
    return page.get_by_test_id("stMarkdown").filter(has_text=text).first


def visit(server: Server, page: Page, query: str = "", name: str = "Embedding lookup") -> None:
    page.goto(f"{server.url}/embeddings{query}")
    expect(page.get_by_text("How does a word become a vector that learns?")).to_be_visible(timeout=30_000)
    drawn(page, name)
    wait_idle(page)


def values(figure: Locator, trace: int) -> object:
    return figure.evaluate(
        "(r, i) => Array.from(r.querySelector('.rv-plot')._fullData[i].z, (z) => Array.from(z))", trace
    )


def test_every_view_s_picture_is_wholly_visible_at_first_visit_and_fits_any_width(
    server: Server, page: Page
) -> None:
    for view, name in PICTURES.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        visit(server, page, f"?e_view={view}", name)
        box = drawn(page, name).bounding_box()
        assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800, view
        for width in (1280, 800, 400):
            expect_fits(page, width)


def test_the_numbers_on_the_screen_are_pytorchs_and_a_click_on_a_row_looks_it_up(
    server: Server, page: Page
) -> None:
    visit(server, page)
    found = lookup(screens.screen({})[0].table)
    figure = drawn(page, "Embedding lookup")
    for trace, expected in enumerate((found.one_hot, found.weight, found.output, found.product)):
        np.testing.assert_array_equal(np.array(values(figure, trace), np.float32), expected)
    page.mouse.click(*place(figure, 2, 1, 7))  # output: the word "dog"
    expect(said(page, "(“dog”) reads row 6")).to_be_visible()
    expect(page).to_have_url(re.compile("e_pos=7"))
    wait_idle(page)
    page.mouse.click(*place(figure, 1, 0, 2))  # the table: row 2, "cat"
    expect(page.get_by_role("textbox", name="Sentences")).to_have_value(
        "the cat sat on the mat\nthe dog ran cat"
    )
    expect(said(page, "(“cat”) reads row 2")).to_be_visible()
    expect(page).to_have_url(re.compile("ran\\+cat|ran%20cat"))


def test_a_click_on_the_list_moves_the_bags(server: Server, page: Page) -> None:
    visit(server, page, "?e_view=Bags", "Bags")
    figure = drawn(page, "Bags")
    page.mouse.click(*place(figure, 0, 2, 1))  # the looked-up row of position 2
    offsets = page.get_by_role("textbox", name="offsets")
    expect(offsets).to_have_value("0 2 4")
    expect(page.get_by_text("output (3, 3)")).to_be_visible()
    wait_idle(page)
    targets = "(r) => r.querySelector('.rv-plot')._fullData.findIndex((t) => t.name === 'bags')"
    page.mouse.click(*place(figure, figure.evaluate(targets), 4, 0.5))  # the box of position 4
    expect(offsets).to_have_value("0 2")
    expect(page).to_have_url(re.compile("e_offsets=0\\+2|e_offsets=0%202"))


def test_offsets_are_typed_and_a_refusal_is_explained(server: Server, page: Page) -> None:
    visit(server, page, "?e_view=Bags", "Bags")
    offsets = page.get_by_role("textbox", name="offsets")
    offsets.fill("0 3 3 6")
    offsets.press("Enter")
    expect(said(page, "Bag 1 has nothing in it")).to_be_visible()
    offsets.fill("1 4")
    offsets.press("Enter")
    expect(page.get_by_text("RuntimeError: offsets[0] has to be 0")).to_be_visible()
    expect(page.get_by_text("The first bag starts at the beginning")).to_be_visible()
    offsets.fill("0 6 2")
    offsets.press("Enter")
    expect(page.get_by_text("Offsets may not decrease")).to_be_visible()
    wait_idle(page)
    option(page, "max").click()
    expect(page).to_have_url(re.compile("e_mode=max"))
    expect(page.get_by_text("Offsets may not decrease")).to_be_visible()
    wait_idle(page)
    corrected = page.get_by_text("is not a whole number, and left out")
    offsets.fill("0 x")
    offsets.press("Enter")
    expect(corrected).to_be_visible()
    expect(offsets).to_have_value("0")
    wait_idle(page)
    offsets.fill("0 8")  # the end of the list is the last place at which a bag may start, an empty one
    offsets.press("Enter")
    expect(said(page, "Bag 1 has nothing in it")).to_be_visible()
    expect(corrected).to_have_count(0)  # what was corrected is long gone
    offsets.fill("0 9")
    offsets.press("Enter")
    expect(page.get_by_text("a bag cannot start after its end")).to_be_visible()
    offsets.fill("")
    offsets.press("Enter")
    expect(page).to_have_url(re.compile("e_offsets="))
    wait_idle(page)
    option(page, "sum").click()
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_text("nn.EmbeddingBag(10, 3, mode='sum'").last).to_be_visible()


def test_a_switch_changes_the_step(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("Padding").click()
    figure = drawn(page, "One step")
    expect(said(page, "Row 0 is padding")).to_be_visible()
    wait_idle(page)
    grad = np.array(values(figure, 1), np.float32)
    assert (grad[0] == 0).all() and (grad[2] == 1).all()
    page.get_by_text("Overwrite it with ones").click()
    expect(said(page, "it holds ones")).to_be_visible()
    wait_idle(page)
    assert np.array(values(figure, 0))[0].tolist() == [1, 1, 1]
    assert (np.array(values(figure, 1))[0] == 0).all()
    page.get_by_text("sparse", exact=True).click()
    expect(said(page, "stores 2 of 10 rows")).to_be_visible()
    page.get_by_text("freeze", exact=True).click()
    expect(page.get_by_text("does not require grad")).to_be_visible()


def test_the_link_repeats_the_screen(server: Server, page: Page, open_tab: Callable[[], Page]) -> None:
    visit(server, page, "?e_view=Gradient&e_norm=1.0&e_text=a+b+a&e_dim=5&e_seed=3", "One step")
    other = open_tab()
    visit(server, other, "?" + page.url.split("?", 1)[1], "One step")
    for trace in range(4):
        assert values(drawn(page, "One step"), trace) == values(drawn(other, "One step"), trace)


def test_one_press_of_back_undoes_a_preset(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("Weights").click()
    drawn(page, "Bags")
    expect(page).to_have_url(re.compile("e_view=Bags"))
    wait_idle(page)
    page.go_back()
    drawn(page, "Embedding lookup")
    assert "?" not in page.url


def test_a_word_asks_for_its_neighbours(server: Server, page: Page) -> None:
    visit(server, page, "?e_view=Pretrained", "Nearest")
    figure = drawn(page, "Nearest")
    page.mouse.click(*place(figure, 0, 0.1, 2))  # the third bar: dog
    ask = page.get_by_role("textbox", name="Nearest to")
    expect(ask).to_have_value("dog")
    ask.fill("king - man + woman")
    ask.press("Enter")
    expect(page).to_have_url(re.compile("king"))
    wait_idle(page)
    expect(figure).to_have_accessible_description(re.compile("queen"))
    ask.fill("wug")
    ask.press("Enter")
    expect(page.get_by_text("Not in vectors.txt: wug")).to_be_visible()


def test_files_are_uploaded_and_wrong_ones_refused_with_words(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/embeddings?e_view=Pretrained&e_vectors=My+file")
    expect(page.get_by_text("Choose a file in the sidebar")).to_be_visible(timeout=30_000)
    wait_idle(page)
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput")

    def give(*files: tuple[str, bytes]) -> None:
        kind = "application/octet-stream"
        sent: Any = [{"name": name, "mimeType": kind, "buffer": content} for name, content in files]
        chooser.set_input_files(sent)

    give(("ragged.txt", b"cat 1 2\ndog 1\n"))
    expect(page.get_by_text("ragged.txt: Line 2 has 1 numbers")).to_be_visible()
    wait_idle(page)
    give(("noise.vec", bytes(range(256))))
    expect(page.get_by_text("noise.vec: Line")).to_be_visible()
    wait_idle(page)
    give(("mine.txt", b"3 2\ncat 1 0\ndog 1 0.5\ncow 0 1\n"))
    drawn(page, "Nearest")
    expect(page.get_by_text("mine.txt: 3 words, 2 numbers each").first).to_be_visible()
    wait_idle(page)
    matrix = save({"w": np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)})
    give(("m.safetensors", matrix))
    expect(page.get_by_text("a matrix alone names no words")).to_be_visible()
    wait_idle(page)
    expect(page.get_by_text("mine.txt: 3 words").first).to_be_visible()  # the last good file stays
    give(("m.safetensors", matrix), ("words.txt", b"cat\nox\npig\n"))
    expect(page.get_by_text("m.safetensors: 3 words, 2 numbers each").first).to_be_visible()


@pytest.mark.skipif(not installed(), reason="transformers is not installed (requirements-bert.txt)")
def test_a_bert_model_of_the_server_is_used(
    fresh_server: Callable[..., Server], page: Page, tmp_path: Path
) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "dog"]
    folder = tmp_path / "tiny-model"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (folder / "config.json").write_text('{"model_type": "bert", "vocab_size": 9}', encoding="utf-8")
    table = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    (folder / "model.safetensors").write_bytes(save({"bert.embeddings.word_embeddings.weight": table}))
    own = fresh_server(env={"RNNVIZ_BERT": str(folder)})
    visit(own, page, "?e_view=Pretrained&e_vectors=BERT&e_words=the+cats", "Nearest")
    expect(page.get_by_text("tiny-model: 9 words, 6 numbers each")).to_be_visible()
    figure = drawn(page, "The sentence's vectors")
    np.testing.assert_array_equal(np.array(values(figure, 0), np.float32), table[[2, 5, 6, 7, 3]])


def test_names_below_a_matrix_do_not_run_into_each_other(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 800, "height": 800})
    visit(server, page, "?e_view=One-hot&e_text=king+queen+man+woman+cat%0Adog+milk+bread+red", "Similarity")
    turned = r"""(root) => {
      const texts = Array.from(root.querySelectorAll(".xtick text, .x2tick text"));
      return texts.length === 20 && texts.every((t) => /rotate\((45|90)/.test(t.getAttribute("transform")));
    }"""
    page.wait_for_function(turned, arg=drawn(page, "Similarity").element_handle())


def test_the_padding_row_follows_the_table(server: Server, page: Page) -> None:
    visit(server, page, "?e_view=Gradient&e_source=Indices&e_indices=0+2+0+5&e_pad=9", "One step")
    row = page.get_by_role("spinbutton", name="Padding row")
    expect(row).to_have_value("9")
    slider = page.get_by_role("slider", name="num_embeddings")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("e_rows=9"))
    expect(row).to_have_value("8")
    wait_idle(page)
    page.get_by_text("padding_idx", exact=True).click()
    expect(row).to_have_count(0)
    expect(said(page, "No row is padding")).to_be_visible()


def test_numbers_leave_cells_that_are_too_narrow_for_them(server: Server, page: Page) -> None:
    texts = "(r) => r.querySelector('.rv-plot')._fullData.map((t) => Boolean(t.texttemplate)).slice(0, 4)"
    visit(server, page)
    assert drawn(page, "Embedding lookup").evaluate(texts) == [True] * 4
    page.set_viewport_size({"width": 800, "height": 800})
    page.wait_for_function(
        f"(r) => String(({texts})(r)) === 'true,false,false,false'",
        arg=drawn(page, "Embedding lookup").element_handle(),
    )


def test_rows_are_looked_up_one_after_the_other(server: Server, page: Page) -> None:
    visit(server, page)
    for key, row in (
        ("ArrowRight", "(“sat”) reads row 3"),
        ("End", "(“<pad>”) reads row 0"),
        ("Home", "row 1"),
    ):
        page.keyboard.press(key)
        expect(said(page, row)).to_be_visible()
    option(page, "Indices").click()  # a click on a control leaves the keys alive
    expect(said(page, "Position [0, 0] reads row 1")).to_be_visible()
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    expect(said(page, "Position [0, 1] reads row 2")).to_be_visible()
    pick(page, page.get_by_role("combobox", name="Speed"), "4 steps/s")
    wait_idle(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(said(page, "Position [1, 3] reads row 9")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name=re.compile("^Play"))).to_be_visible()
    expect(page).to_have_url(re.compile("e_pos=7"))
