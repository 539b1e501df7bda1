"""The loss that a run is compared with, against PyTorch's own where all scores are equal."""

from __future__ import annotations

import pytest
import torch
from numpy.testing import assert_allclose

from rnnviz.figures.losses import History, curves, losses_figure, losses_summary
from rnnviz.presets import SEQ2SEQ_PRESETS, TRAINING_PRESETS
from rnnviz.training import task as tasks
from rnnviz.training.config import TrainConfig
from rnnviz.training.guessing import guess
from tests.unit.test_figures_training import checked, named

CONFIGS: dict[str, TrainConfig] = {**TRAINING_PRESETS, **SEQ2SEQ_PRESETS}


@pytest.mark.parametrize("row", [row for row in CONFIGS if row != "D6"])
def test_a_model_without_any_weight_has_exactly_that_loss(row: str) -> None:
    config = CONFIGS[row]
    task = tasks.named(config.task)
    model = task.model(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        count = min(task.batch_size(config), task.items(config))
        done = task.loss(model, task.data(config, "cpu").batch(list(range(count))), config, 0)
    assert_allclose(guess(config).loss, float(done.loss), rtol=1e-5)


def test_its_formula_is_the_classes_own() -> None:
    assert (guess(CONFIGS["D1"]).formula, guess(CONFIGS["D3"]).formula) == ("ln 3", "5 · ln 4")
    assert guess(CONFIGS["D7"]).formula == "ln 15"  # twelve letters, padding, start and end


def test_it_is_drawn_before_the_first_epoch_and_beside_every_loss() -> None:
    nothing = curves([History("a", [], [])], guess=(1.5, "ln 4"))
    made = checked(losses_figure(nothing))
    assert "No epoch" in made.layout.annotations[0].text and made.data[0].text[1].startswith(
        "guessing: ln 4 = 1.5"
    )
    assert losses_summary(nothing) == "No epoch has been trained yet. Guessing has a loss of 1.5."
    some = curves([History("a", [1, 2, 3], [2.0, 1.0, 0.5])], guess=(1.5, "ln 4"))
    for log in (False, True):
        line = named(checked(losses_figure(some, log=log)), "guessing")
        assert (list(line.x), list(line.y)) == ([0, 3], [1.5, 1.5]) and line.meta["decoration"]
