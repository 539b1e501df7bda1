"""The browser's store of large messages, which lets the server send a hash in their place."""

from __future__ import annotations

from dataclasses import dataclass

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@dataclass
class _Held:
    message: ForwardMsg
    used: int  # the run count at its last use
    fragment: str


class MessageStore:
    """Keeps what the server marks as cacheable until unused for `max_age` runs, as the browser does."""

    def __init__(self) -> None:
        self.max_age = 2
        self._held: dict[str, _Held] = {}
        self._runs = 0

    def hashes(self) -> list[str]:
        """What to tell the server with every request."""
        return list(self._held)

    def resolve(self, message: ForwardMsg) -> ForwardMsg:
        """The message itself, or the one that it refers to. Raises KeyError when that one is not held."""
        if message.WhichOneof("type") == "ref_hash":
            held = self._held[message.ref_hash]
            held.used = self._runs
            whole = ForwardMsg()
            whole.CopyFrom(held.message)
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable and message.hash:
            self._held[message.hash] = _Held(message, self._runs, message.delta.fragment_id)
        return message

    def age(self, fragments: set[str]) -> None:
        """One run has ended: of these fragments, or of the whole page when there are none."""
        self._runs += 1
        self._held = {
            name: held
            for name, held in self._held.items()
            if (fragments and held.fragment not in fragments) or self._runs - held.used <= self.max_age
        }
