"""The files a graph refers to: text inside its own folder, read once."""

from __future__ import annotations

from pathlib import Path

from agentkit.errors import ConfigError, InputError
from agentkit.paths import resolve_ref

_LARGEST = 256_000


class Files:
    """Reads texts below ``folder``; ``texts`` keeps what was read, by the name the graph uses."""

    def __init__(self, folder: Path | None) -> None:
        self.texts: dict[str, str] = {}
        self._folder = folder

    def read(self, ref: str) -> str:
        """The text of a file; raises ``ConfigError`` when it is outside the folder, absent, too large or no text."""
        if ref not in self.texts:
            self.texts[ref] = self._read(ref)
        return self.texts[ref]

    def _read(self, ref: str) -> str:
        if self._folder is None:
            raise InputError(f"this graph has no folder, so it cannot refer to the file {ref!r}")
        path = resolve_ref(self._folder, ref)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"the file {ref!r} cannot be read: {error.strerror}") from None
        if len(data) > _LARGEST:
            raise ConfigError(f"the file {ref!r} is larger than {_LARGEST:,} bytes")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigError(f"the file {ref!r} is not UTF-8 text") from None
