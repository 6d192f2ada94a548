"""Feature rows on disk, as they are computed: what an interrupted training goes on from."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from agentkit.errors import StoreError

_MAGIC = b"agentkit features 1\n"
_KEY = sha256().digest_size
_LENGTH = 4


class KeptFeatures:
    """Rows of 32-bit floats by what they were computed from; use as a context manager.

    A torn last row and a file of another kind are forgotten. Raises ``StoreError`` where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows, whole = _read(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("r+b" if whole else "w+b")
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._write(_MAGIC)

    def __enter__(self) -> KeptFeatures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, key: str, compute: Callable[[], Sequence[float]]) -> tuple[float, ...]:
        """The row of ``key``, computed and kept where it is not there yet."""
        digest = sha256(key.encode()).digest()
        if digest not in self._rows:
            row = array("f", compute())
            self._write(digest + len(row).to_bytes(_LENGTH, "little") + row.tobytes())
            self._rows[digest] = tuple(row)
        return self._rows[digest]

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}") from None


def _read(path: Path) -> tuple[dict[bytes, tuple[float, ...]], int]:
    """The rows, and how many bytes of the file are whole."""
    data = path.read_bytes() if path.is_file() else b""
    if not data.startswith(_MAGIC):
        return {}, 0
    rows, place = dict[bytes, tuple[float, ...]](), len(_MAGIC)
    while place + _KEY + _LENGTH <= len(data):
        start = place + _KEY + _LENGTH
        end = start + 4 * int.from_bytes(data[place + _KEY : start], "little")
        if end > len(data):
            break
        rows[data[place : place + _KEY]] = tuple(array("f", data[start:end]))
        place = end
    return rows, place
