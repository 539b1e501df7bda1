"""Whether a typed answer is right, and which part of it is wrong and why. Stdlib only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnviz.quiz import Question, column_reason, formula
from rnnviz.quiz_reading import NOWHERE, Index, Unread, read_count, read_shape, read_slice
from rnnviz.shapes import Dim, Parameter, parameter_count, parameters, tensors

MAX_ANSWER = 120
ORDINALS = {1: ("only",), 2: ("first", "second"), 3: ("first", "middle", "last")}


@dataclass(frozen=True)
class Verdict:
    """``right``, ``wrong`` (``message`` says where, ``why`` is the formula, both Markdown), or ``unread``.

    An unread text was not understood; ``message`` is then a hint in plain text, which may quote it.
    """

    status: Literal["right", "wrong", "unread"]
    message: str
    why: str = ""


def check(asked: Question, typed: str) -> Verdict:
    """The verdict on what somebody typed. Raises nothing: nonsense gets a hint."""
    text = typed.strip()
    try:
        if not text:
            raise Unread(f"Type an answer first, such as {asked.example}.")
        if len(text) > MAX_ANSWER:
            raise Unread(
                f"That is longer than {MAX_ANSWER} characters: an answer looks like {asked.example}."
            )
        if asked.topic == "slice":
            message = _wrong_slice(asked, text)
        elif asked.topic == "count":
            message = _wrong_count(asked, read_count(text))
        else:
            message = _wrong_shape(asked, read_shape(text))
    except Unread as hint:
        return Verdict("unread", str(hint))
    if message is None:
        return Verdict("right", "Right.", formula(asked))
    return Verdict("wrong", message, formula(asked))


def _wrong_shape(asked: Question, typed: tuple[int, ...]) -> str | None:
    right = asked.shape
    if typed == right:
        return None
    if len(typed) != len(right):
        names = _formulas(asked)
        return (
            f"`{asked.subject}` has {len(right)} {'axes' if len(right) > 1 else 'axis'}, "
            f"`({', '.join(names)})`: you wrote {len(typed)}."
        )
    said = []
    for i, (mine, theirs) in enumerate(zip(right, typed, strict=True)):
        if mine != theirs:
            place = (
                f"The {ORDINALS[len(right)][i]} axis is `{_formulas(asked)[i]} = {mine}`, you wrote {theirs}"
            )
            reason = _reason(asked, i, theirs)
            said.append(f"{place}: {reason}." if reason else f"{place}.")
    return " ".join(said)


def _formulas(asked: Question) -> tuple[str, ...]:
    if asked.tensor is not None:
        return tuple(d.formula for d in asked.tensor.dims)
    p, config = asked.parameter, asked.config
    assert p is not None  # only tensors and parameters have a shape
    if p.name.startswith("weight_hr"):
        return ("proj_size", "hidden_size")
    rows = "hidden_size" if config.blocks == 1 else f"{config.blocks} * hidden_size"
    if p.columns is None:
        return (rows,)
    below = "input_size" if p.layer == 0 else "D * H_out" if config.bidirectional else "H_out"
    return (rows, below if p.name.startswith("weight_ih") else "H_out")


def _reason(asked: Question, axis: int, typed: int) -> str:
    if asked.tensor is not None:
        return _axis_reason(asked, asked.tensor.dims[axis], typed)
    assert asked.parameter is not None
    return _parameter_reason(asked, asked.parameter, axis, typed)


def _axis_reason(asked: Question, dim: Dim, typed: int) -> str:
    config, moves = asked.config, asked.subject in ("input", "output")
    if dim.letter in ("L", "N") and moves and typed in (asked.length, asked.batch):
        first = "N" if config.batch_first else "L"
        return f"`batch_first={config.batch_first}` puts {first} first in input and output"
    if typed == asked.batch and dim.letter == "layers":
        return "`batch_first=True` puts N first in input and output, but never in h_n and c_n"
    if dim.letter == "N" and typed == asked.length:
        return f"`{asked.subject}` has no axis of steps, it is the state after the last one"
    if dim.letter == "layers":
        if config.bidirectional and typed == config.num_layers:
            return "each layer has a row for each of its two directions"
        if typed == 2 * config.num_layers:
            return "there is only one direction here"
        return "there is one row for each layer" + (" and direction" if config.bidirectional else "")
    if dim.letter == "H_in":
        return "the input has input_size features"
    if dim.letter in ("H_out", "H"):
        return _features_reason(asked, dim, typed)
    return ""


def _features_reason(asked: Question, dim: Dim, typed: int) -> str:
    config = asked.config
    if config.proj_size and dim.letter == "H_out" and typed in (config.hidden_size, 2 * config.hidden_size):
        return f"`proj_size={config.proj_size}` replaces hidden_size in h and output"
    if config.proj_size and dim.letter == "H" and typed == config.proj_size:
        return "proj_size makes h smaller, but c keeps hidden_size"
    if asked.subject == "output" and config.bidirectional and 2 * typed == dim.size:
        return "output joins both directions along its last axis"
    if asked.subject != "output" and typed == 2 * dim.size:
        return f"in `{asked.subject}` a second direction is another row, not more columns"
    if typed == config.input_size:
        return "that is input_size; what leaves has the size of the state"
    if typed == 2 * dim.size:
        return "there is only one direction here"
    if config.blocks > 1 and typed == config.blocks * config.hidden_size:
        return "the gates are stacked in the weights, not in what comes out"
    return ""


def _parameter_reason(asked: Question, p: Parameter, axis: int, typed: int) -> str:
    config = asked.config
    if len(p.shape) == 2 and typed == p.shape[1 - axis]:
        return "PyTorch stores a weight as (rows that leave, columns that enter)"
    if p.name.startswith("weight_hr"):
        return "W_hr takes hidden_size down to proj_size"
    if axis == 0:
        if config.blocks > 1 and typed == config.hidden_size:
            return f"an {config.kind} stacks {config.blocks} blocks: `{' | '.join(p.blocks)}`".replace(
                "an GRU", "a GRU"
            )
        return "the rows are the stacked blocks of hidden_size"
    return f"the columns meet {column_reason(config, p)}"


def _wrong_count(asked: Question, typed: int) -> str | None:
    config, right = asked.config, parameter_count(asked.config)
    if typed == right:
        return None
    every = parameters(config)
    weights = sum(p.count for p in every if p.columns is not None)
    slips = {
        weights: "that leaves out the biases",
        right - sum(p.count for p in every if p.name.startswith("bias_hh")): (
            "there are two biases in PyTorch, b_ih and b_hh"
        ),
        sum(p.count for p in every if p.direction == 0): "the second direction has weights of its own",
        sum(p.count for p in every if p.layer == 0): "every layer has weights of its own",
        right // config.blocks: f"the {config.kind} stacks {config.blocks} blocks in every weight",
    }
    slip = slips.get(typed)
    distance = "too many" if typed > right else "too few"
    return (
        f"You wrote {typed:,}: {slip}."
        if slip
        else f"You wrote {typed:,}, which is {abs(typed - right):,} {distance}."
    )


def _wrong_slice(asked: Question, text: str) -> str | None:
    config, state = asked.config, asked.state
    assert state is not None  # the topic is "slice"
    shape = tensors(config, asked.length, asked.batch)["output"].shape
    names = {"L": asked.length, "N": asked.batch, "H": config.hidden_size, "H_out": config.output_size}
    names |= {"D": config.directions}
    typed = read_slice(text, shape, names)
    right = None if state.where is None else read_slice(state.where, shape, names)
    if typed == right:
        return None
    if typed is None:
        return "It is in output: this row belongs to the top layer, and that is what output holds."
    if right is None:
        only = f"output holds only layer {config.num_layers - 1}"
        return f"It is {NOWHERE}: `{asked.subject}` belongs to layer {state.layer}, and {only}."
    return _wrong_axes(asked, typed, right)


def _wrong_axes(asked: Question, typed: tuple[Index, ...], right: tuple[Index, ...]) -> str:
    """Which axis of a slice is wrong. Raises Unread where only an axis of size 1 is too many."""
    config, state = asked.config, asked.state
    assert state is not None
    if all((one,) == other or one == other for one, other in zip(right, typed, strict=True)):
        raise Unread("These are the right numbers, but a slice keeps its axis: write the step as one number.")
    batch, steps = (0, 1) if config.batch_first else (1, 0)
    said = []
    if typed[batch] != right[batch]:
        said.append(
            f"Axis {batch} is the batch (`batch_first={config.batch_first}`), and h_n has every sequence: "
            "it must stay whole."
        )
    if typed[steps] != right[steps]:
        end = "reads from the end and is done at step 0" if state.direction else "is done at the last step"
        said.append(f"Axis {steps} is the step: the {state.cell.split(', ')[1]} direction {end}.")
    if typed[2] != right[2]:
        said.append(_wrong_features(asked))
    return " ".join(said)


def _wrong_features(asked: Question) -> str:
    config, state = asked.config, asked.state
    assert state is not None
    if not config.bidirectional:
        return "There is one direction, so every feature belongs to it."
    half = f"{config.output_size}:" if state.direction else f":{config.output_size}"
    return f"The last axis joins forward and backward: the {state.cell.split(', ')[1]} half is `{half}`."
