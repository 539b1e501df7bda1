"""Widgets as the protocol describes them: what they are called, what they may be set to, how a value
travels.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.Common_pb2 import DoubleArray, StringArray
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState

NUMERIC = ("slider", "number_input")
CHOICE = ("select_slider", "button_group", "selectbox", "radio")
MOVABLE = (*NUMERIC, *CHOICE, "checkbox")


@dataclass
class Widget:
    """One widget on the page. `options`: what a choice offers; `low` to `high` by `step`: a number."""

    kind: str
    id: str
    label: str
    value: Any
    default: Any = None
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    whole: bool = False  # integers only
    many: bool = False  # several values at once: a range slider, a multi-select
    required: bool = True
    disabled: bool = False
    query_key: str = ""
    forced: bool = False  # the server set the value: it replaces what the browser holds
    fragment: str = ""
    sidebar: bool = False

    @property
    def key(self) -> str:
        """The key the page gave it; a widget's id is `$$ID-<hash>-<key>`."""
        key = self.id.split("-", 2)[-1]
        return self.id if key == "None" else key

    def state(self, value: Any) -> WidgetState:
        """The value as the browser sends it."""
        state = WidgetState(id=self.id)
        if value is None:
            if self.kind == "button_group":  # nothing chosen, which the browser says with an empty list
                state.string_array_value.CopyFrom(StringArray())
            elif self.kind == "button":
                state.trigger_value = True
            return state
        if self.kind == "button":
            state.trigger_value = True
        elif self.kind == "slider":
            state.double_array_value.CopyFrom(DoubleArray(data=value if self.many else [value]))
        elif self.kind == "number_input":
            state.double_value = value
        elif self.kind in ("select_slider", "button_group", "multiselect"):
            state.string_array_value.CopyFrom(StringArray(data=value if self.many else [value]))
        elif self.kind == "checkbox":
            state.bool_value = value
        else:
            state.string_value = value
        return state

    def query_texts(self, value: Any) -> list[str]:
        """What a bound widget writes into the address; nothing for its default, as the browser does."""
        if value is None or value == self.default:
            return []
        values = list(value) if self.many else [value]
        return [_text(v, whole=self.whole) for v in values]

    def draw(self, rng: random.Random, *, wild: bool = False) -> Any:
        """Another value that a person could choose now.

        Sliders may land anywhere, number inputs are clicked up or down by one to five steps. Both stay
        below eight times the default, because a class does not live at the upper limits; `wild` lifts that.
        """
        if self.kind in ("checkbox", "button"):
            return not self.value
        if self.kind in CHOICE:
            others = [o for o in self.options if o != self.value]
            return rng.choice(others) if others else self.value
        top = (
            self.high if wild else min(self.high, max(8 * abs(self.default or 0), self.low + 16 * self.step))
        )
        steps = max(1, round((top - self.low) / self.step))
        at = round((float(self.value or 0) - self.low) / self.step)
        if self.kind == "number_input" and not wild:
            places = [p for p in range(at - 5, at + 6) if p != at and 0 <= p <= steps]
        else:
            places = [rng.randint(0, steps) for _ in range(4)]
        places = [p for p in places if p != at] or [at - 1 if at > 0 else at + 1]
        return min(self.high, self.low + rng.choice(places) * self.step)


def read_widget(element: Element) -> Widget | None:
    """The widget in an element, None when it is not one that this client can move."""
    kind = str(element.WhichOneof("type"))
    reader = _READERS.get(kind)
    if reader is None:
        return None
    proto = getattr(element, kind)
    widget = reader(proto)
    widget.disabled = proto.disabled
    if kind != "button":
        widget.query_key, widget.forced = proto.query_param_key, proto.set_value
    return widget


def _text(value: Any, *, whole: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and (whole or value.is_integer()):
        return str(int(value))
    return str(value)


def _slider(p: Any) -> Widget:
    if p.options:
        picked = [p.options[int(i)] for i in p.default]
        now = list(p.raw_value) if p.set_value and p.raw_value else picked
        many = len(picked) > 1
        return Widget(
            "select_slider",
            p.id,
            p.label,
            now if many else now[0],
            picked if many else picked[0],
            options=tuple(p.options),
            many=many,
        )
    now, default = list(p.value if p.set_value else p.default), list(p.default)
    many = len(default) > 1
    return Widget(
        "slider",
        p.id,
        p.label,
        now if many else now[0],
        default if many else default[0],
        low=p.min,
        high=p.max,
        step=p.step or 1.0,
        whole=p.data_type == Slider.INT,
        many=many,
    )


def _number(p: Any) -> Widget:
    default = p.default if p.HasField("default") else None
    now = (p.value if p.HasField("value") else None) if p.set_value else default
    step = p.step or 1.0
    low = p.min if p.has_min else (default or 0.0) - 100 * step
    high = p.max if p.has_max else (default or 0.0) + 100 * step
    return Widget(
        "number_input",
        p.id,
        p.label,
        now,
        default,
        low=low,
        high=high,
        step=step,
        whole=p.data_type == NumberInput.INT,
    )


def _group(p: Any) -> Widget:
    options = tuple(o.content for o in p.options)
    many = p.click_mode == ButtonGroup.MULTI_SELECT
    picked = [options[i] for i in p.default]
    now = list(p.raw_values) if p.set_value else picked
    if many:
        return Widget("multiselect", p.id, p.label, now, picked, options=options, many=True)
    first = now[0] if now else None
    return Widget(
        "button_group",
        p.id,
        p.label,
        first,
        picked[0] if picked else None,
        options=options,
        required=p.required,
    )


def _choice(kind: str) -> Callable[[Any], Widget]:
    def read(p: Any) -> Widget:
        default = p.options[p.default] if p.HasField("default") and p.default < len(p.options) else None
        now = (p.raw_value if p.HasField("raw_value") else None) if p.set_value else default
        return Widget(kind, p.id, p.label, now, default, options=tuple(p.options))

    return read


def _multi(p: Any) -> Widget:
    picked = [p.options[i] for i in p.default]
    return Widget(
        "multiselect",
        p.id,
        p.label,
        list(p.raw_values) if p.set_value else picked,
        picked,
        options=tuple(p.options),
        many=True,
    )


def _checkbox(p: Any) -> Widget:
    return Widget("checkbox", p.id, p.label, p.value if p.set_value else p.default, p.default)


def _written(p: Any) -> Widget:
    default = p.default if p.HasField("default") else None
    return Widget("text", p.id, p.label, p.value if p.set_value and p.HasField("value") else default, default)


def _button(p: Any) -> Widget:
    return Widget("button", p.id, p.label, None)


_READERS: dict[str, Callable[[Any], Widget]] = {
    "slider": _slider,
    "number_input": _number,
    "button_group": _group,
    "selectbox": _choice("selectbox"),
    "radio": _choice("radio"),
    "checkbox": _checkbox,
    "text_input": _written,
    "text_area": _written,
    "multiselect": _multi,
    "button": _button,
}
