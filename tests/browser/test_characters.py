"""*Characters* as a student meets it: three models at once, one run rewound and branched, own strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rnnviz.presets import CHARS_PRESETS
from rnnviz.training import advance, start
from tests.browser.harness import Server, choose_theme, counter, drawn, pick, place, summary, wait_idle

LONG = 60_000  # ms: the workers load PyTorch at the first play
ALONE = "?c_mode=One+run"


def visit(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.url}/characters{query}")
    expect(page.get_by_text("How does a network learn to say")).to_be_visible(timeout=30_000)
    drawn(page, "What")
    wait_idle(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def preset(page: Page, title: str) -> None:
    page.get_by_test_id("stButtonGroup").filter(has_text="D3–D5").get_by_text(title).click()


def fastest(page: Page) -> None:
    pick(page, page.get_by_role("combobox", name="Speed"), "as fast as it goes")


def finish(page: Page, epochs: int) -> None:
    expect(counter(page)).to_contain_text(f"epoch {epochs} ", timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("^Play")).first).to_be_visible(timeout=LONG)
    wait_idle(page)


def trained(page: Page, epochs: int = 20) -> None:
    fastest(page)
    press(page, "Play")
    finish(page, epochs)


def all_trained(page: Page) -> None:
    fastest(page)
    press(page, "Train all three")
    for row, epochs in (("D3", 20), ("D4", 15), ("D5", 20)):
        expect(page.get_by_text(re.compile(f"^{row} epoch {epochs} "))).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("^Train all three"))).to_be_visible(timeout=LONG)
    wait_idle(page)


def write(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label)
    field.fill(text)
    field.press("Enter")


def test_the_first_visit_shows_the_three_without_scrolling_and_starts_nothing(
    server: Server, page: Page
) -> None:
    visit(server, page)
    for row in ("D3", "D4", "D5"):
        for name in (f"What {row} says", f"Softmax( and state)?, {row}"):
            box = drawn(page, name).bounding_box()
            assert box is not None and box["y"] > 0
            share = 1 if row == "D5" or name.startswith("What") else 0.5  # of the picture: the softmax
            assert box["y"] + share * box["height"] <= 800
    expect(page.get_by_text(re.compile(r"^D\d epoch 0 "))).to_have_count(3)
    expect(page.get_by_role("button", name="Reset", exact=True)).to_be_disabled()


def test_D4_stays_wrong_beside_D5_which_is_right(server: Server, page: Page) -> None:
    visit(server, page)
    all_trained(page)
    expect(summary(page, "What D3 says")).to_contain_text("now it says ohlol, 5 of 5 right")
    expect(summary(page, "What D4 says")).to_contain_text("never right so far; now it says ohlll, 4 of 5")
    expect(summary(page, "What D5 says")).to_contain_text("now it says ohlol, 5 of 5 right, loss 0.00")
    expect(summary(page, "Softmax and state, D4")).to_contain_text("l: h[2]: l instead of h[3]: o")
    page.get_by_role("slider", name="Rewind").press("Home")
    for row in ("D3", "D4", "D5"):
        expect(summary(page, f"Softmax( and state)?, {row}")).to_contain_text("Before training")


def test_D3_is_trained_to_ohlol_with_the_engine_s_own_loss(server: Server, page: Page) -> None:
    visit(server, page)
    preset(page, "Cell")
    expect(counter(page)).to_have_text("epoch 0")
    wait_idle(page)
    trained(page)
    loss = advance(start(CHARS_PRESETS["D3"]), 20).losses[-1]
    expect(counter(page)).to_contain_text(f"loss {loss:.4f} before its step · 100% right")
    expect(summary(page, "What this run says")).to_contain_text("first right at epoch 17; now it says ohlol")
    expect(page.get_by_test_id("stAlert")).to_contain_text("20 epochs")


def test_a_click_on_a_string_brings_back_the_model_that_said_it(server: Server, page: Page) -> None:
    visit(server, page, ALONE)
    trained(page)
    picture = drawn(page, "What this run says")
    page.mouse.click(*place(picture, 0, 2, 7))  # the row of epoch 8
    expect(summary(page, "State and softmax")).to_contain_text("After epoch 7")
    expect(page.get_by_role("button", name="Continue from epoch 7")).to_be_visible()
    wait_idle(page)
    page.mouse.click(*place(picture, 0, 0, 0))
    expect(summary(page, "State and softmax")).to_contain_text("Before training")
    wait_idle(page)
    page.mouse.click(*place(picture, 0, 0, 20))  # now
    expect(summary(page, "State and softmax")).to_contain_text("After epoch 20")


def test_rewind_replays_the_pictures_and_a_branch_goes_on_from_there(server: Server, page: Page) -> None:
    visit(server, page, f"{ALONE}&c_view=Curves")
    trained(page)
    now = summary(page, "State and softmax").inner_text()
    slider = page.get_by_role("slider", name="Rewind")
    slider.press("Home")
    expect(summary(page, "State and softmax")).to_contain_text("Before training")
    for epoch in (1, 2, 3):
        wait_idle(page)
        slider.press("ArrowRight")
        expect(summary(page, "State and softmax")).to_contain_text(f"After epoch {epoch}.")
    press(page, "Continue from epoch 3")
    expect(counter(page)).to_contain_text("epoch 3 ")
    wait_idle(page)
    press(page, "Play")
    finish(page, 20)
    expect(summary(page, "State and softmax")).to_have_text(now)  # nothing was changed: the same run
    expect(summary(page, "Loss and accuracy")).to_contain_text("run 2, from 3, epoch 20")


def test_single_epochs_are_followed_by_the_pictures(server: Server, page: Page) -> None:
    visit(server, page, ALONE)
    for epoch in (1, 2, 3):
        press(page, "1 epoch")
        expect(counter(page)).to_contain_text(f"epoch {epoch} ", timeout=LONG)
        expect(summary(page, "State and softmax")).to_contain_text(f"After epoch {epoch}.")
        wait_idle(page)
    press(page, "Reset")
    expect(counter(page)).to_have_text("epoch 0")


def test_one_of_the_three_is_opened_by_itself(server: Server, page: Page) -> None:
    visit(server, page, "?c_which=D4")
    all_trained(page)
    said = summary(page, "What D4 says").inner_text()
    press(page, "Open by itself")
    expect(counter(page)).to_contain_text("epoch 15 ")
    expect(summary(page, "What this run says")).to_have_text(said)
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("15")


def test_chinese_characters_are_shown_and_learnt(server: Server, page: Page) -> None:
    visit(server, page)
    write(page, "Source", "你好")
    expect(page.get_by_test_id("stAlert")).to_contain_text("they have 2 and 5")
    write(page, "Target", "好你")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(summary(page, "What D3 says")).to_contain_text("你好 to 好你")
    wait_idle(page)
    all_trained(page)
    for row in ("D3", "D4", "D5"):
        expect(summary(page, f"What {row} says")).to_contain_text("now it says 好你, 2 of 2 right")
    letters = drawn(page, "What D3 says").locator("text").filter(has_text=re.compile("^好$"))
    expect(letters.first).to_be_visible()
    assert "%E4%BD%A0%E5%A5%BD" in page.url


def test_a_wrong_pair_stays_in_its_fields_with_what_is_allowed(server: Server, page: Page) -> None:
    visit(server, page)
    write(page, "Target", "hi")
    expect(page.get_by_test_id("stAlert")).to_contain_text(
        "equally long, a character to say at each position: they have 5 and 2"
    )
    expect(page.get_by_role("textbox", name="Target")).to_have_value("hi")
    expect(summary(page, "What D3 says")).to_contain_text("hello to ohlol")
    wait_idle(page)
    write(page, "Source", "x" * 60)
    expect(page.get_by_test_id("stAlert")).to_contain_text("at most 40")
    wait_idle(page)
    write(page, "Source", "")
    expect(page.get_by_test_id("stAlert")).to_contain_text("source is empty")
    expect(page.get_by_role("textbox", name="Source")).to_have_value("")


def test_a_preset_shows_its_values_in_a_sidebar_that_was_not_there(server: Server, page: Page) -> None:
    visit(server, page, "?c_lr=0.3")
    preset(page, "Embedding, readout")
    expect(page.get_by_role("spinbutton", name="Learning rate")).to_have_value("0.05")
    expect(page.get_by_role("spinbutton", name="num_layers")).to_have_value("2")
    expect(page.get_by_role("switch", name="Linear readout")).to_be_checked()


def test_the_reshape_of_two_sentences(server: Server, page: Page) -> None:
    visit(server, page)
    preset(page, "The reshape")
    expect(summary(page, "Reshape before the loss")).to_contain_text("logits (2, 5, 4) become (10, 4)")
    wait_idle(page)
    page.get_by_text("Two sentences", exact=True).click()
    expect(summary(page, "Reshape before the loss")).to_contain_text("logits (1, 5, 4) become (5, 4)")


def test_a_loss_that_is_no_number_stops_with_a_sentence(server: Server, page: Page) -> None:
    visit(server, page, f"{ALONE}&c_opt=SGD&c_readout=true&c_epochs=5")
    trained(page, 5)
    rate = page.get_by_role("spinbutton", name="Learning rate")
    rate.fill("1000000")
    rate.press("Enter")
    expect(page).to_have_url(re.compile("c_lr=1000000"))
    wait_idle(page)
    expect(counter(page)).to_contain_text("epoch 5 ")  # a learning rate does not reset a run
    page.get_by_role("spinbutton", name="Epochs").fill("1000")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    expect(page).to_have_url(re.compile("c_epochs=1000"))
    wait_idle(page)
    press(page, "Play")
    expect(page.get_by_test_id("stAlert")).to_contain_text("learning rate", timeout=LONG)
    wait_idle(page)
    page.get_by_role("slider", name="Rewind").press("Home")
    expect(summary(page, "Softmax, this run")).to_contain_text("Before training")


def test_a_reload_finds_the_three_again(server: Server, page: Page) -> None:
    visit(server, page)
    all_trained(page)
    page.reload()
    expect(page.get_by_text(re.compile("^D3 epoch 20 "))).to_be_visible(timeout=30_000)
    expect(summary(page, "What D5 says")).to_contain_text("now it says ohlol")


def test_a_run_is_saved_and_opened_in_another_tab(
    server: Server, page: Page, open_tab: Callable[[], Page], tmp_path: Path
) -> None:
    visit(server, page, f"{ALONE}&c_view=Save&c_source=abc&c_target=bca")
    trained(page)
    said = summary(page, "What this run says").inner_text()
    with page.expect_download() as waiting:
        press(page, "Save the run")
    file = tmp_path / "my.run"
    waiting.value.save_as(file)
    other = open_tab()
    visit(server, other, f"{ALONE}&c_view=Save")
    upload = other.get_by_test_id("stFileUploader").locator("input")
    upload.set_input_files({"name": "bad.run", "mimeType": "application/octet-stream", "buffer": b"nothing"})
    expect(other.get_by_test_id("stAlert")).to_contain_text("damaged, or it is not a run saved here")
    wait_idle(other)
    upload.set_input_files(file)
    expect(counter(other)).to_contain_text("epoch 20 ")
    expect(summary(other, "What this run says")).to_have_text(said)
    expect(other.get_by_role("textbox", name="Source")).to_have_value("abc")


@pytest.mark.parametrize("width", [800, 1280])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_is_wider_than_the_page(server: Server, page: Page, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    visit(server, page)
    choose_theme(page, theme)
    for name in ("What D3 says", "State, D5"):
        box = drawn(page, name).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
