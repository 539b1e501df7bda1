"""Files the browser or a page needs besides Python: found and hashed here, served by `rnnviz.ui.server`.

Only the standard library is imported, so that a chart can ask for an address without the server around it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

ROUTE: Final = "rnnviz-assets"
"""First part of every address that `asset_url` returns."""

FOLDER: Final = Path(__file__).resolve().parent.parent / "assets"

MEDIA_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ADDRESS: Final = re.compile(r"(?P<stem>.+)\.(?P<digest>[0-9a-f]{16})(?P<suffix>\.[a-z]+)")


@dataclass(frozen=True)
class Asset:
    """One file as the browser gets it; `digest` covers every byte of `content`."""

    name: str
    content: bytes
    media_type: str
    digest: str

    @property
    def url(self) -> str:
        """Address relative to the app's root; it changes whenever the content does."""
        stem, suffix = self.name.rsplit(".", 1)
        return f"{ROUTE}/{stem}.{self.digest}.{suffix}"


def asset_url(name: str) -> str:
    """Address of an asset relative to the app's root, without leading slash: `rnnviz-assets/chart.<hash>.js`.

    `name` is a file of `assets/` (`chart.js`, `chart.css`, `icon.svg`) or `plotly.min.js`, which comes from
    the installed plotly package. Raises `ValueError` for a name that cannot be an asset, `FileNotFoundError`
    if there is none.
    """
    return load(name).url


def read_text(name: str) -> str:
    """The Markdown text `assets/text/<name>` (`.md` is added when the name has no suffix).

    Raises `ValueError` for a name that is not a plain file name, `FileNotFoundError` if it is not there.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"text name {name!r} is not a plain file name")
    file = FOLDER / "text" / (name if "." in name else f"{name}.md")
    return _text(file, file.stat().st_mtime_ns)


def data_uri(name: str) -> str:
    """A small asset as a ``data:`` address, where one of this server would come and go with a session."""
    asset = load(name)
    return f"data:{asset.media_type};base64,{base64.b64encode(asset.content).decode('ascii')}"


def load(name: str) -> Asset:
    """The asset with this name, read again only when its file has changed. Errors as in `asset_url`."""
    file = _locate(name)
    return _load(name, file, file.stat().st_mtime_ns)


def find(address: str) -> Asset | None:
    """The asset behind the last part of an address made by `asset_url`; None if name or hash is unknown."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    try:
        asset = load(match["stem"] + match["suffix"])
    except (ValueError, FileNotFoundError):
        return None
    return asset if asset.digest == match["digest"] else None


def _locate(name: str) -> Path:
    if not _NAME.fullmatch(name) or Path(name).suffix not in MEDIA_TYPES:
        raise ValueError(f"asset name {name!r}: expected a plain file name ending in {sorted(MEDIA_TYPES)}")
    if name != "plotly.min.js":
        return FOLDER / name
    spec = importlib.util.find_spec("plotly")  # finds the package without running it
    if spec is None or spec.origin is None:
        raise FileNotFoundError("plotly is not installed, so plotly.min.js cannot be served")
    return Path(spec.origin).parent / "package_data" / name


@lru_cache(maxsize=32)
def _load(name: str, file: Path, _stamp: int) -> Asset:
    content = file.read_bytes()
    if name == "chart.js":
        content = _palette_script().encode() + content
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(name, content, MEDIA_TYPES[file.suffix], digest)


@lru_cache(maxsize=64)
def _text(file: Path, _stamp: int) -> str:
    return file.read_text(encoding="utf-8")


def _palette_script() -> str:
    # Colours are defined once, in Python; the browser needs them to follow a switch of the theme. Imported
    # here, since only the one asset that carries them may depend on the figures.
    from rnnviz.figures.theme import browser_palette

    return f"const PALETTE = {json.dumps(browser_palette(), sort_keys=True, allow_nan=False)};\n"
