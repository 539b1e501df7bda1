"""Home in a browser: a sentence is read without the server, one slider changes it, nothing scrolls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz.export import home_script
from rnnviz.home import read
from rnnviz.screens import home
from tests.browser.harness import Server, wait_idle

WORDS = home.SENTENCE.split()
LAST = len(WORDS) - 1
LIMIT = 20_000  # ms: the first visit loads everything, and a sentence takes five seconds to read


def reader(page: Page) -> Locator:
    return page.locator(".rv-reader")


def picture(page: Page) -> Locator:
    return page.get_by_role("figure", name="Hidden state word by word")


def arrive(page: Page, server: Server, query: str = "") -> Page:
    page.goto(f"{server.url}/{query}")
    expect(picture(page)).to_have_attribute("data-draws", "1", timeout=LIMIT)
    return page


def read_to_the_end(page: Page) -> None:
    expect(reader(page)).to_have_attribute("data-step", str(LAST), timeout=LIMIT)
    expect(reader(page).get_by_role("button")).to_have_text("▶ Read again")


def covered(page: Page) -> float:
    """The share of the picture's columns that is not filled yet."""
    share: float = picture(page).evaluate(
        """(root) => {
          const cover = root.querySelector(".rv-unread");
          const { xaxis } = root.querySelector(".rv-plot")._fullLayout;
          return cover ? cover.getBoundingClientRect().width / xaxis._length : 0;
        }"""
    )
    return share


@pytest.fixture
def calm(page: Page) -> Page:
    """A reader who asked for less motion: the whole picture at once."""
    page.emulate_media(reduced_motion="reduce")
    return page


def test_the_sentence_is_read_word_by_word_and_the_state_fills_in(page: Page, server: Server) -> None:
    arrive(page, server)
    expect(reader(page)).to_have_attribute("data-step", "2")
    expect(reader(page)).to_contain_text(f"“{WORDS[2]}”")
    read_to_the_end(page)
    expect(reader(page)).to_contain_text("The last column is h_n")
    assert covered(page) == 0


def test_reading_costs_the_server_nothing(open_page: Callable[..., Page], server: Server) -> None:
    page = open_page()  # one that these listeners end with
    arrive(page, server)
    wait_idle(page)
    draws = picture(page).get_attribute("data-draws")
    frames: list[object] = []
    page.on("websocket", lambda socket: frames.append(socket.url))
    page.on("request", lambda request: frames.append(request.url))
    step = int(reader(page).get_attribute("data-step") or 0)
    expect(reader(page)).to_have_attribute("data-step", str(step + 2))
    assert frames == []
    assert picture(page).get_attribute("data-draws") == draws


def test_a_pause_stays_where_it_is_and_a_click_on_a_column_goes_there(page: Page, server: Server) -> None:
    arrive(page, server)
    reader(page).get_by_role("button", name="Pause").click()
    expect(reader(page).get_by_role("button")).to_have_text("▶ Read on")
    at = int(reader(page).get_attribute("data-step") or 0)
    assert covered(page) == pytest.approx(1 - (at + 1) / len(WORDS), abs=0.02)
    x, y = picture(page).evaluate(
        """(root) => {
          const plot = root.querySelector(".rv-plot"), { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.l2p(5), box.y + yaxis._offset + yaxis.l2p(4)];
        }"""
    )
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(reader(page)).to_have_attribute("data-step", "5")
    expect(reader(page)).to_contain_text("“the” again, the same vector as at 1")
    assert covered(page) == pytest.approx(1 - 6 / len(WORDS), abs=0.02)


def test_who_wants_less_motion_gets_the_whole_picture_at_once(calm: Page, server: Server) -> None:
    arrive(calm, server)
    read_to_the_end(calm)
    assert covered(calm) == 0
    reader(calm).get_by_role("button", name="Read again").click()
    expect(reader(calm)).to_have_attribute("data-step", "1")  # asked for, so it moves


def test_the_slider_redraws_in_place_and_stands_in_the_address(calm: Page, server: Server) -> None:
    arrive(calm, server)
    calm.get_by_role("slider", name="Hidden size").press("ArrowRight")
    expect(picture(calm)).to_have_attribute("data-draws", "2")
    expect(calm.get_by_text("nn.LSTM(32, 13)")).to_be_visible()
    expect(calm).to_have_url(f"{server.url}/?h_hidden=13")
    expect(reader(calm)).to_have_attribute("data-step", str(LAST))  # what was read stays read


def test_another_sentence_is_read_from_its_first_word(page: Page, server: Server) -> None:
    arrive(page, server)
    read_to_the_end(page)
    box = page.get_by_role("textbox", name="Sentence")
    box.fill("to be or not to be")
    box.press("Enter")
    expect(reader(page)).to_contain_text("1 of 6: “to”")
    expect(reader(page)).to_have_attribute("data-step", "5")


def test_a_card_opens_step_through_with_this_very_run(calm: Page, server: Server) -> None:
    arrive(calm, server, "?h_hidden=4&h_text=to+be+or+not+to+be")
    wait_idle(calm)
    calm.locator('[data-testid="stMain"]').get_by_role("link", name="Step through").click()
    expect(calm.get_by_role("textbox", name="Sentence")).to_have_value("to be or not to be")
    expect(calm.get_by_role("figure").first).to_be_visible()
    for part in ("s_hidden=4", "s_in=32"):
        expect(calm).to_have_url(re.compile(part))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_live_picture_is_wholly_visible_and_the_cards_begin_without_scrolling(
    scheme: Literal["light", "dark"], server: Server, calm: Page
) -> None:
    calm.emulate_media(color_scheme=scheme)
    page = arrive(calm, server)
    wait_idle(page)
    picture = page.get_by_role("figure").first.bounding_box()
    assert picture is not None and picture["y"] + picture["height"] <= 800
    first = page.locator('[data-testid="stImage"] img').first.bounding_box()
    assert first is not None and first["y"] + first["height"] <= 800
    assert page.locator('[data-testid="stImage"] img').evaluate_all(
        "(all) => all.every((i) => i.naturalWidth > 0)"
    )


def test_a_phone_shows_it_without_a_sideways_scroll(server: Server, calm: Page) -> None:
    calm.set_viewport_size({"width": 375, "height": 700})
    page = arrive(calm, server)
    wait_idle(page)
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("(main) => main.scrollWidth - main.clientWidth") <= 0


def test_the_footer_hands_out_the_script_and_the_numbers(calm: Page, server: Server) -> None:
    arrive(calm, server, "?h_hidden=5&h_seed=3")
    shown = home.screen({"h_hidden": 5, "h_seed": 3})[0]
    wait_idle(calm)
    with calm.expect_download() as csv:
        calm.get_by_role("button", name="Data", exact=True).click()
    # The server computes on one thread, this process on several: the last digit may differ.
    pd.testing.assert_frame_equal(
        pd.read_csv(csv.value.path(), keep_default_na=False),
        read(shown).frame(),
        check_dtype=False,
        rtol=1e-5,
        atol=1e-6,
    )
    calm.get_by_role("button", name="Code", exact=True).click()
    with calm.expect_download() as script:
        calm.get_by_role("button", name="Script (.py)").click()
    assert script.value.path().read_text(encoding="utf-8") == home_script(shown)
