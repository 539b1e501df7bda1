"""The small trained encoder-decoders that come with rnnviz; `tools.train_attention` makes them anew.

Each is a whole run (`rnnviz.training.live.runfile`): its curves, a few earlier states to go back to, and one
that goes on where it stands. REVERSE and PLAIN reverse strings of 4 to 8 letters and were trained on the same
pairs; PLAIN has no attention, only its last state between encoder and decoder, and was trained four times as
long. DATES writes "3 March 2021" as 2021-03-03.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from rnnviz.assets import FOLDER
from rnnviz.training.pairs_config import Generated, Seq2SeqConfig
from rnnviz.training.state import RunState

STATES = FOLDER / "states"


@dataclass(frozen=True)
class Trained:
    """A run that comes along: its file, its settings, how many epochs it was trained, and which of them one
    can go back to.
    """

    name: str
    config: Seq2SeqConfig
    epochs: int
    kept: tuple[int, ...]

    @property
    def path(self) -> Path:
        return STATES / f"{self.name}.safetensors"

    def run(self) -> bytes:
        """The file, as `rnnviz.training.live.runfile.from_bytes` reads it."""
        return self.path.read_bytes()

    def state(self) -> RunState:
        """Where the run stands."""
        return _state(self)


@cache
def _state(one: Trained) -> RunState:
    from rnnviz.training.live.runfile import from_bytes

    return RunState.from_bytes(from_bytes(one.run()).state)


REVERSE = Trained("attention", Seq2SeqConfig(), 30, (0, 2, 4, 6, 8, 12, 20))
"""It learns where to look in the first ten epochs."""
PLAIN = Trained("attention-plain", replace(REVERSE.config, attention="none"), 120, (0, 30))
DATES = Trained("attention-dates", replace(REVERSE.config, data=Generated("dates")), 20, (0, 4, 8))
ALL = (REVERSE, PLAIN, DATES)


@dataclass(frozen=True)
class BeamCase:
    """A source of which a narrow beam finds the right target and a wider one does not, asked of *plain*."""

    source: tuple[str, ...]
    narrow: int
    wide: int
    alpha: float


BEAM_CASE = BeamCase(tuple("jlbilga"), 1, 3, 1.0)
