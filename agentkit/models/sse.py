"""Server-sent events: the bytes of a stream in, the data of each event out, however the bytes were cut."""

from __future__ import annotations


class EventStream:
    """Feed it bytes as they arrive; it gives the data of every event that is complete.

    Comments and fields other than ``data`` are skipped. Bytes become text a whole line at a time, so a character cut in two
    by the network is whole again.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[str]:
        """The events that ``piece`` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [event for line in lines if (event := self._line(line)) is not None]

    def end(self) -> list[str]:
        """The last event of a stream that ended without an empty line."""
        return self.feed(b"\n\n")

    def _line(self, raw: bytes) -> str | None:
        line = raw.rstrip(b"\r").decode("utf-8", errors="replace")
        if not line and self._data:
            event, self._data = "\n".join(self._data), []
            return event
        if line.startswith("data:"):
            self._data.append(line.removeprefix("data:").removeprefix(" "))
        return None
