"""One process a run: a lock file that the kernel gives back even after ``kill -9``."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from agentkit.errors import StoreError

_TRIES, _PAUSE = 3, 0.01  # whoever only asks ``is_held`` holds the lock for an instant


class FileLock:
    """Holds ``path`` from construction to ``release``; raises ``StoreError`` when somebody else holds it."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._file: int | None = _locked(path, what)

    def release(self) -> None:
        """Remove the file and let go; once is enough, more does no harm."""
        if self._file is None:
            return
        with suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self._file)
        self._file = None


def is_held(path: Path) -> bool:
    """Whether a live process holds the lock."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _locked(path: Path, what: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(file):
            owner = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreError(f"{what} is already being run (by process {owner}): wait until it ends, or stop it first")
        if _is_still_there(file, path):
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            return file
        os.close(file)  # its holder removed it between our open and our lock: try again with a new one


def _lock(file: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _is_still_there(file: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False
