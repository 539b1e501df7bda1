"""*Tagger* as a student meets it: play, rewind, branch, reach in, come back, wrong files, no number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect

from rnnviz.presets import PRESETS
from rnnviz.training import TaggerConfig, advance, start
from tests.browser.harness import Server, counter, drawn, opened, pick, summary, wait_idle

LONG = 60_000  # ms: the workers load PyTorch at the first play
FAST = "t_until=all%20tags%20right"


def visit(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.url}/tagger{query}")
    expect(counter(page)).to_be_visible(timeout=30_000)
    drawn(page, "Tags of the sentence")
    wait_idle(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def choose_speed(page: Page, name: str) -> None:
    pick(page, page.get_by_role("combobox", name="Speed"), name)


def finish(page: Page, epochs: int) -> None:
    expect(counter(page)).to_contain_text(f"epoch {epochs} ", timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("^Play")).first).to_be_visible(timeout=LONG)
    wait_idle(page)


def test_D1_is_wholly_visible_at_first_and_plays_to_every_tag_right_with_the_engine_s_own_loss(
    server: Server, page: Page
) -> None:
    visit(server, page)
    for name in ("Loss and accuracy", "Tags of the sentence"):
        box = drawn(page, name).bounding_box()
        assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800
    expect(counter(page)).to_have_text("epoch 0")  # nothing starts by itself
    expect(page.get_by_role("button", name="Reset", exact=True)).to_be_disabled()
    choose_speed(page, "as fast as it goes")
    press(page, "Play")
    finish(page, 300)
    config = PRESETS["D1"]
    assert isinstance(config, TaggerConfig)
    loss = advance(start(config), 300).losses[-1]
    assert loss < 0.05
    expect(counter(page)).to_contain_text(f"loss {loss:.4f} · 100% right")
    expect(summary(page, "Tags of the sentence")).to_contain_text("Epoch 300: 5 of 5 right")
    expect(summary(page, "Tags of the sentence")).to_contain_text("Before training: 2 of 5 right")
    expect(page.get_by_test_id("stAlert")).to_contain_text("300 epochs")


def test_one_sentence_one_epoch_and_reset(server: Server, page: Page) -> None:
    visit(server, page)
    press(page, "1 sentence")
    expect(counter(page)).to_contain_text("1 of 2 sentences of the next", timeout=LONG)
    wait_idle(page)
    press(page, "1 epoch")
    expect(counter(page)).to_contain_text("epoch 1", timeout=LONG)
    wait_idle(page)
    page.keyboard.press("e")
    expect(counter(page)).to_contain_text("epoch 2", timeout=LONG)
    wait_idle(page)
    press(page, "Reset")
    expect(counter(page)).to_have_text("epoch 0")


def test_rewind_replays_the_pictures_and_a_branch_goes_on_from_there(server: Server, page: Page) -> None:
    visit(server, page, "?t_epochs=40")
    choose_speed(page, "as fast as it goes")
    press(page, "Play")
    finish(page, 40)
    now = summary(page, "Tags of the sentence").inner_text()
    slider = page.get_by_role("slider", name="Rewind")
    slider.press("Home")
    expect(summary(page, "Tags of the sentence")).to_contain_text("Epoch 0: 2 of 5 right")
    slider.press("End")
    expect(summary(page, "Tags of the sentence")).to_contain_text("Epoch 40:")
    assert summary(page, "Tags of the sentence").inner_text() == now
    slider.press("Home")
    for epoch in (1, 2, 3):
        expect(summary(page, "Tags of the sentence")).to_contain_text(f"Epoch {epoch - 1}:")
        wait_idle(page)
        slider.press("ArrowRight")
    press(page, "Continue from epoch 3")
    expect(counter(page)).to_contain_text("epoch 3 ")
    wait_idle(page)
    press(page, "Play")
    finish(page, 40)
    expect(summary(page, "Tags of the sentence")).to_contain_text("Epoch 40:")
    assert summary(page, "Tags of the sentence").inner_text() == now  # nothing was changed: the same run
    expect(summary(page, "Loss and accuracy")).to_contain_text("run 2, from 3, epoch 40")


def test_each_run_keeps_its_own_learning_rate_and_a_reload_shows_the_one_that_was_looked_at(
    server: Server, page: Page, open_tab: Callable[[], Page]
) -> None:
    visit(server, page)
    rate = page.get_by_role("spinbutton", name="Learning rate")
    press(page, "1 epoch")
    expect(counter(page)).to_contain_text("epoch 1 ", timeout=LONG)
    wait_idle(page)
    first = counter(page).inner_text()
    page.get_by_role("slider", name="Rewind").press("Home")
    press(page, "Continue from epoch 0")
    expect(counter(page)).to_have_text("epoch 0")
    wait_idle(page)
    rate.fill("0.4")
    rate.press("Enter")
    expect(page).to_have_url(re.compile("t_lr=0.4"))
    wait_idle(page)
    press(page, "1 epoch")
    expect(counter(page)).to_contain_text("epoch 1 ", timeout=LONG)
    wait_idle(page)
    assert counter(page).inner_text() != first
    runs = page.get_by_test_id("stButtonGroup")
    runs.get_by_text("first run", exact=True).click()
    expect(counter(page)).to_have_text(first)
    expect(rate).to_have_value("0.1")
    wait_idle(page)
    page.reload()
    expect(counter(page)).to_have_text(first, timeout=LONG)
    expect(rate).to_have_value("0.1")
    wait_idle(page)
    runs.get_by_text("run 2, from 0", exact=True).click()
    expect(rate).to_have_value("0.4")
    other = open_tab()
    visit(server, other)
    expect(counter(other)).to_have_text("epoch 0")  # a tab has its own runs


def test_a_loss_that_is_no_number_stops_with_a_sentence_and_keeps_the_history(
    server: Server, page: Page
) -> None:
    visit(server, page, "?t_epochs=20")
    choose_speed(page, "as fast as it goes")
    press(page, "Play")
    finish(page, 20)
    rate = page.get_by_role("spinbutton", name="Learning rate")
    rate.fill("1000000")
    rate.press("Enter")
    expect(page).to_have_url(re.compile("t_lr=1000000"))
    wait_idle(page)
    expect(counter(page)).to_contain_text("epoch 20 ")  # a learning rate does not reset a run
    press(page, "Play")
    expect(page.get_by_test_id("stAlert")).to_contain_text("learning rate", timeout=LONG)
    wait_idle(page)
    page.get_by_role("slider", name="Rewind").press("Home")
    expect(summary(page, "Tags of the sentence")).to_contain_text("Epoch 0: 2 of 5 right")


def test_a_silenced_unit_and_a_set_weight_stand_in_the_run(server: Server, page: Page) -> None:
    visit(server, page, "?t_view=Reach+in")
    drawn(page, "Values of embedding.weight")
    before = summary(page, "Values of embedding.weight").inner_text()
    value = page.get_by_role("spinbutton", name="Value")
    value.fill("7")
    value.press("Enter")
    press(page, "Set")
    expect(summary(page, "Values of embedding.weight")).not_to_have_text(before)
    expect(summary(page, "Values of embedding.weight")).to_contain_text("to 7.000")
    wait_idle(page)
    press(page, "Silence")
    expect(page.get_by_text("silent: unit 0")).to_be_visible()


def test_a_wrong_file_is_named_and_a_good_one_is_trained_on(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stExpander").get_by_text("Data", exact=True).click()
    page.get_by_test_id("stButtonGroup").get_by_text("File", exact=True).click()
    expect(page.get_by_text("No file yet")).to_be_visible()
    upload = page.get_by_test_id("stFileUploader").locator("input")
    upload.set_input_files(
        {"name": "bad.conllu", "mimeType": "text/plain", "buffer": b"# x\n1\tThe\tthe\n\n"}
    )
    expect(page.get_by_test_id("stAlert").first).to_contain_text("line 2")
    wait_idle(page)
    good = "".join(
        f"{i}\t{w}\t_\t{t}\t_\t_\t_\t_\t_\t_\n" for i, (w, t) in enumerate([("a", "X"), ("b", "Y")], 1)
    )
    upload.set_input_files({"name": "good.conllu", "mimeType": "text/plain", "buffer": good.encode()})
    expect(page.get_by_text("different words: 2")).to_be_visible()
    expect(summary(page, "Tags of the sentence")).to_contain_text("a: ")


def test_a_branch_and_a_reset_take_the_learning_rate_that_is_shown(server: Server, page: Page) -> None:
    visit(server, page, "?t_epochs=10")
    choose_speed(page, "as fast as it goes")
    press(page, "Play")
    finish(page, 10)
    rate = page.get_by_role("spinbutton", name="Learning rate")
    rate.fill("0.5")
    rate.press("Enter")
    expect(page).to_have_url(re.compile("t_lr=0.5"))
    wait_idle(page)
    press(page, "Reset")
    expect(counter(page)).to_have_text("epoch 0")
    wait_idle(page)
    press(page, "Play")
    finish(page, 10)
    config = PRESETS["D1"]
    assert isinstance(config, TaggerConfig)
    faster = replace(config, optimiser=replace(config.optimiser, lr=0.5))
    expect(counter(page)).to_contain_text(f"loss {advance(start(faster), 10).losses[-1]:.4f}")


def test_a_tab_that_is_known_again_still_says_what_was_corrected(server: Server, page: Page) -> None:
    for value in ("-5", "0"):  # at the second visit the tab tells its key, and the whole page runs again
        page.goto(f"{server.url}/tagger?t_hidden={value}")
        wait_idle(page)
        page.wait_for_function("() => sessionStorage.length > 0")  # the tab has been told who it is
        wait_idle(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("at least 1 is allowed")


def test_the_chosen_sentence_is_a_number_in_the_address_and_back_corrects_nothing(
    server: Server, page: Page
) -> None:
    visit(server, page, "?t_data=Sample&t_held=0.05")
    chosen = opened(page, page.get_by_role("combobox", name="Sentence")).nth(5)
    word = chosen.inner_text().split()[0]
    chosen.click()
    expect(page).to_have_url(re.compile("t_sent=5"))
    expect(summary(page, "Tags of the sentence")).to_contain_text(f"{word}: ")
    wait_idle(page)
    page.get_by_test_id("stButtonGroup").get_by_text("held out", exact=True).click()
    expect(page).to_have_url(re.compile("t_part=held"))
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    wait_idle(page)
    page.reload()
    expect(page.get_by_role("radio", name="held out")).to_be_checked(timeout=LONG)
    wait_idle(page)
    page.go_back()
    expect(page).not_to_have_url(re.compile("t_part=held"))
    wait_idle(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_the_list_of_sentences_follows_other_data_and_corrects_nothing(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stExpander").get_by_text("Data", exact=True).click()
    text = page.get_by_role("textbox", name="Sentences")
    text.fill("A/DET cat/NN\nNobody/NN slept/V")
    text.press("Control+Enter")
    expect(page.get_by_text("different words: 4")).to_be_visible()
    wait_idle(page)
    chosen = page.get_by_role("combobox", name="Sentence")
    expect(chosen).to_have_value("A cat")
    page.get_by_test_id("stButtonGroup").get_by_text("all tags right", exact=True).click()
    expect(page).to_have_url(re.compile("t_until=all"))
    wait_idle(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(summary(page, "Tags of the sentence")).to_contain_text("cat: ")


def test_typed_sentences_are_edited_as_a_table_in_a_dialog(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stExpander").get_by_text("Data", exact=True).click()
    page.get_by_role("button", name="Edit as a table").click()
    dialog = page.get_by_role("dialog")
    use = dialog.get_by_role("button", name="Use these sentences")
    expect(use).to_be_disabled()  # nothing was changed yet
    cell = dialog.get_by_test_id("glide-cell-3-0")
    expect(cell).to_have_text("DET")
    box = dialog.locator("canvas").first.bounding_box()
    assert box is not None and box["width"] > 500
    page.mouse.dblclick(box["x"] + 0.85 * box["width"], box["y"] + 50)
    editor = page.locator("#portal textarea")
    editor.fill("ART")
    editor.press("Enter")
    expect(use).to_be_enabled()
    use.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("tags: 4")).to_be_visible()
    expect(page.get_by_role("textbox", name="Sentences")).to_have_value(re.compile("^The/ART dog/NN"))


def test_a_run_is_saved_and_opened_again_and_a_wrong_file_is_refused(
    server: Server, page: Page, tmp_path: Path
) -> None:
    visit(server, page, "?t_epochs=12&t_view=Save")
    choose_speed(page, "as fast as it goes")
    press(page, "Play")
    finish(page, 12)
    before = counter(page).inner_text()
    with page.expect_download() as download:
        press(page, "Save the run")
    file = tmp_path / "mine.run"
    download.value.save_as(file)
    visit(server, page, "?t_kind=GRU&t_view=Save")
    upload = page.get_by_test_id("stFileUploader").locator("input")
    upload.set_input_files({"name": "no.run", "mimeType": "x/y", "buffer": b"junk"})
    expect(page.get_by_test_id("stAlert")).to_contain_text("not a run")
    wait_idle(page)
    upload.set_input_files(file)
    expect(counter(page)).to_have_text(before)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
