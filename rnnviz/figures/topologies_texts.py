"""The texts in the picture of a topology: what is read and written, shapes, classes, the loss."""

from __future__ import annotations

from typing import Any

from rnnviz.figures import theme
from rnnviz.figures.base import plain, short
from rnnviz.figures.pens import Texts
from rnnviz.figures.topologies_places import (
    BOX,
    BUS,
    CELL,
    CHANCE,
    FEW,
    FIRST,
    INPUT,
    SPARSE,
    STATE,
    TALL,
    WROTE,
    Picture,
    sideways,
)


def texts(record: Picture) -> list[dict[str, Any]]:
    look = record.look
    tokens, wrote, wrong, shapes = Texts(), Texts(), Texts(), Texts()
    fits = max(1, int(record.pitch * 2 * BOX / 7.5))
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters:
            tokens.add(x, INPUT, short(column.enters, max(fits, 12) if not record.recurrent else fits))
        if column.wrote:
            text = short(column.wrote, 14 if len(record.outputs) == 1 else fits + 1)
            bad = column.right is not None and column.right != column.wrote
            said = (
                f"{text} ✓"
                if column.right == column.wrote and record.every
                else f"{text}{' ' * record.every}✗"
                if bad
                else text
            )
            (wrong if bad else wrote).add(x, WROTE, f"<b>{said}</b>")
    if look.first:
        text = plain(look.first).replace(" ", "<br>", 1)
        tokens.add(-record.lead - FIRST / record.pitch, sum(STATE) / 2, text)
        shapes.add(-record.lead - FIRST / record.pitch, sum(STATE) / 2 + 0.5, look.shapes["first"])
    drawn = [
        tokens.drawn(theme.TEXT, 13),
        wrote.drawn(theme.TEXT, 13),
        wrong.drawn(theme.MISMATCH, 13),
        *_shape_texts(record, shapes),
    ]
    if len(look.classes) <= FEW:
        drawn.append(_classes(record))
    drawn.append(_loss(record))
    return drawn


def _shape_texts(record: Picture, middle: Texts) -> list[dict[str, Any]]:
    """The shapes beside the arrows, where there is room; they stand left of each row of arrows anyway.
    ``middle`` holds what is written across.
    """
    look = record.look
    beside = Texts()
    for column, x in zip(look.columns, record.places, strict=True):
        if column.enters and record.every:
            beside.add(x + 0.04, (INPUT + TALL + STATE[0]) / 2, look.shapes["x"])
    for _, x in record.outputs if record.every else ():
        beside.add(x + 0.04, (STATE[1] + CHANCE[0]) / 2, look.shapes["y"])
    for i, (start, stop, (name, shape)) in enumerate(sideways(record)):
        if i == 0 or record.every or name == "h<sub>n</sub>":
            middle.add((start + stop) / 2, sum(STATE) / 2 + 0.2, name)
            if record.columns <= SPARSE:
                middle.add((start + stop) / 2, sum(STATE) / 2 - 0.2, shape)
    return [beside.drawn(theme.MUTED, 10) | {"textposition": "middle right"}, middle.drawn(theme.MUTED, 10)]


def _classes(record: Picture) -> dict[str, Any]:
    """The classes' names and probabilities: left of a single output, else right of the last one."""
    look, pen = record.look, Texts()
    column, x = record.outputs[-1]
    step = (CHANCE[1] - CHANCE[0]) / len(look.classes)
    side = -1 if len(record.outputs) == 1 else 1
    for k, name in enumerate(look.classes):
        chance = look.probabilities[column, k]
        text = f"{plain(name)} {chance:.2f}"
        text = f"{text}\u00a0" if side < 0 else f"\u00a0{text}"  # a gap, also on a narrow page
        pen.add(
            x + side * (CELL + 0.02),
            CHANCE[1] - (k + 0.5) * step,
            f"<b>{text}</b>" if name == look.columns[column].wrote else text,
        )
    return pen.drawn(theme.TEXT, 11) | {"textposition": "middle right" if side > 0 else "middle left"}


def _loss(record: Picture) -> dict[str, Any]:
    look, pen = record.look, Texts()
    count = len(record.outputs)
    each = "−log p(right)" if count == 1 else f"mean −log p(right) of {count}"
    if look.loss is None:
        text = "cross entropy: here nobody knows what is right"
    else:
        text = f"<b>cross entropy</b>: {each} = <b>{look.loss:.4f}</b>"
    first, last = record.outputs[0][1], record.outputs[-1][1]
    if not record.recurrent:
        pen.add(first, BUS + 0.34, text)
        return pen.drawn(theme.TEXT, 12)
    pen.add(last + CELL, BUS + 0.34, text)  # to the left, where there is room however narrow the page
    return pen.drawn(theme.TEXT, 12) | {"textposition": "middle left"}
