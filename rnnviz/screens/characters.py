"""The configuration of the page *Characters*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rnnviz.data.characters import pair
from rnnviz.gates import KINDS
from rnnviz.link import Field, read
from rnnviz.presets import CHARS_PRESETS, EPOCHS
from rnnviz.training.config import OPTIMISERS, WITH_MOMENTUM, CharsConfig, Optimiser
from rnnviz.training.slices import Stop

MODES = SIDE, ALONE = "Side by side", "One run"
ROWS = tuple(CHARS_PRESETS)
LAYERS = ("cell", "layer")
INPUTS = ("one-hot", "embedding")
UNTIL = ("epochs", "all right", "loss below", "never")
VIEWS = ("Reshape", "Inside", "Curves", "Weights", "Try", "Save")
SIDE_VIEWS = VIEWS[:4]
DEPTHS = tuple(f"layer {k}" for k in range(4))
DEFAULT = CHARS_PRESETS["D3"]

FIELDS: tuple[Field, ...] = (
    Field("c_mode", "Show", SIDE, "The notebooks' three models, or one of your own.", options=MODES),
    Field("c_source", "Source", DEFAULT.source, "What comes in, one character a step.", max_chars=200),
    Field("c_target", "Target", DEFAULT.target, "What is to come out: as many.", max_chars=200),
    Field("c_layer", "Layer", "cell", "nn.RNNCell in a loop, or nn.RNN over all steps.", options=LAYERS),
    Field("c_kind", "Kind", "RNN", "Which recurrent equations.", options=KINDS),
    Field("c_input", "Input", "one-hot", "A 1 in its own place, or a vector that learns.", options=INPUTS),
    Field("c_emb", "Embedding size", 10, "How many numbers a character's vector has.", 1, 64),
    Field("c_readout", "Linear readout", False, "nn.Linear makes scores of h; without it h is the scores."),
    Field("c_hidden", "hidden_size", 8, "H: how many units the state has.", 1, 64),
    Field("c_layers", "num_layers", 1, "How many layers are stacked.", 1, 4),
    Field("c_red", "Reduction", "sum", "Of the positions' losses.", options=("sum", "mean")),
    Field("c_opt", "Optimiser", "Adam", "torch.optim's rule for a step.", options=OPTIMISERS),
    Field("c_lr", "Learning rate", 0.1, "How far a step goes. Change it any time.", 0.0, 1e6),
    Field("c_mom", "momentum", 0.0, "SGD and RMSprop: how much of the last step is kept.", 0.0, 0.99),
    Field("c_wd", "weight_decay", 0.0, "Pulls every weight towards 0.", 0.0, 1.0),
    Field("c_clip", "Clip", 0.0, "The largest norm of the gradient; 0: none.", 0.0, 100.0),
    Field("c_seed", "Seed", DEFAULT.seed, "Draws the weights.", 0, 2**31 - 1),
    Field("c_device", "Device", "cpu", "Where the run is computed.", options=("cpu", "cuda")),
    Field("c_until", "Stop", "epochs", "What ends a run.", options=UNTIL),
    Field("c_epochs", "Epochs", EPOCHS["D3"], "How many epochs one press of Play does.", 1, 100_000),
    Field("c_loss", "Loss below", 0.05, "The run stops at the first epoch with a smaller loss.", 0.0, 1000.0),
    Field("c_which", "Model", ROWS[0], "Which of the three is looked into.", options=ROWS),
    Field("c_view", "View", VIEWS[0], "What to look at under the pictures.", options=VIEWS),
    Field("c_depth", "Layer", DEPTHS[0], "Which layer to look into.", options=DEPTHS),
    Field("c_two", "Two sentences", False, "N = 2: the strings also the other way round."),
    Field("c_log", "log loss", False, "A logarithmic axis for the loss."),
    Field("c_try", "Your string", "hello", "Any string of the model's characters.", max_chars=200),
)


@dataclass(frozen=True)
class CharsScreen:
    """What is trained, and when a run ends. ``config`` is the model of the controls, ``three`` those of the
    notebooks, D3 to D5, on the same strings with the same seed.

    ``problem``: why the strings cannot be used, else "". They are then hello and ohlol.
    """

    config: CharsConfig
    three: tuple[CharsConfig, ...]
    mode: str
    which: str
    until: str
    epochs: int
    loss: float
    problem: str = ""

    @property
    def side(self) -> bool:
        """Whether the three models stand side by side."""
        return self.mode == SIDE

    @property
    def models(self) -> dict[str, CharsConfig]:
        """The three by their rows."""
        return dict(zip(ROWS, self.three, strict=True))

    def stop(self, done: int) -> Stop | None:
        """What ends the next play after ``done`` epochs. A number of epochs counts from its last multiple."""
        if self.until == "epochs":
            return Stop(epochs=(done // self.epochs + 1) * self.epochs)
        if self.until == "all right":
            return Stop(all_right=True)
        return Stop(loss_below=self.loss) if self.until == "loss below" else None


def stop_of(row: str, done: int) -> Stop:
    """What ends the next play of one of the three: as many epochs as its notebook trains."""
    return Stop(epochs=(done // EPOCHS[row] + 1) * EPOCHS[row])


def screen(found: Mapping[str, Any]) -> tuple[CharsScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected. Strings that cannot be used stay as they are: `CharsScreen.problem` says why.
    """
    values, notes = read(FIELDS, found)
    source, target, problem = DEFAULT.source, DEFAULT.target, ""
    try:
        source, target = pair(values["c_source"], values["c_target"])
    except ValueError as fault:
        problem = str(fault)
    if values["c_opt"] not in WITH_MOMENTUM:
        values["c_mom"] = 0.0
    if values["c_layer"] == "cell":
        values["c_layers"] = 1
    classes = len({*source, *target})
    config = CharsConfig(
        source,
        target,
        layer=values["c_layer"],
        kind=values["c_kind"],
        embedding=values["c_emb"] if values["c_input"] == "embedding" else 0,
        hidden=values["c_hidden"] if values["c_readout"] else classes,
        num_layers=values["c_layers"],
        readout=values["c_readout"],
        reduction=values["c_red"],
        optimiser=Optimiser(
            values["c_opt"], values["c_lr"], values["c_mom"], values["c_wd"], values["c_clip"]
        ),
        seed=values["c_seed"],
        device=values["c_device"],
    )
    side = values["c_mode"] == SIDE
    if side and values["c_view"] not in SIDE_VIEWS:
        values["c_view"] = VIEWS[0]
    three = _three(config)
    depths = three[ROWS.index(values["c_which"])].num_layers if side else config.num_layers
    if DEPTHS.index(values["c_depth"]) >= depths:
        values["c_depth"] = DEPTHS[depths - 1]
    current = CharsScreen(
        config,
        three,
        values["c_mode"],
        values["c_which"],
        values["c_until"],
        values["c_epochs"],
        values["c_loss"],
        problem,
    )
    return current, values, notes


def _three(config: CharsConfig) -> tuple[CharsConfig, ...]:
    """The notebooks' models for these strings, this seed and this device."""
    return tuple(
        replace(
            model,
            source=config.source,
            target=config.target,
            hidden=model.hidden if model.readout else len(config.characters),
            seed=config.seed,
            device=config.device,
        )
        for model in CHARS_PRESETS.values()
    )


@dataclass(frozen=True)
class CharsExample:
    """A preset: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str


def values_of(config: CharsConfig) -> dict[str, Any]:
    """What the controls show for a run's configuration."""
    o = config.optimiser
    return {
        "c_source": config.source,
        "c_target": config.target,
        "c_layer": config.layer,
        "c_kind": config.kind,
        "c_input": INPUTS[bool(config.embedding)],
        "c_emb": config.embedding or 10,
        "c_readout": config.readout,
        "c_hidden": config.hidden if config.readout else 8,
        "c_layers": config.num_layers,
        "c_red": config.reduction,
        "c_opt": o.name,
        "c_lr": o.lr,
        "c_mom": o.momentum,
        "c_wd": o.weight_decay,
        "c_clip": o.clip,
        "c_seed": config.seed,
        "c_device": config.device,
    }


def model_values(row: str) -> dict[str, Any]:
    """What shows one of the notebooks' models alone."""
    return values_of(CHARS_PRESETS[row]) | {"c_mode": ALONE, "c_epochs": EPOCHS[row]}


EXAMPLES: dict[str, CharsExample] = {
    e.row: e
    for e in (
        CharsExample(
            "D3–D5",
            "Side by side",
            {},
            "",
        ),
        CharsExample(
            "D3",
            "Cell",
            model_values("D3"),
            "`nn.RNNCell(4, 4)` in a loop; h itself is the score. After 20 epochs it mostly says `ohlol`.",
        ),
        CharsExample(
            "D4",
            "Layer",
            model_values("D4"),
            "The same model as `nn.RNN(4, 4)`, with smaller steps: after 15 epochs it may still be wrong.",
        ),
        CharsExample(
            "D5",
            "Embedding, readout",
            model_values("D5"),
            "`nn.Linear(8, 4)` frees the scores from h: `ohlol` within a few epochs, a loss near 0.003.",
        ),
        CharsExample(
            "D8",
            "The reshape",
            model_values("D5") | {"c_view": "Reshape", "c_two": True},
            "The loss takes (N·L, C) and (N·L): each position of each sentence is one row, one summand.",
        ),
        CharsExample(
            "+",
            "你好",
            model_values("D5") | {"c_source": "你好世界", "c_target": "世界你好"},
            "Any script: a character is only a number to the network, its place in the sorted alphabet.",
        ),
    )
}


def preset_values(example: CharsExample) -> dict[str, Any]:
    """Every value as the preset has it, without what is only looked at."""
    kept = ("c_seed", "c_view", "c_which", "c_depth", "c_log", "c_try", "c_device")
    seen = {key: value for key, value in example.values.items() if key not in ("c_seed", "c_device")}
    return {f.key: f.default for f in FIELDS if f.key not in kept} | seen


def active_preset(current: CharsScreen, values: Mapping[str, Any]) -> str | None:
    """The row of the preset that the screen shows, whatever its seed and device, if it shows one."""
    if current.problem:
        return None
    found = _presets().get(_plain(current))
    return "D8" if found == "D5" and values["c_view"] == "Reshape" and values["c_two"] else found


def _plain(current: CharsScreen) -> Any:
    c = current.config
    if current.side:
        return c.source, c.target
    return replace(c, seed=0, device="cpu"), current.until, current.epochs


@lru_cache(maxsize=1)
def _presets() -> dict[Any, str]:
    rows = [row for row in EXAMPLES if row != "D8"]  # D5's model, looked at otherwise
    return {_plain(screen(preset_values(EXAMPLES[row]))[0]): row for row in rows}
