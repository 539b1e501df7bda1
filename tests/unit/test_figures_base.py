"""Every figure's common parts: safe text, token axes, limits, colours of both themes, heatmaps over steps."""

from __future__ import annotations

import json
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnviz.figures import theme
from rnnviz.figures.base import empty, figure, labels, plain, sendable, short, signed_limit, tokens_axis
from rnnviz.figures.heatmap import MOST_CELLS, step_heatmaps, step_maps
from rnnviz.gates import QUANTITIES

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


def validated(made: go.Figure) -> go.Figure:
    """The same figure through plotly's full validation, which `figure` leaves out."""
    traces = [trace.to_plotly_json() for trace in made.data]
    return go.Figure({"data": traces, "layout": made.layout.to_plotly_json()})


# ---- text, axes, limits


@given(st.text())
def test_plain_text_holds_no_markup_and_loses_nothing(text: str) -> None:
    safe = plain(text)
    assert "<" not in safe
    assert ">" not in safe
    assert safe.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_a_long_token_is_cut_before_it_is_escaped() -> None:
    assert short("unbelievable") == "unbelieva…"
    assert short("<<<<<<<<<<") == "&lt;" * 10
    assert short("  ") == "␣␣"
    assert short("\n") == "⏎"


def test_repeated_tokens_keep_their_own_positions() -> None:
    axis = tokens_axis(["the", "cat", "the"])
    assert axis["tickvals"] == [0, 1, 2]
    assert axis["ticktext"] == ["the", "cat", "the"]
    assert axis["range"] == [-0.5, 2.5]


@given(st.integers(1, 700), st.integers(1, 60))
def test_a_token_axis_has_at_most_the_ticks_asked_for(count: int, limit: int) -> None:
    axis = tokens_axis([str(i) for i in range(count)], max_ticks=limit)
    assert 1 <= len(axis["tickvals"]) <= limit
    assert axis["ticktext"] == [str(i) for i in axis["tickvals"]]


def test_labels_keep_tokens_that_ticks_cut() -> None:
    assert labels(["unbelievable", "<b>"]) == ["unbelievable", "&lt;b&gt;"]


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_signed_limit_is_the_largest_magnitude(values: np.ndarray) -> None:
    finite = [abs(float(v)) for v in values.ravel() if v == v]
    assert signed_limit(values) == (max(finite, default=0.0) or 1.0)


@pytest.mark.parametrize("values", [[], [0.0], [np.nan], [np.inf, -np.inf]])
def test_signed_limit_of_nothing_is_one(values: list[float]) -> None:
    assert signed_limit(values) == 1.0


def test_the_empty_figure_says_why() -> None:
    made = validated(empty("no <run> yet"))
    assert len(made.data) == 0
    assert made.layout.annotations[0].text == "no &lt;run&gt; yet"


def test_figure_gives_the_house_template_and_leaves_its_arguments_alone() -> None:
    layout = {"height": 100}
    made = validated(figure([{"type": "scatter", "y": [1, 2]}], layout))
    assert layout == {"height": 100}
    assert made.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert made.layout.height == 100


def test_own_template_wins() -> None:
    made = validated(figure([], {"template": {"layout": {"font": {"size": 20}}}}))
    assert made.layout.template.layout.font.size == 20


# ---- colours


def oklab(colour: str) -> Any:
    """Ottosson's OKLab of "#rrggbb"."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return from_linear(linear)


def from_linear(linear: np.ndarray) -> Any:
    lms = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ linear
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ lms
    )


# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(colour: str, kind: str) -> Any:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return from_linear(np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1))


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio."""

    def luminance(colour: str) -> float:
        srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def both_themes(name: str) -> list[list[str]]:
    light = list(theme.SCALES[name])
    return [light, [theme.DARK[colour] for colour in light]]


@pytest.mark.parametrize("name", sorted(theme.SCALES))
def test_equal_steps_of_a_scale_look_equally_large(name: str) -> None:
    for stops in both_themes(name):
        steps = [np.linalg.norm(oklab(a) - oklab(b)) for a, b in pairwise(stops)]
        assert max(steps) < 1.2 * min(steps)


@pytest.mark.parametrize("name", ["signed", "difference"])
def test_a_diverging_scale_is_equally_light_on_both_sides_and_grey_at_0(name: str) -> None:
    for stops in both_themes(name):
        lightness = np.array([oklab(colour)[0] for colour in stops])
        np.testing.assert_allclose(lightness, lightness[::-1], atol=0.015)
        assert np.linalg.norm(oklab(stops[len(stops) // 2])[1:]) < 0.01


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("name", ["signed", "difference"])
def test_signs_stay_apart_for_the_colour_blind(name: str, kind: str) -> None:
    for stops in both_themes(name):
        assert np.linalg.norm(seen(stops[0], kind) - seen(stops[-1], kind)) > 0.1


@pytest.mark.parametrize("kind", BLINDNESS)
def test_equal_and_unequal_stay_apart_for_the_colour_blind(kind: str) -> None:
    for match, mismatch in [
        (theme.MATCH, theme.MISMATCH),
        (theme.DARK[theme.MATCH], theme.DARK[theme.MISMATCH]),
    ]:
        assert np.linalg.norm(seen(match, kind) - seen(mismatch, kind)) > 0.3


def test_text_is_readable_in_both_themes() -> None:
    for text in (theme.TEXT, theme.MUTED):
        assert contrast(text, theme.BACKGROUND) > 4.5
        assert contrast(theme.DARK[text], theme.DARK[theme.BACKGROUND]) > 4.5


def test_figures_and_pages_have_the_same_colours() -> None:
    config = tomllib.loads(CONFIG.read_text())["theme"]
    ours = {
        "textColor": theme.TEXT,
        "backgroundColor": theme.BACKGROUND,
        "secondaryBackgroundColor": theme.PANEL,
        "primaryColor": theme.ACCENT,
    }
    for name, light in ours.items():
        assert config["light"][name] == light
        assert config["dark"][name] == theme.DARK[light]


def test_the_browser_gets_a_template_that_plotly_accepts() -> None:
    palette = json.loads(json.dumps(theme.browser_palette(), allow_nan=False))
    go.layout.Template(palette["template"])
    assert set(palette["follow"]) <= set(palette["dark"])
    assert all(colour == colour.lower() and len(colour) == 7 for colour in palette["dark"])


@pytest.mark.parametrize("limit", [0.0, -1.0, float("inf"), float("nan")])
def test_a_colour_axis_without_a_range_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="limit"):
        theme.coloraxis("signed", limit)


def test_a_colour_axis_is_symmetric_for_signed_values_and_starts_at_0_for_gates() -> None:
    assert [theme.coloraxis("signed", 3.0)[end] for end in ("cmin", "cmax")] == [-3.0, 3.0]
    assert [theme.coloraxis("unit")[end] for end in ("cmin", "cmax")] == [0.0, 1.0]


# ---- heatmaps over steps

TOKENS = ["the", "cat", "<sat>"]


def lstm_like() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=(3, 4)) for name in ("i", "h", "c", "i_pre", "g_pre")}


def test_the_record_holds_units_by_steps_with_the_table_s_scale_and_range() -> None:
    values = lstm_like()
    maps = step_maps(values, TOKENS)
    assert [panel.letter for panel in maps.panels] == ["i", "h", "c", "i_pre", "g_pre"]
    assert [panel.scale for panel in maps.panels] == ["unit", "signed", "signed", "signed", "signed"]
    i, h, c, i_pre, g_pre = maps.panels
    np.testing.assert_array_equal(i.values, values["i"].T.astype(np.float32))
    assert (i.limit, h.limit) == (1.0, 1.0)
    assert c.limit == pytest.approx(np.abs(values["c"]).max())
    assert i_pre.limit == g_pre.limit
    assert g_pre.limit == pytest.approx(max(np.abs(values[n]).max() for n in ("i_pre", "g_pre")))
    assert c.colour == QUANTITIES["c"].colour
    assert maps.tokens == ("the", "cat", "<sat>")


def test_a_difference_has_one_range_for_all_panels() -> None:
    values = lstm_like()
    maps = step_maps(values, TOKENS, scale="difference")
    assert {panel.scale for panel in maps.panels} == {"difference"}
    largest = max(np.abs(v).max() for v in values.values())
    assert len({panel.limit for panel in maps.panels}) == 1
    assert maps.panels[0].limit == pytest.approx(largest)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"q": np.zeros((3, 2))}, "quantity 'q'"),
        ({"h": np.zeros((2, 3))}, r"h has shape \(2, 3\)"),
        ({"h": np.zeros((3, 1, 2))}, r"h has shape \(3, 1, 2\)"),
    ],
)
def test_wrong_names_and_shapes_are_named(values: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        step_maps(values, TOKENS)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 9])
def test_trace_i_is_panel_i_and_all_share_the_steps(columns: int) -> None:
    maps = step_maps(lstm_like(), TOKENS)
    made = validated(step_heatmaps(maps, columns=columns))
    assert [trace.name for trace in made.data] == [panel.letter for panel in maps.panels]
    for trace, panel in zip(made.data, maps.panels, strict=True):
        np.testing.assert_array_equal(trace.z, panel.values)
        axis = made.layout[trace.coloraxis]
        assert (axis.cmin, axis.cmax) == (0.0 if panel.scale == "unit" else -panel.limit, panel.limit)
        domain = made.layout[f"yaxis{trace.yaxis[1:]}"].domain
        assert 0 <= domain[0] < domain[1] <= 1
    assert made.layout.meta["cursor"]["axes"] == [[trace.xaxis, trace.yaxis] for trace in made.data]
    assert made.layout.meta["labels"]["x"] == ["the", "cat", "&lt;sat&gt;"]
    assert all(axis.matches == "x" for axis in list(made.select_xaxes())[1:])


def test_panels_do_not_overlap() -> None:
    made = step_heatmaps(step_maps(lstm_like(), TOKENS), columns=2)
    for column in ("x", "x2"):
        used = [made.layout[f"yaxis{t.yaxis[1:]}"].domain for t in made.data if t.xaxis == column]
        assert all(above[0] > below[1] for above, below in pairwise(used))


def test_steps_after_a_sequence_s_end_are_drawn_as_such_but_are_not_data() -> None:
    values = {"h": np.array([[0.5], [0.25], [np.nan]]), "i": np.full((3, 1), 0.5)}
    made = validated(step_heatmaps(step_maps(values, TOKENS)))
    assert [trace.name for trace in made.data] == ["h", "i", "no step here"]
    assert made.data[2].meta == {"decoration": True}
    np.testing.assert_array_equal(np.isfinite(made.data[2].z), [[False, False, True]])


def test_no_steps_give_a_titled_empty_figure() -> None:
    assert "no step" in step_heatmaps(step_maps({}, [])).layout.annotations[0].text
    assert "no step" in step_heatmaps(step_maps({"h": np.zeros((0, 4))}, [])).layout.annotations[0].text


def test_a_stack_too_large_to_send_shows_every_nth_unit_and_says_so() -> None:
    values = np.arange(128 * 64, dtype=np.float32).reshape(128, 64)
    maps = step_maps(dict.fromkeys("ifgoch", values), [str(t) for t in range(128)])
    assert [panel.stride for panel in maps.panels] == [6] * 6
    assert sum(panel.values.size for panel in maps.panels) <= MOST_CELLS
    np.testing.assert_array_equal(maps.panels[0].values[3], values[:, 18])
    drawn = step_heatmaps(maps, columns=2, height=400)
    validated(drawn)
    assert drawn.data[0].dy == 6 and tuple(drawn.layout.yaxis.range) == (63.0, -3.0)
    assert "every 6th unit" in drawn.layout.annotations[0].text
    small = step_maps({"h": values[:4]}, list("abcd"))
    assert small.panels[0].stride == 1 and "every" not in step_heatmaps(small).layout.annotations[0].text


def test_many_threads_may_send_one_figure_at_once() -> None:
    def sent_by_all(_: int) -> set[str]:
        made = figure([{"type": "heatmap", "z": np.ones((20, 20), np.float32)}] * 20, {})
        together = threading.Barrier(8)

        def ask(_: int) -> str:
            together.wait()
            return sendable(made).text

        with ThreadPoolExecutor(8) as pool:
            return set(pool.map(ask, range(8)))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert all(len(sent_by_all(i)) == 1 for i in range(30))
    finally:
        sys.setswitchinterval(interval)
