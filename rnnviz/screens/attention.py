"""The configuration of the page *Attention*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rnnviz.data import pairs_text
from rnnviz.data.pairs import MAX_DIGITS, answer, origins
from rnnviz.data.split import split
from rnnviz.link import read
from rnnviz.screens.attention_edits import Changes, parse
from rnnviz.screens.attention_fields import BY_KEY, FIELDS, FILE, OWN, VIEWS
from rnnviz.training.config import WITH_MOMENTUM, Optimiser
from rnnviz.training.pairs_config import END, SPECIAL, Generated, Pair, Seq2SeqConfig
from rnnviz.training.slices import Stop

EXAMPLE_PAIRS = "good morning\tguten Morgen\nthe dog sleeps\tder Hund schläft\n"
"""What stands in the table of own pairs before anything is written."""


@dataclass(frozen=True)
class Upload:
    """A file of pairs that was read: its name, and the pairs for either kind of token, or what is wrong.

    ``held_out``: how a saved run had them divided, None for a file of pairs.
    """

    name: str
    pairs: Mapping[str, tuple[Pair, ...] | str]
    held_out: tuple[Pair, ...] | None = None

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class AttentionScreen:
    """What is trained, what the model is asked to read, and what is changed in its decoding.

    ``right``: the right target, None where nobody knows; ``truth``: for each of its tokens the source
    positions it comes from. ``problem``: why the pairs cannot be used, ``trouble``: why the typed source
    cannot, each "" or a sentence; the examples, or a pair of the data, are used then. ``wrong``: the lines of
    *What if* that cannot be done. ``about``: what was read of a file.
    """

    config: Seq2SeqConfig
    source: tuple[str, ...]
    right: tuple[str, ...] | None
    truth: tuple[tuple[int, ...], ...]
    unit: pairs_text.Unit
    changes: Changes
    wrong: tuple[str, ...]
    until: str
    epochs: int
    loss: float
    problem: str = ""
    trouble: str = ""
    about: str = ""

    @property
    def generated(self) -> Generated | None:
        """The task, None for one's own pairs."""
        return self.config.data if isinstance(self.config.data, Generated) else None

    @property
    def attends(self) -> bool:
        """Whether there is attention."""
        return self.config.attention != "none"

    def text(self, tokens: Sequence[str]) -> str:
        """A source as it is written: without spaces where each token is a character."""
        return pairs_text.joined(tokens, self.unit)

    def said(self, tokens: Sequence[str], most: int | None = None) -> str:
        """The same of a target, at most so many characters of it."""
        unit = _unit(self.config.target_symbols[END + 1 :]) if self.generated else self.unit
        whole = pairs_text.joined(tokens, unit)
        return whole if most is None or len(whole) <= most else f"{whole[:most]}…"

    def stop(self, done: int) -> Stop | None:
        """What ends the next play after ``done`` epochs. A number of epochs counts from its last multiple."""
        if self.until == "epochs":
            return Stop(epochs=(done // self.epochs + 1) * self.epochs)
        if self.until == "all right":
            return Stop(all_right=True)
        return Stop(loss_below=self.loss) if self.until == "loss below" else None


def screen(
    found: Mapping[str, Any], upload: Upload | None = None
) -> tuple[AttentionScreen, dict[str, Any], dict[str, str]]:
    """The screen of what an address or a browser sent, its clean values, and a sentence for each key that was
    corrected. ``upload``: the file that this session holds.
    """
    values, notes = read(FIELDS, found)
    _agreed(values, notes)
    config, problem, about = _config(_Key(tuple(sorted(_of_model(values).items())), upload))
    unit = unit_of(config, values["a_unit"])
    asked = config.held or config.pairs
    values["a_pair"] = min(values["a_pair"], len(asked) - 1)
    source, right = asked[values["a_pair"]]
    trouble = ""
    if values["a_source"].strip():
        typed = _typed(values["a_source"], unit, config)
        trouble = typed if isinstance(typed, str) else ""
        source, right = (source, right) if isinstance(typed, str) else typed
    changes, wrong = parse(
        values["a_edits"],
        len(source),
        frozenset(config.target_symbols[END:]),
        config.attention != "none",
    )
    values["a_place"] = min(values["a_place"], len(source) - 1)
    if config.attention == "none" and values["a_view"] == "Padding":
        values["a_view"] = VIEWS[0]
    data = config.data
    truth = origins(data.task, source, data.shift) if isinstance(data, Generated) else ()
    current = AttentionScreen(
        *(config, source, right, truth, unit, changes, tuple(wrong)),
        *(values["a_until"], values["a_epochs"], values["a_loss"], problem, trouble, about),
    )
    return current, values, notes


def unit_of(config: Seq2SeqConfig, own: str) -> pairs_text.Unit:
    """How a source of these data is written: as characters where each symbol is one."""
    if not isinstance(config.data, Generated):
        return "word" if own == "word" else "character"
    return _unit(config.source_symbols[1:])


def _unit(symbols: Sequence[str]) -> pairs_text.Unit:
    return "character" if all(len(symbol) == 1 for symbol in symbols) else "word"


def _agreed(values: dict[str, Any], notes: dict[str, str]) -> None:
    """Make the values fit each other, out loud where a number that somebody typed is not used."""
    if values["a_short"] > values["a_long"]:
        values["a_short"] = values["a_long"]
        notes["a_short"] = f"Shortest is more than Longest: {values['a_long']} is used for both"
    if values["a_task"] == "numbers" and values["a_long"] > MAX_DIGITS:
        values["a_long"] = MAX_DIGITS
        values["a_short"] = min(values["a_short"], MAX_DIGITS)
        notes["a_long"] = f"A number has at most {MAX_DIGITS} digits: Longest is {MAX_DIGITS}"
    if values["a_opt"] not in WITH_MOMENTUM:
        values["a_mom"] = 0.0
    width = values["a_hidden"] * (2 if values["a_bi"] else 1)
    if values["a_score"] in ("dot", "scaled_dot"):
        values["a_dhid"] = width
    if values["a_score"] == "multihead":
        values["a_heads"] = next(n for n in range(min(values["a_heads"], width), 0, -1) if width % n == 0)
        values["a_head"] = min(values["a_head"], values["a_heads"] - 1)
    else:
        values["a_head"] = 0


def _of_model(values: Mapping[str, Any]) -> dict[str, Any]:
    from rnnviz.screens.attention_fields import LOOKED

    return {k: v for k, v in values.items() if k not in LOOKED and k not in ("a_until", "a_epochs", "a_loss")}


@dataclass(frozen=True)
class _Key:
    values: tuple[tuple[str, Any], ...]
    upload: Upload | None


@lru_cache(maxsize=64)
def _config(key: _Key) -> tuple[Seq2SeqConfig, str, str]:
    """The configuration of the values, why its pairs cannot be used, and what was read."""
    values = dict(key.values)
    problem = about = ""
    data: Generated | tuple[Pair, ...]
    held_out: tuple[Pair, ...] = ()
    if values["a_task"] in (OWN, FILE):
        pairs, problem, about = own_pairs(values, key.upload)
        if values["a_task"] == FILE and key.upload is not None and key.upload.held_out is not None:
            data, held_out = pairs, key.upload.held_out
        else:
            share = values["a_part"] if len(pairs) > 1 else 0.0
            parts: Any = split(pairs, share, values["a_seed"])  # type: ignore[arg-type]
            data, held_out = parts.train, parts.held_out
    else:
        data = Generated(
            values["a_task"],
            *(values[f"a_{name}"] for name in ("symbols", "short", "long", "shift", "train", "held")),
        )
    try:
        return _made(values, data, held_out), problem, about
    except ValueError as fault:
        if isinstance(data, Generated):
            return _made(values | {"a_vocab": 0, "a_batch": 16}, data, ()), str(fault), ""
    pairs = pairs_text.parse(EXAMPLE_PAIRS, values["a_unit"])
    return _made(values | {"a_vocab": 0, "a_batch": 16}, pairs, ()), str(fault_of(values, data, held_out)), ""


def fault_of(values: Mapping[str, Any], data: Any, held_out: Any) -> str:
    """What a configuration of these values says is wrong."""
    try:
        _made(values, data, held_out)
    except ValueError as fault:
        return str(fault)
    return ""


def _made(values: Mapping[str, Any], data: Any, held_out: tuple[Pair, ...]) -> Seq2SeqConfig:
    return Seq2SeqConfig(
        data,
        held_out,
        vocabulary=0 if isinstance(data, Generated) else values["a_vocab"],
        encoder=values["a_enc"],
        decoder=values["a_dec"],
        embedding=values["a_emb"],
        hidden=values["a_hidden"],
        decoder_hidden=values["a_dhid"],
        num_layers=values["a_layers"],
        decoder_layers=values["a_dlay"],
        bidirectional=values["a_bi"],
        attention=values["a_score"],
        heads=values["a_heads"],
        mask=values["a_mask"],
        packed=values["a_pack"],
        dropout=values["a_drop"],
        teacher=values["a_teach"],
        teacher_end=values["a_tend"],
        teacher_epochs=values["a_tover"],
        teacher_reversed=values["a_trev"],
        batch=values["a_batch"],
        shuffle=values["a_shuffle"],
        optimiser=Optimiser(
            values["a_opt"], values["a_lr"], values["a_mom"], values["a_wd"], values["a_clip"]
        ),
        seed=values["a_seed"],
        device=values["a_device"],
    )


def own_pairs(values: Mapping[str, Any], upload: Upload | None) -> tuple[tuple[Pair, ...], str, str]:
    """The pairs that were typed or uploaded, or the examples with a sentence why."""
    unit = values["a_unit"]
    examples = pairs_text.parse(EXAMPLE_PAIRS, unit)
    if values["a_task"] == FILE:
        if upload is None:
            return examples, "", "No file yet (a link does not carry one): these are examples"
        found = upload.pairs[unit]
        if isinstance(found, str):
            return examples, f"{upload.name}: {found}", ""
        return found, "", f"{upload.name}: {len(found):,} pairs"
    try:
        return pairs_text.parse(tabbed(values["a_pairs"]) or EXAMPLE_PAIRS, unit), "", ""
    except ValueError as fault:
        return examples, str(fault).replace("has no tab", "has no tab and no =>"), ""


def tabbed(text: str) -> str:
    """The text with a tab where somebody wrote =>, since a text box has no tab key."""
    lines = [line if "\t" in line else line.replace("=>", "\t", 1) for line in text.split("\n")]
    return "\n".join(lines) if text.strip() else ""


def _typed(
    text: str, unit: pairs_text.Unit, config: Seq2SeqConfig
) -> tuple[tuple[str, ...], tuple[str, ...] | None] | str:
    """What somebody typed as a source, with its right target; or the sentence that says what is wrong."""
    try:
        source = pairs_text.typed(text, unit, config.source_symbols[1:])
        if isinstance(config.data, Generated):
            return source, answer(config.data.task, source, config.data.shift)
    except ValueError as fault:
        return str(fault)
    return source, dict((*config.held, *config.pairs)).get(source)


def said_right(current: AttentionScreen, said: Sequence[str]) -> tuple[bool, ...]:
    """For each token that was said, the end symbol included, whether another one is right; none is judged
    where the right target is not known.
    """
    if current.right is None:
        return (False,) * len(said)
    right = (*current.right, SPECIAL[END])
    return tuple(t >= len(right) or token != right[t] for t, token in enumerate(said))


__all__ = ["BY_KEY", "FIELDS", "VIEWS"]
