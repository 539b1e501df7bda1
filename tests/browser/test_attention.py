"""*Attention* as a student meets it: a trained heatmap at once, trained anew, taken apart and broken."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.data.pairs import answer
from rnnviz.models import shipped
from rnnviz.screens.attention import screen
from tests.browser.harness import Server, counter, pick, place, wait_idle

LONG = 60_000  # ms: the workers load PyTorch at the first play
SOURCE = screen({})[0].source
READ, SAID = "".join(SOURCE), "".join(reversed(SOURCE))
SMALL = "a_train=32&a_held=8&a_symbols=4&a_short=3&a_long=4&a_batch=16&a_epochs=3"


def visit(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.url}/attention?{query}")
    expect(page.get_by_text("Where does a decoder look while it writes?")).to_be_visible()
    drawn(page, "Attention")
    wait_idle(page)


def drawn(page: Page, name: str) -> Locator:
    figure = page.get_by_role("figure", name=name, exact=True)
    expect(figure).to_have_attribute("data-draws", re.compile(r"[1-9]"))
    return figure


def summary(page: Page, name: str) -> Locator:
    """The text alternative of a figure."""
    return drawn(page, name).locator(".rv-hidden").first


def step_line(page: Page) -> Locator:
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^Step \d+: fed"))


def view(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").filter(has_text="What if").get_by_text(name, exact=True).click()


def write(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label)
    field.fill(text)
    field.press("Control+Enter")


def test_D7_a_trained_heatmap_is_seen_at_once_and_nothing_was_started(server: Server, page: Page) -> None:
    visit(server, page)
    for name in ("Attention", "Loss and exact match", "Entropy and right places"):
        box = drawn(page, name).bounding_box()
        assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800
    expect(summary(page, "Attention")).to_contain_text("8 of 8 peaks right")
    expect(page.get_by_text(f"{READ} → {SAID} ✓")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Play Shortcut P"))).to_be_visible()


def test_a_cell_opens_its_sums_and_the_keys_step_on(server: Server, page: Page) -> None:
    visit(server, page)
    page.mouse.click(*place(drawn(page, "Attention"), 0, 5, 2))
    expect(step_line(page)).to_contain_text(f"Step 2: fed “{SAID[1]}”, the decoder says {SAID[2]}")
    expect(summary(page, "Energies and weights")).to_contain_text(f"at {SAID[2]} at position 5")
    expect(summary(page, "Products behind the energies")).to_contain_text("8 positions, 32 units")
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    expect(step_line(page)).to_contain_text(f"Step 3: fed “{SAID[2]}”, the decoder says {SAID[3]}")
    wait_idle(page)
    page.keyboard.press("End")
    expect(step_line(page)).to_contain_text("says <end>")
    wait_idle(page)
    page.keyboard.press("ArrowLeft")
    expect(step_line(page)).to_contain_text("Step 7")
    expect(summary(page, "Next token")).to_contain_text(f"The right one is {SAID[7]}, number 1 of 15")


def test_it_is_trained_live_rewound_and_branched(server: Server, page: Page) -> None:
    visit(server, page, SMALL)
    expect(counter(page)).to_have_text("epoch 0")
    expect(summary(page, "Attention")).to_contain_text("not trained")
    # A key counts from when its button is there: its code is loaded after the page's script has run.
    expect(page.get_by_role("button", name=re.compile("^Play Shortcut P"))).to_be_visible()
    page.keyboard.press("p")
    expect(counter(page)).to_contain_text("epoch 3 ", timeout=LONG)
    expect(page.get_by_test_id("stAlert")).to_contain_text("3 epochs")
    expect(summary(page, "Attention")).to_contain_text("epoch 3:")
    expect(summary(page, "Entropy and right places")).to_contain_text("right places")
    wait_idle(page)
    slider = page.get_by_role("slider", name="Rewind")
    slider.press("ArrowLeft")
    expect(counter(page)).to_contain_text("epoch 2, looked at")
    expect(summary(page, "Attention")).to_contain_text("epoch 2:")
    page.get_by_role("button", name="Continue from epoch 2").click()
    expect(page.get_by_role("radio", name="run 2, from 2")).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name=re.compile("^1 epoch")).click()
    expect(counter(page)).to_contain_text("epoch 3 ", timeout=LONG)


def test_of_several_heads_one_is_chosen_by_its_number(server: Server, page: Page) -> None:
    visit(server, page, "a_score=multihead&a_heads=16&a_hidden=24")
    expect(summary(page, "Attention")).to_contain_text("head 3")
    box = drawn(page, "Attention").bounding_box()
    assert box is not None and box["height"] >= 4 * 190  # rows that can be read
    head = page.get_by_role("spinbutton", name=re.compile("^Head$"))
    head.fill("15")
    head.press("Enter")
    drawn(page, "Products behind the energies, head 15")


def test_a_change_is_a_line_and_a_link(server: Server, page: Page) -> None:
    visit(server, page, "a_view=What+if&a_step=4")
    box = page.get_by_role("combobox", name=re.compile("Step 4 says"))
    box.scroll_into_view_if_needed()  # a list that opens while the page is scrolled closes again
    other = next(token for token in "abc" if token != SAID[4])
    pick(page, box, other)
    expect(page.get_by_role("textbox", name="What if")).to_have_value(f"say 4 = {other}")
    expect(page.get_by_text(re.compile(f"^Changed: {READ} → {SAID[:4]}{other}"))).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name=re.compile("^Mask")).click()
    expect(summary(page, "Original and changed attention")).to_contain_text("of the weight on masked")
    wait_idle(page)
    said = page.get_by_text(re.compile(f"^Changed: {READ}")).inner_text()
    page.reload()
    expect(page.get_by_text(said, exact=True)).to_be_visible()
    wait_idle(page)
    write(page, "What if", "attention 1 = 1 0\nmask 99\nshout")
    alerts = page.get_by_test_id("stAlert")
    expect(alerts).to_have_count(3)
    expect(alerts.first).to_contain_text("2 weights, and the source has 8 tokens")
    expect(page.get_by_text(f"Changed: {READ} → {SAID} ✓")).to_be_visible()


def test_a_bar_of_attention_is_moved_by_hand_and_by_keys(server: Server, page: Page) -> None:
    visit(server, page, "a_view=What+if&a_step=2")
    bars = drawn(page, "Weights of the step")
    grip = bars.get_by_role("slider", name=f"{SOURCE[7]}, position 7")
    before = float(grip.get_attribute("aria-valuenow") or "nan")
    assert before < 0.1
    # Without waiting: a hand moves the pointer through places in between.
    (x, low), (_, high) = place(bars, 0, 7, before), place(bars, 0, 7, 0.9)
    page.mouse.move(x, low)
    page.mouse.down()
    page.mouse.move(x, (low + high) / 2)
    page.mouse.move(x, high)
    expect(grip).to_have_attribute("aria-valuenow", re.compile(r"^0\.(89|9)"))
    lines = page.get_by_role("textbox", name="What if")
    expect(lines).to_have_value("")  # nothing is said before the bar is let go
    page.mouse.up()
    expect(lines).to_have_value(re.compile(r"^attention 2 = (0[.\d]* ){7}0\.(89|9)"))
    expect(page.get_by_text(re.compile(f"^Changed: {READ} → {SAID[:2]}{SOURCE[7]}"))).to_be_visible()
    expect(summary(page, "Weights of the step")).to_contain_text(f"most on {SOURCE[7]} at position 7")
    wait_idle(page)
    grip.press("End")
    grip.press("Enter")
    expect(lines).to_have_value("attention 2 = 0 0 0 0 0 0 0 1")
    wait_idle(page)
    expect(grip).to_be_focused()
    grip.press("ArrowLeft")
    left = bars.get_by_role("slider", name=f"{SOURCE[6]}, position 6")
    expect(left).to_be_focused()
    left.press("ArrowUp")
    expect(lines).to_have_value(re.compile(r"^attention 2 = (0 ){6}0\.05 0\.95"))
    wait_idle(page)
    box = left.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("button", name=f"Mask {SOURCE[6]}, position 6")).to_be_visible()


def test_a_wider_beam_is_worse_and_a_click_shows_a_hypothesis(server: Server, page: Page) -> None:
    visit(server, page, "a_view=Beam")
    tree = drawn(page, "Beam")
    expect(summary(page, "Beam")).to_contain_text("The best is")
    expect(summary(page, "Attention of the hypothesis")).to_contain_text("8 of 8 peaks right")
    page.mouse.click(*place(tree, 0, 2, tree.evaluate(SECOND, 2)))
    expect(page.get_by_text(re.compile("^(kept|dropped): .. ✗"))).to_be_visible()
    wait_idle(page)
    page.get_by_test_id("stButtonGroup").filter(has_text="D7").get_by_text("too wide").click()
    case = shipped.BEAM_CASE
    source, right = "".join(case.source), "".join(answer("reverse", case.source))
    expect(page.get_by_text(f"{source} → {right} ✓")).to_be_visible()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text=re.compile(f"^{case.narrow}{right} ✓"))).to_be_visible()
    expect(rows.filter(has_text=re.compile(f"^{case.wide}.* ✗"))).to_be_visible()


SECOND = """(root, step) => {
  const plot = root.querySelector('.rv-plot');
  const found = plot._fullData.find((trace) => trace.name === "hypotheses, kept");
  return found.y[[...found.x.keys()].filter((i) => found.x[i] === step)[1]];
}"""


def test_what_cannot_be_read_is_said_and_changes_nothing(server: Server, page: Page) -> None:
    visit(server, page, "a_hidden=99999&a_view=Dance&a_edits=%3Cimg%20src%3Dx%3E&a_source=%3Cb%3E")
    expect(page.get_by_text("Corrected")).to_be_visible()
    expect(page.get_by_text("are unknown to this model")).to_be_visible()
    expect(page.get_by_text(f"{READ} → ")).to_be_visible()
    wait_idle(page)
    write(page, "Your source", "abc" * 40)
    expect(page.get_by_text("at most 64")).to_be_visible()
    write(page, "Your source", "abcabc")
    expect(page.get_by_text("abcabc → ")).to_be_visible()


def test_own_words_are_learnt_from_a_table_of_text(server: Server, page: Page) -> None:
    visit(server, page, "a_task=own+pairs&a_unit=word")
    write(page, "Your pairs", "one two => eins zwei\nthree")
    expect(page.get_by_text("line 2 has no tab")).to_be_visible()
    write(page, "Your pairs", "one two => eins zwei\nthree => drei")
    expect(page.get_by_text("To train on: 2")).to_be_visible()
    expect(page.get_by_text(re.compile("^one two → "))).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name="Edit as a table").click()
    expect(page.get_by_role("dialog").get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_role("button", name="Use these pairs")).to_be_disabled()


@pytest.mark.parametrize(("scheme", "widths"), [("light", (400, 800, 1280)), ("dark", (800,))])
def test_nothing_overflows_at_any_width(
    server: Server, page: Page, scheme: Literal["light", "dark"], widths: tuple[int, ...]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": widths[0], "height": 800})
    visit(server, page)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        for name in ("Step", "What if", "Beam", "Padding", "Model"):
            view(page, name)
            wait_idle(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, name)
