"""What *Attention* hands out: the script of the run in view, with all that was changed on the way."""

from __future__ import annotations

from typing import Any

from rnnviz.export_training import training_notebook, training_script
from rnnviz.link import query
from rnnviz.screens import attention as page
from rnnviz.screens.attention_fields import FIELDS
from rnnviz.ui.attention import curves
from rnnviz.ui.attention.reading import PAGE, seat
from rnnviz.ui.lab.desk import config_of, journal
from rnnviz.ui.lab.series import PROMISE
from rnnviz.ui.page import Footer


def handout(current: page.AttentionScreen, values: dict[str, Any]) -> Footer:
    """What the footer gives."""
    run = seat(current).run

    def done() -> int:
        return max(run.look().epoch, 1)

    return Footer(
        page=PAGE,
        query=query(FIELDS, values),
        script=lambda: training_script(config_of(run), done(), journal(run), current.source),
        notebook=lambda: training_notebook(config_of(run), done(), journal(run), current.source),
        data=lambda: curves.table(run).to_csv(index=False),
        columns=", ".join(("epoch", *curves.SERIES)),
        promise=PROMISE,
        prints="every loss of this run, and where it looks in this source (without What if)",
    )
