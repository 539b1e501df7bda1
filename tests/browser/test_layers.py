"""Layers & shapes in a browser: presets, axes that move, addresses, sizes, themes, narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.gates import AXES
from rnnviz.presets import EXAMPLES
from rnnviz.screens.layers import VIEWS, preset_values, screen
from rnnviz.shapes import tensors
from tests.browser.harness import Server, choose_theme, pick, wait_idle

Open = Callable[..., Page]
BOXES = "Tensors of the layer"


def picture(page: Page, name: str = BOXES) -> Locator:
    return page.get_by_role("figure", name=name, exact=True)


def arrive(page: Page, server: Server, query: str = "") -> Page:
    page.goto(f"{server.url}/layers{query}")
    wait_idle(page)
    page.wait_for_selector(".rv-chart[data-draws]")
    return page


def labels(page: Page) -> list[str]:
    """The words drawn in the picture, as they are read."""
    return picture(page).locator(".annotation-text").all_text_contents()


def edges(page: Page, tensor: str) -> list[str]:
    """The colours of the axes in the row of a tensor in the table, in their order."""
    row = page.locator("tr", has=page.get_by_role("cell", name=tensor, exact=True))
    colours: list[str] = row.locator("span").evaluate_all("spans => spans.map((s) => s.style.color)")
    return colours


def rgb(letter: str) -> str:
    colour = AXES[letter].colour
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def query_of(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def switch(page: Page, label: str) -> None:
    page.get_by_test_id("stSidebar").get_by_test_id("stCheckbox").filter(has_text=label).locator(
        "label"
    ).click()


def view(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def test_the_first_visit_shows_the_whole_picture_without_scrolling(page: Page, server: Server) -> None:
    arrive(page, server)
    box = picture(page).bounding_box()
    assert box is not None and box["y"] + box["height"] <= 800
    expect(page.get_by_text("A6", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("radio", name="Quiz", exact=True)).to_be_in_viewport()
    for label in ("input_size", "Batch N", "Seed", "batch_first"):
        expect(page.get_by_test_id("stSidebar").get_by_text(label, exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("row", ["A1", "A2"])
def test_a_preset_is_one_click_and_is_the_address(page: Page, server: Server, row: str) -> None:
    arrive(page, server)
    example = EXAMPLES[row]
    page.get_by_role("radio", name=f"{row} {example.title}").or_(
        page.get_by_role("button", name=f"{row} {example.title}")
    ).first.click()
    expect(page.get_by_text(example.fact)).to_be_visible()
    wait_idle(page)
    for shape in tensors(example.config, example.length, example.batch).values():
        for d in shape.dims:
            assert f"{d.formula} = {d.size:,}" in labels(page)
    box = picture(page).bounding_box()
    assert box is not None and box["y"] + box["height"] <= 800
    shown = labels(page)
    current = screen(query_of(page))[0]
    assert current == screen(preset_values(example))[0]
    page.reload()
    expect(page.get_by_text(example.fact)).to_be_visible()
    page.wait_for_selector(".rv-chart[data-draws]")
    assert labels(page) == shown
    while "?" in page.url:  # one entry of the history for each value that the preset has set
        page.go_back()
        wait_idle(page)
    expect(page.get_by_text("input (N, L, H_in) is (3, 7, 5)")).to_have_count(1)


def test_batch_first_moves_the_axes_of_input_and_output_and_not_those_of_h_n(
    page: Page, server: Server
) -> None:
    arrive(page, server)
    assert edges(page, "input") == [rgb("N"), rgb("L"), rgb("H_in")]
    switch(page, "batch_first")
    expect(page.get_by_text("input (L, N, H_in) is (7, 3, 5)")).to_have_count(1)
    wait_idle(page)
    assert edges(page, "input") == [rgb("L"), rgb("N"), rgb("H_in")]
    assert edges(page, "output") == [rgb("L"), rgb("N"), rgb("H_out")]
    assert edges(page, "h_n") == [rgb("layers"), rgb("N"), rgb("H_out")]
    expect(page).to_have_url(f"{server.url}/layers?l_bf=false")


def test_a_click_on_a_box_shows_its_numbers(page: Page, server: Server) -> None:
    arrive(page, server)
    at = picture(page).evaluate(
        """(root) => {
          const plot = root.querySelector(".rv-plot");
          const layout = plot._fullLayout;
          const i = plot.data.findIndex((t) => t.name === "tensors");
          const k = plot.data[i].customdata.findIndex(([name]) => name === "h_n");
          return { x: layout.xaxis._offset + layout.xaxis.l2p(plot.data[i].x[k]),
                   y: layout.yaxis._offset + layout.yaxis.l2p(plot.data[i].y[k]) };
        }"""
    )
    picture(page).click(position=at)  # once it stands still
    expect(picture(page, "Numbers of h_n")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/layers?l_tensor=h_n")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?l_hidden=0", "at least 1 is allowed"),
        ("?l_kind=TCN&l_len=abc", "none of RNN, LSTM, GRU"),
        ("?l_padded=true&l_lengths=99,x", "is not a length"),
    ],
)
def test_a_bad_address_is_corrected_with_a_message(page: Page, server: Server, query: str, said: str) -> None:
    arrive(page, server, query)
    expect(page.get_by_test_id("stAlert")).to_contain_text(said)
    expect(picture(page)).to_be_visible()
    assert "TCN" not in page.url and "abc" not in page.url


def test_a_layer_too_large_to_run_still_shows_its_shapes(page: Page, server: Server) -> None:
    arrive(page, server, "?l_hidden=65536&l_layers=64&l_len=1000000&l_batch=1000000")
    expect(page.get_by_text("Not run here")).to_be_visible()
    assert "D * num_layers = 128" in labels(page)
    assert "N = 1,000,000" in labels(page) and "L = 1M" in labels(page)
    expect(page.get_by_role("cell", name="L = 1,000,000")).to_have_count(2)  # of input and of output


def test_every_view_is_drawn_and_the_address_remembers_it(page: Page, server: Server) -> None:
    arrive(page, server, "?l_layers=2&l_text=one%20two%0Athree")
    for name in VIEWS[1:]:
        view(page, name)
        page.wait_for_url(f"**l_view={name.split()[0]}*")
        wait_idle(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert "l_layers=2" in page.url
    view(page, "Feeding order")
    expect(page.get_by_text("enter together: one, three.")).to_have_count(1)
    assert "l_text=one" in page.url


def test_a_step_of_the_feeding_order_is_chosen_by_a_click_and_by_the_slider(
    page: Page, server: Server
) -> None:
    arrive(page, server, "?l_view=Feeding+order")
    expect(page.get_by_text("enter together: the, everybody, she.")).to_have_count(1)
    page.get_by_role("slider", name="Step t").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("enter together: dog, read, sings.")).to_have_count(1)
    assert query_of(page) == {"l_view": "Feeding order", "l_step": "1"}
    where: dict[str, float] = picture(page, "Feeding order").evaluate(
        """(root) => {
          const { xaxis, yaxis } = root.querySelector(".rv-plot")._fullLayout;
          const box = root.getBoundingClientRect();
          return { x: box.x + xaxis._offset + xaxis.l2p(0), y: box.y + yaxis._offset + yaxis.l2p(3) };
        }"""
    )
    page.mouse.move(where["x"] - 2, where["y"])
    page.mouse.click(where["x"], where["y"])
    expect(page.get_by_text("enter together: the, book, <pad>.")).to_have_count(1)


def test_a_row_of_the_parameter_table_is_drawn_when_it_is_chosen(page: Page, server: Server) -> None:
    arrive(page, server, "?l_view=Parameters&l_kind=LSTM")
    expect(picture(page, "weight_ih_l0")).to_be_visible()
    pick(page, page.get_by_test_id("stSelectbox").locator("input"), "bias_ih_l0")
    expect(picture(page, "bias_ih_l0")).to_be_visible()
    assert query_of(page) == {"l_view": "Parameters", "l_kind": "LSTM", "l_param": "bias_ih_l0"}


def test_more_keeps_what_was_set_when_it_is_closed(page: Page, server: Server) -> None:
    arrive(page, server)
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.locator("summary").click()
    switch(page, "Unbatched")
    expect(page.get_by_text("input (L, H_in) is (7, 5)")).to_have_count(1)
    expect(sidebar.get_by_text("1 set in More")).to_be_visible()
    expect(sidebar.get_by_text("Unbatched", exact=True)).to_be_visible()
    sidebar.locator("summary").click()
    expect(sidebar.get_by_text("Unbatched", exact=True)).not_to_be_visible()
    sidebar.get_by_text("RNN", exact=True).click()
    expect(
        page.get_by_text("nn.RNN(5, 6, batch_first=True, bidirectional=True): input (L, H_in)")
    ).to_have_count(1)
    assert "l_unbatched=true" in page.url


@pytest.mark.parametrize("width", [400, 800])
def test_a_narrow_screen_needs_no_sideways_scrolling(page: Page, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in VIEWS:
        arrive(page, server, f"?l_view={name.replace(' ', '+')}&l_kind=LSTM") if name != "Quiz" else None
        box = page.locator(".rv-chart").first.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_the_axes_keep_their_colours_in_the_dark(page: Page, server: Server) -> None:
    arrive(page, server)
    light = edges(page, "output")
    choose_theme(page, "Dark")
    assert edges(page, "output") == light
    colours: list[str] = (
        picture(page)
        .locator(".annotation-text")
        .evaluate_all("texts => texts.map((t) => getComputedStyle(t).fill)")
    )
    assert {rgb(letter) for letter in ("L", "N", "H_in", "H_out", "layers")} <= set(colours)


def inside(page: Page, selector: str, outer: str) -> None:
    """Every such element ends within the outer one: nothing is cut at a side."""
    cut = page.evaluate(
        """([selector, outer]) => [...document.querySelectorAll(selector)].filter((one) => {
          const [a, b] = [one.getBoundingClientRect(), one.closest(outer).getBoundingClientRect()];
          return a.width && (a.left < b.left - 1 || a.right > b.right + 1);
        }).map((one) => one.textContent)""",
        [selector, outer],
    )
    assert page.locator(selector).count() and cut == []


LARGEST = "l_in=65536&l_hidden=65536&l_layers=64&l_len=1000000&l_batch=1000000"


@pytest.mark.parametrize("query", ["", LARGEST, f"l_kind=LSTM&{LARGEST}"])
@pytest.mark.parametrize("width", [800, 1280])
def test_nothing_of_the_tensors_is_cut(page: Page, server: Server, width: int, query: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{server.url}/layers?{query}")
    page.wait_for_selector(".rv-chart[data-draws]")
    wait_idle(page)
    inside(page, ".rv-chart .annotation", ".rv-chart")
    inside(page, "[data-testid=stHtml] td", "[data-testid=stHtml]")
    expect(page.get_by_text("h of the top layer, at every step").filter(visible=True)).to_have_count(1)


def test_the_parameters_have_room_on_a_narrow_page(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 800, "height": 800})
    page.goto(f"{server.url}/layers?l_view=Parameters&l_kind=LSTM&l_layers=2")
    page.wait_for_selector(".rv-chart[data-draws]")
    wait_idle(page)
    inside(page, ".rv-chart .gtitle", ".rv-chart")
    expect(page.locator(".rv-chart .gtitle")).to_have_text("weight_ih_l0  (24, 5)")
    width = page.evaluate("document.querySelector('.rv-plot')._fullLayout.xaxis._length")
    table = page.get_by_test_id("stDataFrame").bounding_box()
    assert width > 200 and table is not None and table["width"] > 400
