"""What every figure is built with: `figure`, safe text, token axes, limits, the empty figure."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rnnviz.figures import theme

MAX_TICKS = 40
MAX_TOKEN = 10

_TEMPLATE = theme.template()


class LazyFigure(go.Figure):  # type: ignore[misc]  # plotly ships no types
    """A plotly figure whose objects are only made when somebody looks at them.

    The browser needs the plain data alone, and making plotly's objects and copying them back costs most of
    a page's rerun: 9 ms for 100 annotations and shapes or 4 ms for 7 heatmaps, against 0.2 ms to encode the
    data. Once sent, only the text is kept: Streamlit collects garbage after every rerun, and a few hundred
    kept figures made of dictionaries had made that take 40 ms. Everything else works as on any `go.Figure`.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.__dict__["_plain"] = content

    def __getattr__(self, name: str) -> Any:
        # Reached when an attribute is missing, as all of plotly's are until its own initialiser has run.
        content = self._taken()
        if content is None:
            raise AttributeError(name)
        go.Figure.__init__(self, content, _validate=False)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if {"_plain", "_sent"} & self.__dict__.keys():
            self.__getattr__("data")
        super().__setattr__(name, value)

    def _taken(self) -> dict[str, Any] | None:
        content: dict[str, Any] | None = self.__dict__.pop("_plain", None)
        sent: Sendable | None = self.__dict__.pop("_sent", None)
        if sent is not None:
            content = orjson.loads(sent.text)
            content["layout"]["template"] = _TEMPLATE
        return content

    def to_dict(self) -> dict[str, Any]:
        """``{"data": [...], "layout": {...}}`` with arrays as plotly.js takes them."""
        content: dict[str, Any] = (
            _encoded(self.__dict__["_plain"]) if "_plain" in self.__dict__ else super().to_dict()
        )
        return content

    def sendable(self) -> Sendable:
        """What `sendable` gives, made once. Many threads may ask: figures are kept for all users."""
        plain = self.__dict__.get("_plain")
        sent: Sendable | None = self.__dict__.get(
            "_sent"
        )  # in this order: it is set before the other is dropped
        if sent is None:
            if plain is None:
                return _sendable(super().to_dict())
            sent = self.__dict__["_sent"] = _sendable(_encoded(plain))
            self.__dict__.pop("_plain", None)
        return sent


@dataclass(frozen=True)
class Sendable:
    """A figure as the JSON text that the browser gets, and its height in pixels if it has one."""

    text: str
    height: int | None


def sendable(made: go.Figure) -> Sendable:
    """Any figure for plotly.js, without the template, which the browser has already.

    Raises `ValueError` for a number outside of an array that is not finite or numpy's: it could not be sent.
    """
    return made.sendable() if isinstance(made, LazyFigure) else _sendable(_encoded(made.to_dict()))


def _sendable(content: dict[str, Any]) -> Sendable:
    layout = {k: v for k, v in content["layout"].items() if k != "template"}
    content = {"data": content["data"], "layout": layout}
    return Sendable(orjson.dumps(content).decode(), layout.get("height"))


_LEAVES = {str, int, bool, type(None)}
_TYPED = {"f4", "f8", "i1", "i2", "i4", "u1", "u2", "u4"}


def _encoded(value: Any) -> Any:
    """The value as JSON for plotly.js: numpy arrays of its types in base64 (`bdata`), all others as lists.

    Raises `ValueError` for what could not be sent: a number outside of an array that is not finite or
    numpy's.
    """
    # The leaves are most of a figure: asking here instead of calling for each halves the time.
    if isinstance(value, dict):
        return {k: v if type(v) in _LEAVES else _encoded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [v if type(v) in _LEAVES else _encoded(v) for v in value]
    if isinstance(value, np.ndarray):
        return _encoded_array(value)
    if isinstance(value, np.generic) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{value!r} cannot be sent: give numpy arrays, or None for a gap")
    return value


def _encoded_array(value: NDArray[Any]) -> Any:
    kind = value.dtype.str[1:]
    if kind not in _TYPED or value.ndim not in (1, 2):
        return _encoded(value.tolist())
    data = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<"), copy=False))
    shape = {"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {}
    return {"dtype": kind, "bdata": base64.b64encode(data.tobytes()).decode("ascii"), **shape}


def figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """A figure with the house template, without plotly's validation; `layout` is not changed.

    The tests validate every figure instead. Traces whose type ends in "gl" are not drawn in the browser:
    their library compiles code at run time, which the app's security policy forbids; 3-D is fine.
    """
    return LazyFigure({"data": data, "layout": {"template": _TEMPLATE, **layout}})


def plain(text: object) -> str:
    """`text` shown as it is: Plotly renders a subset of HTML, links too, so a user's `& < >` are escaped."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(token: object, limit: int = MAX_TOKEN) -> str:
    """The token cut to `limit` characters, the last of them "…" if anything was cut, and escaped by `plain`.

    White space is made visible ("␣", "⏎", "⇥"): an empty tick label cannot be told from a missing one.
    """
    text = str(token)
    if not text.strip():
        text = text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return plain(text if len(text) <= limit else text[: limit - 1] + "…")


def in_template(escaped: str) -> str:
    """Text that `plain` or `short` made, as a part of a hover template: its own ``%{…}`` stays as it is."""
    return escaped.replace("%{", "&#37;{")


def empty(title: str, *, height: int = 220) -> go.Figure:
    """A figure without data that says why: `title` stands where the data would be."""
    hidden = {"visible": False, "fixedrange": True}
    note = {
        "text": plain(title),
        "font": {"color": theme.MUTED},
        "showarrow": False,
        **{"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5},
    }
    return figure([], {"xaxis": hidden, "yaxis": hidden, "height": height, "annotations": [note]})


def signed_limit(values: ArrayLike) -> float:
    """Half the range, symmetric about 0, that holds every finite value; 1.0 if there is none but 0."""
    numbers = np.abs(np.asarray(values, dtype=np.float64))
    largest = float(np.max(numbers, initial=0.0, where=np.isfinite(numbers)))
    return largest or 1.0


def tokens_axis(tokens: Sequence[object], *, max_ticks: int = MAX_TICKS) -> dict[str, Any]:
    """An axis of integer positions 0..len-1 labelled with tokens; category axes would merge repeated ones.

    At most `max_ticks` labels are given, evenly spread. When the figure also carries
    ``meta={"labels": {"x": labels(tokens)}}`` the browser shows as many as fit, and all in hover and CSV.
    """
    stride = max(1, -(-len(tokens) // max_ticks))
    at = range(0, len(tokens), stride)
    return {
        "tickmode": "array",
        "tickvals": list(at),
        "ticktext": [short(tokens[i]) for i in at],
        "autotickangles": [0, 45],
        "range": [-0.5, len(tokens) - 0.5],
        "showgrid": False,
        "zeroline": False,
    }


def axis_id(letter: str, i: int) -> str:
    """The id of the i-th axis as traces name it: x, x2, x3 …"""
    return letter if i == 0 else f"{letter}{i + 1}"


def axis_key(axis: str) -> str:
    """Where the layout holds an axis: x2 is ``layout.xaxis2``."""
    return f"{axis[0]}axis{axis[1:]}"


def labels(tokens: Sequence[object]) -> list[str]:
    """The tokens of an axis for ``layout.meta.labels``: escaped, at most 40 characters each."""
    return [short(token, 40) for token in tokens]
