"""Pens that collect small strokes into few plotly traces: lines, arrow heads, texts, places to point at."""

from __future__ import annotations

from typing import Any

_SILENT: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, "meta": {"decoration": True}}


def tint(colour: str, share: float) -> str:
    """``#rrggbb`` as a transparent fill, which serves the light and the dark theme alike."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


class Path:
    """Line segments or closed boxes of one trace."""

    def __init__(self) -> None:
        self.x: list[float | None] = []
        self.y: list[float | None] = []

    def line(self, *points: tuple[float, float]) -> None:
        for x, y in points:
            self.x.append(round(x, 3))
            self.y.append(round(y, 3))
        self.x.append(None)
        self.y.append(None)

    def box(self, x: float, y: float, wide: float, tall: float) -> None:
        """A box around (x, y), ``wide`` and ``tall`` being half its sides."""
        left, right, low, high = x - wide, x + wide, y - tall, y + tall
        self.line((left, low), (right, low), (right, high), (left, high), (left, low))

    def drawn(
        self, colour: str, *, width: float = 1.5, fill: str | None = None, dash: str = "solid"
    ) -> dict[str, Any]:
        line = {"color": colour, "width": width, "dash": dash}
        trace = {"type": "scatter", "mode": "lines", "x": self.x, "y": self.y, "line": line, **_SILENT}
        return trace | ({"fill": "toself", "fillcolor": fill} if fill else {})


class Heads:
    """Arrow heads of one trace; ``to`` is "up", "left" or "right"."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.symbol: list[str] = []

    def add(self, x: float, y: float, to: str) -> None:
        self.x.append(round(x, 3))
        self.y.append(round(y, 3))
        self.symbol.append(f"triangle-{to}")

    def drawn(self, colour: str, size: int = 7) -> dict[str, Any]:
        marker = {"symbol": self.symbol, "size": size, "color": colour}
        return {"type": "scatter", "mode": "markers", "x": self.x, "y": self.y, "marker": marker, **_SILENT}


class Texts:
    """Short texts of one trace. They may hold Plotly's mark-up: escape what a user typed."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.text: list[str] = []

    def add(self, x: float, y: float, text: str) -> None:
        self.x.append(round(x, 3))
        self.y.append(round(y, 3))
        self.text.append(text)

    def drawn(self, colour: str, size: int = 11) -> dict[str, Any]:
        font = {"color": colour, "size": size}
        return {
            "type": "scatter",
            "mode": "text",
            "x": self.x,
            "y": self.y,
            "text": self.text,
            "textfont": font,
            **_SILENT,
        }


class Targets:
    """Invisible markers that answer to the pointer: one hover text with ``%{customdata[i]}`` of each."""

    def __init__(self, name: str, hover: str) -> None:
        self.name, self.hover = name, hover
        self.x: list[float] = []
        self.y: list[float] = []
        self.custom: list[list[int | str]] = []

    def add(self, x: float, y: float, *custom: int | str) -> None:
        self.x.append(round(x, 3))
        self.y.append(round(y, 3))
        self.custom.append(list(custom))

    def drawn(self, colour: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "markers",
            "name": self.name,
            "x": self.x,
            "y": self.y,
            "customdata": self.custom,
            "marker": {"size": 26, "opacity": 0, "symbol": "square", "color": colour},
            "hovertemplate": f"{self.hover}<extra></extra>",
            "showlegend": False,
        }
