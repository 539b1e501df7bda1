"""The weights of a step as bars that can be moved: the record exactly, the figure validated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.figures import attention_given as bars
from tests.unit.test_figures_attention import END, SOURCE, softmax
from tests.unit.test_figures_training import HOSTILE, checked


def test_a_step_that_nobody_changed_has_its_bars_alone() -> None:
    own = softmax(np.arange(4.0))
    record = bars.given(2, END, SOURCE, (own, own))
    made = checked(bars.given_figure(record))
    assert not record.changed and np.isnan(made.data[1].y).all()
    assert_array_equal(made.data[bars.GRIPS].y, own.astype(np.float32))
    assert made.layout.meta["grips"] == {"trace": bars.GRIPS, "fixed": []}
    assert "step 2 says &lt;end&gt;" in made.layout.annotations[0].text.replace("<b>", "").replace("</b>", "")
    assert f"most on c at position 3 ({own[3]:.2f})" in bars.given_summary(record)


def test_what_was_moved_is_outlined_where_it_was() -> None:
    used, own = [0.0, 1.0, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0]
    record = bars.given(0, "a", SOURCE, (used, own), outside=["", "", "masked", ""])
    made = checked(bars.given_figure(record))
    assert_allclose(made.data[1].y, [0.4, 0.6, np.nan, np.nan], rtol=1e-6)
    assert made.layout.meta["grips"]["fixed"] == [2]
    assert "By itself it would look most at b at position 1 (0.60)" in bars.given_summary(record)


@pytest.mark.parametrize("source", [(), HOSTILE, ("a",) * 64])
def test_bars_of_any_source_can_be_drawn(source: tuple[str, ...]) -> None:
    even = np.full(len(source), 1 / max(1, len(source)))
    record = bars.given(0, "<b>", source, (even, even))
    checked(bars.given_figure(record))
    assert bars.given_summary(record)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="own has shape"):
        bars.given(0, "a", SOURCE, (np.ones(4), np.ones(3)))
    with pytest.raises(ValueError, match="outside has 1"):
        bars.given(0, "a", SOURCE, (np.ones(4), np.ones(4)), outside=["masked"])
