"""What stands in a page's address: one `Field` for each control, and how a value found there is corrected.

A page's controls are built from its fields, so that a bound is written once: it limits the widget in the
browser, is checked again on the server for whatever arrives, and corrects what somebody typed into the
address.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Field:
    """One value of a page's configuration.

    ``default`` decides the type: bool, int, float or str. ``low`` and ``high`` bound a number, ``options``
    lists what a choice may be, ``max_chars`` bounds a text.
    """

    key: str
    label: str
    default: bool | int | float | str
    help: str
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    max_chars: int = 200

    def clean(self, value: Any) -> tuple[Any, str | None]:
        """The value as it may be used, and a sentence if it had to be changed."""
        if isinstance(self.default, bool):
            return self._bool(value)
        if isinstance(self.default, (int, float)):
            return self._number(value)
        text = str(value)
        if self.options and text not in self.options:
            return (
                self.default,
                f"{self.label} {_quote(text)} is none of {', '.join(self.options)}: {self.default} is used",
            )
        if len(text) > self.max_chars:
            return text[
                : self.max_chars
            ], f"{self.label} is longer than {self.max_chars:,} characters: the rest is cut off"
        return text, None

    def _bool(self, value: Any) -> tuple[bool, str | None]:
        if isinstance(value, bool):
            return value, None
        word = str(value).strip().lower()
        if word in ("true", "false"):
            return word == "true", None
        return bool(
            self.default
        ), f"{self.label} {_quote(value)} is neither true nor false: {self._shown(self.default)} is used"

    def _number(self, value: Any) -> tuple[int | float, str | None]:
        default: Any = self.default
        try:
            number = float(value)
        except (TypeError, ValueError):
            return default, f"{self.label} {_quote(value)} is not a number: {default} is used"
        if not math.isfinite(number) or (isinstance(default, int) and number != int(number)):
            kind = "whole" if isinstance(default, int) else "finite"
            return default, f"{self.label} {_quote(value)} is not a {kind} number: {default} is used"
        exact: int | float = int(number) if isinstance(default, int) else number
        for bound, word, outside in ((self.low, "least", -1), (self.high, "most", 1)):
            if bound is not None and (exact - bound) * outside > 0:
                fixed = int(bound) if isinstance(default, int) else bound
                said = f"out of range, at {word} {fixed} is allowed: {fixed} is used"
                return fixed, f"{self.label} {_quote(value)} is {said}"
        return exact, None

    @staticmethod
    def _shown(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)


def _quote(value: Any) -> str:
    text = str(value)
    return f"“{text if len(text) <= 40 else text[:39] + '…'}”"


def read(fields: Iterable[Field], found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Every field's usable value from what an address or a browser sent, and a sentence for each key that was
    corrected.
    """
    values: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for field in fields:
        values[field.key], note = (
            field.clean(found[field.key]) if field.key in found else (field.default, None)
        )
        if note:
            notes[field.key] = note
    return values, notes


def query(fields: Iterable[Field], values: Mapping[str, Any]) -> str:
    """The query string of a configuration; values at their default are left out, as Streamlit leaves them
    out.
    """
    chosen = {f.key: values[f.key] for f in fields if values[f.key] != f.default}
    return urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in chosen.items()})
