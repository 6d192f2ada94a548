"""The rows of one run in a SQLite file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentkit.runtime.database import explained
from agentkit.runtime.header import APPLICATION, FORMAT, META, Header, values_of
from agentkit.runtime.lock import FileLock
from agentkit.runtime.rows import TABLES, Row

_CALLS = """
CREATE TABLE calls (
    seq INTEGER PRIMARY KEY, node TEXT NOT NULL, visit INTEGER NOT NULL, path TEXT NOT NULL,
    request BLOB, ordinal INTEGER, sample TEXT, usage TEXT NOT NULL, at REAL NOT NULL
);
"""
_NODES = """
CREATE TABLE nodes (
    seq INTEGER PRIMARY KEY, node TEXT NOT NULL, visit INTEGER NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL,
    outputs TEXT NOT NULL, usage TEXT NOT NULL, seconds REAL NOT NULL, at REAL NOT NULL
);
"""
_EVENTS = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, node TEXT NOT NULL, visit INTEGER NOT NULL, path TEXT NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL, at REAL NOT NULL
);
"""
_MARKS = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};"
SCHEMA = _MARKS + META + _CALLS + _NODES + _EVENTS

_UPGRADES = {1: "ALTER TABLE meta ADD COLUMN origin TEXT NOT NULL DEFAULT '{}';" + _EVENTS}
"""What brings a file of each earlier format to the next."""

_INSERTS = {
    table: f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    for table, columns in TABLES.items()
}


class SqliteRows:
    """The tables of the file at ``path``; ``lock`` is None for one that is only read."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock | None) -> None:
        self.path, self._connection, self._lock = path, connection, lock

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def append(self, rows: Iterable[Row]) -> int:
        """Commit rows."""
        found = list(rows)
        with explained(self.path):
            if len(found) == 1:
                return self._insert(*found[0])
            with self._transaction():
                return [self._insert(table, values) for table, values in found][-1]

    def select(self, table: str, columns: Sequence[str], *, seq: int | None = None) -> list[tuple[Any, ...]]:
        """Columns of rows; a table that an older format does not have is empty."""
        query = f"SELECT {', '.join(columns)} FROM {table}"
        with explained(self.path):
            if table == "events" and self._version() < FORMAT:
                return []
            if seq is not None:
                return self._connection.execute(f"{query} WHERE seq = ?", (seq,)).fetchall()
            return self._connection.execute(f"{query} ORDER BY seq").fetchall()

    def update(self, header: Header, rows: Iterable[Row]) -> None:
        """Commit how the run stands."""
        status, seconds, output, error = values_of(header)
        with explained(self.path), self._transaction():
            for table, values in rows:
                self._insert(table, values)
            self._connection.execute(
                "UPDATE meta SET status = ?, seconds = ?, output = ?, error = ?", (status, seconds, output, error)
            )

    def upgrade(self) -> None:
        """Bring a file of an earlier format up to this one."""
        with explained(self.path):
            for version in range(self._version(), FORMAT):
                self._connection.executescript(
                    f"BEGIN; {_UPGRADES[version]} PRAGMA user_version = {version + 1}; COMMIT;"
                )

    def close(self) -> None:
        """Leave one plain file, free for others."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _insert(self, table: str, values: Sequence[object]) -> int:
        return int(self._connection.execute(_INSERTS[table], values).lastrowid or 0)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
