"""*Step through* as a student meets it: keys, clicks, playing, edits, links."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.screens.step import screen
from rnnviz.stepping import step_run
from tests.browser.harness import Server, drawn, pick, wait_idle


def heading(page: Page) -> Locator:
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile("^The arithmetic of step"))


def option(page: Page, name: str) -> Locator:
    """One segment of a segmented control."""
    return page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)


def visit(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.url}/step{query}")
    expect(heading(page)).to_be_visible(timeout=30_000)
    drawn(page, "Step through")
    wait_idle(page)


def cell(page: Page, trace: int, step: int, unit: int) -> tuple[float, float]:
    """Where a cell of the heatmaps is on the screen."""
    x, y = drawn(page, "Step through").evaluate(
        """(root, [trace, step, unit]) => {
          const plot = root.querySelector('.rv-plot'), box = plot.getBoundingClientRect();
          const { xaxis, yaxis } = plot._fullData[trace], full = plot._fullLayout;
          const key = (axis) => axis[0] + "axis" + axis.slice(1);
          const [a, b] = [full[key(xaxis)], full[key(yaxis)]];
          return [box.x + a._offset + a.d2p(step), box.y + b._offset + b.d2p(unit)];
        }""",
        [trace, step, unit],
    )
    return x, y


def test_the_picture_is_wholly_visible_at_first_visit(server: Server, page: Page) -> None:
    visit(server, page)
    box = drawn(page, "Step through").bounding_box()
    assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800


def test_keys_step_and_the_address_follows(server: Server, page: Page) -> None:
    visit(server, page)
    expect(heading(page)).to_contain_text("step 2, “sat”: h comes from step 1, “cat”")
    for key, step in (
        ("ArrowRight", 3),
        ("ArrowRight", 4),
        ("ArrowLeft", 3),
        ("End", 5),
        ("ArrowRight", 5),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(heading(page)).to_contain_text(f"step {step},")
    expect(heading(page)).to_contain_text("the initial state h_0")
    expect(page).to_have_url(re.compile("s_step=0"))


def test_a_step_does_not_send_the_big_picture_again(server: Server, page: Page) -> None:
    visit(server, page)
    big = drawn(page, "Step through")
    before = big.get_attribute("data-draws")
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_contain_text("step 3,")
    wait_idle(page)
    assert big.get_attribute("data-draws") == before


def test_a_control_of_the_sidebar_reaches_the_picture_and_the_next_step(server: Server, page: Page) -> None:
    visit(server, page, "?s_detail=One+unit%2C+every+product")
    big = drawn(page, "Step through")
    before = int(big.get_attribute("data-draws") or 0)
    field = page.get_by_role("spinbutton", name="Seed")
    field.fill("7")
    field.press("Enter")
    expect(page).to_have_url(re.compile("s_seed=7"))
    expect(big).not_to_have_attribute("data-draws", str(before))
    field.blur()
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_contain_text("step 3,")
    run = step_run(screen({"s_seed": 7})[0])
    total = f"{run.trace.sel('i_pre')[3, 0, 0]:.4f}"
    expect(page.get_by_role("table").get_by_text(total, exact=True)).to_be_visible()


def test_a_preset_sets_the_sidebar_too(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("Two-way").click()
    expect(page.get_by_text("nn.RNN(5, 6, bidirectional=True)").first).to_be_visible()
    expect(page.get_by_role("switch", name="bidirectional")).to_be_checked()
    expect(page.get_by_role("combobox", name="Input")).to_have_value("Random")


def test_a_click_on_a_cell_goes_to_its_step_and_unit(server: Server, page: Page) -> None:
    visit(server, page)
    page.mouse.click(*cell(page, 2, 4, 3))
    expect(heading(page)).to_contain_text("step 4,")
    expect(page).to_have_url(re.compile("s_step=4"))
    option(page, "One unit, every product").click()
    expect(page.get_by_role("spinbutton", name="Unit")).to_have_value("3")
    expect(page).to_have_url(re.compile("s_unit=3"))


def test_a_row_of_a_gate_opens_its_sum(server: Server, page: Page) -> None:
    visit(server, page)
    chains = page.get_by_role("figure", name="The arithmetic of this step")
    chains.scroll_into_view_if_needed()
    expect(chains).to_have_attribute("data-draws", re.compile(r"[1-9]"))
    x, y = chains.evaluate(
        """(root) => {
          const plot = root.querySelector('.rv-plot'), box = plot.getBoundingClientRect();
          const { xaxis2, yaxis2 } = plot._fullLayout;  // the second chain: f
          return [box.x + xaxis2._offset + xaxis2.d2p(2), box.y + yaxis2._offset + yaxis2.d2p(4)];
        }"""
    )
    page.mouse.click(x, y)
    expect(page.get_by_role("spinbutton", name="Unit")).to_have_value("4")
    expect(page.get_by_role("figure", name="Contributions to f, unit 4")).to_be_visible()


def test_playing_ends_at_the_last_step_and_leaves_the_history_short(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()  # a fresh history: an old one does not grow any more at 50 entries
    visit(server, page, "?s_text=one+two+three+four+five+six+seven+eight+nine+ten&s_step=0")
    before = page.evaluate("history.length")
    pick(page, page.get_by_role("combobox", name="Speed"), "4 steps/s")
    wait_idle(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(page.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()
    expect(heading(page)).to_contain_text("step 9, “ten”", timeout=20_000)
    expect(page.get_by_role("button", name=re.compile("^Play"))).to_be_visible()
    expect(page).to_have_url(re.compile("s_step=9"))
    assert page.evaluate("history.length") - before < 5


def test_an_edit_shows_beside_the_original_and_the_link_repeats_it(
    server: Server, page: Page, open_tab: Callable[[], Page]
) -> None:
    visit(server, page)
    page.get_by_text("What if …").click()
    pick(page, page.get_by_role("combobox", name="Change"), "Forget bias")
    expect(page.get_by_text("b_if + b_hf")).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(option(page, "Side by side")).to_be_visible()
    expect(page).to_have_url(re.compile("s_edits="))
    wait_idle(page)
    other = open_tab()
    visit(server, other, "?" + page.url.split("?", 1)[1])

    def read_z(p: Page) -> object:
        return drawn(p, "Step through").evaluate(
            "(r) => r.querySelector('.rv-plot')._fullData.map((t) => Array.from(t.z, (z) => Array.from(z)))"
        )

    assert read_z(other) == read_z(page)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(option(page, "Side by side")).to_have_count(0)


def test_one_press_of_back_undoes_a_preset(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("RNN by matmul").click()
    expect(page.get_by_text("nn.RNN(5, 6)").first).to_be_visible()
    expect(page).to_have_url(re.compile("s_kind=RNN"))
    wait_idle(page)
    page.go_back()
    expect(page.get_by_text("nn.LSTM(4, 6)").first).to_be_visible()
    assert "?" not in page.url


def test_the_keys_live_after_a_click_on_a_control(server: Server, page: Page) -> None:
    visit(server, page)
    option(page, "GRU").click()
    expect(page.get_by_text("nn.GRU(4, 6)").first).to_be_visible()
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_contain_text("step 3,")
    option(page, "Path").click()
    drawn(page, "Step through, Path")
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_contain_text("step 4,")
    expect(page.get_by_text("nn.GRU(4, 6)").first).to_be_visible()


def test_the_backward_reader_plays_from_the_right(server: Server, page: Page) -> None:
    visit(server, page, "?s_bi=true&s_dir=backward&s_step=0")
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(heading(page)).to_contain_text("step 4,", timeout=20_000)
    expect(heading(page)).to_contain_text("step 3,", timeout=20_000)
    page.get_by_role("button", name=re.compile("^Pause")).click()
    expect(page.get_by_role("button", name=re.compile("^Play"))).to_be_visible()


def test_a_table_is_uploaded_and_a_wrong_file_is_refused_with_words(server: Server, page: Page) -> None:
    visit(server, page, "?s_source=Table")
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput")
    good = {"name": "t.csv", "mimeType": "text/csv", "buffer": b"a,b,c\n1,2,3\n4,5,6\n-1,0,1\n"}
    chooser.set_input_files(good)  # type: ignore[arg-type]
    expect(page.get_by_text("nn.LSTM(3, 6)").first).to_be_visible()
    table = page.get_by_role("textbox", name="Table")
    expect(table).to_have_value("1 2 3\n4 5 6\n-1 0 1")
    wait_idle(page)
    wrong = {"name": "t.csv", "mimeType": "text/csv", "buffer": bytes(range(256))}
    chooser.set_input_files(wrong)  # type: ignore[arg-type]
    expect(page.get_by_text("is not a text file in UTF-8")).to_be_visible()
    expect(table).to_have_value("1 2 3\n4 5 6\n-1 0 1")


@pytest.mark.parametrize("width", [1280, 800, 400])
def test_nothing_overflows(server: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    visit(server, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_the_code_popover_holds_the_script_of_the_step_in_view(server: Server, page: Page) -> None:
    visit(server, page)
    page.keyboard.press("ArrowRight")
    expect(heading(page)).to_contain_text("step 3,")
    wait_idle(page)
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_text("seen[0, 0, 3]")).to_be_visible()
    expect(page.get_by_text("nn.LSTM(4, 6)").last).to_be_visible()


def test_back_from_another_page_finds_the_settings_again(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_role("slider", name="hidden_size").press("ArrowRight")
    expect(page).to_have_url(re.compile("s_hidden=7"))
    wait_idle(page)
    page.get_by_role("link", name="Home").click()
    expect(page).to_have_url(f"{server.url}/")
    drawn(page, "Hidden state word by word")
    page.get_by_role("textbox", name="Sentence").fill("to be or not")
    page.get_by_role("textbox", name="Sentence").press("Enter")
    expect(page).to_have_url(re.compile("h_text=to"))
    expect(drawn(page, "Hidden state word by word").get_by_text("not", exact=True)).to_be_visible()
    wait_idle(page)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/step\?s_hidden=7"))
    expect(page.get_by_text("nn.LSTM(4, 7)").first).to_be_visible()
    page.go_forward()
    expect(page).to_have_url(re.compile("h_text=to"))
    drawn(page, "Hidden state word by word")
    expect(page.get_by_role("textbox", name="Sentence")).to_have_value("to be or not")


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("width", [800, 1280])
def test_no_text_of_a_picture_overprints_another(server: Server, page: Page, width: int, kind: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    visit(server, page, f"?s_kind={kind}")
    for name in ("Step through", "The arithmetic of this step"):
        overprinted = drawn(page, name).evaluate(
            """(root) => {
              const drawn = [".xaxislayer-above", ".annotation", ".cbaxis", ".colorbar [class*=title]"];
              const texts = drawn.flatMap((name) => [...root.querySelectorAll(`${name} text`)]);
              const boxes = texts.map((one) => [one.textContent, one.getBoundingClientRect()]);
              const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;  // part of a line is empty
              return [boxes.length, boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
                .filter(([, b]) => over(a, b)).map(([other]) => `${one} / ${other}`))];
            }"""
        )
        assert overprinted[0] > 6 and overprinted[1] == []
