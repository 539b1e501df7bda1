"""*Topologies* as a student meets it: clicks, typing, weight sharing, links, any width."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.topologies.config import TITLES
from tests.browser.harness import Server, drawn, expect_fits, wait_idle

STRIP = "The five shapes"


def visit(server: Server, page: Page, query: str = "", name: str = "Many to one") -> None:
    page.goto(f"{server.url}/topologies{query}")
    drawn(page, name)
    wait_idle(page)


def said(page: Page, text: str) -> Locator:
    """The line above the picture that says what came out."""
    return page.get_by_test_id("stHtml").get_by_text(text)


def test_A11_the_first_visit_shows_all_and_a_click_draws_a_shape_large_with_its_own_input(
    server: Server, page: Page
) -> None:
    visit(server, page)
    for name in (STRIP, "Many to one"):
        box = drawn(page, name).bounding_box()
        assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= 800
    box = drawn(page, STRIP).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6)
    drawn(page, "Many to many, out of step")
    expect(said(page, "hello backwards: “olleh”")).to_be_visible()
    expect(page.get_by_role("textbox", name="Word")).to_have_value("hello")
    expect(page).to_have_url(re.compile("p_shape=Many"))
    wait_idle(page)
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    expect(said(page, "42 is written “forty-two”")).to_be_visible()


def test_A11_what_is_typed_runs_what_cannot_be_read_is_said_and_the_code_follows(
    server: Server, page: Page
) -> None:
    visit(server, page)
    field = page.get_by_role("textbox", name="Brackets")
    field.fill("([)]")
    field.press("Enter")
    expect(said(page, "([)] is not balanced")).to_be_visible()
    field.fill("(a)")
    field.press("Enter")
    expect(page.get_by_text("a cannot be read: allowed are ( ) [ ].")).to_be_visible()
    expect(field).to_have_value("(a)")
    wait_idle(page)
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_text("class Checker(nn.Module):").first).to_be_visible()
    expect(page.get_by_text("# The training loop").first).to_be_attached()


def test_A11_a_click_in_the_plane_asks_for_that_point(server: Server, page: Page) -> None:
    visit(server, page, "?p_shape=One+to+one", "One to one")
    plane = drawn(page, "The answer at every point")
    plane.scroll_into_view_if_needed()
    spot = plane.evaluate(
        """(root) => {
          const plot = root.querySelector(".rv-plot"), { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.d2p(-3), box.y + yaxis._offset + yaxis.d2p(3)];
        }"""
    )
    page.mouse.click(*spot)
    expect(said(page, "(-3, 3) is outside")).to_be_visible()
    expect(page).to_have_url(re.compile("p_x=-3"))


def test_A10_the_preset_shows_the_counts_and_a_size_moves_them(server: Server, page: Page) -> None:
    visit(server, page)
    page.get_by_test_id("stButtonGroup").get_by_text("A10").click()
    drawn(page, "Weights as the sequence grows")
    expect(page.get_by_role("cell", name="51,520", exact=True)).to_be_visible()
    field = page.get_by_role("spinbutton", name="Length L")
    field.fill("40")
    field.press("Enter")
    expect(page.get_by_role("columnheader", name="at L = 40")).to_be_visible()
    expect(page.get_by_role("cell", name="205,440", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="1,664", exact=True)).to_be_visible()


def test_the_address_repeats_the_screen(server: Server, page: Page, open_page: Callable[..., Page]) -> None:
    visit(server, page, "?p_shape=Many+to+many,+in+step", "Many to many, in step")
    field = page.get_by_role("textbox", name="Sentence")
    field.fill("they book a book")
    field.press("Enter")
    expect(said(page, "they book a book: PRON V DET NN")).to_be_visible()
    wait_idle(page)
    other = open_page()
    visit(server, other, "?" + page.url.split("?", 1)[1], "Many to many, in step")
    expect(said(other, "they book a book: PRON V DET NN")).to_be_visible()


def test_the_loss_after_the_training_is_in_sight(server: Server, page: Page) -> None:
    for shape in TITLES.values():
        page.goto(f"{server.url}/topologies?p_shape={shape.replace(' ', '+')}&p_detail=Training")
        drawn(page, "Loss of the training")
        wait_idle(page)
        for width in (1280, 800):
            page.set_viewport_size({"width": width, "height": 800})
            table = page.get_by_role("group", name="Loss and accuracy").element_handle()
            page.wait_for_function("(e) => e.scrollWidth <= e.clientWidth", arg=table)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?p_view=Weight+sharing",
        "?p_shape=One+to+one",
        "?p_shape=One+to+many&p_detail=Training",
        "?p_shape=Many+to+many,+in+step",
    ],
)
def test_nothing_overflows_at_any_width(server: Server, page: Page, query: str) -> None:
    page.goto(f"{server.url}/topologies{query}")
    drawn(page, "")
    wait_idle(page)
    for width in (1280, 800, 400):
        expect_fits(page, width)
