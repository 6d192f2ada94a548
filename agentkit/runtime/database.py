"""SQLite files opened one way, with one sentence for everything that can go wrong."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from agentkit.errors import StoreError

_PAGE = 2048  # bytes; a row is 0.5 to 2 kB, and every commit writes whole pages

_SENTENCES = {
    "SQLITE_FULL": "the disk is full; make room and resume, what was recorded is kept",
    "SQLITE_IOERR": "the file could not be written ({error}): is the disk full or a limit on file sizes set? "
    "What was recorded is kept",
    "SQLITE_READONLY": "the file or its folder is read-only",
    "SQLITE_CANTOPEN": "the file cannot be opened: does its folder exist, and may you write there?",
    "SQLITE_PERM": "the file or its folder may not be written by you",
    "SQLITE_BUSY": "the file is locked by another process; wait until it ends, then resume",
    "SQLITE_LOCKED": "the file is locked by another process; wait until it ends, then resume",
    "SQLITE_NOTADB": "this is not a database: the file was damaged or is something else",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a copy, or start a new run",
}

_REASONS = {
    errno.ENOSPC: _SENTENCES["SQLITE_FULL"],
    errno.EACCES: "the file or its folder may not be written by you",
    errno.EROFS: _SENTENCES["SQLITE_READONLY"],
    errno.ENOTDIR: "a file stands where a folder is needed",
}


@contextmanager
def explained(path: object) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ``StoreError`` with the path and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {_sentence(error)}") from error
    except OSError as error:
        raise StoreError(f"{path}: {_REASONS.get(error.errno or 0) or error.strerror or error}") from error


@contextmanager
def readable(path: object, what: str) -> Iterator[None]:
    """Turn what a damaged or forged row makes of the code that reads it into ``StoreError``."""
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise StoreError(f"{path}: {what} cannot be read ({error}): the file was changed or damaged") from error


def connect(path: Path, *, full: bool, patience: float, schema: str = "") -> sqlite3.Connection:
    """An existing file to write to (an empty one becomes a database with ``schema``); waits ``patience`` seconds for others.

    Commits survive the death of the process; with ``full`` every commit is synced, so that it survives a power cut.
    """
    connection = _open(path, "mode=rw", patience)
    try:
        # a new file is not worth a sync before it holds anything: a power cut then loses a run that has done nothing
        connection.execute(f"PRAGMA synchronous = {'FULL' if full or not schema else 'OFF'}")
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        if schema:
            connection.executescript(f"BEGIN; {schema} COMMIT;")
        connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
    except BaseException:
        connection.close()
        raise
    return connection


def look(path: Path, *, patience: float) -> sqlite3.Connection:
    """An existing database to read from, in a folder where nothing may be written too."""
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    return _open(path, "immutable=1" if at_rest and not os.access(path.parent, os.W_OK) else "mode=ro", patience)


def _open(path: Path, mode: str, patience: float) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience, check_same_thread=False)


def _sentence(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    for code, sentence in _SENTENCES.items():
        if name.startswith(code):
            return sentence.format(error=error)
    return str(error)
