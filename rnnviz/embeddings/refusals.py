"""What PyTorch refuses, explained before it is asked: which rule a call breaks, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rnnviz.embeddings.inputs import Bags, Table


@dataclass(frozen=True)
class Rule:
    """A rule that a call breaks. ``checked``: PyTorch looks before it reads, so it can be asked to say so.

    What it does not check it must not be asked: it would read memory that holds no such number, and has
    ended the whole process (torch 2.13: empty offsets with mode "max").
    """

    name: str
    words: str
    checked: bool = True


def table_rule(table: Table) -> Rule | None:
    """The rule that looking up a table's indices breaks, or None."""
    lengths = {len(line) for line in table.indices}
    if len(lengths) > 1:
        shown = " and ".join(map(str, sorted(lengths)))
        return Rule(
            "ragged",
            f"A tensor has no ragged edge: the lines have {shown} indices. Fill the shorter ones up with the "
            "padding row.",
        )
    return _range([i for line in table.indices for i in line], table.config.num_embeddings, "indices")


def bag_rule(bags: Bags) -> Rule | None:
    """The rule that a bag's call breaks, or None. A rule that PyTorch does not check comes first."""
    found = _unchecked(bags) or _shape(bags) or _weights(bags) or _offsets(bags)
    return found or _range(list(bags.flat), bags.config.num_embeddings, "input")


def _unchecked(bags: Bags) -> Rule | None:
    offsets = bags.offsets
    if offsets is None or len(bags.items) > 1:
        return None
    if any(later < earlier for earlier, later in pairwise(offsets)):
        pair = next((a, b) for a, b in pairwise(offsets) if b < a)
        return Rule(
            "decreasing",
            f"Offsets may not decrease: {pair[1]} comes after {pair[0]}, so that bag would end before it "
            "starts. PyTorch does not check this: it gives numbers that mean nothing, or an error about "
            "something else. So it is not asked here.",
            checked=False,
        )
    if bags.config.include_last_offset and len(offsets) == 1:
        return Rule(
            "no bag",
            "With include_last_offset the last offset starts no bag, and there is only this one: no bag is "
            "left. PyTorch does not check this, and may end the whole program, so it is not asked here.",
            checked=False,
        )
    if bags.config.include_last_offset and offsets[0] == 0 and 0 <= offsets[-1] < len(bags.flat):
        return Rule(
            "last",
            f"With include_last_offset the last offset is the length of the list, {len(bags.flat)}, and here "
            "it "
            f"is {offsets[-1]}. PyTorch does not check this: sum leaves the rest out, max puts it into the "
            "last "
            "bag. So it is not asked here.",
            checked=False,
        )
    if any(offset < 0 for offset in offsets):
        return Rule(
            "negative",
            "An offset counts from the start of the list, so none is below 0. PyTorch does not check this, "
            "so it is not asked here.",
            checked=False,
        )
    return None


def _shape(bags: Bags) -> Rule | None:
    if not bags.items:
        return Rule(
            "no input",
            "There is nothing to put into bags: input needs at least one row number. PyTorch would give a "
            "zero for each bag.",
            checked=False,
        )
    if len({len(line) for line in bags.items}) > 1:
        return Rule(
            "ragged",
            "A 2-D input is a matrix: every line is one bag, and all are equally long. Bags of unequal "
            "length "
            "are what the flat list with offsets is for: write one line.",
        )
    if len(bags.items) > 1 and bags.offsets is not None:
        return Rule(
            "2-D",
            "In a 2-D input every line is a bag already, so there is nothing for offsets to say. Empty the "
            "offsets, or write the input in one line.",
        )
    if len(bags.items) == 1 and bags.offsets is None:
        return Rule(
            "1-D",
            "A flat list needs offsets: they say where each bag starts. 0 alone makes one bag of it all.",
        )
    return None


def _weights(bags: Bags) -> Rule | None:
    if bags.weights is None:
        return None
    if len(bags.weights) != len(bags.flat):
        return Rule(
            "weights' shape",
            f"Weights given: {len(bags.weights)}. Indices: {len(bags.flat)}. Each index needs one.",
        )
    if bags.config.mode != "sum":
        return Rule(
            "weights' mode",
            f"per_sample_weights work with mode='sum' alone. A weighted {bags.config.mode} is not defined: "
            "for a weighted mean, give weights that add up to 1 in each bag and take the sum.",
        )
    return None


def _offsets(bags: Bags) -> Rule | None:
    offsets = bags.offsets
    if offsets is None:
        return None
    if offsets[0] != 0:
        return Rule(
            "first",
            f"The first bag starts at the beginning of the list: offsets[0] is {offsets[0]}, and has to be "
            "0. "
            "Otherwise what stands before it would belong to no bag.",
        )
    if offsets[-1] > len(bags.flat):
        return Rule(
            "beyond",
            f"The list has {len(bags.flat)} indices, and a bag cannot start after its end: the last offset "
            "is "
            f"{offsets[-1]}. {len(bags.flat)} itself is allowed, and makes an empty bag.",
        )
    return None


def _range(indices: list[int], rows: int, what: str) -> Rule | None:
    wrong = [i for i in indices if not 0 <= i < rows]
    if not wrong:
        return None
    negative = " A negative index does not count from the end here." if wrong[0] < 0 else ""
    return Rule(
        "range",
        f"The table has rows 0 to {rows - 1}: there is no row {wrong[0]} for {what} to look up.{negative} In "
        "practice the vocabulary grew and num_embeddings did not.",
    )
