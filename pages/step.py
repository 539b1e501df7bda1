"""Step through: what happens inside the cell at this step?"""

from functools import partial

import streamlit as st

from rnnviz.export import notebook
from rnnviz.export_step import step_script
from rnnviz.link import query
from rnnviz.screens import step as page
from rnnviz.stepping import step_run
from rnnviz.ui import pickers
from rnnviz.ui.link import arrive
from rnnviz.ui.page import Footer, footer, notice, question
from rnnviz.ui.step import canvas, controls, detail

current, values = arrive(page.FIELDS, page.screen, "step")

with st.sidebar:
    controls.controls(current, values)

question("What happens inside the cell at this step?")
pickers.presets(
    {row: example.title for row, example in page.EXAMPLES.items()},
    page.active_preset(current),
    "step_preset",
    lambda row: pickers.assign(page.preset_values(page.EXAMPLES[row])),
)
run = step_run(current)
script = partial(step_script, current, *page.lane(values), values["s_step"])
canvas.selectors(current, values)
transport = st.container()
canvas.picture(current, values)
canvas.badge(current, run)
arithmetic = st.container()
detail.stepper(current, values, run, (transport, arithmetic))
notice("step")
footer(
    Footer(
        page="step",
        query=query(page.FIELDS, values),
        script=script,
        notebook=lambda: notebook(script(), "Step through"),
        data=lambda: run.trace.frame().to_csv(index=False),
    )
)
