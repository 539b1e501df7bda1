"""Side by side: the notebooks' three models on the same strings, trained at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import streamlit as st

from rnnviz.presets import EPOCHS
from rnnviz.screens import characters as page
from rnnviz.training.config import CharsConfig
from rnnviz.training.live import SPEEDS, Run, house
from rnnviz.ui import pickers
from rnnviz.ui.characters import details, pictures
from rnnviz.ui.characters.reading import CANVAS, NOW, PAGE, Moment, Places, fresh, moment, redraw, visit_once
from rnnviz.ui.lab.desk import config_of, guarded, reset, said, unplayed
from rnnviz.ui.lab.desk import show as bring
from rnnviz.ui.lab.transport import NAMES

GROUP = "characters side by side"
EPOCH, SPEED = f"{PAGE}_side_epoch", f"{PAGE}_side_speed"
SLOW = 5.0
"""Epochs a second, so that strings can be read while they change."""
FIELD = pickers.by_key(page.FIELDS)


def runs(current: page.CharsScreen) -> dict[str, Run]:
    """The three runs by their rows; those of other strings or another seed go. Looking is free: one that was
    not trained yet has no place in the lobby.
    """
    lobby, visit, wanted = house().lobby, visit_once(), current.models
    found = {run.label: run for run in lobby.runs(visit, GROUP)}
    if any(config_of(run) != wanted.get(row) for row, run in found.items()):
        for run in found.values():
            lobby.remove(visit, run.id)
        found = {}
    held = st.session_state.get("c_side_preview")
    if held is None or held[0] != current.three:
        made = {row: unplayed(c, fresh(c), row, GROUP) for row, c in wanted.items()}
        held = st.session_state["c_side_preview"] = (current.three, made)
    return {row: found.get(row, held[1][row]) for row in wanted}


def busy(current: page.CharsScreen) -> bool:
    """Whether one of them goes on."""
    return any(run.look().busy for run in runs(current).values())


def standing(current: page.CharsScreen) -> tuple[Hashable, ...]:
    """What the buttons, the way back and the bounds of the scores depend on."""
    looks = [run.look() for run in runs(current).values()]
    return _bounds(current), *((look.epoch, look.busy, look.stopped) for look in looks)


def frame(current: page.CharsScreen, values: Mapping[str, Any]) -> Places:
    """What stands still while they go on: buttons, the way back, the choice of a model and of a view."""
    here = runs(current)
    _transport(current, here)
    said(PAGE)
    spot, top = st.container(), st.container()
    st.caption(_bounds(current))
    _rewind(here)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pickers.choice(FIELD["c_which"], collapsed=True)
        pickers.choice(FIELD["c_view"], page.SIDE_VIEWS, collapsed=True)
        st.button(
            "Open by itself",
            key="c_side_open",
            help="This model alone, as it stands: change it, rewind it, branch it, save it.",
            on_click=_open,
        )
        details.options(current.models[current.which], values["c_view"])
    return Places(spot, top, st.container())


def show(current: page.CharsScreen, values: dict[str, Any], places: Places) -> None:
    """A column a model, and one of them in detail."""
    here = runs(current)
    looks = [run.look() for run in here.values()]
    epoch = None if any(look.busy for look in looks) else st.session_state.get(EPOCH)
    now = {row: moment(values, run, current.models[row], epoch) for row, run in here.items()}
    if any(look.busy for look in looks) and not any(look.curves.names for look in looks):
        with places.counter:
            st.caption("The workers are loading PyTorch, once: a few seconds.")
    long = len(current.config.source) > pictures.LONG
    with st.grid(1 if long else 3, min_column_width=230):
        for row, each in now.items():
            with st.container(gap="xsmall"):
                _column(row, each, alone=row == current.which)
    with places.bottom:
        _detail(current, values["c_view"], here, now[current.which])


def _detail(current: page.CharsScreen, view: str, here: dict[str, Run], now: Moment) -> None:
    if view == "Curves":
        details.losses(now, list(here.values()))
        if current.models["D3"].reduction != current.models["D4"].reduction:
            st.caption(
                f"D3's loss is the sum of its {len(current.config.target)} positions', the others' a mean."
            )
    else:
        VIEWS[view](now)


VIEWS: dict[str, Callable[[Moment], None]] = {
    "Reshape": details.reshaped,
    "Inside": details.inside,
    "Weights": details.weights,
}


def _column(row: str, now: Moment, *, alone: bool) -> None:
    """A model's pictures; of long strings all but the first are drawn of one model ``alone``."""
    st.markdown(
        f"**{row}** {pictures.standing(now.look)} ({now.config.reduction})  \n"
        f":small[`{call(now.config)}` lr {now.config.optimiser.lr:g}]"
    )
    long = len(now.config.source) > pictures.LONG
    key, (high, low) = f"c_{row}", pictures.WIDE if long else pictures.NARROW
    pictures.strings(now, key, _back_to, high)
    if alone or not pictures.large(now.config):
        pictures.softmax_and_state(now, key, low)


def _bounds(current: page.CharsScreen) -> str:
    """In a sentence for each kind of model, what its scores can reach."""
    rows: dict[str, list[str]] = {}
    for row, config in current.models.items():
        rows.setdefault(pictures.bound(config), []).append(row)
    return "  \n".join(f"{' and '.join(each)}: {sentence}" for sentence, each in rows.items())


def call(config: CharsConfig) -> str:
    """The line that makes the layer."""
    classes = len(config.characters)
    if config.layer == "cell":
        return f"nn.{config.kind}Cell({config.embedding or classes}, {config.hidden})"
    layers = f", num_layers={config.num_layers}" if config.num_layers > 1 else ""
    return f"nn.{config.kind}({config.embedding or classes}, {config.hidden}{layers})"


def _transport(current: page.CharsScreen, here: dict[str, Run]) -> None:
    looks = [run.look() for run in here.values()]
    playing = any(look.playing for look in looks)

    def act(what: Callable[[Run], Any]) -> Callable[[], None]:
        def clicked() -> None:
            st.session_state.pop(EPOCH, None)  # back to where they stand
            for run in _taken(st.session_state[NOW]):
                guarded(PAGE, what, run)
            redraw()

        return clicked

    def go(run: Run) -> None:
        run.play(st.session_state[SPEED], page.stop_of(run.label, run.look().epoch))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Pause" if playing else "Train all three",
            key="c_side_play",
            help=f"As the notebooks do: {', '.join(f'{row} {EPOCHS[row]}' for row in here)} epochs",
            on_click=act(Run.pause if playing else go),
            type="primary",
            shortcut="p",
        )
        st.button(
            "1 epoch",
            key="c_side_epoch",
            help="One step of each",
            on_click=act(Run.one_epoch),
            shortcut="e",
        )
        st.button(
            "Reset",
            key="c_side_reset",
            help="Back to before training",
            on_click=act(reset),
            disabled=not any(look.epoch for look in looks),
        )
        st.selectbox(
            "Speed",
            list(SPEEDS),
            index=SPEEDS.index(SLOW),
            format_func=NAMES.__getitem__,
            key=SPEED,
            label_visibility="collapsed",
            width=165,
            on_change=_speed,
        )
    if message := house().message:
        st.warning(message)
    for row, look in zip(here, looks, strict=True):
        if look.stopped and look.fault:
            st.warning(f"{row}: {look.stopped}")


def _speed() -> None:
    for run in runs(st.session_state[NOW]).values():
        run.set_speed(st.session_state[SPEED])


def _taken(current: page.CharsScreen) -> list[Run]:
    """The three, each in the lobby, if there is room."""
    lobby, visit = house().lobby, visit_once()
    held = lobby.runs(visit, GROUP)
    found = []
    for run in runs(current).values():
        if run in held or guarded(PAGE, lobby.add, visit, run) is not None:
            found.append(run)
    return found


def _rewind(here: dict[str, Run]) -> None:
    """The slider back to any epoch, for the three at once."""
    looks = [run.look() for run in here.values()]
    last = max(look.epoch for look in looks)
    if last == 0 or any(look.busy for look in looks):
        return
    st.session_state[EPOCH] = min(st.session_state.get(EPOCH, last), last)
    st.slider(
        "Rewind",
        0,
        last,
        key=EPOCH,
        help="Replays every picture of the three. A click on a string does the same.",
    )


def _back_to(epoch: int) -> None:
    st.session_state[EPOCH] = epoch
    st.rerun(CANVAS)


def _open() -> None:
    """A copy of the one that is looked into, with its history, on the desk."""
    current: page.CharsScreen = st.session_state[NOW]
    row = current.which
    run = runs(current)[row]
    copy = Run(run.origin, label=row, group=PAGE)
    copy.restore(run.saved())
    if guarded(PAGE, house().lobby.add, visit_once(), copy) is None:
        return
    bring(PAGE, copy)
    st.session_state.pop(f"{PAGE}_epoch", None)
    config = config_of(run)
    assert isinstance(config, CharsConfig)
    pickers.assign(
        page.values_of(config) | {"c_mode": page.ALONE, "c_epochs": EPOCHS[row], "c_until": "epochs"}
    )
    st.rerun()
