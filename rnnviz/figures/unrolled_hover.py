"""What the places of the unrolled network say to the pointer: what enters and leaves, and the weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnnviz.figures import theme
from rnnviz.figures.pens import Targets
from rnnviz.gates import AXES, QUANTITIES
from rnnviz.shapes import parameters
from rnnviz.traps import half_code, index_code

if TYPE_CHECKING:
    from rnnviz.figures.unrolled import Place, Unrolled


def targets(record: Unrolled) -> Iterator[dict[str, Any]]:
    """One trace for each kind of place; cells and both ends carry their row of h_n as ``customdata[0]``."""
    colour = QUANTITIES["h"].colour
    yield _inputs(record).drawn(AXES["H_in"].colour)
    for direction in range(record.screen.config.directions):
        yield _outputs(record, direction).drawn(AXES["H_out"].colour)
    weights: dict[int, list[str]] = {}
    for p in parameters(record.screen.config):
        row = p.layer * record.screen.config.directions + p.direction
        weights.setdefault(row, []).append(f"  {p.name}  {p.shape}")
    for place in record.cells:
        yield _cells(record, place, weights[place.row]).drawn(colour)
    if record.screen.config.bidirectional:
        yield _joins(record).drawn(theme.MUTED)
    yield _ends(record, final=False).drawn(colour)
    yield _ends(record, final=True).drawn(AXES["layers"].colour)


def _many(record: Unrolled, size: int) -> str:
    """The shape of one step: (N, size), or (size,) for an unbatched run."""
    return f"({record.screen.batch}, {size})" if record.screen.batched else f"({size},)"


def _inputs(record: Unrolled) -> Targets:
    shape = _many(record, record.screen.config.input_size)
    places = Targets(
        "input", f"<b>x<sub>%{{customdata[0]}}</sub></b>  {shape}<br>one step of input enters layer 0"
    )
    for column, t in record.columns:
        places.add(column, 0.0, t)
    return places


def _outputs(record: Unrolled, direction: int) -> Targets:
    config = record.screen.config
    features = half_code(record.screen, direction)
    code = index_code(record.screen, "%{customdata[0]}", features)
    whose = f"{'backward' if direction else 'forward'} h" if features else "h"
    places = Targets(
        f"output {features}".strip(),
        f"<b>{code}</b>  {_many(record, config.output_size)}<br>{whose} of layer {config.num_layers - 1}, "
        f"step %{{customdata[0]}}" + ("<br>output joins both directions" if features else ""),
    )
    for column, t in record.columns:
        places.add(record.half(column, direction)[0], record.top, t)
    return places


def _joins(record: Unrolled) -> Targets:
    config = record.screen.config
    joined = _many(record, 2 * config.output_size)
    places = Targets(
        "joined",
        f"<b>h of layer %{{customdata[1]}}, step %{{customdata[0]}}</b>  {joined}"
        "<br>forward and backward, joined: the input of the next layer",
    )
    for place in record.cells:
        if place.direction and place.above is not None and place.layer != config.num_layers - 1:
            for column, t in record.columns:
                places.add(column, place.above, t, str(place.layer))
    return places


def _cells(record: Unrolled, place: Place, weights: list[str]) -> Targets:
    screen, config = record.screen, record.screen.config
    layer, direction = place.layer or 0, place.direction
    below = config.input_size if layer == 0 else config.directions * config.output_size
    h, c = _many(record, config.output_size), _many(record, config.hidden_size)
    source = "x<sub>%{customdata[1]}</sub>" if layer == 0 else f"h of layer {layer - 1}"
    if layer and config.bidirectional:
        source += ", both directions"
    lines = [
        f"<b>layer {layer}, {'backward' if direction else 'forward'}, step %{{customdata[1]}}</b>",
        f"in: {source}  {_many(record, below)}",
        f"in: %{{customdata[2]}}  {h}" + (f", and c  {c}" if config.kind == "LSTM" else ""),
        f"out: h<sub>%{{customdata[1]}}</sub>  {h}" + (f", and c  {c}" if config.kind == "LSTM" else ""),
        "weights, the same at every step:",
        *weights,
    ]
    places = Targets(f"layer {layer} {'backward' if direction else 'forward'}", "<br>".join(lines))
    start = screen.length - 1 if direction else 0
    for column, t in record.columns:
        before = f"h_0[{place.row}]" if t == start else f"h<sub>{t + (1 if direction else -1)}</sub>"
        places.add(record.centre(column, direction), place.y, place.row, t, before)
    return places


def _ends(record: Unrolled, *, final: bool) -> Targets:
    screen = record.screen
    shape = _many(record, screen.config.output_size)
    if final:
        pair = " (and its c_n)" if screen.config.kind == "LSTM" else ""
        text = f"<b>h_n[%{{customdata[0]}}]</b>  {shape}<br>leaves %{{customdata[1]}}{pair}"
        text += "<br>click to follow it"
    else:
        given = "given" if screen.given_state else "zeros, since none is given"
        text = f"<b>h_0[%{{customdata[0]}}]</b>  {shape}<br>{given}; enters %{{customdata[1]}}"
    places = Targets("h_n" if final else "h_0", text)
    for place in record.cells:
        where = f"layer {place.layer}, {'backward' if place.direction else 'forward'}"
        at_end = bool(place.direction) != final
        step = (
            f"step {screen.length - 1}"
            if at_end and screen.lengths is None
            else "each last step"
            if at_end
            else "step 0"
        )
        places.add(record.ends(place.direction)[final], place.y, place.row, f"{where} at {step}")
    return places
