"""Predict, then reveal: questions about shapes, counts and slices, and their answers. Stdlib only.

Question k of a seed is the same everywhere. Answers come from `rnnviz.shapes`; the tests compare them with
real modules. What a typed text means is in `rnnviz.quiz_answers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from rnnviz.config import LayerConfig
from rnnviz.gates import KINDS
from rnnviz.quiz_reading import NOWHERE
from rnnviz.shapes import (
    FinalState,
    Parameter,
    TensorShape,
    final_states,
    parameter_count,
    parameters,
    tensors,
)

TOPICS = ("output", "h_n", "slice", "weight", "input", "count", "c_n", "bias")
"""What is asked; each once in every eight questions, which begin with the first."""

SIZES = (4, 5, 6, 7, 8, 9, 10, 12, 16, 20)


@dataclass(frozen=True)
class Question:
    """One question: a layer, L and N, and what is asked about it.

    ``subject``: a tensor ("output"), a parameter ("weight_ih_l0_reverse"), "count", or a row of
    h_n ("h_n[2]").
    """

    seed: int
    number: int
    topic: str
    config: LayerConfig
    length: int
    batch: int
    subject: str

    @property
    def prompt(self) -> str:
        """What is asked, as Markdown."""
        if self.topic == "count":
            return "How many numbers does this layer learn?"
        if self.topic == "slice":
            return f"Which slice of `output` equals `{self.subject}`? (If none does, type *{NOWHERE}*.)"
        return f"What is the shape of `{self.subject}`?"

    @property
    def example(self) -> str:
        """An answer of the right form, and never the right one."""
        if self.topic == "count":
            return "12"
        if self.topic == "slice":
            return f"output[2, :4], or {NOWHERE}"
        return "(11, 13)" if self.parameter is not None else "(11, 13, 17)"

    @property
    def code(self) -> str:
        """The lines the question is about."""
        shape = tensors(self.config, self.length, self.batch)["input"]
        call = self.config.call()
        results = "output, (h_n, c_n)" if self.config.kind == "LSTM" else "output, h_n"
        if self.topic == "input":
            order = f"batch of {self.batch}, sequences of {self.length} steps"
            return f"layer = {call}\n{results} = layer(input)  # {order}"
        if self.topic in ("weight", "bias", "count"):
            return f"layer = {call}"
        return f"layer = {call}\ninput = torch.randn{shape.shape}\n{results} = layer(input)"

    @property
    def tensor(self) -> TensorShape | None:
        """The tensor asked for, if it is one."""
        return tensors(self.config, self.length, self.batch).get(self.subject)

    @property
    def parameter(self) -> Parameter | None:
        """The parameter asked for, if it is one."""
        return next((p for p in parameters(self.config) if p.name == self.subject), None)

    @property
    def state(self) -> FinalState | None:
        """The row of h_n asked for, if it is one."""
        if self.topic != "slice":
            return None
        return final_states(self.config, self.length)[int(self.subject[4:-1])]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape asked for; () for a count or a slice."""
        tensor, parameter = self.tensor, self.parameter
        return tensor.shape if tensor else parameter.shape if parameter else ()

    @property
    def answer(self) -> str:
        """The right answer, as a person would type it."""
        state = self.state
        if state is not None:
            return state.where or NOWHERE
        return str(parameter_count(self.config)) if self.topic == "count" else str(self.shape)


def question(seed: int, number: int) -> Question:
    """Question ``number`` (from 0) of a seed."""
    first, *rest = TOPICS
    # A text seeds the generator the same way in every version and process.
    Random(f"rnnviz quiz {seed}, round {number // len(TOPICS)}").shuffle(rest)
    topic = [first, *rest][number % len(TOPICS)]
    draw = Random(f"rnnviz quiz {seed}, question {number}")
    sizes = draw.sample(SIZES, 4)  # all different, so that a swapped axis cannot look right
    config = _config(draw, topic, sizes)
    return Question(seed, number, topic, config, sizes[2], sizes[3], _subject(draw, topic, config))


def _config(draw: Random, topic: str, sizes: list[int]) -> LayerConfig:
    kind = "LSTM" if topic == "c_n" else draw.choice(KINDS)
    hidden = sizes[1]
    return LayerConfig(
        kind,
        sizes[0],
        hidden,
        num_layers=draw.choice((1, 1, 2, 2, 3)),
        bias=topic == "bias" or draw.random() < 0.85,
        batch_first=draw.random() < 0.5,
        bidirectional=draw.random() < 0.6,
        proj_size=3 if kind == "LSTM" and draw.random() < 0.15 else 0,
    )


def _subject(draw: Random, topic: str, config: LayerConfig) -> str:
    if topic == "slice":
        rows = config.num_layers * config.directions
        top = rows - config.directions
        # Mostly the top layer, where there is a slice to find.
        return f"h_n[{draw.randrange(top, rows) if draw.random() < 0.75 else draw.randrange(rows)}]"
    if topic in ("weight", "bias"):
        return draw.choice([p.name for p in parameters(config) if p.name.startswith(topic)])
    return topic


def formula(asked: Question) -> str:
    """How the answer comes about, as Markdown."""
    config, tensor, parameter, state = asked.config, asked.tensor, asked.parameter, asked.state
    if tensor is not None:
        names = ", ".join(d.formula for d in tensor.dims)
        return f"`{asked.subject}` is `({names})` = `{asked.answer}`{_meaning(asked)}."
    if parameter is not None:
        return f"`{parameter.name}` is `{asked.answer}`: {_parameter_formula(config, parameter)}."
    if state is not None:
        return _slice_formula(asked, state)
    groups = []
    for layer in range(config.num_layers):
        counts = [p.count for p in parameters(config) if (p.layer, p.direction) == (layer, 0)]
        twice = "2 × " if config.bidirectional else ""
        groups.append(f"layer {layer}: {twice}({' + '.join(map(str, counts))})")
    return f"{'; '.join(groups)}. Together **{asked.answer}**, whatever L and N are."


def _meaning(asked: Question) -> str:
    config = asked.config
    said = []
    if asked.subject in ("output", "input"):
        said.append(f"`batch_first={config.batch_first}` puts {'N' if config.batch_first else 'L'} first")
        if asked.subject == "output" and config.bidirectional:
            said.append("both directions are joined along the last axis")
    else:
        said.append(
            "`batch_first` does not move it"
            if config.batch_first
            else "it has a row for each layer and direction"
        )
    if config.proj_size and asked.subject == "c_n":
        said.append("`proj_size` makes h smaller, never c")
    elif config.proj_size and asked.subject != "input":
        said.append(f"H_out is `proj_size={config.proj_size}`")
    return f", because {' and '.join(said)}"


def _parameter_formula(config: LayerConfig, p: Parameter) -> str:
    if p.name.startswith("weight_hr"):
        return f"it takes hidden_size = {config.hidden_size} numbers to proj_size = {config.proj_size}"
    rows = config.blocks * config.hidden_size
    blocks = " | ".join(p.blocks)
    stacked = f"{config.blocks} blocks ({blocks}) × hidden_size" if config.blocks > 1 else "hidden_size"
    if p.columns is None:
        return f"{stacked} = {rows}"
    return f"{stacked} = {rows} rows, and its {p.shape[1]} columns meet {column_reason(config, p)}"


def column_reason(config: LayerConfig, p: Parameter) -> str:
    """What the columns of a weight are multiplied with."""
    if p.name.startswith("weight_hh"):
        return "h of the step before" + (f" (proj_size = {config.proj_size})" if config.proj_size else "")
    if p.layer == 0:
        return "x (input_size)"
    both = f", both directions: 2 × {config.output_size}" if config.bidirectional else ""
    return f"h of layer {p.layer - 1}{both}"


def _slice_formula(asked: Question, state: FinalState) -> str:
    config = asked.config
    order = "layer by layer, forward then backward" if config.bidirectional else "layer by layer"
    start = f"h_n is ordered {order}, so `{asked.subject}` belongs to {state.cell}"
    if state.where is None:
        only = f"`output` holds only the top layer (layer {config.num_layers - 1})"
        return f"{start}. {only}: it is **{NOWHERE}**."
    done = (
        "reads from the end, so it is done at step 0" if state.direction else f"is done at step {state.step}"
    )
    half = ""
    if config.bidirectional:
        half = f", and is the {'last' if state.direction else 'first'} {config.output_size} features"
    return f"{start}. It {done}{half}: `{state.where}`."
