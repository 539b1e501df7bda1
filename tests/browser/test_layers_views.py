"""The unrolled network, the traps and the quiz as a student uses them: pointing, clicking, typing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.quiz import question
from tests.browser.harness import Server, wait_idle


def opened(server: Server, page: Page, query: str, name: str | None) -> Page:
    page.goto(f"{server.url}/layers?{query}")
    if name is not None:
        expect(figure(page, name)).to_have_attribute("data-draws", "1", timeout=20_000)
    wait_idle(page)
    return page


def figure(page: Page, name: str) -> Locator:
    return page.get_by_role("figure", name=name)


def spot(page: Page, name: str, trace: str, index: int) -> tuple[float, float]:
    """Where a point of a trace is on the screen."""
    x, y = figure(page, name).evaluate(
        """(root, [name, index]) => {
          const plot = root.querySelector('.rv-plot'), box = plot.getBoundingClientRect();
          const trace = plot._fullData.find((one) => one.name === name);
          const axis = (id) => plot._fullLayout[`${id[0]}axis${id.slice(1)}`];
          const [x, y] = [axis(trace.xaxis), axis(trace.yaxis)];
          const at = (axis, value) => axis._offset + axis.d2p(value);
          return [box.left + at(x, trace.x[index]), box.top + at(y, trace.y[index])];
        }""",
        [trace, index],
    )
    return x, y


def test_clicking_a_row_of_h_n_shows_where_it_is_in_output(server: Server, page: Page) -> None:
    opened(server, page, "l_view=Unrolled", "Unrolled network")
    expect(page.get_by_text("output[:, -1, :6]", exact=True)).to_be_visible()
    page.mouse.click(*spot(page, "Unrolled network", "h_n", 1))
    expect(page.get_by_text("output[:, 0, 6:]", exact=True)).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Row of h_n")).to_have_value("1")
    page.wait_for_url("**l_row=1**")


def test_a_cell_says_which_weights_it_uses(server: Server, page: Page) -> None:
    opened(server, page, "l_view=Unrolled", "Unrolled network")
    page.mouse.move(*spot(page, "Unrolled network", "layer 0 backward", 2))
    label = figure(page, "Unrolled network").locator(".hoverlayer")
    for part in (
        "layer 0, backward, step 2",
        "weight_ih_l0_reverse  (18, 5)",
        "weight_hh_l0_reverse  (18, 6)",
    ):
        expect(label).to_contain_text(part)


@pytest.mark.parametrize(
    "query", ["l_view=Unrolled", "l_view=Unrolled&l_layers=64&l_len=100000", "l_view=Traps"]
)
def test_the_picture_is_wholly_visible_without_scrolling(server: Server, page: Page, query: str) -> None:
    name = "Last output against h_n" if "Traps" in query else "Unrolled network"
    opened(server, page, query, name)
    box = figure(page, name).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800


def test_clicking_a_bar_looks_at_that_sequence(server: Server, page: Page) -> None:
    opened(server, page, "l_view=Traps&l_trap=Padding", "Padded and packed")
    expect(page.get_by_text("Sequence 2 has 4 of 7 steps")).to_be_visible()
    x, y = spot(page, "Padded and packed", "drift", 1)
    page.mouse.click(x, y + 4)
    expect(page.get_by_text("Sequence 1 has 6 of 7 steps. Without")).to_be_visible()


def test_the_quiz_goes_on_with_nothing_but_the_keyboard(server: Server, page: Page) -> None:
    opened(server, page, "l_view=Quiz&l_quiz=7", None)
    field = page.get_by_label("Your answer")
    field.click()
    for number in range(2):
        page.keyboard.type("nonsense")
        page.keyboard.press("Enter")
        expect(page.get_by_text("I could not read that")).to_be_visible()
        expect(field).to_have_value("nonsense")
        page.keyboard.press("Control+A")
        page.keyboard.type(question(7, number).answer)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Next question")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Question {number + 2}", exact=True)).to_be_visible()
        expect(field).to_have_value("")
        expect(field).to_be_focused()
