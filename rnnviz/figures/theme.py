"""Colours and the template of every figure, in light and in dark.

One rule for whoever draws: **write the light colours of this module (or of `rnnviz.gates`), as `#rrggbb`, in
fields whose name ends in "color", "colors", "colorscale" or "colorway"**. In the browser assets/chart.js
replaces each colour that has a partner in `browser_palette()` when the theme is dark, wherever such a field
stands, colour scales included; a colour without a partner serves both themes. Colours inside text (`<span
style=...>`) are not replaced. `TEXT`, `BACKGROUND`, `PANEL` and `ACCENT` are those of .streamlit/config.toml,
and in the browser follow whatever it says.

The scales were drawn as straight lines in OKLab (Ottosson, https://bottosson.github.io/posts/oklab/), so that
equal steps of a value look equally large; both arms of a diverging scale are equally light at the same
distance from 0.
"""

from __future__ import annotations

from typing import Any

TEXT = "#1a1f27"
MUTED = "#5f6b7a"
GRID = "#e2e6eb"
LINE = "#a3acb8"
PANEL = "#f3f5f8"
BACKGROUND = "#ffffff"
ACCENT = "#1a62d6"

MATCH = "#cfdcea"
MISMATCH = "#c2410c"
"""Equal and unequal: quiet blue against strong orange, apart in lightness too, so no red against green."""

SIGNED = (
    *("#236dba", "#4f86c5", "#749ecf", "#99b6d8", "#bfcee1"),
    "#e4e6e9",
    *("#dbc8bf", "#d0aa96", "#c48c6d", "#b76e43", "#a84e05"),
)
"""Values of either sign: blue below 0, grey at 0, orange above. The range must be symmetric about 0."""

UNIT = ("#f4f2fb", "#e1d6f2", "#cebbe8", "#bca0de", "#aa84d4", "#8f6bc1", "#7652af", "#5e379d", "#48198a")
"""Values in [0, 1]: gates and attention. 0 is nearly the background."""

DIFFERENCE = (
    *("#783c91", "#8e5ea4", "#a380b5", "#b9a1c7", "#cec4d8"),
    "#e4e6e9",
    *("#bbcdc7", "#93b5a7", "#6a9c87", "#3e8469", "#006d4c"),
)
"""One run minus another: purple below 0, grey at 0, teal green above, unlike the values themselves."""

_DARK_SIGNED = (
    *("#63b9fe", "#599bd1", "#4e7ea6", "#43627d", "#384756"),
    "#2b2e32",
    *("#50423a", "#775740", "#a06c43", "#ca8145", "#f79643"),
)
_DARK_UNIT = (
    "#272434",
    "#3d3153",
    "#553f74",
    "#6d4c97",
    "#875abc",
    "#9e79cc",
    "#b797dd",
    "#d0b5ed",
    "#ead4fc",
)
_DARK_DIFFERENCE = (
    *("#cc8ee7", "#a97ac0", "#87669a", "#675375", "#484052"),
    "#2b2e32",
    *("#354945", "#3d6658", "#43846c", "#46a481", "#47c496"),
)

DARK: dict[str, str] = {
    TEXT: "#e8ebf0",
    MUTED: "#a1abb8",
    GRID: "#2f353d",
    LINE: "#5d6773",
    PANEL: "#1d222a",
    BACKGROUND: "#12151a",
    ACCENT: "#4388f2",
    MATCH: "#2c4257",
    MISMATCH: "#ff8c42",
    **dict(zip(SIGNED, _DARK_SIGNED, strict=True)),
    **dict(zip(UNIT, _DARK_UNIT, strict=True)),
    **dict(zip(DIFFERENCE, _DARK_DIFFERENCE, strict=True)),
}
"""Each light colour's partner in the dark theme."""

_FOLLOWS = {
    TEXT: "--st-text-color",
    BACKGROUND: "--st-background-color",
    PANEL: "--st-secondary-background-color",
    ACCENT: "--st-primary-color",
}

FONT = "Segoe UI, Roboto, Noto Sans, Liberation Sans, Arial, sans-serif"
FONT_SIZE = 13

SCALES: dict[str, tuple[str, ...]] = {"signed": SIGNED, "unit": UNIT, "difference": DIFFERENCE}


def colorscale(name: str) -> list[list[float | str]]:
    """The scale "signed", "unit" or "difference" as plotly wants it. Raises `KeyError` for another name."""
    stops = SCALES[name]
    return [[i / (len(stops) - 1), colour] for i, colour in enumerate(stops)]


def coloraxis(name: str, limit: float = 1.0, **more: Any) -> dict[str, Any]:
    """A plotly colour axis for the scale `name`: [0, limit] for "unit", [-limit, limit] for the others.

    `more` is passed on (``colorbar``, ``showscale``). Raises `ValueError` unless 0 < limit < inf.
    """
    if not 0 < limit < float("inf"):
        raise ValueError(f"limit {limit!r}: expected a positive finite number")
    low = 0.0 if name == "unit" else -float(limit)
    return {"colorscale": colorscale(name), "cmin": low, "cmax": float(limit), "showscale": False, **more}


def template() -> dict[str, Any]:
    """The plotly template of every figure, in light colours, as plain data."""
    axis = {
        "gridcolor": GRID,
        "linecolor": LINE,
        "tickcolor": LINE,
        "zerolinecolor": LINE,
        "zerolinewidth": 1,
        "automargin": True,
        "title": {"standoff": 6, "font": {"size": FONT_SIZE}},
    }
    clear = "rgba(0,0,0,0)"
    return {
        "layout": {
            "font": {"family": FONT, "size": FONT_SIZE, "color": TEXT},
            "title": {"font": {"size": 15}, "x": 0, "xanchor": "left", "xref": "paper"},
            "paper_bgcolor": clear,
            "plot_bgcolor": clear,
            "colorway": [ACCENT, "#c56a00", "#12936f", "#a35cc8", "#c2478f", "#0f8fa8", "#7a8a1e"],
            "margin": {"l": 56, "r": 12, "t": 34, "b": 40},
            "hoverlabel": {
                "bgcolor": BACKGROUND,
                "bordercolor": LINE,
                "font": {"color": TEXT, "size": FONT_SIZE},
                "align": "left",
            },
            "hovermode": "closest",
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": axis,
            "yaxis": axis,
            "scene": {
                part: {"gridcolor": GRID, "linecolor": LINE, "backgroundcolor": clear, "color": TEXT}
                for part in ("xaxis", "yaxis", "zaxis")
            },
            "annotationdefaults": {"font": {"color": TEXT}, "showarrow": False, "arrowcolor": MUTED},
            "shapedefaults": {"line": {"color": LINE}},
            "coloraxis": {"colorbar": {"thickness": 10, "outlinewidth": 0, "tickcolor": LINE}},
        }
    }


def browser_palette() -> dict[str, Any]:
    """For assets/chart.js: ``template``, ``dark`` {light: dark}, ``follow`` {light: CSS variable}."""
    return {"template": template(), "dark": DARK, "follow": _FOLLOWS}
