"""The small icon font has every icon that the installed Streamlit or a page of ours can show."""

from tools.icons import FONTS, icon_glyphs, source_font, used_icons


def test_every_icon_in_use_is_in_the_small_font() -> None:
    full = source_font()
    small = FONTS / full.name
    assert small.exists(), "Streamlit has a new icon font: run `python -m tools.icons`"
    drawable = used_icons() & icon_glyphs(full).keys()
    assert len(drawable) > 50
    missing = drawable - icon_glyphs(small).keys()
    assert missing == set(), "run `python -m tools.icons`"
    assert small.stat().st_size < full.stat().st_size / 10


def test_the_names_of_icons_are_found_in_scripts_and_pages() -> None:
    assert {"expand_more", "dark_mode", "close"} <= used_icons()
