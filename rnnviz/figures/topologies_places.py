"""Where everything stands in the picture of a topology: the record that its drawing and its texts share."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.topologies.record import Look

HEIGHT = 372
WIDE = 740  # pixels that the columns are laid out for
LEAD, FIRST = 80, 30  # pixels: of the arrow to the first state, of half the box that it comes from
WIDEST = 150  # pixels from a column to the next, at most
INPUT, STATE, CHANCE, WROTE, BUS, TOP = 0.0, (0.95, 2.35), (3.0, 4.1), 4.32, 4.86, 5.5
LOW = -0.36
TALL, BOX, CELL = 0.28, 0.38, 0.25  # half heights and widths
SPARSE = 4  # columns up to which the shape is also written along the arrows between the states
ROOMY = 7  # columns up to which every arrow has its shape written beside it
FEW = 6  # classes up to which their names stand beside the last output


@dataclass(frozen=True, eq=False)
class Picture:
    """A run with the place of each column."""

    look: Look
    places: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Places from first to last, the gap before a decoder included."""
        return self.places[-1] + 1

    @property
    def every(self) -> bool:
        """Whether every arrow has its shape written beside it."""
        return self.columns <= ROOMY

    @property
    def recurrent(self) -> bool:
        return self.look.config.name != "one-to-one"

    @property
    def outputs(self) -> tuple[tuple[int, int], ...]:
        """(column, place) of every output."""
        return tuple((i, self.places[i]) for i in self.look.outputs)

    @property
    def margins(self) -> tuple[float, float]:
        """Pixels left of the first column, for h_0 and what makes it, and right of the last, for names."""
        left = LEAD + 2 * FIRST if self.look.first else LEAD if self.recurrent else 20
        return left, 152 if len(self.look.classes) <= FEW and len(self.outputs) > 1 else 56

    @property
    def pitch(self) -> float:
        """Pixels from a column to the next, where the page is as wide as `WIDE`."""
        return min(WIDEST, (WIDE - sum(self.margins)) / (self.columns - 1 + 2 * BOX))

    @property
    def span(self) -> tuple[float, float]:
        """The range of x, in columns; what is too much stands on both sides."""
        left, right = (BOX + margin / self.pitch for margin in self.margins)
        extra = max(0.0, WIDE / self.pitch - (left + self.columns - 1 + right)) / 2
        return -left - extra, self.columns - 1 + right + extra

    @property
    def lead(self) -> float:
        """How far left of the first column the first arrow begins."""
        return CELL + LEAD / self.pitch


def picture(look: Look) -> Picture:
    """The record of a run: an encoder and a decoder stand one column apart."""
    return Picture(look, tuple(i + (column.part == "decoder") for i, column in enumerate(look.columns)))


def sideways(record: Picture) -> list[tuple[float, float, tuple[str, str]]]:
    """The arrows between states: from x, to x, and what goes along them."""
    if not record.recurrent:
        return []
    h, carried = record.look.shapes["h"], record.look.shapes["carries"]
    begins = "h<sub>0</sub>" if record.look.first else f"{carried} = 0"
    arrows = [(-record.lead, -CELL, (begins, h))]
    for left, right in zip(record.places, record.places[1:], strict=False):
        arrows.append((left + CELL, right - CELL, ("h<sub>n</sub>" if right - left > 1 else carried, h)))
    return arrows
