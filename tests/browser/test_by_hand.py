"""*By hand* as a student meets it: presets, faults, the operations one by one, links, any width."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.by_hand.experiment import operations, outcome
from rnnviz.screens.by_hand import ALL_FAULTS, WAYS, faults, screen
from tests.browser.harness import Server, drawn, expect_fits, pick, wait_idle

MAPS = "Both results and their difference"


def option(page: Page, name: str) -> Locator:
    """One segment of a segmented control."""
    return page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)


def visit(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.url}/by-hand{query}")
    expect(page.get_by_text("max |difference|").first).to_be_visible()
    drawn(page, MAPS)
    wait_idle(page)


_LARGEST = """(name) => {
  const plot = document.querySelector(`[role="figure"][aria-label^="${name}"] .rv-plot`);
  const largest = (z) => Math.max(0, ...Array.from(z, (row) => Math.max(...Array.from(row, Math.abs))));
  return plot?._fullData?.map((trace) => largest(trace.z));
}"""


def until_largest(page: Page, trace: int, low: float, high: float) -> None:
    """Wait until the largest |number| of one map that the browser holds lies between the two."""
    page.wait_for_function(
        f"([name, k, low, high]) => {{ const found = ({_LARGEST})(name)?.[k]; "
        "return found >= low && found <= high; }",
        arg=[MAPS, trace, low, high],
    )


def test_the_picture_is_wholly_visible_at_first_visit_and_a_fault_lights_up(
    server: Server, page: Page
) -> None:
    visit(server, page)
    box = drawn(page, MAPS).bounding_box()
    assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800
    for label in ("By hand", "PyTorch"):
        code = page.get_by_role("group", name=label, exact=True).first
        assert code.evaluate("(e) => e.scrollWidth <= e.clientWidth"), label
    until_largest(page, 2, 0.0, 1e-6)
    option(page, "Transpose W_hh").click()
    expect(page.get_by_text("its transpose fits as well")).to_be_visible()
    expect(page.locator("s").first).to_have_text(
        "h = torch.tanh(x[:, t] @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
    )
    apart = outcome(screen({"b_fault": "Transpose W_hh"})[0]).results[0].largest
    assert apart is not None and apart > 1e-2
    until_largest(page, 2, 1e-2, apart + 1e-6)
    expect(page).to_have_url(re.compile("b_fault=Transpose"))
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_text("# Broken on purpose: Transpose W_hh")).to_be_visible()
    page.keyboard.press("Escape")
    option(page, "Intact").click()
    expect(page.locator("s")).to_have_count(0)
    until_largest(page, 2, 0.0, 1e-6)


def test_a_preset_sets_the_sidebar_too_and_one_press_of_back_undoes_it(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("Trap").click()
    expect(page.get_by_text("silently a one-layer model")).to_be_visible()
    expect(page.get_by_role("combobox", name="Experiment")).to_have_value("Stack of cells")
    expect(page.get_by_role("spinbutton", name="num_layers")).to_have_value("2")
    wait_idle(page)
    page.go_back()
    expect(page.get_by_role("combobox", name="Experiment")).to_have_value("From matmul")
    expect(page.get_by_text("silently a one-layer model")).to_have_count(0)


def test_another_experiment_brings_its_own_controls_and_the_shown_sequence_follows_the_batch(
    server: Server, page: Page
) -> None:
    visit(server, page)
    pick(page, page.get_by_role("combobox", name="Experiment"), "Layers stacked")
    expect(page.get_by_role("spinbutton", name="num_layers")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Output size")).to_have_count(0)
    expect(option(page, "Only the first layer")).to_be_visible()
    wait_idle(page)
    page.get_by_text("More", exact=True).click()
    shown = page.get_by_role("spinbutton", name="Sequence shown")
    shown.fill("1")
    shown.press("Enter")
    expect(page).to_have_url(re.compile("b_n=1"))
    wait_idle(page)
    batch = page.get_by_role("spinbutton", name="Batch N")
    batch.fill("1")
    batch.press("Enter")
    expect(shown).to_have_count(0)
    wait_idle(page)
    batch.fill("3")
    batch.press("Enter")
    expect(shown).to_be_visible()
    wait_idle(page)
    page.get_by_test_id("stButtonGroup").get_by_text("Memory").click()
    expect(page.get_by_role("combobox", name="Experiment")).to_have_value("Memory without activation")
    expect(page.get_by_role("spinbutton", name="Batch N")).to_have_value("4")
    drawn(page, "Norm of the state")
    for label in ("Split", "Concatenated"):
        code = page.get_by_role("group", name=label, exact=True).first
        assert code.evaluate("(e) => e.scrollWidth <= e.clientWidth"), label


def test_keys_walk_through_the_operations_and_the_code_follows(server: Server, page: Page) -> None:
    visit(server, page)
    recorded = operations(screen({})[0]).operations
    mark = page.locator("mark")
    expect(mark).to_have_text(recorded[0].code)
    maps = drawn(page, MAPS)
    before = maps.get_attribute("data-draws")
    for k in (1, 2, 3):
        page.keyboard.press("ArrowRight")
        expect(mark).to_have_text(recorded[k].code)
    page.keyboard.press("End")
    expect(mark).to_have_text(recorded[-1].code)
    expect(page).to_have_url(re.compile(f"b_op={len(recorded) - 1}"))
    wait_idle(page)
    assert maps.get_attribute("data-draws") == before


def test_playing_walks_to_the_last_operation(server: Server, page: Page) -> None:
    visit(server, page, "?b_len=1&b_exp=No+memory&b_detail=Operation+by+operation")
    recorded = operations(screen({"b_exp": "No memory", "b_len": 1})[0]).operations
    page.get_by_role("button", name=re.compile("^Play")).click()
    expect(page.locator("mark")).to_have_text(recorded[-1].code)
    expect(page.get_by_role("button", name=re.compile("^Play"))).to_be_visible()


def test_the_spectral_radius_moves_the_curves(server: Server, page: Page) -> None:
    visit(server, page, "?b_exp=Memory+without+activation&b_detail=Explode+or+die")
    curves = drawn(page, "Norm of the state")
    curves.scroll_into_view_if_needed()
    before = curves.get_attribute("data-draws") or "0"
    page.get_by_role("slider", name="Spectral radius of W_2").focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile("b_radius=1.5"))
    expect(curves).not_to_have_attribute("data-draws", before)


def test_a_size_reaches_the_picture_and_the_code_and_the_link_repeats_it(
    server: Server, page: Page, open_tab: Callable[[], Page]
) -> None:
    visit(server, page)
    field = page.get_by_role("spinbutton", name="hidden_size")
    field.fill("3")
    field.press("Enter")
    expect(page.get_by_text("nn.RNN(5, 3, batch_first=True)").first).to_be_visible()
    option(page, "GRU").click()
    expect(page.get_by_text("nn.GRU(5, 3, batch_first=True)").first).to_be_visible()
    wait_idle(page)
    other = open_tab()
    visit(server, other, "?" + page.url.split("?", 1)[1])
    expect(other.get_by_text("nn.GRU(5, 3, batch_first=True)").first).to_be_visible()
    current = screen({"b_kind": "GRU", "b_hidden": 3})[0]
    expected = float(abs(outcome(current).results[0].hand[0]).max())
    for each in (page, other):
        until_largest(each, 0, expected - 1e-6, expected + 1e-6)


def test_every_fault_is_in_sight_on_a_narrow_page(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 800, "height": 800})
    visit(server, page, "?b_kind=GRU")
    row = page.get_by_test_id("stButtonGroup").filter(has_text="Intact")
    assert row.evaluate(
        "(e) => [e, ...e.querySelectorAll('*')].every((c) => c.scrollWidth <= c.clientWidth + 1)"
    )
    for name in faults("From matmul", "GRU", WAYS[0]):
        box = option(page, name).bounding_box()
        assert box is not None and box["x"] + box["width"] <= 800, name


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"?b_kind=LSTM&b_fault={ALL_FAULTS[2].replace(' ', '+')}&b_detail=Gradients",
        "?b_exp=Memory+without+activation&b_detail=Explode+or+die",
    ],
)
def test_nothing_overflows_at_any_width(server: Server, page: Page, query: str) -> None:
    visit(server, page, query)
    for width in (1280, 800, 400):
        expect_fits(page, width)
