"""What a training page says of a tab that was away for too long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.training.live import house
from rnnviz.training.live.lobby import PATIENCE

Visit = Callable[..., AppTest]


def test_a_tab_whose_runs_are_gone_is_told_so(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit("tagger.py")
    app.button(key="tagger_one_epoch").click().run()
    (run,) = house().lobby.runs(app.session_state["tagger_visit"], "tagger")
    version = run.version
    while not run.look().epoch:
        assert run.wait(version, 60)
        version = run.version
    clock, began = house().lobby._clock, house().lobby._clock()
    monkeypatch.setattr(house().lobby, "_clock", lambda: began + PATIENCE + 1)
    house().lobby.sweep()
    monkeypatch.setattr(house().lobby, "_clock", clock)
    app.run()
    assert not app.exception
    assert [w.value for w in app.warning if "a trained run of it is gone" in w.value]
    assert not house().lobby.runs(app.session_state["tagger_visit"], "tagger")
    app.run()
    assert not [w for w in app.warning if "gone" in w.value]
