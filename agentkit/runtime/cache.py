"""Outputs of nodes, kept across runs: one table beside the runs, bounded, whatever the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agentkit.errors import StoreError
from agentkit.runtime.codec import decode_usage, dumps, encode_usage
from agentkit.runtime.database import connect, explained, readable
from agentkit.runtime.redact import Redactor
from agentkit.types import JSON, Usage

MOST_ENTRIES = 10_000
MOST_BYTES = 256 * 2**20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (
    key TEXT PRIMARY KEY, graph TEXT NOT NULL, node TEXT NOT NULL, outputs TEXT NOT NULL, usage TEXT NOT NULL,
    bytes INTEGER NOT NULL, written REAL NOT NULL, used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS kept_used ON kept (used);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The ``outputs`` of a node in an earlier run, and what they had cost."""

    outputs: Mapping[str, JSON]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSize:
    """How much a cache holds."""

    entries: int
    bytes: int


class NodeCache(Protocol):
    """Keeps outputs by a key that names all they depend on. Raises ``StoreError`` for whatever goes wrong with the database.

    It is bounded: what was not used for longest goes first. Times are in seconds since 1970.
    """

    def get(self, key: str, *, now: float, since: float = 0.0) -> Kept | None:
        """What is kept under ``key``, written at ``since`` or later; it counts as used ``now``."""
        ...

    def put(self, key: str, kept: Kept, *, now: float, graph: str, node: str) -> None:
        """Keep the outputs of ``node`` of ``graph``, in place of earlier ones."""
        ...

    def clear(self, graph: str | None = None) -> int:
        """Forget everything, or what nodes of ``graph`` put out, and say how many entries that were."""
        ...

    def size(self) -> CacheSize:
        """How much is kept."""
        ...


@dataclass(frozen=True, kw_only=True)
class SqliteCache:
    """The cache in the file ``path``, which is made when something is first kept; ``patience`` as for ``Store``."""

    path: Path
    redact: Redactor
    patience: float = 2.0
    most_entries: int = MOST_ENTRIES
    most_bytes: int = MOST_BYTES

    def get(self, key: str, *, now: float, since: float = 0.0) -> Kept | None:
        """What is kept under ``key``."""
        if not self.path.exists():
            return None
        with self._open() as database:
            query = "UPDATE kept SET used = ? WHERE key = ? AND written >= ? RETURNING outputs, usage"
            row = database.execute(query, (now, key, since)).fetchone()
        return None if row is None else read_row(self.path, *row)

    def put(self, key: str, kept: Kept, *, now: float, graph: str, node: str) -> None:
        """Keep outputs; those that alone would fill an eighth of the cache are not kept."""
        outputs, usage = row_of(self.path, kept, self.redact)
        if len(outputs) > self.most_bytes // 8:
            return
        row = (key, graph, node, outputs, usage, len(outputs), now, now)
        with self._open() as database:
            database.execute(f"INSERT OR REPLACE INTO kept VALUES ({', '.join('?' * 8)})", row)
            self._make_room(database)

    def clear(self, graph: str | None = None) -> int:
        """Forget entries."""
        if not self.path.exists():
            return 0
        where, values = ("", ()) if graph is None else (" WHERE graph = ?", (graph,))
        with self._open() as database:
            return int(database.execute(f"DELETE FROM kept{where}", values).rowcount)

    def size(self) -> CacheSize:
        """How much is kept."""
        if not self.path.exists():
            return CacheSize(entries=0, bytes=0)
        with self._open() as database:
            entries, size = _size(database)
        return CacheSize(entries=entries, bytes=size)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            new = not self.path.exists() or not self.path.stat().st_size
            if new:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            schema = _SCHEMA if new else ""
            with closing(connect(self.path, full=False, patience=self.patience, schema=schema)) as database:
                yield database

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Forget what was not used for longest, a tenth more than is needed, so that this does not happen at every entry."""
        entries, size = _size(database)
        if entries <= self.most_entries and size <= self.most_bytes:
            return
        doomed = []
        for key, one in database.execute("SELECT key, bytes FROM kept ORDER BY used, rowid"):
            if entries <= 0.9 * self.most_entries and size <= 0.9 * self.most_bytes:
                break
            entries, size = entries - 1, size - one
            doomed.append((key,))
        database.executemany("DELETE FROM kept WHERE key = ?", doomed)


def row_of(place: object, kept: Kept, redact: Redactor) -> tuple[str, str]:
    """Outputs with known secrets struck out, and usage, as text; ``StoreError`` for outputs that are not plain data."""
    try:
        return dumps(redact.data(dict(kept.outputs))), dumps(encode_usage(kept.usage))
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{place}: these outputs cannot be kept as JSON: {error}") from error


def read_row(place: object, outputs: str, usage: str) -> Kept:
    """The entry of a row; ``StoreError`` for one that was not written by us."""
    with readable(place, "a kept output"):
        return Kept(outputs=dict(json.loads(outputs)), usage=decode_usage(json.loads(usage)))


def _size(database: sqlite3.Connection) -> tuple[int, int]:
    entries, size = database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM kept").fetchone()
    return int(entries), int(size)
