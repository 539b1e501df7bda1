"""The chart as a person meets it: what changes in place, reaches Python, can be saved, read and typed."""

from __future__ import annotations

import csv
import io
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.figures import theme
from tests.browser.harness import ROOT, Server, wait_idle

APP = ROOT / "tests" / "browser" / "apps" / "chart_app.py"
SVG = "{http://www.w3.org/2000/svg}"
HEAT = "Hidden state h"
STEPS, UNITS = 12, 8


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server.start(tmp_path_factory.mktemp("charts"), app=APP) as running:
        yield running


@pytest.fixture
def view(charts: Server, page: Page) -> Page:
    return opened(charts, page)


def opened(charts: Server, page: Page) -> Page:
    page.goto(charts.url)
    for name in (HEAT, "Loss"):
        expect(page.get_by_role("figure", name=name)).to_have_attribute("data-draws", "1", timeout=20_000)
    wait_idle(page)
    return page


def heat(page: Page) -> Locator:
    return page.get_by_role("figure", name=HEAT)


def ask(page: Page, expression: str) -> Any:
    """A JavaScript expression about `plot`, the heatmap's Plotly element."""
    return heat(page).evaluate(
        f"(root) => {{ const plot = root.querySelector('.rv-plot'); return {expression}; }}"
    )


def cell(page: Page, step: float, unit: float) -> tuple[float, float]:
    """Where the middle of a heatmap cell is on the screen."""
    x, y = ask(
        page,
        f"""(() => {{
          const {{ xaxis, yaxis }} = plot._fullLayout, box = plot.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.l2p({step}), box.y + yaxis._offset + yaxis.l2p({unit})];
        }})()""",
    )
    return x, y


def zoom(page: Page) -> Any:
    """Zooms to steps 2-6 and units 1-5 with the mouse; returns the visible range of steps."""
    draws = int(heat(page).get_attribute("data-draws") or 0)
    page.mouse.move(*cell(page, 2, 1))
    page.mouse.down()
    page.mouse.move(*cell(page, 6, 5), steps=4)
    page.mouse.up()
    expect(heat(page)).to_have_attribute("data-draws", str(draws + 1))
    visible = ask(page, "plot._fullLayout.xaxis.range.slice()")
    assert visible == pytest.approx([2, 6], abs=0.05)
    return visible


def update(page: Page, to: int) -> None:
    page.get_by_role("button", name="Update").evaluate(
        "(button) => button.click()"
    )  # leaves the pointer alone
    expect(page.get_by_text(f"update {to}", exact=True)).to_be_visible()


# ---- changes in place


def test_twenty_updates_remount_nothing_and_keep_the_zoom(view: Page) -> None:
    visible = zoom(view)
    view.evaluate(
        """() => {
          window.plotBefore = document.querySelector('.rv-plot');
          window.removed = 0;
          const count = (changes) => changes.forEach(({ removedNodes }) => removedNodes.forEach((node) => {
            if (node.nodeType === 1 && (node.matches('.rv-chart, .rv-plot, .main-svg')
                || node.querySelector('.rv-chart'))) window.removed += 1;
          }));
          new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    for i in range(1, 21):
        update(view, i)
    assert ask(view, "plot === window.plotBefore")
    assert view.evaluate("() => window.removed") == 0
    assert ask(view, "plot._fullLayout.xaxis.range.slice()") == visible
    assert ask(view, "document.querySelectorAll('.js-plotly-plot').length") == 2


def test_a_burst_of_updates_ends_with_the_newest_figure_and_keeps_the_zoom(view: Page) -> None:
    visible = zoom(view)
    view.evaluate("() => { window.plotBefore = document.querySelector('.rv-plot'); }")
    view.get_by_text("Burst").click()
    expect(view.get_by_text("update 20", exact=True)).to_be_visible(timeout=20_000)
    assert ask(view, "plot === window.plotBefore")
    assert ask(view, "plot._fullLayout.xaxis.range.slice()") == visible


def test_the_reset_button_ends_a_zoom(view: Page) -> None:
    zoom(view)
    heat(view).get_by_role("button", name="Reset the view").click()
    expect(heat(view)).to_have_attribute("data-draws", "3")
    assert ask(view, "plot._fullLayout.xaxis.range.slice()") == [-0.5, STEPS - 0.5]


def test_the_hover_label_stays_while_the_figure_changes_and_shows_the_new_value(view: Page) -> None:
    label = heat(view).locator(".hoverlayer .hovertext")
    view.mouse.move(*cell(view, 2, 0))
    expect(label).to_contain_text("step sat")
    before = label.text_content()
    update(view, 1)
    expect(label).to_contain_text("step sat")
    expect(label).not_to_have_text(before or "")


def test_leaving_a_page_purges_its_figures(view: Page) -> None:
    view.evaluate("() => { window.plots = [...document.querySelectorAll('.rv-plot')]; }")
    view.get_by_text("Show").click()
    expect(view.locator(".rv-chart")).to_have_count(0)
    view.wait_for_function("() => window.plots.every((plot) => plot._fullLayout === undefined)")
    view.get_by_text("Show").click()
    expect(heat(view)).to_have_attribute("data-draws", "1")
    expect(view.locator(".js-plotly-plot")).to_have_count(2)


def test_an_updated_server_draws_into_the_charts_of_an_open_page(view: Page) -> None:
    view.evaluate(
        """async () => {
          const files = performance.getEntriesByType('resource').map((entry) => entry.name);
          const address = files.find((name) => /\\/chart\\.[0-9a-f]+\\.js$/.test(name));
          const newer = await import(`${address}?another-version`);
          for (const { current } of window.rnnvizCharts.charts.values()) await newer.chart(current);
        }"""
    )
    expect(view.locator(".rv-chart")).to_have_count(2)
    expect(heat(view)).to_have_attribute("data-draws", "2")


# ---- events


def test_a_click_on_a_heatmap_cell_reaches_the_page(view: Page) -> None:
    view.mouse.click(*cell(view, 4, 6))
    expect(view.get_by_text("clicks 1 last Point(curve=0, index=(6, 4), x=4.0, y=6.0")).to_be_visible()
    view.mouse.click(*cell(view, 1, 0))
    expect(view.get_by_text("clicks 2 last Point(curve=0, index=(0, 1)")).to_contain_text("text='cat'")


def test_hover_reaches_the_page_and_so_does_its_end(view: Page) -> None:
    line = view.get_by_role("figure", name="Loss")
    line.hover()
    expect(view.get_by_text("hover 6.0").or_(view.get_by_text("hover 5.0"))).to_be_visible()
    view.get_by_text("reruns").hover()
    expect(view.get_by_text("hover None")).to_be_visible()


# ---- cursor


def mark(page: Page) -> tuple[float, float]:
    """Left and right edge of the cursor in the heatmap."""
    box = heat(page).locator(".rv-step").bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def column(page: Page, step: int) -> Any:
    return pytest.approx((cell(page, step - 0.5, 0)[0], cell(page, step + 0.5, 0)[0]), abs=1)


def test_the_cursor_moves_in_every_chart_of_its_group_and_no_figure_is_sent(
    charts: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()  # one that this listener ends with
    received: list[bytes | str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    view = opened(charts, page)
    assert mark(view) == column(view, 0)
    assert sum(map(len, received)) > 2_000  # the recording works: the figures came this way
    received.clear()
    moved = f"document.querySelector('.rv-step').getBoundingClientRect().x > {mark(view)[0] + 5}"
    view.get_by_role("slider").press("ArrowRight")
    view.wait_for_function(f"() => {moved}")
    assert mark(view) == column(view, 1)
    expect(view.get_by_role("figure", name="Loss").locator(".rv-band")).to_have_count(1)
    wait_idle(view)
    assert sum(map(len, received)) < 3_000
    assert not any("heatmap" in str(frame) for frame in received)
    assert heat(view).get_attribute("data-draws") == "1"


def test_the_cursor_follows_a_click_and_a_zoom(view: Page) -> None:
    view.mouse.click(*cell(view, 4, 6))
    expect(view.get_by_text("clicks 1")).to_be_visible()
    assert mark(view) == column(view, 4)
    zoom(view)
    assert mark(view) == column(view, 4)
    heat(view).get_by_role("button", name="Reset the view").click()
    expect(heat(view)).to_have_attribute("data-draws", "3")
    view.mouse.click(*cell(view, 10, 6))
    expect(view.get_by_text("clicks 2")).to_be_visible()
    assert mark(view) == column(view, 10)
    zoom(view)
    expect(heat(view).locator(".rv-step")).to_have_count(0)


# ---- keyboard and screen reader


def test_a_chart_has_a_name_a_summary_and_named_buttons(view: Page) -> None:
    expect(heat(view)).to_have_accessible_description(
        f"h over {STEPS} steps and {UNITS} units. Arrow keys walk over the cells, Enter chooses one."
    )
    expect(view.get_by_role("figure", name="Loss")).to_have_accessible_description(
        "A line that rises from 0 to 1."
    )
    for name in (
        "Reset the view",
        "Save the picture as SVG",
        "Save the picture as PNG",
        "Save the data as CSV",
    ):
        expect(heat(view).get_by_role("button", name=f"{name}: {HEAT}")).to_have_count(1)


def test_cells_can_be_reached_and_chosen_with_the_keyboard_alone(view: Page) -> None:
    view.get_by_role("switch", name="Show").focus()
    view.keyboard.press("Tab")
    expect(heat(view)).to_be_focused()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):  # the first enters at the first cell
        view.keyboard.press(key)
    spoken = heat(view).locator("[aria-live]")
    expect(spoken).to_have_text("ht, cat, 0: 0.1000")
    expect(heat(view).locator(".hoverlayer .hovertext")).to_contain_text("step cat")
    view.keyboard.press("Enter")
    expect(view.get_by_text("clicks 1 last Point(curve=0, index=(0, 1), x=1.0, y=0.0")).to_be_visible()
    assert mark(view) == column(view, 1)
    view.keyboard.press("Escape")
    expect(spoken).to_have_text("")
    view.keyboard.press("Tab")
    expect(heat(view).get_by_role("button", name="Reset the view")).to_be_focused()


def test_after_a_click_arrow_keys_are_left_to_the_page(view: Page) -> None:
    view.mouse.click(*cell(view, 4, 6))
    view.keyboard.press("ArrowRight")
    expect(heat(view).locator(".rv-focus")).to_have_count(0)


# ---- theme and size


def scale_and_text(page: Page) -> Any:
    colours = "plot._fullLayout.coloraxis.colorscale.map((stop) => stop[1])"
    return ask(page, f"[{colours}, plot._fullLayout.font.color]")


def test_switching_the_theme_recolours_without_a_remount(view: Page) -> None:
    assert scale_and_text(view) == [list(theme.SIGNED), theme.TEXT]
    view.evaluate("() => { window.plotBefore = document.querySelector('.rv-plot'); }")
    view.emulate_media(color_scheme="dark")
    expect(heat(view)).to_have_attribute("data-draws", "2")
    assert scale_and_text(view) == [[theme.DARK[c] for c in theme.SIGNED], theme.DARK[theme.TEXT]]
    assert ask(view, "plot === window.plotBefore")
    assert ask(view, "plot._fullLayout.hoverlabel.bgcolor") == theme.DARK[theme.BACKGROUND]


def test_a_phone_shows_the_whole_width(charts: Server, open_page: Callable[..., Page]) -> None:
    view = opened(charts, open_page(viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True))
    for width in (400, 320):
        view.set_viewport_size({"width": width, "height": 800})
        view.wait_for_function(
            f"""() => [...document.querySelectorAll('.rv-plot')].every((plot) =>
                plot._fullLayout.width === plot.clientWidth && plot.clientWidth < {width})"""
        )
        assert view.evaluate("() => document.documentElement.scrollWidth") <= width
        left, right = cell(view, -0.5, 0)[0], cell(view, STEPS - 0.5, 0)[0]
        assert 0 <= left < right <= width
        assert right - left > width / 2
    assert ask(view, "plot._fullLayout.dragmode") is False


# ---- saving


def saved(page: Page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        heat(page).get_by_role("button", name=button).press("Enter")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_the_data_are_saved_as_csv(view: Page) -> None:
    name, content = saved(view, "CSV")
    assert name == "hidden-state-h.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert len(rows) == STEPS * UNITS
    assert rows[1] == {"trace": "ht", "x": "1", "x_label": "cat", "y": "0", "z": "0.1"}
    assert rows[3 * STEPS + 5]["z"] == ""  # NaN
    assert rows[5]["x_label"] == "<b>mat</b>"
    assert rows[6]["x_label"] == "'=1+1"  # not a formula for a spreadsheet
    values = ask(view, "[].concat(...plot._fullData[0].z.map((row) => Array.from(row)))")
    for row, value in zip(rows, values, strict=True):
        if row["z"]:
            assert struct.pack("f", float(row["z"])) == struct.pack("f", value)  # every bit of the float32


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_saved_as_svg_on_the_theme_s_ground(
    scheme: Literal["light", "dark"], charts: Server, page: Page
) -> None:
    page.emulate_media(color_scheme=scheme)
    name, content = saved(opened(charts, page), "SVG")
    assert name == "hidden-state-h.svg"
    picture = ElementTree.fromstring(content)
    texts = {node.text: node.get("style", "") for node in picture.iter(f"{SVG}text")}
    assert {"update 0", "<b>mat</b>", "=1+1"} <= set(texts)
    ground, text = theme.BACKGROUND, theme.TEXT
    if scheme == "dark":
        ground, text = theme.DARK[ground], theme.DARK[text]
    paper = picture.find(f"{SVG}rect")
    assert paper is not None
    assert rgb(ground) in paper.get("style", "")
    assert rgb(text) in texts["update 0"]


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


def test_the_picture_is_saved_as_png_at_twice_its_size(view: Page) -> None:
    name, content = saved(view, "PNG")
    assert name == "hidden-state-h.png"
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (2 * ask(view, "plot._fullLayout.width"), 2 * 320)
