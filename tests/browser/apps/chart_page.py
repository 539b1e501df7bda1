"""One heatmap that changes, a line below it with the same cursor, and what the browser has told Python."""

import numpy as np
import streamlit as st

from rnnviz.figures import theme
from rnnviz.figures.base import figure, labels, tokens_axis
from rnnviz.ui.chart import Point, chart, cursor

st.set_page_config(layout="wide")
TOKENS = ["the", "cat", "sat", "on", "the", "<b>mat</b>", "=1+1", "and", "purred", "loudly", "all", "day"]
STEPS, UNITS = len(TOKENS), 8
state = st.session_state
for name in ("updates", "step", "reruns"):
    state.setdefault(name, 0)
state.setdefault("clicks", [])
state.setdefault("hover", None)
state.reruns += 1


def clicked(point: Point) -> None:
    state.clicks.append(point)
    state.step = point.index[1]


def hovered(point: Point | None) -> None:
    state.hover = point and point.x


def update() -> None:
    state.updates += 1


def heatmap() -> None:
    if state.get("burst") and state.updates < 20:
        update()
    values = np.random.default_rng(state.updates).uniform(-1, 1, (UNITS, STEPS)).astype(np.float32)
    values[0, 1] = 0.1
    values[3, 5] = np.nan
    chart(
        figure(
            [
                {
                    "type": "heatmap",
                    "z": values,
                    "name": "h<sub>t</sub>",
                    "coloraxis": "coloraxis",
                    "hovertemplate": "step %{x}<br>unit %{y}<br>%{z:.4f}<extra></extra>",
                }
            ],
            {
                "xaxis": tokens_axis(TOKENS),
                "yaxis": {"autorange": "reversed"},
                "coloraxis": theme.coloraxis("signed"),
                "title": {"text": f"update {state.updates}"},
                "height": 320,
                "meta": {"labels": {"x": labels(TOKENS)}, "cursor": {"group": "step", "axes": [["x", "y"]]}},
            },
        ),
        key="heat",
        name="Hidden state h",
        summary=f"h over {STEPS} steps and {UNITS} units.",
        on_click=clicked,
    )
    st.text(f"clicks {len(state.clicks)} last {state.clicks[-1] if state.clicks else None}")


st.button("Update", key="update", on_click=update)
st.toggle("Burst", key="burst")
if st.toggle("Show", key="show", value=True):
    st.fragment(heatmap, run_every=0.05 if state.burst else None)()
    chart(
        figure(
            [{"type": "scatter", "y": np.linspace(0, 1, STEPS, dtype=np.float32), "name": "loss"}],
            {
                "xaxis": {"title": {"text": "step"}},
                "height": 200,
                "meta": {"cursor": {"group": "step", "axes": [["x", "y"]], "unit": False}},
            },
        ),
        key="line",
        name="Loss",
        summary="A line that rises from 0 to 1.",
        on_hover=hovered,
    )


@st.fragment
def transport() -> None:
    step = st.slider("Step", 0, STEPS - 1, key="step")
    cursor("step", step)


transport()
st.text(f"hover {state.hover}")
st.text(f"reruns {state.reruns} updates {state.updates}")
