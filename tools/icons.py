"""`python -m tools.icons` cuts Streamlit's icon font down to the icons that can appear here: 375 kB to 16.

The result lies in `assets/fonts` under the name of the font it stands for, hash included, so after an update
of Streamlit the full font is served until this is run again.
"""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter, load_font, save_font

ROOT: Final = Path(__file__).resolve().parent.parent
FONTS: Final = ROOT / "assets" / "fonts"
STREAMLIT: Final = Path(str(distribution("streamlit").locate_file("streamlit")))

# Room for pages to come: a few hundred bytes each.
FOR_PAGES: Final = """
    add arrow_back arrow_forward block bolt book bookmark casino check clear code compare
    compare_arrows dataset delete difference download edit error fast_forward fast_rewind first_page
    fit_screen flag fullscreen functions grid_on help home hub info input keyboard last_page layers
    lightbulb link lock lock_open memory menu_book model_training north_east open_in_new output
    palette pause play_arrow psychology quiz redo refresh remove replay restart_alt save school
    science search settings share shuffle skip_next skip_previous south_east speed stop swap_horiz
    swap_vert table table_chart text_fields timeline tips_and_updates translate tune undo upload
    visibility warning zoom_in zoom_out
"""

_USE: Final = re.compile(r":material/([a-z0-9_]+)")


def source_font() -> Path:
    """The icon font of the installed Streamlit."""
    (font,) = (STREAMLIT / "static" / "static" / "media").glob("MaterialSymbols-Rounded.*.woff2")
    return font


def used_icons() -> set[str]:
    """Names of all icons that Streamlit's front end, its Python code and this repository mention."""
    files = [
        *(STREAMLIT / "static" / "static" / "js").glob("*.js"),
        *(STREAMLIT / "elements").rglob("*.py"),
        *(file for folder in ("pages", "rnnviz", "assets") for file in (ROOT / folder).rglob("*.*")),
    ]
    texts = (file.read_text(encoding="utf-8") for file in files if file.suffix in {".js", ".py", ".md"})
    return {name for text in texts for name in _USE.findall(text)}


def icon_glyphs(font_file: Path) -> dict[str, str]:
    """The glyph of each icon name in a font; the name is what the ligature replaces."""
    glyphs = {}
    with load_font(str(font_file), Options()) as font:
        letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            for table in lookup.SubTable:
                for first, ligatures in getattr(table, "ExtSubTable", table).ligatures.items():
                    for ligature in ligatures:
                        name = "".join(letters[glyph] for glyph in [first, *ligature.Component])
                        glyphs[name] = ligature.LigGlyph
    return glyphs


def cut(source: Path, target: Path, names: set[str]) -> None:
    """Writes `source` with only the icons `names`, and the letters their names are typed with."""
    known = icon_glyphs(source)
    options = Options()
    options.flavor = "woff2"
    options.layout_features = ["*"]
    options.layout_closure = False  # the letters alone would bring every icon back
    subsetter = Subsetter(options)
    subsetter.populate(
        glyphs=[known[name] for name in sorted(names) if name in known],
        text="abcdefghijklmnopqrstuvwxyz0123456789_",
    )
    with load_font(str(source), options) as font:
        subsetter.subset(font)
        save_font(font, str(target), options)


if __name__ == "__main__":
    FONTS.mkdir(parents=True, exist_ok=True)
    for old in FONTS.glob("*.woff2"):
        old.unlink()
    full = source_font()
    cut(full, FONTS / full.name, used_icons() | set(FOR_PAGES.split()))
    print(f"{full.name}: {full.stat().st_size} -> {(FONTS / full.name).stat().st_size} bytes")
