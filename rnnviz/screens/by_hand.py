"""The configuration of the page *By hand*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.config import LayerConfig
from rnnviz.gates import KINDS
from rnnviz.link import Field, read

EXPERIMENTS = (
    "Linear layer",
    "No memory",
    "Memory without activation",
    "Loop over a cell",
    "From matmul",
    "Layers stacked",
    "Both directions",
    "Stack of cells",
    "Join final states",
)
BOTH_WAYS = ("Both directions", "Join final states")
WAYS = ("Sample by sample", "Step by step")
INTACT = "Intact"
DETAILS = ("Operation by operation", "Gradients", "Where the weights come from")
LONG = "Explode or die"
DRIVES = ("At step 0 only", "At every step")
DTYPES = ("float32", "float64")
MAX_WORK = 450_000_000
"""Multiply-adds of one run: B8 with two layers has 410 million, which a core does forward and backward in a
second.
"""
MAX_OPERATIONS = 1000
OUT = 3
"""The size of y where no control says another."""
ALL_FAULTS = (
    "Forget b_hh",
    "Forget b",
    "Transpose W_hh",
    "Transpose W_2",
    "r before the product",
    "Wrong slice",
    "No second reversal",
    "Only the first cell",
    "Only the first layer",
    "batch_first data",
    "State not handed on",
    "Reshape, not transpose",
    "Halves swapped",
    "Join every layer",
)
_FAULTS = {
    "No memory": ("Reshape, not transpose",),
    "Memory without activation": ("Transpose W_2", "Halves swapped"),
    "Loop over a cell": ("State not handed on", "Wrong slice"),
    "From matmul": ("Forget b_hh", "Transpose W_hh", "Wrong slice", "batch_first data"),
    "Layers stacked": ("Only the first layer", "Wrong slice", "batch_first data"),
    "Both directions": ("No second reversal", "Wrong slice", "batch_first data"),
    "Stack of cells": ("Only the first cell", "State not handed on", "Wrong slice", "batch_first data"),
    "Join final states": ("Join every layer",),
}

FIELDS: tuple[Field, ...] = (
    Field(
        "b_exp",
        "Experiment",
        EXPERIMENTS[4],
        "What is written by hand and held against PyTorch.",
        options=EXPERIMENTS,
    ),
    Field("b_kind", "Kind", "RNN", "Which recurrent layer: nn.RNN, nn.LSTM or nn.GRU.", options=KINDS),
    Field("b_way", "Loop over", WAYS[0], "One sequence at a time, or one step of all.", options=WAYS),
    Field("b_fault", "Break it", INTACT, "One classic fault at a time.", options=(INTACT, *ALL_FAULTS)),
    Field("b_batch", "Batch N", 2, "How many sequences.", 1, 8),
    Field("b_len", "Length L", 4, "How many steps.", 1, 64),
    Field("b_in", "input_size", 5, "H_in: how many numbers enter at each step.", 1, 128),
    Field("b_hidden", "hidden_size", 6, "H: how many units the state has.", 1, 512),
    Field("b_out", "Output size", OUT, "The size of y, the projection of each h.", 1, 16),
    Field("b_layers", "num_layers", 1, "How many layers are stacked.", 1, 4),
    Field("b_bias", "bias", True, "Off: no b_ih and no b_hh."),
    Field(
        "b_dtype",
        "dtype",
        "float32",
        "float64 shows that what remains is rounding: it shrinks a billionfold.",
        options=DTYPES,
    ),
    Field("b_seed", "Seed", 0, "The same seed gives the same numbers, here and in the code.", 0, 2**31 - 1),
    Field("b_n", "Sequence shown", 0, "Which sequence n of the batch is drawn.", 0, 7),
    Field("b_detail", "Detail", DETAILS[0], "What to look into.", options=(*DETAILS, LONG)),
    Field("b_op", "Operation", 0, "The operation of the hand-written run.", 0, MAX_OPERATIONS - 1),
    Field(
        "b_radius", "Spectral radius of W_2", 1.1, "The largest |eigenvalue| that W_2 is scaled to.", 0.1, 1.5
    ),
    Field("b_steps", "Steps", 100, "L of the long sequence.", 10, 200),
    Field("b_drive", "Input", DRIVES[0], "When x is not 0.", options=DRIVES),
)


@dataclass(frozen=True)
class ByHandScreen:
    """One experiment, its sizes and seed, and the fault that is in it (`INTACT` for none)."""

    experiment: str
    kind: str
    way: str
    fault: str
    batch: int
    length: int
    input_size: int
    hidden: int
    out: int
    layers: int
    bias: bool
    dtype: str
    seed: int

    @property
    def recurrent(self) -> bool:
        """Whether an nn.RNN, nn.LSTM or nn.GRU is what is written by hand."""
        return self.experiment in EXPERIMENTS[3:]

    @property
    def broken(self) -> bool:
        return self.fault != INTACT

    @property
    def config(self) -> LayerConfig:
        """The recurrent layer. Raises ValueError for the experiments without one."""
        if not self.recurrent:
            raise ValueError(f"experiment={self.experiment!r} has no recurrent layer")
        return LayerConfig(
            self.kind,  # type: ignore[arg-type]  # checked by the configuration
            self.input_size,
            self.hidden,
            num_layers=self.layers,
            bias=self.bias,
            batch_first=self.experiment != EXPERIMENTS[3] and self.fault != "batch_first data",
            bidirectional=self.experiment in BOTH_WAYS,
        )

    def intact(self) -> ByHandScreen:
        """The same without a fault."""
        return replace(self, fault=INTACT)


@dataclass(frozen=True)
class Memory:
    """The long sequence of B3: the spectral radius that W_2 is scaled to, L, and when x is not 0."""

    hidden: int
    input_size: int
    seed: int
    radius: float
    steps: int
    drive: str


def faults(experiment: str, kind: str, way: str) -> tuple[str, ...]:
    """The faults that can be introduced into an experiment."""
    if experiment == EXPERIMENTS[0]:
        return ("Forget b", *(("Reshape, not transpose",) if way == WAYS[1] else ()))
    found = _FAULTS[experiment]
    return ("r before the product", *found) if experiment == "From matmul" and kind == "GRU" else found


def details(experiment: str) -> tuple[str, ...]:
    """What can be looked into."""
    return (LONG, *DETAILS) if experiment == EXPERIMENTS[2] else DETAILS


def sides(experiment: str) -> tuple[str, str]:
    """What the two sides are called."""
    named = {
        "No memory": ("Step by step", "One product"),
        "Memory without activation": ("Split", "Concatenated"),
    }
    return named.get(experiment, ("By hand", "PyTorch"))


def memory(values: Mapping[str, Any]) -> Memory:
    """The long sequence of clean values."""
    return Memory(
        values["b_hidden"],
        values["b_in"],
        values["b_seed"],
        values["b_radius"],
        values["b_steps"],
        values["b_drive"],
    )


def screen(found: Mapping[str, Any]) -> tuple[ByHandScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected.
    """
    values, notes = read(FIELDS, found)
    experiment, kind = values["b_exp"], values["b_kind"]
    # What belongs to another experiment follows without a word.
    if values["b_fault"] not in (INTACT, *faults(experiment, kind, values["b_way"])):
        values["b_fault"] = INTACT
    if values["b_detail"] not in details(experiment):
        values["b_detail"] = details(experiment)[0]
    recurrent = experiment in EXPERIMENTS[3:]
    current = ByHandScreen(
        experiment=experiment,
        kind=kind if recurrent else "RNN",
        way=values["b_way"] if experiment == EXPERIMENTS[0] else WAYS[0],
        fault=values["b_fault"],
        batch=values["b_batch"],
        length=values["b_len"],
        input_size=values["b_in"],
        hidden=values["b_hidden"],
        out=values["b_out"] if experiment == "From matmul" else OUT,
        layers=values["b_layers"] if experiment in EXPERIMENTS[5:] else 1,
        bias=values["b_bias"] if experiment not in EXPERIMENTS[1:3] else True,
        dtype=values["b_dtype"],
        seed=values["b_seed"],
    )
    most = MAX_WORK // (work(current) // current.length)
    if current.length > max(most, 1):
        notes["b_len"] = (
            f"Length L = {current.length} is too much work for layers of this size ({work(current):,} "
            f"multiply-adds, at most {MAX_WORK:,}): {most} is used"
        )
        values["b_len"] = most
        current = replace(current, length=most)
    values["b_n"] = min(values["b_n"], current.batch - 1)
    return current, values, notes


def work(screen: ByHandScreen) -> int:
    """Multiply-adds of one run."""
    blocks = {"RNN": 1, "LSTM": 4, "GRU": 3}[screen.kind]
    ways = 2 if screen.experiment in BOTH_WAYS else 1
    above = (screen.layers - 1) * (ways + 1) * screen.hidden
    columns = screen.input_size + screen.hidden + above
    return screen.batch * screen.length * ways * blocks * screen.hidden * columns
