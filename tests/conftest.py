"""Hypothesis: the same examples on every CI run, new ones at a desk. What tests measured is printed last."""

import os

import pytest
from hypothesis import settings

# No deadline: the first example imports torch's kernels and takes a hundred times as long as the next.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

# Users see no details of an exception, page tests do. The servers of the browser tests do not get this.
os.environ["STREAMLIT_CLIENT_SHOW_ERROR_DETAILS"] = "full"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [f"{name}: {value}" for report in reports for name, value in report.user_properties]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)
