"""The presets of the page *Attention*, and what its controls show for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from rnnviz.data.pairs_text import format_pairs
from rnnviz.presets import SEQ2SEQ_PRESETS
from rnnviz.screens.attention import AttentionScreen, screen
from rnnviz.screens.attention_fields import FIELDS, FILE, LOOKED, MAX_TEXT, OWN
from rnnviz.training.pairs_config import Generated, Seq2SeqConfig


def values_of(config: Seq2SeqConfig) -> dict[str, Any]:
    """What the controls show for a run's configuration. Own pairs that are held out, or too many for an
    address, are named a file: the session must hold it.
    """
    o = config.optimiser
    found: dict[str, Any] = {
        "a_vocab": config.vocabulary,
        "a_score": config.attention,
        "a_heads": config.heads,
        "a_enc": config.encoder,
        "a_dec": config.decoder,
        "a_emb": config.embedding,
        "a_hidden": config.hidden,
        "a_dhid": config.decoder_hidden,
        "a_layers": config.num_layers,
        "a_dlay": config.decoder_layers,
        "a_bi": config.bidirectional,
        "a_mask": config.mask,
        "a_pack": config.packed,
        "a_drop": config.dropout,
        "a_teach": config.teacher,
        "a_tend": config.teacher_end,
        "a_tover": config.teacher_epochs,
        "a_trev": config.teacher_reversed,
        "a_batch": config.batch,
        "a_shuffle": config.shuffle,
        "a_opt": o.name,
        "a_lr": o.lr,
        "a_mom": o.momentum,
        "a_wd": o.weight_decay,
        "a_clip": o.clip,
        "a_seed": config.seed,
        "a_device": config.device,
    }
    data = config.data
    if isinstance(data, Generated):
        sizes = ("symbols", "shortest", "longest", "shift", "train", "held")
        keys = ("a_symbols", "a_short", "a_long", "a_shift", "a_train", "a_held")
        return found | {"a_task": data.task} | dict(zip(keys, (getattr(data, n) for n in sizes), strict=True))
    unit = "word" if any(len(token) > 1 for pair in data for side in pair for token in side) else "character"
    text = format_pairs(data, unit)  # type: ignore[arg-type]
    if config.held_out or len(text) > MAX_TEXT:
        return found | {"a_task": FILE, "a_unit": unit, "a_part": 0.0}
    return found | {"a_task": OWN, "a_pairs": text, "a_unit": unit, "a_part": 0.0}


WIDE_BEAM = {"a_score": "none", "a_source": "jlbilga", "a_width": 3, "a_alpha": 1.0, "a_view": "Beam"}
"""`rnnviz.models.shipped.BEAM_CASE` as the controls show it; no torch is imported here."""


@dataclass(frozen=True)
class AttentionExample:
    """A preset: a row, a name, what it sets, and the one thing to see in it."""

    row: str
    title: str
    values: Mapping[str, Any]
    fact: str

    @property
    def name(self) -> str:
        """In bold before the fact: a row of the notebooks' systems, or the title of a preset that is none."""
        return self.row if self.row in SEQ2SEQ_PRESETS else f"{self.row} {self.title}".strip()


EXAMPLES: dict[str, AttentionExample] = {
    e.row: e
    for e in (
        AttentionExample(
            "D7",
            "Reverse",
            {},
            "A string backwards. A row shows where the model looks for a token; outlined: where it should.",
        ),
        AttentionExample(
            "No",
            "attention",
            {"a_score": "none", "a_view": "Length"},
            "The decoder gets one vector of all the source. Trained four times as long, it loses long ones.",
        ),
        AttentionExample(
            "E2",
            "No mask",
            values_of(SEQ2SEQ_PRESETS["E2"]) | {"a_view": "Padding"},
            "Attention without a mask: padding gets weight.",
        ),
        AttentionExample(
            "E1",
            "Reversed",
            values_of(SEQ2SEQ_PRESETS["E1"]) | {"a_view": "Curves"},
            "The ratio is 0.9, yet the true token is fed 1 time in 10: the condition is reversed.",
        ),
        AttentionExample(
            "D9",
            "Unequal",
            values_of(SEQ2SEQ_PRESETS["D9"]) | {"a_view": "Padding"},
            "Four sentences, one batch: padding is masked in attention and loss, packed in the encoder.",
        ),
        AttentionExample(
            "D6",
            "Notebook",
            values_of(SEQ2SEQ_PRESETS["D6"]) | {"a_view": "Model", "a_feed": True},
            "The notebook's sizes, not trained: no energy is large, so its heatmap is even.",
        ),
        AttentionExample(
            "Beam",
            "too wide",
            WIDE_BEAM,
            "Width 1 finds the right string, width 3 a likelier one that is wrong.",
        ),
        AttentionExample(
            "Dates",
            "",
            {"a_task": "dates", "a_epochs": 20},
            "3 March 2021 becomes 2021-03-03: the month is read from its letters, the rest is copied.",
        ),
    )
}


def preset_values(example: AttentionExample) -> dict[str, Any]:
    """Every value as the preset has it. What was typed for another model goes, too."""
    kept = ("a_seed", "a_log", "a_device", "a_sums")
    seen = {key: value for key, value in example.values.items() if key not in kept}
    return {f.key: f.default for f in FIELDS if f.key not in kept} | seen


def active_preset(current: AttentionScreen, values: Mapping[str, Any]) -> str | None:
    """The row of the preset that the screen shows, whatever its seed and device, if it shows one."""
    if current.problem:
        return None
    config, *rest = _shown(current, values)
    return next((row for row, (own, *others) in _presets() if others == rest and _alike(own, config)), None)


def _alike(one: Seq2SeqConfig, other: Seq2SeqConfig) -> bool:
    """Whether they are the same but for seed and device."""
    return all(getattr(one, name) == getattr(other, name) for name in _COMPARED)


_COMPARED = tuple(f.name for f in fields(Seq2SeqConfig) if f.name not in ("seed", "device"))


def _shown(current: AttentionScreen, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a preset is known by."""
    wide = "".join(current.source) == WIDE_BEAM["a_source"] and values["a_view"] == WIDE_BEAM["a_view"]
    return current.config, current.until, current.epochs, wide and not current.attends


@lru_cache(maxsize=1)
def _presets() -> tuple[tuple[str, tuple[Any, ...]], ...]:
    found = [(row, screen(preset_values(example))) for row, example in EXAMPLES.items()]
    return tuple((row, _shown(current, values)) for row, (current, values, _) in found)


assert set(LOOKED) <= {f.key for f in FIELDS}
