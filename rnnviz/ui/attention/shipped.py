"""The trained runs that come with the page, as runs that can be looked at, rewound and trained on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

from rnnviz.models import shipped as files
from rnnviz.training.live import Run, runfile
from rnnviz.training.live.records import Origin
from rnnviz.training.pairs_config import Seq2SeqConfig
from rnnviz.ui.attention.decoded import begun


@dataclass(frozen=True, eq=False)
class Shipped:
    """A trained run: its configuration, and where it stands with what it measured on the way."""

    config: Seq2SeqConfig
    origin: Origin


@lru_cache(maxsize=1)
def shipped() -> tuple[Shipped, ...]:
    """Every trained run that comes along, read once."""
    return tuple(Shipped(one.config, runfile.from_bytes(one.run()).saved()) for one in files.ALL)


@lru_cache(maxsize=128)
def trained(config: Seq2SeqConfig) -> Shipped | None:
    """The shipped run with these settings, whatever the learning rate of the field is now."""
    return next((one for one in shipped() if _settings(one.config) == _settings(config)), None)


def _settings(config: Seq2SeqConfig) -> dict[str, object]:
    rule = {f"optimiser {f.name}": getattr(config.optimiser, f.name) for f in fields(config.optimiser)}
    every = {f.name: getattr(config, f.name) for f in fields(config)} | rule
    return {k: v for k, v in every.items() if k not in ("optimiser", "optimiser lr", "device")}


def begins_with(config: Seq2SeqConfig) -> Seq2SeqConfig:
    """What the run for these settings begins with: a shipped one with its own learning rate."""
    found = trained(config)
    return found.config if found else config


def fresh(config: Seq2SeqConfig, page: str) -> Run:
    """A run for these settings that nobody has touched: a shipped one stands where it was trained to, with
    the way back to before its training; any other before its first epoch.
    """
    found = trained(config)
    run = Run(Origin(begun(begins_with(config)), 0), label="first run", group=page)
    if found is not None:
        run.restore(found.origin)
    return run
