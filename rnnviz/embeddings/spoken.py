"""What happened, in sentences, each from the numbers of the run that it is said of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from rnnviz.embeddings.bags import run_bags
from rnnviz.embeddings.inputs import LOSSES, Bags, Table, Training
from rnnviz.embeddings.learning import Learned, learn
from rnnviz.embeddings.lookup import lookup
from rnnviz.embeddings.pretrained import Near

MOST = 8


def rows(numbers: Iterable[int]) -> str:
    """``row 2``, ``rows 2 and 5``, ``rows 1, 2, 3, …``."""
    found = list(numbers)
    if not found:
        return "no row"
    if len(found) == 1:
        return f"row {found[0]}"
    if len(found) > MOST:
        return f"{len(found)} rows ({', '.join(map(str, found[:MOST]))}, …)"
    return f"rows {', '.join(map(str, found[:-1]))} and {found[-1]}"


def apart(difference: float) -> str:
    """A largest difference: 0, or 1.2e-07."""
    return f"{difference:.1e}" if difference else "0"


@lru_cache(maxsize=128)
def lookup_line(table: Table, position: int) -> str:
    """The marked position's lookup, for a call that was answered."""
    found = lookup(table)
    assert found.output is not None
    length = len(table.indices[0])
    row = int(found.one_hot[position].argmax())
    word = f" (“{table.names[row]}”)" if table.names else ""
    where = f"[{position // length}, {position % length}]"
    values = found.output[position]
    shown = ", ".join(f"{v:.2f}" for v in values[:4]) + (", …" if len(values) > 4 else "")
    others = table.config.num_embeddings - 1
    line = f"Position {where}{word} reads row {row}: ({shown})."
    if others:
        line += f" As a product: 1 times row {row} plus 0 times each of the {others} other rows."
    return line


@lru_cache(maxsize=128)
def learned_lines(training: Training) -> tuple[str, ...]:
    """One step of training, in up to six sentences. They are Markdown."""
    found, config = learn(training), training.table.config
    lines = []
    if found.shortened:
        limit = config.max_norm
        long = np.flatnonzero(np.linalg.norm(found.forward, axis=1) > (limit or np.inf) * 1.0001)
        kept = (
            f"; {rows(map(int, long))}, not looked up, stay{'s' * (len(long) == 1)} longer"
            if len(long)
            else ""
        )
        lines.append(
            f"**max_norm = {limit:g}**: forward itself has overwritten {rows(found.shortened)}, in place and "
            f"before any gradient{kept}."
        )
    elif config.max_norm is not None and found.refusal is None:
        lines.append(f"**max_norm = {config.max_norm:g}**: no row that was looked up is longer.")
    if found.grad is None:
        if training.freeze and found.refusal is not None and found.counts.any():
            lines.append("**freeze**: `weight.requires_grad` is False, so no row has a gradient or moves.")
        return tuple(lines)
    lines += _gradient(training, found)
    if config.sparse:
        lines.append(
            f"**sparse**: `weight.grad` is a sparse tensor: it stores {found.stored} of "
            f"{config.num_embeddings} rows. The blank ones are not zeros, they are not there."
        )
    moved = "moves no row" if not found.moved else f"moves {rows(found.moved)}"
    lines.append(f"The step {moved}; every other row keeps its bits.")
    return tuple(lines)


def _gradient(training: Training, found: Learned) -> list[str]:
    config, lines = training.table.config, []
    padding = config.padding_idx
    if padding is None:
        lines.append(
            f"No row is padding: every row that is looked up gets its gradient ({rows(found.learned)})."
        )
    else:
        count, value = int(found.counts[padding]), found.before[padding]
        of_what = "ones" if (value == 1).all() else "zeros" if (value == 0).all() else "numbers"
        times = (
            "was not looked up"
            if not count
            else "was looked up once"
            if count == 1
            else f"was looked up {count} times"
        )
        lines.append(
            f"**Row {padding} is padding**: it holds {of_what}, {times}, and its gradient is 0. "
            f"A gradient goes to {rows(found.learned)}."
        )
    if training.loss == LOSSES[0]:
        if config.scale_grad_by_freq:
            lines.append(
                "**scale_grad_by_freq**: each gradient is divided by how often its row was looked up, which "
                "makes every one of them 1 here."
            )
        elif found.learned:
            lines.append(
                "The loss is a plain sum, so the gradient of a row counts how often it was looked up (×n "
                "beside "
                "its name)."
            )
    elif config.scale_grad_by_freq:
        lines.append("**scale_grad_by_freq**: each gradient is divided by how often its row was looked up.")
    else:
        lines.append("The loss is a sum of squares: a row's gradient is 2 · row, once for each lookup.")
    return lines


@lru_cache(maxsize=128)
def bag_lines(bags: Bags) -> tuple[str, ...]:
    """What a bag's picture shows, in up to four sentences. They are Markdown."""
    found, config = run_bags(bags), bags.config
    if found.output is None:
        return ()
    lines = []
    if found.left_out:
        n = len(found.left_out)
        lines.append(
            f"Row {config.padding_idx} is padding: {n} {'index is' if n == 1 else 'indices are'} left out of "
            "the bags" + (", and a mean divides by what is left." if config.mode == "mean" else ".")
        )
    kept = [[k for k in range(a, b) if k not in found.left_out] for a, b in found.spans]
    empty = [str(k) for k, inside in enumerate(kept) if not inside]
    if empty:
        which = f"Bag {empty[0]} has" if len(empty) == 1 else f"Bags {', '.join(empty)} have"
        lines.append(
            f"{which} nothing in {'it' if len(empty) == 1 else 'them'}: the result is zero, for max too."
        )
    if bags.weights is not None:
        lines.append("Each row is multiplied by its weight before the sum.")
    return tuple(lines)


def nobody_line(near: Near) -> str:
    """Why a question to word vectors has no answer, and what can be asked; "" where it has one."""
    ask = "a word, such as cat, or a sum with spaces between its words, such as king - man + woman"
    if near.rows:
        return ""
    if near.asked.missing:
        return f"Without a vector for every asked word there is no answer: ask {ask}."
    if not near.asked.rows:
        return f"Nothing is asked, so no word is nearest: ask {ask}."
    if near.length:
        return (
            "No other word of these vectors has a direction, so none is nearest: use vectors of more words."
        )
    return (
        "What is asked adds up to a vector of zeros, which has no direction, so no word is nearest to it: "
        f"ask {ask}."
    )
