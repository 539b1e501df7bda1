"""The two small trained encoder-decoders that come with rnnviz; `tools.train_attention` makes them anew.

Both reverse strings of 4 to 8 letters and were trained on the same pairs. *attention* is a whole run
(`rnnviz.training.live.runfile`): its curves, a few earlier states, and one that goes on where it stands.
*plain* has no attention, only its last state between encoder and decoder; it was trained four times as long,
and is kept without its optimiser, because it is there to be asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from rnnviz.assets import FOLDER
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.training.state import RunState

STATES = FOLDER / "states"
ATTENTION = STATES / "attention.safetensors"
PLAIN = STATES / "attention-plain.safetensors"
CONFIG = Seq2SeqConfig()
PLAIN_CONFIG = replace(CONFIG, attention="none")
EPOCHS, PLAIN_EPOCHS = 30, 120
KEPT = (0, 2, 4, 6, 8, 12, 20)
"""The epochs of the run with attention that one can go back to: it learns where to look in the first ten."""


@dataclass(frozen=True)
class BeamCase:
    """A source of which a narrow beam finds the right target and a wider one does not, asked of *plain*."""

    source: tuple[str, ...]
    narrow: int
    wide: int
    alpha: float


BEAM_CASE = BeamCase(tuple("jlbilga"), 1, 3, 1.0)


def attention_run() -> bytes:
    """The file of the run with attention, as `rnnviz.training.live.runfile.from_bytes` reads it."""
    return ATTENTION.read_bytes()


@cache
def attention_state() -> RunState:
    """The state with attention."""
    from rnnviz.training.live.runfile import from_bytes

    return RunState.from_bytes(from_bytes(attention_run()).state)


@cache
def plain_state() -> RunState:
    """The state without attention."""
    return RunState.from_bytes(PLAIN.read_bytes())
