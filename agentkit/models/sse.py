"""Server-sent events: the bytes of a stream in, the data of each event out, however the bytes were cut."""

from __future__ import annotations


class EventStream:
    """Feed it bytes as they arrive; it gives the data of every event that is complete.

    Comments and fields other than ``data`` are skipped. Bytes become text a whole line at a time, so a character cut in two
    by the network is whole again.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[str]:
        """The events that ``piece`` completes."""
        self._rest.append(piece)
        if b"\n" not in piece:
            return []
        *lines, rest = b"".join(self._rest).split(b"\n")
        self._rest = [rest]
        return [event for line in lines if (event := self._line(line)) is not None]

    def end(self) -> list[str]:
        """The last event of a stream that ended without an empty line."""
        return self.feed(b"\n\n")

    def _line(self, raw: bytes) -> str | None:
        if raw.startswith(b"data:"):
            line = raw.removeprefix(b"data:").removeprefix(b" ").removesuffix(b"\r")
            self._data.append(line.decode("utf-8", errors="replace"))
        elif self._data and raw in (b"", b"\r"):
            event, self._data = "\n".join(self._data), []
            return event
        return None
